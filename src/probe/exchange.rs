//! Probes with a socket of their own: TCP, HTTP and DNS.

use super::way::{Unsent, Way};
use super::{Failure, Moment, Token, dns, http, tcp};
use nix::errno::Errno;
use nix::sys::epoll::EpollFlags;
use nix::sys::socket::{MsgFlags, recv, send};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A probe under way.
pub(super) struct Exchange {
    /// Its number for the poll loop.
    pub key: u32,
    /// Which probe it is.
    pub token: Token,
    /// How it leaves.
    pub way: Way,
    /// When it is given up.
    pub deadline: Moment,
    fd: OwnedFd,
    sent: Instant,
    stage: Stage,
}

/// What is waited for.
enum Stage {
    /// A connection, and what to do with it.
    Connection { to: SocketAddr, then: Then },
    /// The start of an HTTP response on a connection that took this long to make.
    Response { head: [u8; http::HEAD], filled: usize, round_trip: Duration },
    /// The answer to a DNS query.
    Answer { id: u16 },
}

/// What to do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: that there is one is enough.
    Close,
    /// Ask for a page.
    Get,
}

/// How far a probe has come.
pub(super) enum Progress {
    /// It waits for the same as before.
    Waits,
    /// It now waits for something to read.
    Reads,
    /// It is over.
    Done(Result<Duration, Failure>),
}

impl Exchange {
    /// Begins a TCP connection.
    pub fn connect(
        key: u32,
        token: Token,
        way: &Way,
        to: SocketAddr,
        then: Then,
        deadline: Moment,
    ) -> Result<Self, Unsent> {
        let sent = Instant::now();
        let fd = tcp::begin(way, to)?;
        Ok(Self { key, token, way: way.clone(), deadline, fd, sent, stage: Stage::Connection { to, then } })
    }

    /// Sends a DNS query.
    pub fn query(key: u32, token: Token, way: &Way, to: SocketAddr, id: u16, deadline: Moment) -> Result<Self, Unsent> {
        let sent = Instant::now();
        let fd = dns::begin(way, to, id)?;
        Ok(Self { key, token, way: way.clone(), deadline, fd, sent, stage: Stage::Answer { id } })
    }

    /// What to be woken for. Errors wake as well, unasked.
    pub fn events(&self) -> EpollFlags {
        match self.stage {
            Stage::Connection { .. } => EpollFlags::EPOLLOUT,
            Stage::Response { .. } | Stage::Answer { .. } => EpollFlags::EPOLLIN,
        }
    }

    /// Goes on after having been woken.
    pub fn proceed(&mut self) -> Progress {
        match &mut self.stage {
            Stage::Connection { to, then } => {
                if let Err(errno) = tcp::outcome(&self.fd) {
                    return Progress::Done(Err(Failure::Network(errno)));
                }
                let round_trip = tcp::round_trip(&self.fd, self.sent);
                if *then == Then::Close {
                    return Progress::Done(Ok(round_trip));
                }
                let request = http::request(*to);
                // A new connection has room for so little, or something is wrong.
                match send(self.fd.as_raw_fd(), request.as_bytes(), MsgFlags::MSG_NOSIGNAL) {
                    Ok(length) if length == request.len() => {
                        self.stage = Stage::Response { head: [0; http::HEAD], filled: 0, round_trip };
                        Progress::Reads
                    }
                    Ok(_) => Progress::Done(Err(Failure::Network(Errno::ENOBUFS))),
                    Err(errno) => Progress::Done(Err(Failure::Network(errno))),
                }
            }
            Stage::Response { head, filled, round_trip } => {
                let length =
                    match recv(self.fd.as_raw_fd(), head.get_mut(*filled..).unwrap_or(&mut []), MsgFlags::empty()) {
                        Ok(length) => length,
                        Err(Errno::EAGAIN | Errno::EINTR) => return Progress::Waits,
                        Err(errno) => return Progress::Done(Err(Failure::Network(errno))),
                    };
                *filled = filled.saturating_add(length);
                match http::outcome(head.get(..*filled).unwrap_or(head), length == 0) {
                    Some(outcome) => Progress::Done(outcome.map(|()| *round_trip)),
                    None => Progress::Waits,
                }
            }
            Stage::Answer { id } => match dns::outcome(&self.fd, *id) {
                Some(outcome) => Progress::Done(outcome.map(|()| self.sent.elapsed())),
                None => Progress::Waits,
            },
        }
    }
}

impl AsFd for Exchange {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
