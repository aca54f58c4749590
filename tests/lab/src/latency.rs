//! An Internet that answers echo requests late, by the link they came by.

use crate::address::{INTERNET, Wan};
use crate::client::Way;
use crate::host::Host;
use crate::topology::Lab;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// How late the Internet answers echo requests of each link, in milliseconds. The kernel here may have no traffic control
/// that delays packets: a program answers in the kernel's stead. It lasts as long as the test.
#[derive(Debug, Clone)]
pub struct Latency(Arc<[AtomicU32; 7]>);

impl Lab {
    /// Has a program answer the echo requests to [`INTERNET`], at once until [`Latency::set`] says otherwise. Other addresses
    /// answer none any more.
    #[must_use]
    pub fn answer_late(&self) -> Latency {
        let latency = Latency(Arc::default());
        for to in INTERNET {
            let socket = Arc::new(raw_socket(&self.internet, to));
            let latency = latency.clone();
            thread::spawn(move || answer(&socket, &latency));
        }
        self.internet.sysctl("net/ipv4/icmp_echo_ignore_all", "1");
        self.internet.sysctl("net/ipv6/icmp/echo_ignore_all", "1");
        latency
    }
}

impl Latency {
    /// From now on the requests that come by a link are answered so late.
    pub fn set(&self, link: Wan, latency: Duration) {
        let milliseconds = u32::try_from(latency.as_millis()).unwrap_or(u32::MAX);
        self.0[usize::from(link.0)].store(milliseconds, Ordering::Relaxed);
    }

    fn of(&self, peer: IpAddr) -> Duration {
        let Way::Link(link) = Way::of(peer) else { return Duration::ZERO };
        Duration::from_millis(self.0[usize::from(link)].load(Ordering::Relaxed).into())
    }
}

/// Bound, so that answers come from the address that was asked. As for `std`, a raw socket is a UDP socket's like.
fn raw_socket(host: &Host, at: IpAddr) -> UdpSocket {
    let (family, protocol) = match at {
        IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
        IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    host.run(|| {
        let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).expect("a raw socket");
        let address = nix::sys::socket::SockaddrStorage::from(SocketAddr::new(at, 0));
        nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &address).expect("the Internet's address");
        socket.into()
    })
}

fn answer(socket: &Arc<UdpSocket>, latency: &Latency) {
    let mut buffer = [0; 2048];
    loop {
        let (length, peer) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let Some(answer) = answer_to(&buffer[..length], peer.is_ipv4()) else { continue };
        let (socket, late) = (Arc::clone(socket), latency.of(peer.ip()));
        thread::spawn(move || {
            thread::sleep(late);
            // A peer that cannot be reached any more gets no answer.
            let _ = socket.send_to(&answer, peer);
        });
    }
}

/// The answer to an echo request; the kernel puts ICMPv6's checksum in.
fn answer_to(packet: &[u8], ipv4: bool) -> Option<Vec<u8>> {
    // IPv4's raw sockets give the IP header too.
    let header = if ipv4 { usize::from(packet.first()? & 0xf) * 4 } else { 0 };
    let mut message = packet.get(header..)?.to_vec();
    let (request, reply) = if ipv4 { (8, 0) } else { (128, 129) };
    if message.len() < 8 || message[0] != request {
        return None;
    }
    message[0] = reply;
    if ipv4 {
        message[2..4].fill(0);
        let checksum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&checksum);
    }
    Some(message)
}

fn checksum(message: &[u8]) -> u16 {
    let words = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
