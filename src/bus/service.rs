//! Our place on the bus, for a poll loop: nothing here waits.

use super::error::{Error, Status};
use super::member::Member;
use super::object::{Incoming, Method, Ticket};
use super::pipe::{self, Pipe};
use super::socket;
use serde_json::Value;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The connection on which our object `wansplit` lives, and on which events and notifications come in.
///
/// Moments are times since the daemon's start, as everywhere in the loop.
pub struct Service {
    pipe: Pipe,
    member: Member,
    /// Why the connection ended; told by the next `turn`.
    fault: Option<Error>,
    ended: bool,
}

impl Service {
    /// Connects and begins to register; that is complete a few turns later. Without a place it looks for ubusd's socket
    /// where OpenWrt puts it.
    ///
    /// # Errors
    /// ubusd does not run, or is too busy to accept.
    pub fn connect(place: Option<&Path>, methods: &'static [Method], now: Duration) -> Result<Self, Error> {
        Ok(Self::over(socket::open(&socket::place(place), None)?, methods, now))
    }

    pub(super) fn over(stream: UnixStream, methods: &'static [Method], now: Duration) -> Self {
        let (pipe, member) = (Pipe::new(stream), Member::new(methods, now));
        let mut service = Self { pipe, member, fault: None, ended: false };
        service.post();
        service
    }

    /// The socket to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.pipe.fd()
    }

    /// Whether to wait until the socket can be written to, and then to call `turn`.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.pipe.wants_write() || self.fault.is_some()
    }

    /// When to call `turn` at the latest, though nothing comes in: ubusd owes us something.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let (ours, theirs) = (self.member.deadline(), self.pipe.deadline());
        ours.into_iter().chain(theirs).min()
    }

    /// Reads what is there if the socket is readable (or hung up), writes what can be written, and returns what came.
    ///
    /// It reads 64 KiB at most, so the socket may still be readable: wait for the level, not for the edge.
    ///
    /// # Errors
    /// The connection is of no use any more: drop this, and connect again a little later.
    pub fn turn(&mut self, readable: bool, now: Duration) -> Result<Vec<Incoming>, Error> {
        if self.ended {
            return Err(self.fault.take().unwrap_or(Error::Lost));
        }
        let outcome = self.try_turn(readable, now);
        self.ended |= outcome.is_err();
        outcome
    }

    /// Answers a call: with an object, or with null and a status that says why not. An answer that ubus cannot carry
    /// becomes an error for the caller, and a line in the log.
    pub fn reply(&mut self, ticket: Ticket, answer: &Value, status: Status) {
        if let Err(error) = self.member.reply(&ticket, answer, status) {
            log::warn!("cannot answer a call over ubus: {error}");
        }
        self.post();
    }

    /// Sends an event to whoever listens: `ubus listen wansplit.link`. One that ubus cannot carry is dropped, with a line
    /// in the log.
    pub fn send_event(&mut self, name: &str, data: &Value, now: Duration) {
        // Not the time of the last turn, which may be long ago: ubusd would be late at once.
        if let Err(error) = self.member.send_event(name, data, now) {
            log::warn!("cannot send the event '{name}' to ubus: {error}");
        }
        self.post();
    }

    fn try_turn(&mut self, readable: bool, now: Duration) -> Result<Vec<Incoming>, Error> {
        let mut incoming = Vec::new();
        let member = &mut self.member;
        let open = !readable || self.pipe.fill()?;
        self.pipe.messages(now, &mut |frame| member.hear(frame, now, &mut incoming))?;
        if !open {
            return Err(Error::Lost);
        }
        self.pipe.flush()?;
        self.post();
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        match self.member.deadline() {
            Some(deadline) if now >= deadline => Err(Error::TimedOut { who: "ubus".into(), patience: pipe::PATIENCE }),
            _ => Ok(incoming),
        }
    }

    /// Sends what the member wants to say.
    fn post(&mut self) {
        for message in self.member.outbox() {
            if let Err(error) = self.pipe.send(&message) {
                self.ended = true;
                self.fault = Some(error);
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
