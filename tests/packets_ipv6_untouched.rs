//! What IPv6 itself needs on a cable is nobody's traffic: neighbours, advertisements, DHCPv6, multicast groups. No rule
//! diverts it, though it takes everything and holds it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, Host, INTERNET, Lab, Setup, Wan, Way};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, sendto, setsockopt, socket, sockopt,
};
use packet_support::{configured, interfaces};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
const ALL_DHCP_AGENTS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const MDNS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// A lab in which one rule takes everything, the router's packets too, and what may become of it.
fn each_catch_all(test: impl Fn(&Lab)) {
    for target in ["away", "strict", "unreachable", "blackhole", "OI"] {
        let lab = Lab::with(&Setup { main_default: vec![1, 2], prefixes: true, ..Setup::default() });
        // As fw4's Allow-DHCPv6.
        lab.router.nft("insert rule inet fw4 input ip6 saddr fe80::/10 udp dport 546 accept");
        let config = interfaces("")
            + "config link 'away'
                 option interface 'wg0'
                 option fallback 'unreachable'
               config policy 'strict'
                 list use 'EMB'
                 option fallback 'unreachable'\n"
            + &format!("config rule 'everything'\n  option from 'any'\n  option use '{target}'\n");
        configured(&lab, &config).with_network(&lab.network_dump(&[])).apply();
        println!("everything is to use {target}");
        // The rule holds: what nobody's provider delegated goes where it says.
        let quick = Dial { patience: Duration::from_millis(300), ..Dial::default() };
        let by_host = Dial { from: Some(lab::LAN[1]), ..quick.clone() };
        let to = SocketAddr::new(INTERNET[1], 443);
        let ways = [lab.lan.run(|| by_host.udp(to)), lab.router.run(|| quick.udp(to))];
        let holds = |way: &Way| match target {
            "strict" => *way == Way::Link(1),
            "OI" => *way == Way::Link(2),
            _ => matches!(way, Way::Refused | Way::Silence),
        };
        assert!(ways.iter().all(holds), "{target}: {ways:?}");
        test(&lab);
    }
}

/// A device of a host.
#[derive(Clone, Copy)]
struct Port<'a>(&'a Host, &'static str);

impl Port<'_> {
    fn index(self) -> u32 {
        self.0.run(|| if_nametoindex(self.1)).unwrap()
    }

    fn link_local(self) -> Ipv6Addr {
        let since = Instant::now();
        loop {
            let text = self.0.command("ip", &["-6", "-oneline", "address", "show", "dev", self.1, "scope", "link"]);
            if let Some(address) = text.split_whitespace().find_map(|word| word.strip_suffix("/64")) {
                return address.parse().unwrap();
            }
            assert!(since.elapsed() < PATIENCE);
        }
    }

    /// A destination on its cable.
    fn to(self, address: Ipv6Addr, port: u16) -> SocketAddrV6 {
        SocketAddrV6::new(address, port, 0, self.index())
    }

    /// A UDP socket that hears a group on the device; `bound` as DHCP clients have it, to the device alone.
    fn udp(self, port: u16, group: Option<Ipv6Addr>, bound: bool) -> UdpSocket {
        let index = self.index();
        self.0.run(|| {
            let socket = UdpSocket::bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
            if let Some(group) = group {
                socket.join_multicast_v6(&group, index).unwrap();
            }
            if bound {
                setsockopt(&socket, sockopt::BindToDevice, &self.1.into()).unwrap();
            }
            socket
        })
    }

    /// Sends an ICMPv6 message as neighbour discovery wants it; the kernel adds the checksum.
    fn send_icmp(self, to: Ipv6Addr, message: &[u8]) {
        let to = SockaddrStorage::from(self.to(to, 0));
        self.0.run(|| {
            let socket = socket(AddressFamily::Inet6, SockType::Raw, SockFlag::empty(), SockProtocol::IcmpV6).unwrap();
            setsockopt(&socket, sockopt::Ipv6MulticastHops, &255).unwrap();
            setsockopt(&socket, sockopt::Ipv6Ttl, &255).unwrap();
            setsockopt(&socket, sockopt::BindToDevice, &self.1.into()).unwrap();
            sendto(socket.as_raw_fd(), message, &to, MsgFlags::empty()).unwrap();
        });
    }
}

