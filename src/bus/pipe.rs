//! A connection that never waits: whole messages out of what has come, and what could not be sent yet.

use super::error::Error;
use super::frame::{self, Frame};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What is read in one turn at most, so that a flood of events leaves time for the rest of the loop.
const TURN: usize = 64 * 1024;
/// What waits for ubusd to read it, at most. It reads all the time; it hangs if this much piles up.
const BACKLOG: usize = 2 * 1024 * 1024;
/// Buffers that have grown beyond this are given back when they are empty.
const KEPT: usize = 4096;
/// How long the rest of a message may take: they are written in one go.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A non-blocking connection.
pub struct Pipe {
    stream: UnixStream,
    input: Vec<u8>,
    output: VecDeque<u8>,
    /// Since when the first message in `input` is incomplete.
    incomplete: Option<Duration>,
}

impl Pipe {
    /// Takes over a socket that is non-blocking already.
    pub fn new(stream: UnixStream) -> Self {
        Self { stream, input: Vec::new(), output: VecDeque::new(), incomplete: None }
    }

    /// The socket, to wait for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether something waits to be written.
    pub fn wants_write(&self) -> bool {
        !self.output.is_empty()
    }

    /// When the message that is coming must be complete.
    pub fn deadline(&self) -> Option<Duration> {
        self.incomplete.map(|since| since.saturating_add(PATIENCE))
    }

    /// Takes a message to be sent, and sends what the socket takes at once.
    ///
    /// # Errors
    /// ubusd has not read for long, or is gone.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.output.len().saturating_add(bytes.len()) > BACKLOG {
            return Err(Error::Stalled);
        }
        self.output.extend(bytes);
        self.flush()
    }

    /// Sends what the socket takes.
    ///
    /// # Errors
    /// ubusd is gone.
    pub fn flush(&mut self) -> Result<(), Error> {
        while !self.output.is_empty() {
            match self.stream.write(self.output.as_slices().0) {
                Ok(0) => return Err(Error::Lost),
                Ok(written) => drop(self.output.drain(..written.min(self.output.len()))),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted => {}
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => return Err(Error::Lost),
                    _ => return Err(Error::Io { doing: "write to", error }),
                },
            }
        }
        if self.output.capacity() > KEPT {
            self.output = VecDeque::new();
        }
        Ok(())
    }

    /// Reads what is there, though not without end. Returns whether more can come.
    ///
    /// # Errors
    /// The socket does not work.
    pub fn fill(&mut self) -> Result<bool, Error> {
        let mut chunk = [0; 4096];
        for _ in 0..TURN / chunk.len() {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(read) => self.input.extend_from_slice(chunk.get(..read).unwrap_or_default()),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => break,
                    ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionReset => return Ok(false),
                    _ => return Err(Error::Io { doing: "read from", error }),
                },
            }
        }
        Ok(true)
    }

    /// Visits each whole message in what was read, and keeps what is left of it.
    ///
    /// # Errors
    /// A message is malformed, or has been coming for too long; or the visitor fails.
    pub fn messages(&mut self, now: Duration, visit: &mut dyn FnMut(&Frame) -> Result<(), Error>) -> Result<(), Error> {
        let mut rest = self.input.as_slice();
        while let Some((frame, behind)) = frame::split(rest)? {
            visit(&frame)?;
            rest = behind;
        }
        let used = self.input.len() - rest.len();
        self.input.drain(..used);
        if self.input.is_empty() {
            self.incomplete = None;
            self.input.shrink_to(KEPT);
        } else if used > 0 || self.incomplete.is_none() {
            self.incomplete = Some(now);
        }
        match self.deadline() {
            Some(deadline) if now >= deadline => Err(Error::TimedOut { who: "ubus".into(), patience: PATIENCE }),
            _ => Ok(()),
        }
    }
}
