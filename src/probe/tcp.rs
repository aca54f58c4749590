//! TCP connections that are made to see whether they can be made.

use super::way::{Unsent, Way};
use crate::config::model::Family;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{SockType, SockaddrStorage, connect, getsockopt, setsockopt, sockopt};
use nix::{getsockopt_impl, sockopt_impl};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// The start of `struct tcp_info`, up to and with `tcpi_rtt`. Of longer structures the kernel gives as much as asked for.
const INFO: usize = 72;

sockopt_impl!(
    /// What the kernel knows of a connection.
    Info, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, [u8; INFO]);

/// Begins a connection.
pub(super) fn begin(way: &Way, to: SocketAddr) -> Result<OwnedFd, Unsent> {
    let fd = way.open(Family::of(to.ip()), SockType::Stream, None)?;
    // Closing then sends a reset in place of the usual farewell. That is short for a peer that never had a request, but
    // kinder to the routers on the way: the farewell would leave a conntrack entry for two minutes here and in the
    // provider's NAT, and a socket in TIME_WAIT for one, for every probe; after a reset it is ten seconds, and none.
    setsockopt(&fd, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })
        .map_err(Unsent::when("prepare a connection"))?;
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(fd),
        Err(errno) => Err(Unsent { errno, doing: "connect to a host" }),
    }
}

/// How a connection that was being made has turned out, once the kernel says that it has.
pub(super) fn outcome(fd: &OwnedFd) -> Result<(), Errno> {
    match getsockopt(fd, sockopt::SocketError)? {
        0 => Ok(()),
        number => Err(Errno::from_raw(number)),
    }
}

/// How long the handshake took. The kernel has measured it, whatever kept us from looking; it does not know if it had to
/// repeat itself to a peer without time stamps.
pub(super) fn round_trip(fd: &OwnedFd, sent: Instant) -> Duration {
    match getsockopt(fd, Info) {
        Ok([.., a, b, c, d]) if [a, b, c, d] != [0; 4] => {
            Duration::from_micros(u32::from_ne_bytes([a, b, c, d]).into())
        }
        _ => sent.elapsed(),
    }
}
