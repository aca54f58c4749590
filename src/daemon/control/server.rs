//! The daemon's end of the door. Never blocks: a client that is slow or silent is dropped, not waited for.

use super::Request;
use crate::kernel::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Clients served at a time; more wait in the kernel's queue.
const CLIENTS: usize = 16;
/// How long a client may take for its question and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long nobody is let in when there are no descriptors left.
const FULL: Duration = Duration::from_millis(500);
/// The longest question, with room to spare.
const LONGEST: usize = 64;

/// The listening socket and its clients.
pub struct Server {
    listener: UnixListener,
    clients: Vec<Client>,
    /// Nobody can be let in before this: there are no descriptors left.
    full: Option<Instant>,
}

struct Client {
    stream: UnixStream,
    until: Instant,
    question: Vec<u8>,
    /// What is still to be written, once there is an answer.
    answer: Option<(Vec<u8>, usize)>,
}

/// A question that wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(usize);

impl Server {
    /// Opens the door. A socket that a killed daemon left behind is replaced: the caller holds the daemon's lock.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path).map_err(Error::io("listen at", path))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::io("protect", path))?;
        listener.set_nonblocking(true).map_err(Error::io("listen at", path))?;
        Ok(Self { listener, clients: Vec::new(), full: None })
    }

    /// What to wait for: each descriptor, and whether it is to be written to; else it is to be read from.
    pub fn fds(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        let listener = (self.clients.len() < CLIENTS && self.full.is_none()).then(|| (self.listener.as_fd(), false));
        let clients = self.clients.iter().map(|client| (client.stream.as_fd(), client.answer.is_some()));
        listener.into_iter().chain(clients)
    }

    /// When a client's time is up, or others may be let in again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.clients.iter().map(|client| client.until).chain(self.full).min()
    }

    /// Takes in new clients and their questions. Tickets are good until the next turn.
    pub fn turn(&mut self, now: Instant) -> Vec<(Ticket, Request)> {
        self.clients.retain_mut(|client| now < client.until && !client.is_done());
        self.full = self.full.filter(|until| now < *until);
        while self.clients.len() < CLIENTS && self.full.is_none() {
            match self.listener.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    self.clients.push(Client { stream, until: now + PATIENCE, question: Vec::new(), answer: None });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Whoever waits there stays ready: without a pause that would be asked again and again.
                Err(error) if error.kind() != io::ErrorKind::Interrupted => self.full = Some(now + FULL),
                Ok(_) | Err(_) => {}
            }
        }
        let mut requests = Vec::new();
        for (n, client) in self.clients.iter_mut().enumerate() {
            if client.answer.is_none()
                && let Some(request) = client.ask()
            {
                requests.push((Ticket(n), request));
            }
        }
        requests
    }

    /// Answers a question; an empty answer only closes.
    pub fn answer(&mut self, ticket: Ticket, answer: &str) {
        if let Some(client) = self.clients.get_mut(ticket.0) {
            client.answer = Some((answer.as_bytes().to_vec(), 0));
            if client.is_done() {
                // The client reads to the end; it shall not have to wait for the next turn.
                let _ = client.stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Client {
    /// The question, once it is complete. A client that asks nonsense, or goes away, is dropped in the next turn.
    fn ask(&mut self) -> Option<Request> {
        let mut buffer = [0; LONGEST];
        match self.stream.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Ok(length) if length > 0 && self.question.len() < LONGEST => {
                self.question.extend_from_slice(buffer.get(..length)?);
            }
            Ok(_) | Err(_) => {
                self.answer = Some((Vec::new(), 0));
                return None;
            }
        }
        let end = self.question.iter().position(|byte| *byte == b'\n')?;
        let request = std::str::from_utf8(self.question.get(..end)?).ok().and_then(Request::from_word);
        if request.is_none() {
            self.answer = Some((b"null".to_vec(), 0));
        }
        request
    }

    /// Writes what can be written; true when there is nothing more to do for this client.
    fn is_done(&mut self) -> bool {
        let Some((bytes, written)) = &mut self.answer else { return false };
        while let Some(rest) = bytes.get(*written..)
            && !rest.is_empty()
        {
            match self.stream.write(rest) {
                Ok(length) if length > 0 => *written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return true,
            }
        }
        true
    }
}
