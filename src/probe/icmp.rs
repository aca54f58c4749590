//! Echo sockets: one a way and family, kept open.

use super::echo;
use super::filter::only_replies_to;
use super::way::{Unsent, Way};
use super::{Answer, Moment, Token};
use crate::config::model::Family;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockProtocol, SockType, SockaddrStorage, recvfrom, sendto};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// Echo requests on one socket that wait for a reply. Beyond it something is badly wrong with the intervals.
const MOST_WAITING: usize = 256;
/// Packets read in one go; who floods us does not keep the daemon from its other work.
const MOST_READ: usize = 64;
/// Room for the longest IPv4 header and a reply; what hangs behind is of no interest.
const BUFFER: usize = 60 + echo::LENGTH;

/// An echo socket and what waits for replies on it.
pub(super) struct Ping {
    /// Its number for the poll loop.
    pub key: u32,
    /// How its packets leave.
    pub way: Way,
    family: Family,
    fd: OwnedFd,
    raw: bool,
    id: u16,
    sequence: u16,
    waiting: Vec<Waiting>,
}

struct Waiting {
    token: Token,
    host: IpAddr,
    sequence: u16,
    nonce: u64,
    sent: Instant,
    deadline: Moment,
}

impl Ping {
    /// Opens a socket. `id` tells its packets from those of other programs.
    pub fn open(key: u32, way: &Way, family: Family, id: u16) -> Result<Self, Unsent> {
        let protocol = match family {
            Family::V4 => SockProtocol::Icmp,
            Family::V6 => SockProtocol::IcmpV6,
        };
        // On datagram sockets the kernel sorts the replies. But its default `ping_group_range`, "1 0", forbids them to
        // everybody, root too (EACCES), and kernels without IPv6 in them have none for it (EPROTONOSUPPORT).
        let (fd, raw) = match way.open(family, SockType::Datagram, protocol) {
            Err(Unsent { errno: Errno::EACCES | Errno::EPERM | Errno::EPROTONOSUPPORT, .. }) => {
                let fd = way.open(family, SockType::Raw, protocol)?;
                only_replies_to(&fd, family, id).map_err(Unsent::when("filter a raw socket"))?;
                (fd, true)
            }
            other => (other?, false),
        };
        Ok(Self { key, way: way.clone(), family, fd, raw, id, sequence: 0, waiting: Vec::new() })
    }

    /// Whether it is the socket for a way and family.
    pub fn serves(&self, way: &Way, family: Family) -> bool {
        self.family == family && self.way == *way
    }

    /// Sends one request.
    pub fn ask(&mut self, token: Token, host: IpAddr, nonce: u64, deadline: Moment) -> Result<(), Unsent> {
        let fault = Unsent::when("send an echo request");
        if self.waiting.len() >= MOST_WAITING {
            return Err(fault(Errno::ENOBUFS));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        // A datagram socket puts an id of its own choice in its place.
        let message = echo::request(self.family, echo::Reply { id: self.id, sequence, nonce });
        let to = SockaddrStorage::from(SocketAddr::new(host, 0));
        let sent = Instant::now();
        sendto(self.fd.as_raw_fd(), &message, &to, MsgFlags::empty()).map_err(fault)?;
        self.waiting.push(Waiting { token, host, sequence, nonce, sent, deadline });
        Ok(())
    }

    /// Reads what has come.
    ///
    /// Round-trip times are taken by the clock at reading. The kernel could stamp packets as they arrive
    /// (`SO_TIMESTAMPNS`), but then it stamps every packet the router receives or forwards as long as such a socket is
    /// open (`net_enable_timestamp`).
    pub fn collect(&mut self, answers: &mut Vec<Answer>) {
        let mut buffer = [0; BUFFER];
        for _ in 0..MOST_READ {
            match recvfrom::<SockaddrStorage>(self.fd.as_raw_fd(), &mut buffer) {
                Ok((length, Some(from))) => {
                    let packet = buffer.get(..length).unwrap_or(&buffer);
                    answers.extend(self.accept(packet, &from, Instant::now()));
                }
                Ok((_, None)) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                // An error that was waiting on the socket, of no packet in particular; reading has cleared it.
                Err(_) => {}
            }
        }
    }

    /// Forgets requests whose time is over.
    pub fn expire(&mut self, now: Moment) {
        self.waiting.retain(|waiting| waiting.deadline > now);
    }

    fn accept(&mut self, packet: &[u8], from: &SockaddrStorage, now: Instant) -> Option<Answer> {
        let message = if self.raw && self.family == Family::V4 { echo::behind_ipv4(packet)? } else { packet };
        let reply = echo::reply(self.family, message)?;
        let from = match self.family {
            Family::V4 => IpAddr::V4(from.as_sockaddr_in()?.ip()),
            Family::V6 => IpAddr::V6(from.as_sockaddr_in6()?.ip()),
        };
        if self.raw && reply.id != self.id {
            return None;
        }
        let place = self.waiting.iter().position(|waiting| {
            waiting.sequence == reply.sequence && waiting.nonce == reply.nonce && waiting.host == from
        })?;
        let waiting = self.waiting.swap_remove(place);
        Some(Answer { token: waiting.token, outcome: Ok(now.saturating_duration_since(waiting.sent)) })
    }
}

impl AsFd for Ping {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
