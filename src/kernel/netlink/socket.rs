//! One blocking netlink socket: requests go out one at a time, and only the answer to the last one counts.

use super::message::{Attributes, DUMP_INTERRUPTED, Malformed, Message, Messages, Request};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, getsockname, recv, send,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::{setsockopt_impl, sockopt_impl};
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// A datagram of a list has at most the length of the longest `recv` so far, and never more than 32 KiB
/// (`netlink_dump` and `netlink_recvmsg` in `af_netlink.c`), unless a single entry is longer: none of ours is.
/// A single answer is as long as its one object: a route with 256 next hops has 7 KiB.
const BUFFER: usize = 32 * 1024;
/// Answers come from the kernel itself, within microseconds; only a broken system takes this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a list is read again because it changed meanwhile.
const ATTEMPTS: usize = 10;

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`.
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// `NLM_F_CAPPED`: an error carries only the header of the request it is about.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes with an explanation follow.
const EXPLAINED: u16 = 0x200;
/// `NLMSGERR_ATTR_MSG`.
const EXPLANATION: u16 = 1;

const NETLINK_CAP_ACK: libc::c_int = 10;
const NETLINK_EXT_ACK: libc::c_int = 11;
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

sockopt_impl!(
    /// Errors do not repeat the whole request.
    CapAck, SetOnly, libc::SOL_NETLINK, NETLINK_CAP_ACK, bool);
sockopt_impl!(
    /// Errors carry a sentence that explains them.
    ExtAck, SetOnly, libc::SOL_NETLINK, NETLINK_EXT_ACK, bool);
sockopt_impl!(
    /// Without it the kernel ignores the filters in a request for a list (Linux 4.20).
    StrictCheck, SetOnly, libc::SOL_NETLINK, NETLINK_GET_STRICT_CHK, bool);

/// Why an exchange with the kernel failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The kernel said no.
    Refused {
        /// Its error number.
        errno: Errno,
        /// Its own explanation, if it gave one.
        reason: Option<String>,
    },
    /// The socket itself does not work.
    Socket {
        /// What was tried: "open", "read from".
        doing: &'static str,
        /// Why not.
        errno: Errno,
    },
    /// The answer makes no sense.
    Malformed(Malformed),
    /// No answer came.
    TimedOut,
    /// A list changed every time it was read.
    Unsteady,
}

impl Failure {
    /// The kernel's error number, if it answered with one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { errno, reason: None } => write!(f, "{}", io::Error::from(*errno)),
            Self::Refused { errno, reason: Some(reason) } => write!(f, "{}: {reason}", io::Error::from(*errno)),
            Self::Socket { doing, errno } => write!(f, "cannot {doing} a netlink socket: {}", io::Error::from(*errno)),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::TimedOut => write!(f, "the kernel did not answer within {} s", PATIENCE.as_secs()),
            Self::Unsteady => {
                f.write_str("the list changed each time it was read; try again when the network is quieter")
            }
        }
    }
}

/// What ends an exchange, besides an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The acknowledgement of a change.
    Acknowledged,
    /// The one answer to a question.
    Answered,
    /// The end of a list.
    Listed,
}

/// A netlink socket that talks to the kernel only.
pub struct Socket {
    fd: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
    writes: u32,
}

impl Socket {
    /// Opens a socket of a netlink family.
    ///
    /// # Errors
    /// The kernel has no such family, or sockets are forbidden.
    pub fn open(protocol: SockProtocol) -> Result<Self, Failure> {
        let fault = |errno| Failure::Socket { doing: "open", errno };
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(fault)?;
        // Connected to port 0, which is the kernel: it then refuses what other programs send to us.
        connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).map_err(fault)?;
        let patience = TimeVal::seconds(PATIENCE.as_secs().try_into().unwrap_or(10));
        setsockopt(&fd, sockopt::ReceiveTimeout, &patience).map_err(fault)?;
        setsockopt(&fd, sockopt::SendTimeout, &patience).map_err(fault)?;
        // These three are comforts: everything is checked and filtered here as well.
        let _ = setsockopt(&fd, CapAck, &true);
        let _ = setsockopt(&fd, ExtAck, &true);
        let _ = setsockopt(&fd, StrictCheck, &true);
        Ok(Self { fd, buffer: vec![0; BUFFER], sequence: 0, writes: 0 })
    }

    /// The socket's port: announcements of what was asked for here carry it. `None` if the kernel does not tell.
    #[must_use]
    pub fn port(&self) -> Option<u32> {
        getsockname::<NetlinkAddr>(self.fd.as_raw_fd()).ok().map(|address| address.pid())
    }

    /// How many messages that change something were sent.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.writes
    }

    /// Changes something and waits until the kernel has done it. The request must ask for that with `ACK`.
    ///
    /// # Errors
    /// The kernel refused, or the exchange failed.
    pub fn change(&mut self, request: &mut Request) -> Result<(), Failure> {
        self.writes = self.writes.saturating_add(1);
        self.exchange(request, Until::Acknowledged, &mut |_| Ok(())).map(|_| ())
    }

    /// Changes several things of one nfnetlink subsystem, all of them or none.
    ///
    /// # Errors
    /// The kernel refused one of them, or the exchange failed.
    pub fn transaction(&mut self, subsystem: u16, requests: Vec<Request>) -> Result<(), Failure> {
        self.writes = self.writes.saturating_add(1);
        self.sequence = self.sequence.wrapping_add(1);
        // `struct nfgenmsg`: no family, version 0, the subsystem.
        let [high, low] = subsystem.to_be_bytes();
        let frame = |kind| Request::new(kind, 0, &[0, 0, high, low]);
        let mut bytes = frame(BATCH_BEGIN).seal(self.sequence)?.to_vec();
        let mut expected = 0;
        for mut request in requests {
            bytes.extend_from_slice(request.seal(self.sequence)?);
            expected += 1;
        }
        bytes.extend_from_slice(frame(BATCH_END).seal(self.sequence)?);
        write(&self.fd, &bytes)?;
        // Each request asks for an answer; what is refused takes all the others along.
        let mut refused = Ok(());
        let deadline = Instant::now() + PATIENCE;
        while expected > 0 {
            let length = receive(&self.fd, &mut self.buffer)?;
            for message in Messages(self.buffer.get(..length).unwrap_or(&[])) {
                let message = message?;
                if message.sequence == self.sequence && message.kind == NLMSG_ERROR {
                    refused = refused.and(verdict(&message));
                    expected -= 1;
                }
            }
            // Where the whole batch is refused there may be one answer for all.
            if refused.is_err() || Instant::now() > deadline {
                break;
            }
        }
        refused?;
        if expected > 0 { Err(Failure::TimedOut) } else { Ok(()) }
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// The kernel refused, the exchange failed, or the answer is malformed.
    pub fn ask<T>(
        &mut self,
        request: &mut Request,
        decode: impl Fn(&Message) -> Result<T, Malformed>,
    ) -> Result<T, Failure> {
        let mut answer = None;
        self.exchange(request, Until::Answered, &mut |message| {
            answer = Some(decode(message)?);
            Ok(())
        })?;
        answer.ok_or(Failure::Malformed(Malformed("it is empty")))
    }

    /// Asks for a list; an entry that decodes to `None` is left out.
    /// If the list changed while it was read, it is read again: otherwise entries could be missing or doubled.
    ///
    /// # Errors
    /// The kernel refused, the exchange failed, or an entry is malformed.
    pub fn list<T>(
        &mut self,
        request: &mut Request,
        decode: impl Fn(&Message) -> Result<Option<T>, Malformed>,
    ) -> Result<Vec<T>, Failure> {
        for _ in 0..ATTEMPTS {
            let mut found = Vec::new();
            let steady = self.exchange(request, Until::Listed, &mut |message| {
                found.extend(decode(message)?);
                Ok(())
            })?;
            if steady {
                return Ok(found);
            }
        }
        Err(Failure::Unsteady)
    }

    /// Asks for a list and looks at each entry once, without keeping any. Entries may be missing or doubled if the list
    /// changed meanwhile.
    ///
    /// # Errors
    /// The kernel refused, the exchange failed, or an entry is malformed.
    pub fn each(
        &mut self,
        request: &mut Request,
        visit: &mut dyn FnMut(&Message) -> Result<(), Malformed>,
    ) -> Result<(), Failure> {
        self.exchange(request, Until::Listed, visit).map(|_| ())
    }

    /// Sends a request and reads until its answer is complete. Returns whether the answer is consistent.
    ///
    /// An entry that cannot be decoded does not end the reading: a list left half read would make the kernel refuse
    /// the next one with `EBUSY`. The first such error is reported at the end.
    fn exchange(
        &mut self,
        request: &mut Request,
        until: Until,
        visit: &mut dyn FnMut(&Message) -> Result<(), Malformed>,
    ) -> Result<bool, Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(request)?;
        let deadline = Instant::now() + PATIENCE;
        let mut steady = true;
        let mut first_fault = Ok(());
        loop {
            let length = receive(&self.fd, &mut self.buffer)?;
            for message in Messages(self.buffer.get(..length).unwrap_or(&[])) {
                let message = message?;
                // The late answer to a request that was given up.
                if message.sequence != self.sequence {
                    continue;
                }
                steady &= message.flags & DUMP_INTERRUPTED == 0;
                match message.kind {
                    NLMSG_NOOP => {}
                    NLMSG_ERROR | NLMSG_DONE => {
                        verdict(&message)?;
                        first_fault?;
                        return Ok(steady);
                    }
                    NLMSG_OVERRUN => return Err(Malformed("data was lost").into()),
                    _ => {
                        let visited = visit(&message);
                        first_fault = first_fault.and(visited);
                        if until == Until::Answered {
                            first_fault?;
                            return Ok(steady);
                        }
                    }
                }
            }
            if Instant::now() > deadline {
                return Err(Failure::TimedOut);
            }
        }
    }

    fn send(&mut self, request: &mut Request) -> Result<(), Failure> {
        let bytes = request.seal(self.sequence)?;
        write(&self.fd, bytes)
    }
}

/// Sends one datagram.
fn write(fd: &OwnedFd, bytes: &[u8]) -> Result<(), Failure> {
    loop {
        match send(fd.as_raw_fd(), bytes, MsgFlags::empty()) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::Socket { doing: "write to", errno }),
        }
    }
}

/// Reads one datagram.
fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Failure> {
    loop {
        // With MSG_TRUNC the kernel returns the real length, also when it did not fit.
        match recv(fd.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
            Ok(length) if length > buffer.len() => return Err(Malformed("it is larger than the buffer").into()),
            Ok(length) => return Ok(length),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Err(Failure::TimedOut),
            Err(errno) => return Err(Failure::Socket { doing: "read from", errno }),
        }
    }
}

/// What an acknowledgement, an error or the end of a list says: nothing, or why the request failed.
pub(super) fn verdict(message: &Message) -> Result<(), Failure> {
    // A list may end without a code.
    let Some((code, rest)) = message.payload.split_first_chunk::<4>() else {
        return if message.kind == NLMSG_DONE { Ok(()) } else { Err(Malformed("an error has no number").into()) };
    };
    let code = i32::from_ne_bytes(*code);
    if code >= 0 {
        return Ok(());
    }
    let reason = (message.flags & EXPLAINED != 0).then(|| explanation(message, rest)).flatten();
    Err(Failure::Refused { errno: Errno::from_raw(code.saturating_neg()), reason })
}

/// The kernel's own sentence about an error. In an error the request's header, or all of it, stands in front.
fn explanation(message: &Message, rest: &[u8]) -> Option<String> {
    let attributes = match message.kind {
        NLMSG_DONE => rest,
        _ if message.flags & CAPPED != 0 => rest.get(16..)?,
        _ => {
            let length = u32::from_ne_bytes(*rest.first_chunk()?);
            rest.get(usize::try_from(length).ok()?.checked_next_multiple_of(4)?..)?
        }
    };
    Attributes(attributes).flatten().find(|attribute| attribute.kind == EXPLANATION).map(|found| found.string())
}