/// The router's three sides, each with who is there: `(router's, other's)`.
fn cables(lab: &Lab) -> [(Port<'_>, Port<'_>); 3] {
    let wan = |link: u8| (Port(&lab.router, Wan(link).device()), Port(&lab.provider(link).host, "customer"));
    [(Port(&lab.router, "eth0"), Port(&lab.lan, "eth0")), wan(1), wan(2)]
}

/// A router advertisement with a prefix for addresses that hosts make themselves.
fn advertisement(prefix: Ipv6Addr) -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0];
    message.extend(1800u16.to_be_bytes());
    message.extend([0; 8]);
    message.extend([3, 4, 64, 0xc0]);
    message.extend(7200u32.to_be_bytes());
    message.extend(3600u32.to_be_bytes());
    message.extend([0; 4]);
    message.extend(prefix.octets());
    message
}

/// Counts packets that a host takes in by a device, before anything else looks at them.
fn count(port: Port<'_>, expression: &str) -> impl Fn() -> u64 {
    let Port(host, device) = port;
    let table = format!("seen_{device}");
    host.nft(&format!(
        "add table inet {table}
         delete table inet {table}
         table inet {table} {{
           counter seen {{}}
           chain early {{
             type filter hook prerouting priority raw;
             iifname {device} {expression} counter name seen
           }}
         }}"
    ));
    move || host.counted(&table, "seen")
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn neighbours_find_each_other() {
    lab::isolated(|| {
        each_catch_all(|lab| {
            for (n, (inside, outside)) in cables(lab).into_iter().enumerate() {
                for (from, to) in [(inside, outside), (outside, inside)] {
                    let mut addresses = vec![format!("{}%{}", to.link_local(), from.1)];
                    // The network of the cable itself, and a group.
                    addresses.push(match n {
                        0 if to.1 == from.1 && std::ptr::eq(from.0, &lab.router) => lab::LAN[1].to_string(),
                        0 => lab::LAN_GATEWAY[1].to_string(),
                        _ if std::ptr::eq(from.0, &lab.router) => Wan(n as u8).gateway()[1].to_string(),
                        _ => Wan(n as u8).router()[1].to_string(),
                    });
                    for address in addresses {
                        from.0.command("ip", &["-6", "neigh", "flush", "dev", from.1]);
                        to.0.command("ip", &["-6", "neigh", "flush", "dev", to.1]);
                        let output = from.0.output("ping", &["-n", "-c", "1", "-W", "2", "-I", from.1, &address]);
                        assert_eq!(output.code, 0, "{} {} to {address}: {output:?}", from.0.name(), from.1);
                    }
                    let group = format!("{ALL_NODES}%{}", from.1);
                    let output = from.0.output("ping", &["-n", "-c", "1", "-W", "2", "-I", from.1, &group]);
                    assert!(output.stdout.contains("bytes from"), "{} {}: {output:?}", from.0.name(), from.1);
                }
            }
        });
    });
}

#[test]
fn advertisements_reach_hosts_and_router() {
    lab::isolated(|| {
        each_catch_all(|lab| {
            for (n, (inside, outside)) in cables(lab).into_iter().enumerate() {
                // The router tells the LAN, a provider tells the router.
                let (teller, hearer) = if n == 0 { (inside, outside) } else { (outside, inside) };
                for (key, value) in [("accept_ra", "2"), ("use_tempaddr", "2")] {
                    hearer.0.sysctl(&format!("net/ipv6/conf/{}/{key}", hearer.1), value);
                }
                let asked = count(teller, "icmpv6 type nd-router-solicit");
                hearer.send_icmp(ALL_ROUTERS, &[133, 0, 0, 0, 0, 0, 0, 0]);
                wait_for("a solicitation", || asked() == 1);
                let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0xaaaa, n as u16, 0, 0, 0, 0);
                teller.send_icmp(ALL_NODES, &advertisement(prefix));
                let made = || {
                    let text = hearer.0.command("ip", &["-6", "-oneline", "address", "show", "dev", hearer.1]);
                    let own: Vec<String> = text
                        .lines()
                        .filter(|line| line.contains(&format!("2001:db8:aaaa:{n:x}:")))
                        .map(str::to_owned)
                        .collect();
                    own
                };
                let plain = || made().iter().any(|line| !line.contains("temporary"));
                wait_for("an address", || plain() && (n > 0 || made().iter().any(|line| line.contains("temporary"))));
                // And to a single one.
                let heard = count(hearer, "icmpv6 type nd-router-advert");
                teller.send_icmp(hearer.link_local(), &advertisement(prefix));
                wait_for("an advertisement for it alone", || heard() == 1);
            }
        });
    });
}

