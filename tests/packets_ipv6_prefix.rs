//! Hosts with IPv6 addresses that a provider delegated: they leave by that provider, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{PATIENCE, hotplug};
use lab::{Dial, Flow, INTERNET, Lab, Setup, Wan, Wansplit, Way};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, getsockopt, setsockopt, socket, sockopt,
};
use packet_support::{configured, interfaces, rule};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

const INTERNET6: IpAddr = INTERNET[1];
/// No error may take longer: the host is to try its other address before its user notices.
const AT_ONCE: Duration = Duration::from_millis(300);

/// A LAN whose host has an address of each provider, and a ULA; both links have a default route in `main`.
fn lab() -> Lab {
    Lab::with(&Setup { main_default: vec![1, 2], prefixes: true, ..Setup::default() })
}

/// One rule of each kind: failover in either order, balance, a link, a kill switch; nothing for port 22.
fn rules() -> String {
    "config policy 'bound'\n  list use 'EMB'\n  list use 'OI'\n  option fallback 'unreachable'\n".to_owned()
        + &rule("to_web", "443", "web")
        + &rule("to_mail", "25", "mail")
        + &rule("to_shared", "8080", "shared")
        + &rule("to_emb", "5001", "EMB")
        + &rule("to_oi", "5002", "OI")
        + &rule("to_bound", "6000", "bound")
        + &rule("to_main", "7000", "main")
}

const PORTS: [u16; 8] = [443, 25, 8080, 5001, 5002, 6000, 7000, 22];

fn configured_by_interface(lab: &Lab) -> Wansplit<'_> {
    configured(lab, &(interfaces("") + &rules())).with_network(&lab.network_dump(&[]))
}

fn from(address: IpAddr) -> Dial<'static> {
    Dial { from: Some(address), ..Dial::default() }
}

fn to(port: u16) -> SocketAddr {
    SocketAddr::new(INTERNET6, port)
}

/// Tries TCP from an address as programs do that try another one next: without blocking. The error, and how long it took.
fn refusal(lab: &Lab, address: IpAddr, port: u16) -> (Errno, Duration) {
    lab.lan.run(|| {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Inet6, SockType::Stream, flags, None).unwrap();
        // Here the error is there before the system call has ended, and the kernel lets a socket in use pass it by until
        // the next SYN a second later; but for one that wants to know.
        setsockopt(&socket, sockopt::Ipv6RecvErr, &true).unwrap();
        bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, 0))).unwrap();
        let since = Instant::now();
        assert_eq!(connect(socket.as_raw_fd(), &SockaddrStorage::from(to(port))), Err(Errno::EINPROGRESS));
        poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)], PollTimeout::from(2000u16)).unwrap();
        let took = since.elapsed();
        (Errno::from_raw(getsockopt(&socket, sockopt::SocketError).unwrap()), took)
    })
}

