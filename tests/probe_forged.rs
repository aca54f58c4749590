//! Replies that somebody makes up on the way do not make a link look alive.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod probe_support;

use lab::{INTERNET, Lab};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, recvfrom, sendto, socket,
};
use probe_support::{Bench, KINDS, allow, internet, lab, way};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wansplit::config::model::Method::Ping;

const ELSEWHERE: [&str; 2] = ["192.0.2.11", "2001:db8:ffff::11"];

/// Answers echo requests in the kernel's place: with what is wrong in one bit each, with the right reply cut short, with
/// the right one from another address, and, if `honest`, with the right one.
struct Forger {
    family: usize,
    requests: OwnedFd,
    elsewhere: OwnedFd,
    honest: Arc<AtomicBool>,
}

impl Forger {
    fn start(lab: &Lab, family: usize, honest: &Arc<AtomicBool>) {
        let open = |address: IpAddr| {
            let (domain, protocol) =
                [(AddressFamily::Inet, SockProtocol::Icmp), (AddressFamily::Inet6, SockProtocol::IcmpV6)][family];
            let socket = socket(domain, SockType::Raw, SockFlag::empty(), protocol).unwrap();
            bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, 0))).unwrap();
            socket
        };
        let (requests, elsewhere) =
            lab.internet.run(|| (open(INTERNET[family]), open(ELSEWHERE[family].parse().unwrap())));
        let forger = Self { family, requests, elsewhere, honest: Arc::clone(honest) };
        std::thread::spawn(move || {
            loop {
                forger.answer();
            }
        });
    }

    fn answer(&self) {
        let mut buffer = [0; 256];
        let (length, from) = recvfrom::<SockaddrStorage>(self.requests.as_raw_fd(), &mut buffer).unwrap();
        let from = from.unwrap();
        let mut reply = buffer[[20, 0][self.family]..length].to_vec();
        if reply[0] != [8, 128][self.family] {
            return;
        }
        reply[0] = [0, 129][self.family];
        // The type, the code, the identifier, the sequence number, the nonce.
        for at in [0, 1, 4, 5, 7, 8, 15] {
            let mut forged = reply.clone();
            forged[at] ^= 1;
            self.send(&self.requests, forged, &from);
        }
        self.send(&self.requests, reply[..14].to_vec(), &from);
        self.send(&self.elsewhere, reply.clone(), &from);
        if self.honest.load(Ordering::Relaxed) {
            self.send(&self.requests, reply, &from);
        }
    }

    fn send(&self, fd: &OwnedFd, mut message: Vec<u8>, to: &SockaddrStorage) {
        // For ICMPv6 the kernel writes the checksum.
        if self.family == 0 {
            message[2..4].fill(0);
            let sum: u32 = message.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
            let sum = (sum & 0xffff) + (sum >> 16);
            let sum = (sum & 0xffff) + (sum >> 16);
            message[2..4].copy_from_slice(&(!sum).to_be_bytes()[2..]);
        }
        sendto(fd.as_raw_fd(), &message, to, MsgFlags::empty()).unwrap();
    }
}

#[test]
fn echo_replies() {
    lab::isolated(|| {
        let lab = lab();
        // The firewall would drop some as nobody's replies.
        lab.router.nft("flush ruleset");
        lab.internet.ip(&format!("addr add {}/128 dev lo nodad", ELSEWHERE[1]));
        for key in ["net/ipv4/icmp_echo_ignore_all", "net/ipv6/icmp/echo_ignore_all"] {
            lab.internet.sysctl(key, "1");
        }
        let honest = Arc::new(AtomicBool::new(false));
        for family in [0, 1] {
            Forger::start(&lab, family, &honest);
        }
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                for host in internet() {
                    honest.store(false, Ordering::Relaxed);
                    bench.is_silent(&way(1), Ping, host);
                    honest.store(true, Ordering::Relaxed);
                    bench.is_answered(&way(1), Ping, host);
                }
            });
        }
    });
}
