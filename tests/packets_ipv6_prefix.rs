//! Hosts with IPv6 addresses that a provider delegated: they leave by that provider, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{BOTH, PATIENCE, hotplug, tracked, wait_until_well};
use lab::{Dial, Direction, Flow, INTERNET, Lab, Monitor, Setup, Wan, Wansplit, Way, assert_same, snapshot};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, getsockopt, setsockopt, socket, sockopt,
};
use packet_support::{configured, interfaces, rule};
use std::io::{Read, Write};
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

/// Waits until a link is out of use: the kernel may take some milliseconds to notice, and the daemon some more.
fn wait_until_refused(lab: &Lab, address: IpAddr) {
    let since = Instant::now();
    while lab.lan.run(|| from(address).udp(to(9))) != Way::Refused {
        assert!(since.elapsed() < PATIENCE);
    }
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
            wait_until_refused(&lab, own);
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

#[test]
fn what_the_router_sends_bears_the_address_of_the_link_it_leaves_by() {
    lab::isolated(|| {
        let lab = lab();
        let own = |name: &str, port: &str, target: &str| rule(name, port, target) + "  option from 'router'\n";
        let own_rules = own("own_web", "853", "web") + &own("own_emb", "854", "EMB") + &own("own_oi", "855", "OI");
        let pings = "config rule 'own_ping'\n  list proto 'icmp'\n  option from 'router'\n  option use 'OI'\n";
        let config = interfaces("") + &own_rules + pings;
        configured(&lab, &config).with_network(&lab.network_dump(&[])).apply();
        let router = &lab.router;
        // Nothing translates: what leaves has the address its socket chose.
        router.nft("flush chain inet fw4 srcnat");
        let pinged = |link: u8| lab.provider(link).count("icmpv6 type echo-request");
        let sent = |dial: &Dial, port| router.run(|| [dial.tcp(to(port)), dial.udp(to(port))]);
        let both = |link| [Way::Link(link); 2];
        for carrier in [true, false, true] {
            lab.provider(1).carrier(carrier);
            let first = if carrier { 1 } else { 2 };
            let since = Instant::now();
            while sent(&Dial::default(), 853) != both(first) || sent(&Dial::default(), 22) != both(first) {
                assert!(since.elapsed() < PATIENCE, "carrier {carrier}");
            }
            // EMB's fallback is main, whose next route leads out by OI.
            assert_eq!(sent(&Dial::default(), 854), both(first), "carrier {carrier}");
            assert_eq!(sent(&Dial::default(), 855), both(2));
            let (by_emb, by_oi) = (pinged(1), pinged(2));
            assert!(router.ping(INTERNET6, &[]));
            assert_eq!((by_emb.packets(), by_oi.packets()), (0, 1));
            for link in [1, 2] {
                let [_, wan] = Wan(link).router();
                let lan: IpAddr = Wan(link).prefix().replace("::/56", "::1").parse().unwrap();
                for dial in [from(wan), from(lan), Dial { device: Some(Wan(link).device()), ..Dial::default() }] {
                    let refused = !carrier && link == 1;
                    for port in [853, 22] {
                        let ways = sent(&dial, port);
                        let wanted = if refused { [Way::Refused; 2] } else { both(link) };
                        assert_eq!(ways, wanted, "{dial:?} port {port}, carrier {carrier}");
                    }
                }
                for bound in [wan.to_string(), lan.to_string(), Wan(link).device().to_owned()] {
                    let (emb, oi) = (by_emb.packets(), by_oi.packets());
                    assert_eq!(router.ping(INTERNET6, &["-I", &bound]), carrier || link == 2, "{bound}");
                    assert!(if link == 1 { by_oi.packets() == oi } else { by_emb.packets() == emb });
                }
            }
        }
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

#[test]
fn probes_that_find_a_link_dead_are_enough() {
    lab::isolated(|| {
        let lab = lab();
        let config = interfaces(&tracked("option interval '100ms'\n option timeout '200ms'\n")) + &rules();
        let wansplit = configured(&lab, &config).with_network(&lab.network_dump(&[]));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let own = Wan(1).lan_host();
        // A connection that goes on sending: it may be refused, but is on no other link ever.
        let stream = Flow::udp_from(&lab.lan, Some(own), INTERNET6, 443, Duration::from_millis(20));
        let unharmed = Flow::udp_from(&lab.lan, Some(Wan(2).lan_host()), INTERNET6, 443, Duration::from_millis(5));
        let dial = Dial { patience: PATIENCE, ..from(own) };
        let mut session = lab.lan.run(|| dial.connect_tcp(to(443))).unwrap().0;
        let mut echoed = || {
            session.get_mut().write_all(b"still there?").unwrap();
            session.read_exact(&mut [0; 12])
        };
        echoed().unwrap();
        lab.provider(1).silence(Direction::Both);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        wait_until_refused(&lab, own);
        for port in PORTS.into_iter().filter(|port| *port != 6000) {
            let (error, took) = refusal(&lab, own, port);
            assert!(error == Errno::EACCES && took < AT_ONCE, "tcp {port}: {error} after {took:?}");
        }
        // The router's own, bound to the link's address, leave by it however it stands: whoever comes in by it is answered.
        lab.router.nft("flush chain inet fw4 srcnat");
        let seen = lab.provider(1).count("ip6 saddr 2001:db8:1::2 tcp dport 22");
        assert_eq!(lab.router.run(|| from(Wan(1).router()[1]).tcp(to(22))), Way::Silence);
        assert!(seen.packets() > 0);
        let explained = wansplit.run(&["explain", "tcp", "[2001:db8:1::2]:40000", &to(22).to_string()]).stdout;
        assert!(
            explained.contains("link     EMB: no other takes its address") && explained.contains(": agrees"),
            "{explained}"
        );
        let explained = wansplit.run(&["explain", "tcp", &format!("[{own}]:40000"), &to(443).to_string()]).stdout;
        assert!(explained.contains("the sender gets an error (no other link takes its address)"), "{explained}");
        assert!(explained.contains(": prohibited: agrees"), "{explained}");
        lab.provider(1).speak();
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        assert!(stream.comes_by(Way::Link(1), PATIENCE).is_some(), "{:?}", stream.so_far());
        assert_eq!(stream.stop().ways(), [Way::Link(1)]);
        echoed().expect("nothing was translated: the connection goes on where it was");
        unharmed.stop().assert_whole(Way::Link(2));
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

#[test]
fn a_provider_that_renumbers_is_followed() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = configured_by_interface(&lab);
        let daemon = wansplit.daemon(&[]);
        let unharmed = Flow::udp_from(&lab.lan, Some(Wan(2).lan_host()), INTERNET6, 443, Duration::from_millis(5));
        for number in 1..4 {
            let (old, new) = (Wan(1).lan_host_in(number), Wan(1).lan_host_in(number + 1));
            let stream = Flow::udp_from(&lab.lan, Some(old), INTERNET6, 25, Duration::from_millis(20));
            let nft = Monitor::nft(&lab.router);
            let (stale, mut took) = (lab.provider(1).stale(), None);
            lab.renumber(1, || {
                let since = Instant::now();
                wansplit.report_network(&lab.network_dump(&[]));
                hotplug(&wansplit, "ifupdate", "wan6");
                // `mail` prefers the other link: as long as the new prefix is not known, it leaves there, and is dropped.
                while lab.lan.run(|| from(new).tcp(to(25))) != Way::Link(1) {
                    assert!(since.elapsed() < PATIENCE, "{}", daemon.log_text());
                }
                took = Some(since.elapsed());
                // The running one is not disturbed as long as the provider takes it.
                assert!(stream.goes_on(5));
            });
            println!("the new prefix is known after {took:?}");
            let changes = nft.stop().iter().filter(|line| line.starts_with("# new generation")).count();
            println!("nft transactions: {changes}");
            for port in PORTS {
                assert_eq!(lab.lan.run(|| from(new).udp(to(port))), Way::Link(1), "udp {port}");
                assert_eq!(lab.tcp(&lab.lan, INTERNET6, port), lab.tcp(&lab.lan, INTERNET6, 22), "unbound");
            }
            // Nothing is left of the old one.
            let prefix = Wan(1).prefix_number(number).replace("::/56", ":");
            for (program, arguments) in [
                ("ip", &["-6", "rule"][..]),
                ("ip", &["-6", "route", "show", "table", "all", "proto", "119"]),
                ("nft", &["list", "table", "inet", "wansplit"]),
            ] {
                let held = lab.router.command(program, arguments);
                assert!(!held.contains(&prefix), "{program} {arguments:?} still has {prefix}:\n{held}");
            }
            let rules = lab.router.command("ip", &["-6", "rule"]);
            assert_eq!(rules.matches(&Wan(1).prefix_number(number + 1)).count(), 3, "{rules}");
            // What still comes from the old address is still on its own link, where the provider says no.
            let since = Instant::now();
            while lab.provider(1).stale() == stale {
                assert!(since.elapsed() < PATIENCE);
            }
            assert_eq!(stream.stop().ways(), [Way::Link(1)]);
        }
        unharmed.stop().assert_whole(Way::Link(2));
    });
}

#[test]
fn all_of_it_is_said_once_and_taken_away_again() {
    lab::isolated(|| {
        let lab = lab();
        let before = snapshot(&lab.router);
        let wansplit = configured_by_interface(&lab);
        let first = wansplit.apply();
        assert!(first.contains("prohibit default"), "{first}");
        let applied = snapshot(&lab.router);
        let again = wansplit.apply();
        assert!(!again.contains("ip ") && !again.contains("nft "), "{again}");
        assert_same(&snapshot(&lab.router), &applied, "applied again");
        // What somebody takes away is seen, and put back.
        lab.router.ip6("route flush table 19999");
        assert_eq!(wansplit.status()["in_sync"], false);
        wansplit.apply();
        assert_same(&snapshot(&lab.router), &applied, "mended");
        wansplit.stop();
        assert_same(&snapshot(&lab.router).without_parameters(), &before.without_parameters(), "stopped");
    });
}