#[test]
fn a_prefix_decides_whatever_the_rules_say() {
    lab::isolated(|| {
        for main_default in [1, 2] {
            let lab = Lab::with(&Setup { main_default: vec![main_default], prefixes: true, ..Setup::default() });
            configured_by_interface(&lab).apply();
            for link in [1, 2] {
                let dial = from(Wan(link).lan_host());
                for port in PORTS {
                    assert_eq!(lab.lan.run(|| dial.tcp(to(port))), Way::Link(link), "tcp {port} by link {link}");
                    assert_eq!(lab.lan.run(|| dial.udp(to(port))), Way::Link(link), "udp {port} by link {link}");
                }
                assert!(lab.lan.ping(INTERNET6, &["-I", &Wan(link).lan_host().to_string()]), "ping by link {link}");
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

#[test]
fn a_host_with_two_prefixes_gets_through_with_the_address_it_picks() {
    lab::isolated(|| {
        let lab = lab();
        configured_by_interface(&lab).apply();
        // Unbound: the host's kernel picks, and it knows nothing of rules or links.
        let picked = lab.tcp(&lab.lan, INTERNET6, 443);
        let Way::Link(first) = picked else { panic!("{picked:?}") };
        for port in PORTS {
            assert_eq!(lab.tcp(&lab.lan, INTERNET6, port), picked);
            assert_eq!(lab.udp(&lab.lan, INTERNET6, port), picked);
        }
        // A deprecated one is picked no more; who is bound to it goes on by its link.
        let second = 3 - first;
        lab.lan.ip(&format!("addr change {}/64 dev eth0 preferred_lft 0", Wan(first).lan_host()));
        for port in PORTS {
            assert_eq!(lab.tcp(&lab.lan, INTERNET6, port), Way::Link(second));
            assert_eq!(lab.lan.run(|| from(Wan(first).lan_host()).tcp(to(port))), Way::Link(first));
        }
        // So do addresses that last a day only: any of the prefix.
        let temporary = format!("2001:db8:{first}:1ab:cdef:1234:5678:9abc");
        lab.router.ip(&format!("addr add 2001:db8:{first}:1ab::1/64 dev eth0 nodad"));
        lab.lan.ip(&format!("addr add {temporary}/64 dev eth0 nodad valid_lft 86400 preferred_lft 3600"));
        for port in PORTS {
            assert_eq!(lab.lan.run(|| from(temporary.parse().unwrap()).udp(to(port))), Way::Link(first));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn while_its_link_is_down_a_host_is_told_at_once_and_nothing_sticks() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = configured_by_interface(&lab);
        wansplit.apply();
        let (own, other) = (Wan(1).lan_host(), Wan(2).lan_host());
        let ports = PORTS.into_iter().filter(|port| *port != 6000);
        let stream = Flow::udp_from(&lab.lan, Some(own), INTERNET6, 4444, Duration::from_millis(20));
        let unharmed = Flow::udp_from(&lab.lan, Some(other), INTERNET6, 443, Duration::from_millis(5));
        for carrier in [true, false] {
            let before = lab.router.connections(true).get(&2).copied();
            if carrier {
                // No program of ours runs.
                lab.provider(1).carrier(false);
            } else {
                lab.interface_down(1);
                wansplit.report_network(&lab.network_dump(&[1]));
                wansplit.apply();
            }
            // The kernel may take some milliseconds to notice.
            let since = Instant::now();
            while lab.lan.run(|| from(own).udp(to(9))) != Way::Refused {
                assert!(since.elapsed() < PATIENCE);
            }
            for port in ports.clone() {
                let (error, took) = refusal(&lab, own, port);
                println!("tcp {port}: error {error:?} after {took:?}");
                assert_eq!(error, Errno::EACCES, "tcp {port}");
                assert!(took < AT_ONCE, "tcp {port}: {took:?}");
                assert_eq!(lab.lan.run(|| from(own).udp(to(port))), Way::Refused, "udp {port}");
                assert_eq!(lab.lan.run(|| from(other).udp(to(port))), Way::Link(2), "the other address");
            }
            let dial = Dial { port: 40_000, ..from(own) };
            assert_eq!(lab.lan.run(|| dial.udp(to(5555))), Way::Refused);
            let after = lab.router.connections(true).get(&2).copied();
            assert!(after.unwrap_or(0) <= before.unwrap_or(0) + ports.clone().count(), "only the other address's");

            if carrier {
                lab.provider(1).carrier(true);
            } else {
                lab.interface_up(1);
                lab.provider(1).carrier(true);
                wansplit.report_network(&lab.network_dump(&[]));
                wansplit.apply();
            }
            // The same socket, and one with the same five numbers as one that was refused.
            assert!(stream.comes_by(Way::Link(1), PATIENCE).is_some(), "{:?}", stream.so_far());
            assert_eq!(lab.lan.run(|| dial.udp(to(5555))), Way::Link(1));
            for port in PORTS {
                assert_eq!(lab.lan.run(|| from(own).tcp(to(port))), Way::Link(1));
            }
        }
        assert_eq!(stream.stop().ways(), [Way::Link(1)]);
        unharmed.stop().assert_whole(Way::Link(2));
        assert_eq!(lab.spoofed(), 0);
    });
}