#[test]
fn dhcpv6_works_on_every_side() {
    lab::isolated(|| {
        each_catch_all(|lab| {
            for (n, (inside, outside)) in cables(lab).into_iter().enumerate() {
                let (server, client) = if n == 0 { (inside, outside) } else { (outside, inside) };
                for bound in [true, false] {
                    let at_server = server.udp(547, Some(ALL_DHCP_AGENTS), true);
                    let at_client = client.udp(546, None, bound);
                    let mut buffer = [0; 64];
                    // First to whoever is there, then (RENEW with the unicast option) to this server alone.
                    for to in [ALL_DHCP_AGENTS, server.link_local()] {
                        at_client.send_to(b"solicit", client.to(to, 547)).unwrap();
                        let (length, from) = at_server.recv_from(&mut buffer).expect("the client's message");
                        assert_eq!((&buffer[..length], from.ip()), (&b"solicit"[..], IpAddr::V6(client.link_local())));
                        at_server.send_to(b"advertise", from).unwrap();
                        let (length, from) = at_client.recv_from(&mut buffer).expect("the server's answer");
                        assert_eq!(
                            (&buffer[..length], from.ip()),
                            (&b"advertise"[..], IpAddr::V6(server.link_local()))
                        );
                    }
                }
            }
        });
    });
}

#[test]
fn groups_are_joined_and_heard() {
    lab::isolated(|| {
        each_catch_all(|lab| {
            for (n, (inside, outside)) in cables(lab).into_iter().enumerate() {
                for (from, to) in [(inside, outside), (outside, inside)] {
                    let reported = count(from, "icmpv6 type mld2-listener-report");
                    let listener = to.udp(5353, Some(MDNS), false);
                    wait_for("a listener's report", || reported() > 0);
                    // The firewall lets nothing of this in from a provider, neither a question nor an answer.
                    if n > 0 && std::ptr::eq(to.0, &lab.router) {
                        continue;
                    }
                    let speaker = from.udp(0, None, false);
                    let index = from.index();
                    from.0.run(|| setsockopt(&speaker, sockopt::Ipv6MulticastHops, &255)).unwrap();
                    speaker.send_to(b"who is there", SocketAddrV6::new(MDNS, 5353, 0, index)).unwrap();
                    let mut buffer = [0; 64];
                    let (length, heard) = listener.recv_from(&mut buffer).expect("what was said to the group");
                    assert_eq!(&buffer[..length], b"who is there");
                    if n == 0 {
                        listener.send_to(b"me", heard).unwrap();
                        assert_eq!(speaker.recv_from(&mut buffer).expect("the answer").0, 2);
                    }
                }
            }
        });
    });
}
