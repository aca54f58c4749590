//! Connections and the link they went by.

use crate::address::Wan;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// How a connection got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// The server saw an address of this link, and its answer came back.
    Link(u8),
    /// The server saw this address, which is no link's, and its answer came back.
    Direct(IpAddr),
    /// The network said no: reset, or an ICMP error.
    Refused,
    /// No answer came.
    Silence,
}

impl Way {
    /// The way of a connection whose server saw this address.
    #[must_use]
    pub fn of(seen: IpAddr) -> Self {
        (1..=6).find(|n| Wan(*n).owns(seen)).map_or(Self::Direct(seen), Self::Link)
    }

    fn of_error(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            // What Linux answers after the send timeout, the receive timeout and the last retransmission.
            Some(Errno::EINPROGRESS | Errno::EAGAIN | Errno::ETIMEDOUT) => Self::Silence,
            _ => Self::Refused,
        }
    }
}

/// How to open a connection. The default binds nothing and waits one second.
#[derive(Debug, Clone)]
pub struct Dial<'a> {
    /// Bind to this address first.
    pub from: Option<IpAddr>,
    /// Bind to this port first; 0 is any.
    pub port: u16,
    /// Bind to this device first (`SO_BINDTODEVICE`).
    pub device: Option<&'a str>,
    /// How long to wait for an answer.
    pub patience: Duration,
}

impl Default for Dial<'_> {
    fn default() -> Self {
        Self { from: None, port: 0, device: None, patience: Duration::from_secs(1) }
    }
}

impl Dial<'_> {
    /// Opens a TCP connection; the address the server saw comes with it.
    ///
    /// # Errors
    ///
    /// What the kernel said.
    pub fn connect_tcp(&self, to: SocketAddr) -> io::Result<(BufReader<TcpStream>, IpAddr)> {
        let socket = self.socket(to, SockType::Stream)?;
        connect(socket.as_raw_fd(), &SockaddrStorage::from(to))?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut greeting = String::new();
        reader.read_line(&mut greeting)?;
        let seen = greeting.trim().parse().map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?;
        Ok((reader, seen))
    }

    /// Opens a UDP socket connected to a server.
    ///
    /// # Errors
    ///
    /// What the kernel said.
    pub fn connect_udp(&self, to: SocketAddr) -> io::Result<UdpSocket> {
        let socket = self.socket(to, SockType::Datagram)?;
        connect(socket.as_raw_fd(), &SockaddrStorage::from(to))?;
        Ok(socket.into())
    }

    /// One TCP connection, made and ended.
    #[must_use]
    pub fn tcp(&self, to: SocketAddr) -> Way {
        self.connect_tcp(to).map_or_else(|error| Way::of_error(&error), |(_, seen)| Way::of(seen))
    }

    /// One UDP packet and its answer.
    #[must_use]
    pub fn udp(&self, to: SocketAddr) -> Way {
        let ask = || {
            let socket = self.connect_udp(to)?;
            socket.send(b"hello")?;
            let mut buffer = [0; 256];
            let length = socket.recv(&mut buffer)?;
            seen_in(&buffer[..length]).ok_or_else(|| io::Error::other("not the echo server's answer"))
        };
        ask().map_or_else(|error: io::Error| Way::of_error(&error), Way::of)
    }

    fn socket(&self, to: SocketAddr, kind: SockType) -> io::Result<OwnedFd> {
        let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None::<SockProtocol>)?;
        let patience = TimeVal::milliseconds(i64::try_from(self.patience.as_millis()).unwrap_or(i64::MAX));
        // The send timeout is also connect's.
        setsockopt(&socket, sockopt::SendTimeout, &patience)?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &patience)?;
        // To be told of ICMP errors. TCP does not listen: since Linux 6.8 connect waits on for an unreachable host.
        if to.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        }
        if let Some(device) = self.device {
            setsockopt(&socket, sockopt::BindToDevice, &device.into())?;
        }
        if self.from.is_some() || self.port != 0 {
            let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let own = SocketAddr::new(self.from.unwrap_or(any), self.port);
            bind(socket.as_raw_fd(), &SockaddrStorage::from(own))?;
        }
        Ok(socket)
    }
}

/// The address a UDP answer says the server saw.
pub(crate) fn seen_in(answer: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(answer).ok()?;
    text.split(' ').next()?.parse().ok()
}
