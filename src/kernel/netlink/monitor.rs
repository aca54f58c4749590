//! Listens to what the kernel announces, without ever waiting: for a poll loop.

use super::link::Link;
use super::message::{Malformed, Message, Messages};
use super::news::{Memory, News, hear_nftables};
use super::socket::Failure;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, connect, recv, setsockopt, socket,
    sockopt,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A group's number as the bit that stands for it when a socket is bound; for numbers up to 32.
const fn group(number: u32) -> u32 {
    1 << (number - 1)
}

/// `RTNLGRP_LINK`, then `_IFADDR`, `_ROUTE` and `_RULE`, each for IPv4 and IPv6.
const RTNETLINK: u32 = group(1) | group(5) | group(9) | group(7) | group(11) | group(8) | group(19);
/// `NFNLGRP_NFTABLES`.
const NFTABLES: u32 = group(7);

/// No announcement is longer: nftables gathers its own up to 8 KiB, a device has 3 KiB.
const BUFFER: usize = 16 * 1024;
/// What may wait to be read. The kernel doubles this, and counts 0.8 KiB for an IPv4 route, 1.3 for an IPv6 one, 4.3 for
/// a device: 315, 204 or 60 of them fit. It takes memory only while something waits.
const BACKLOG: usize = 128 * 1024;
/// Datagrams read in one call: a flood must not keep the loop from its other work.
const AT_ONCE: usize = 256;

/// Two sockets that hear of devices, addresses, routes, ip rules and nftables.
pub struct Monitor {
    rtnetlink: Ear,
    netfilter: Option<Ear>,
    memory: Memory,
    own: Vec<u32>,
    buffer: Vec<u8>,
}

impl Monitor {
    /// Begins to listen. What happens from now on is kept until it is read.
    ///
    /// # Errors
    /// The kernel has no such sockets, or this program may not use them. A kernel without nftables is no error.
    pub fn open() -> Result<Self, Failure> {
        let netfilter = match Ear::open(SockProtocol::NetlinkNetFilter, NFTABLES) {
            Err(Failure::Socket { errno: Errno::EPROTONOSUPPORT, .. }) => None,
            ear => Some(ear?),
        };
        Ok(Self {
            rtnetlink: Ear::open(SockProtocol::NetlinkRoute, RTNETLINK)?,
            netfilter,
            memory: Memory::default(),
            own: Vec::new(),
            buffer: vec![0; BUFFER],
        })
    }

    /// What to poll for reading.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(&self.rtnetlink).chain(&self.netfilter).map(|ear| ear.fd.as_fd())
    }

    /// From now on what these ports ask for is no news; what earlier ones ask for is again.
    /// [`Kernel::ports`](crate::kernel::Kernel::ports) tells them.
    pub fn ignore(&mut self, ports: Vec<u32>) {
        self.own = ports;
    }

    /// The devices were read: from now on only what differs from that is news of them.
    pub fn compare_with(&mut self, devices: &[Link]) {
        self.memory.read(devices);
    }

    /// Reads what has been announced. Returns at once, also if that is nothing, and does not read for ever: poll says if
    /// there is more.
    pub fn read(&mut self) -> News {
        let mut news = News::default();
        let Self { rtnetlink, netfilter, memory, own, buffer } = self;
        let lost = rtnetlink.drain(buffer, own, &mut |message| memory.hear(message, &mut news));
        if lost {
            memory.clear();
            news.lost = true;
        }
        if let Some(ear) = netfilter {
            let lost = ear.drain(buffer, own, &mut |message| hear_nftables(message, &mut news));
            news.table |= lost;
        }
        news
    }
}

/// One socket.
struct Ear {
    fd: OwnedFd,
    /// Something was lost, and what still waits is older than that.
    behind: bool,
}

impl Ear {
    fn open(protocol: SockProtocol, groups: u32) -> Result<Self, Failure> {
        let fault = |doing| move |errno| Failure::Socket { doing, errno };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol).map_err(fault("open"))?;
        let _ = setsockopt(&fd, sockopt::RcvBuf, &BACKLOG);
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups)).map_err(fault("listen on"))?;
        // Connected to the kernel: what other programs send to us is refused.
        connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).map_err(fault("listen on"))?;
        Ok(Self { fd, behind: false })
    }

    /// Reads what waits. Returns whether something was lost; that is said only when everything that waited is read:
    /// once it has reported a loss, the kernel drops all announcements, and reports no further loss, until the socket
    /// is empty (`NETLINK_S_CONGESTED`). Who asked how things stand before that would miss them.
    fn drain(
        &mut self,
        buffer: &mut [u8],
        own: &[u32],
        hear: &mut dyn FnMut(&Message) -> Result<(), Malformed>,
    ) -> bool {
        for _ in 0..AT_ONCE {
            // With MSG_TRUNC the kernel returns the real length, also when it did not fit.
            match recv(self.fd.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
                Ok(_) if self.behind => {}
                Ok(length) => {
                    let understood = buffer.get(..length).is_some_and(|datagram| hear_all(datagram, own, hear).is_ok());
                    self.behind |= !understood;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return std::mem::take(&mut self.behind),
                // ENOBUFS: announcements did not fit into the backlog. Others would mean the same.
                Err(_) => self.behind = true,
            }
        }
        false
    }
}

fn hear_all(
    datagram: &[u8],
    own: &[u32],
    hear: &mut dyn FnMut(&Message) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    for message in Messages(datagram) {
        let message = message?;
        if !own.contains(&message.port) {
            hear(&message)?;
        }
    }
    Ok(())
}
