//! How a probe leaves the router, and why it may not.

use crate::config::model::Family;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

/// How a probe leaves the router: by one link, whatever the routes of the moment say.
///
/// Device and mark together are what it takes. The mark leads to a table that always holds the link's route, also while
/// the link is thought dead. The device makes sure that no other table can send the probe by another link, and that no
/// answer is taken from one. Without a route by the device, IPv4 takes every host for a neighbour on it and is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The device (`SO_BINDTODEVICE`).
    pub device: String,
    /// The packet mark (`SO_MARK`); 0 sets none.
    pub mark: u32,
    /// The source address, where the kernel might choose another link's: for IPv6. It must be of the family of the hosts
    /// that are asked this way.
    pub source: Option<IpAddr>,
}

impl Way {
    /// A non-blocking socket that leaves by this way.
    pub(super) fn open(
        &self,
        family: Family,
        kind: SockType,
        protocol: impl Into<Option<SockProtocol>>,
    ) -> Result<OwnedFd, Unsent> {
        let family = match family {
            Family::V4 => AddressFamily::Inet,
            Family::V6 => AddressFamily::Inet6,
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, kind, flags, protocol.into()).map_err(Unsent::when("open a probe socket"))?;
        setsockopt(&fd, sockopt::BindToDevice, &OsString::from(&self.device))
            .map_err(Unsent::when("bind a probe to its device"))?;
        if self.mark != 0 {
            setsockopt(&fd, sockopt::Mark, &self.mark).map_err(Unsent::when("mark a probe"))?;
        }
        if let Some(source) = self.source {
            bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(source, 0)))
                .map_err(Unsent::when("give a probe its source address"))?;
        }
        Ok(fd)
    }
}

/// Why a probe did not even leave. It says nothing of the network behind the link, but much of the router: the device
/// is gone (`ENODEV`), off (`ENETDOWN`, `ENETUNREACH`), has no route or no address (`ENETUNREACH`, `EADDRNOTAVAIL`), a
/// firewall rule or a missing privilege forbids it (`EPERM`), buffers are full (`EAGAIN`, `ENOBUFS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// The kernel's error number.
    pub errno: Errno,
    /// What was tried: "bind a probe to its device".
    pub doing: &'static str,
}

impl Unsent {
    pub(super) fn when(doing: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self { errno, doing }
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, io::Error::from(self.errno))
    }
}

impl std::error::Error for Unsent {}
