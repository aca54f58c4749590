//! Rules, routes, devices and lookups against the real kernel, checked with iproute2.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod kernel_support;

use kernel_support::{inside, sh};
use nix::errno::Errno;
use nix::sys::socket::SockProtocol;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use wansplit::config::model::Family;
use wansplit::kernel::netlink::address::Address;
use wansplit::kernel::netlink::link::Link;
use wansplit::kernel::netlink::lookup::{Packet, Question, Verdict};
use wansplit::kernel::netlink::message::{ACK, CREATE, REPLACE, Request};
use wansplit::kernel::netlink::route::ForeignKind;
use wansplit::kernel::netlink::route::Routes;
use wansplit::kernel::netlink::rule::Action;
use wansplit::kernel::netlink::rule::Rules;
use wansplit::kernel::netlink::socket::Socket;
use wansplit::kernel::{Error, Kernel};
use wansplit::plan::state::{IpRule, NextHop, Route, RouteKind};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn hop(gateway: &str, device: &str, weight: u16) -> NextHop {
    let gateway = (!gateway.is_empty()).then(|| ip(gateway));
    NextHop { device: device.into(), gateway, weight }
}

fn route(family: Family, table: u32, metric: u32, hops: &[NextHop]) -> Route {
    Route { family, table, metric, kind: RouteKind::Via(hops.to_vec()) }
}

/// Two Ethernet WANs and a point-to-point one.
fn wans() {
    sh("ip link set lo up
        for n in 1 2; do
            ip link add eth$n type veth peer name far$n; ip link set eth$n up; ip link set far$n up
            ip addr add 10.0.$n.2/24 dev eth$n
            ip -6 addr add 2001:db8:$n::2/64 dev eth$n nodad
        done
        ip link add ppp0 type veth peer name far3; ip link set ppp0 arp off up; ip link set far3 up
        ip addr add 10.0.3.2/32 dev ppp0; ip -6 addr add 2001:db8:3::2/128 dev ppp0 nodad");
}

fn every_kind_of_rule() -> Vec<IpRule> {
    let mut all = Vec::new();
    for family in Family::BOTH {
        let address = if family == Family::V4 { ip("192.0.2.1") } else { ip("2001:db8::1") };
        let rule = |priority, table| IpRule::lookup(family, priority, table);
        let mask = 0xff00_0000;
        all.extend([
            IpRule { invert: true, mark: Some((0, mask)), suppress_prefixlength: Some(0), ..rule(800, 254) },
            IpRule { iif: Some("lo".into()), suppress_prefixlength: Some(0), ..rule(801, 254) },
            IpRule { oif: Some("eth1".into()), ..rule(802, 100) },
            IpRule { oif: Some("not-there.7".into()), ..rule(802, 70_000) },
            IpRule { mark: Some((0x0100_0000, mask)), ..rule(10, 1001) },
            IpRule { mark: Some((0x0200_0000, mask)), ..rule(10, 1001) },
            IpRule { mark: Some((7, u32::MAX)), ..rule(810, 252) },
            IpRule { iif: Some("lo".into()), protocol: Some(6), destination_ports: Some((25, 25)), ..rule(820, 200) },
            IpRule {
                iif: Some("lo".into()),
                protocol: Some(17),
                destination_ports: Some((5000, 6000)),
                ..rule(820, 200)
            },
            IpRule {
                iif: Some("lo".into()),
                protocol: Some(6),
                source_ports: Some((22, 22)),
                from: Some((address, family.width())),
                ..rule(821, 4_000_000_000)
            },
            IpRule { from: Some((address, family.width())), iif: Some("lo".into()), ..rule(830, 100) },
            IpRule { to: Some((address, 8)), ..rule(4_000_000_000, 100) },
            // One rule for a user, and one behind it that refuses. The user namespace of these tests has root alone.
            IpRule { iif: Some("lo".into()), users: Some((0, 0)), ..rule(850, 100) },
            IpRule { iif: Some("lo".into()), users: Some((0, 0)), ..IpRule::unreachable(family, 851) },
            rule(840, 256),
            IpRule {
                iif: Some("lo".into()),
                to: Some((address, family.width())),
                protocol: Some(17),
                source_ports: Some((51820, 51820)),
                ..IpRule::unreachable(family, 841)
            },
        ]);
    }
    all
}

#[test]
fn every_rule_is_added_read_and_deleted() {
    if !inside("every_rule_is_added_read_and_deleted") {
        return;
    }
    sh("ip rule add pref 5 fwmark 0x1/0xff lookup 300 protocol 4
        ip rule add pref 6 from 10.9.0.0/16 tos 0x10 unreachable
        ip -6 rule add pref 7 fwmark 0x01000000/0xff000000 lookup 1001");
    let mut kernel = Kernel::new();
    let before = kernel.rules().unwrap();
    assert_eq!((before.ours.len(), before.odd.len()), (0, 0));
    let foreign: Vec<_> = before.foreign.iter().map(|f| (f.rule.family, f.rule.priority, f.protocol)).collect();
    use Family::{V4, V6};
    let expected = [(V4, 0, 2), (V4, 5, 4), (V4, 6, 0), (V4, 32766, 2), (V4, 32767, 2)];
    assert_eq!(foreign, [&expected[..], &[(V6, 0, 2), (V6, 7, 0), (V6, 32766, 2)]].concat());
    assert_eq!(before.foreign[1].rule.mark, Some((1, 0xff)));
    assert_eq!((before.foreign[2].action, before.foreign[2].complete), (Action::Unreachable, false));
    let listing = sh("ip rule; ip -6 rule");

    let wanted = every_kind_of_rule();
    for rule in &wanted {
        kernel.add_rule(rule).unwrap();
        let again = kernel.add_rule(rule).unwrap_err();
        assert_eq!(again.errno(), Some(Errno::EEXIST), "{again}");
    }
    assert_eq!(kernel.writes() as usize, 2 * wanted.len());
    let mut read = kernel.rules().unwrap();
    let mut sorted = wanted.clone();
    sorted.sort();
    read.ours.sort();
    assert_eq!(read.ours, sorted);
    assert_eq!((read.odd.len(), &read.foreign), (0, &before.foreign));

    let text = sh("ip rule; ip -6 rule");
    for line in [
        "800:\tnot from all fwmark 0/0xff000000 lookup main suppress_prefixlength 0 proto 119",
        "821:\tfrom 192.0.2.1 iif lo ipproto tcp sport 22 lookup 4000000000 proto 119",
        "820:\tfrom all iif lo ipproto udp dport 5000-6000 lookup 200 proto 119",
        "841:\tfrom all to 192.0.2.1 iif lo ipproto udp sport 51820 unreachable proto 119",
        "850:\tfrom all iif lo uidrange 0-0 lookup 100 proto 119",
        "851:\tfrom all iif lo uidrange 0-0 unreachable proto 119",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }

    for rule in &wanted {
        kernel.delete_rule(rule).unwrap();
    }
    assert_eq!(sh("ip rule; ip -6 rule"), listing);
    let gone = kernel.delete_rule(&wanted[0]).unwrap_err();
    assert_eq!(gone.errno(), Some(Errno::ENOENT));
    assert!(gone.to_string().contains("delete the ip rule IPv4 pref 800 not fwmark 0x0/0xff000000 lookup main"));
}

#[test]
fn doubled_and_odd_rules_are_seen_and_can_go() {
    if !inside("doubled_and_odd_rules_are_seen_and_can_go") {
        return;
    }
    sh("ip rule add pref 9 fwmark 0x1 prohibit protocol 119
        ip rule add pref 9 fwmark 0x1 unreachable
        ip rule add pref 9 tos 0x10 lookup 100 protocol 119
        ip rule add pref 8 goto 32766 protocol 119
        ip -6 rule add pref 9 blackhole protocol 119");
    let listing_after = "9:\tfrom all fwmark 0x1 unreachable\n";
    let mut kernel = Kernel::new();
    let rules = kernel.rules().unwrap();
    assert_eq!((rules.ours.len(), rules.odd.len()), (0, 4));
    for rule in &rules.odd {
        kernel.delete_odd_rule(rule).unwrap();
    }
    let rules = kernel.rules().unwrap();
    assert_eq!((rules.ours.len(), rules.odd.len()), (0, 0));
    assert!(sh("ip rule").contains(listing_after));
    assert_eq!(sh("ip rule").lines().count(), 4);

    // Without NLM_F_EXCL the kernel adds a rule again and again.
    let rule = IpRule { mark: Some((1, 3)), ..IpRule::lookup(Family::V4, 9, 100) };
    kernel.add_rule(&rule).unwrap();
    let mut fixed = [0; 12];
    (fixed[0], fixed[4], fixed[7]) = (2, 100, 1);
    let mut request = Request::new(32, ACK | CREATE | REPLACE, &fixed);
    for (kind, value) in [(6, 9), (10, 1), (16, 3)] {
        request.u32(kind, value);
    }
    request.u8(21, 119);
    Socket::open(SockProtocol::NetlinkRoute).unwrap().change(&mut request).unwrap();
    assert_eq!(kernel.rules().unwrap().ours, [rule.clone(), rule.clone()]);
    kernel.delete_rule(&rule).unwrap();
    assert_eq!(kernel.rules().unwrap().ours, [rule]);
}

fn every_kind_of_route() -> Vec<Route> {
    use Family::{V4, V6};
    vec![
        route(V4, 100, 1, &[hop("10.0.1.1", "eth1", 1)]),
        route(V4, 100, 2, &[hop("", "ppp0", 1)]),
        route(V4, 100, 3, &[hop("10.0.1.1", "eth1", 7), hop("10.0.2.1", "eth2", 3)]),
        route(V4, 70_000, 1, &[hop("10.0.1.1", "eth1", 256), hop("", "ppp0", 1)]),
        route(V4, 70_000, 2, &[hop("172.16.0.1", "eth1", 1)]),
        Route { family: V4, table: 100, metric: 4_278_198_272, kind: RouteKind::Unreachable },
        Route { family: V4, table: 101, metric: 9, kind: RouteKind::Blackhole },
        route(V6, 100, 1, &[hop("2001:db8:1::1", "eth1", 1)]),
        route(V6, 100, 2, &[hop("", "ppp0", 1)]),
        route(V6, 100, 3, &[hop("fe80::1", "eth1", 7), hop("2001:db8:2::1", "eth2", 3)]),
        route(V6, 70_000, 1, &[hop("fe80::1", "eth1", 256), hop("", "ppp0", 1)]),
        route(V6, 70_000, 2, &[hop("2001:db8:ffff::1", "eth1", 1)]),
        Route { family: V6, table: 100, metric: 4_278_198_272, kind: RouteKind::Unreachable },
        Route { family: V6, table: 101, metric: 9, kind: RouteKind::Blackhole },
        Route { family: V6, table: 102, metric: 9, kind: RouteKind::Prohibit },
    ]
}

#[test]
fn every_route_is_added_read_and_deleted() {
    if !inside("every_route_is_added_read_and_deleted") {
        return;
    }
    wans();
    sh("ip route add default via 10.0.1.1 dev eth1 proto static metric 10
        ip route add unreachable default metric 999
        ip route add 128.0.0.0/1 dev ppp0 table 55
        ip route add default via 10.0.2.1 dev eth2 table 100 metric 77 proto static
        ip -6 route add default from 2001:db8:1::/48 via 2001:db8:1::1 dev eth1 proto static metric 10");
    let mut kernel = Kernel::new();
    let listing = sh("ip route show table all; ip -6 route show table all");
    let links = kernel.links().unwrap();
    assert!(kernel.routes(&links).unwrap().ours.is_empty());

    let wanted = every_kind_of_route();
    for route in &wanted {
        kernel.add_route(route).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(kernel.add_route(route).unwrap_err().errno(), Some(Errno::EEXIST), "{route:?}");
    }
    let mut read = kernel.routes(&links).unwrap();
    read.ours.sort();
    let mut sorted = wanted.clone();
    sorted.sort();
    assert_eq!(read.ours, sorted);
    assert_eq!(read.odd, []);
    let text = sh("ip route show table all proto 119; ip -6 route show table all proto 119");
    assert!(text.contains("default via 172.16.0.1 dev eth1 table 70000 metric 2 onlink"), "{text}");

    let foreign = kernel.foreign_routes(&links).unwrap();
    let places: Vec<_> = foreign.iter().map(|r| (r.table, r.metric, r.destination.1, r.source_length)).collect();
    assert_eq!(places, [(55, 0, 1, 0), (100, 77, 0, 0), (254, 10, 0, 0), (254, 999, 0, 0), (254, 10, 0, 48)]);
    assert_eq!(foreign[2].kind, ForeignKind::Via(vec![hop("10.0.1.1", "eth1", 1)]));
    assert_eq!(foreign[3].kind, ForeignKind::Unreachable);

    for route in &wanted {
        kernel.delete_route(route).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(sh("ip route show table all; ip -6 route show table all"), listing);
    assert_eq!(kernel.delete_route(&wanted[0]).unwrap_err().errno(), Some(Errno::ESRCH));
    assert_eq!(kernel.delete_route(&wanted[8]).unwrap_err().errno(), Some(Errno::ESRCH));
}

#[test]
fn routes_are_replaced_in_place() {
    if !inside("routes_are_replaced_in_place") {
        return;
    }
    wans();
    let mut kernel = Kernel::new();
    let links = kernel.links().unwrap();
    for (family, one, two) in [(Family::V4, "10.0.1.1", "10.0.2.1"), (Family::V6, "fe80::1", "fe80::2")] {
        let via = |hops: &[NextHop]| route(family, 300, 1, hops);
        let steps = [
            via(&[hop(one, "eth1", 1)]),
            via(&[hop(one, "eth1", 2), hop(two, "eth2", 1)]),
            via(&[hop(one, "eth1", 1), hop(two, "eth2", 9)]),
            via(&[hop("", "ppp0", 1)]),
            via(&[hop(two, "eth2", 1)]),
            Route { family, table: 300, metric: 1, kind: RouteKind::Unreachable },
            via(&[hop(one, "eth1", 1), hop("", "ppp0", 1), hop(two, "eth2", 1)]),
            Route { family, table: 300, metric: 1, kind: RouteKind::Blackhole },
            via(&[hop(one, "eth1", 1)]),
        ];
        for step in &steps {
            kernel.replace_route(step).unwrap_or_else(|error| panic!("{error}"));
            let read = kernel.routes(&links).unwrap();
            assert_eq!((&read.ours[..], &read.odd[..]), (&[step.clone()][..], &[][..]));
        }
        kernel.delete_route(&steps[8]).unwrap();
    }
    assert_eq!(kernel.routes(&links).unwrap().ours, []);
}

#[test]
fn a_snapshot_survives_lost_carriers_and_devices() {
    if !inside("a_snapshot_survives_lost_carriers_and_devices") {
        return;
    }
    wans();
    let mut kernel = Kernel::new();
    let routes: Vec<Route> = every_kind_of_route();
    for route in &routes {
        kernel.add_route(route).unwrap();
    }
    let before = Snapshot::read(&mut kernel).unwrap();
    let link = |snapshot: &Snapshot, name: &str| snapshot.links.iter().find(|l| l.name == name).unwrap().clone();
    let eth1 = link(&before, "eth1");
    assert!(eth1.up && eth1.carrier && eth1.operational && !eth1.gatewayless && !eth1.loopback);
    assert!(link(&before, "ppp0").gatewayless && link(&before, "lo").loopback);
    let mut addresses: Vec<_> = before.addresses.iter().filter(|a| a.index == eth1.index).map(|a| a.address).collect();
    addresses.sort();
    assert_eq!(addresses, [ip("10.0.1.2"), ip("2001:db8:1::2")]);

    // A dead or linkdown next hop is still the same route.
    sh("ip link set far1 down; sysctl -qw net.ipv4.conf.eth1.ignore_routes_with_linkdown=1");
    assert!(!link(&Snapshot::read(&mut kernel).unwrap(), "eth1").carrier);
    // The routes hear of it later, up to a second where carriers flap (link_watch.c).
    let start = Instant::now();
    while !sh("ip route show table 100").contains("linkdown") {
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    let after = Snapshot::read(&mut kernel).unwrap();
    assert!(link(&after, "eth1").up && !link(&after, "eth1").operational);
    assert_eq!((&after.routes, &after.rules), (&before.routes, &before.rules));

    // Switched off, the kernel removes what went by the device alone.
    sh("ip link set far1 up; ip link set eth1 down");
    let off = Snapshot::read(&mut kernel).unwrap();
    assert!(!off.routes.ours.contains(&routes[0]) && off.routes.ours.contains(&routes[1]));
    let gone = kernel.add_route(&route(Family::V4, 5, 1, &[hop("", "nowhere", 1)])).unwrap_err();
    assert_eq!(gone.errno(), Some(Errno::ENODEV));
    assert!(gone.to_string().contains("there is no device nowhere"), "{gone}");

    sh("ping -c1 -W1 -q 127.0.0.1 >/dev/null");
    let lo = link(&Snapshot::read(&mut kernel).unwrap(), "lo");
    assert!(lo.rx_bytes >= 100 && lo.rx_bytes == lo.tx_bytes, "{lo:?}");
}

#[test]
fn foreign_routes_and_rules_are_never_touched_by_ours() {
    if !inside("foreign_routes_and_rules_are_never_touched_by_ours") {
        return;
    }
    wans();
    // The same keys as ours, but another protocol.
    sh("ip rule add pref 10 fwmark 0x1/0xff lookup 100 protocol 4
        ip -6 rule add pref 10 fwmark 0x1/0xff lookup 100 protocol 4
        ip route add default via 10.0.1.1 dev eth1 onlink table 100 metric 1 proto static
        ip -6 route add default via fe80::1 dev eth1 table 100 metric 1 proto static");
    let listing = || sh("ip rule; ip -6 rule; ip route show table 100; ip -6 route show table 100");
    let before = listing();
    let mut kernel = Kernel::new();
    for (family, gateway) in [(Family::V4, "10.0.1.1"), (Family::V6, "fe80::1")] {
        let rule = IpRule { mark: Some((1, 0xff)), ..IpRule::lookup(family, 10, 100) };
        assert_eq!(kernel.delete_rule(&rule).unwrap_err().errno(), Some(Errno::ENOENT));
        kernel.add_rule(&rule).unwrap();
        kernel.delete_rule(&rule).unwrap();
        let route = route(family, 100, 1, &[hop(gateway, "eth1", 1)]);
        assert_eq!(kernel.delete_route(&route).unwrap_err().errno(), Some(Errno::ESRCH));
        assert_eq!(kernel.add_route(&route).unwrap_err().errno(), Some(Errno::EEXIST));
    }
    assert_eq!(listing(), before);
}

#[test]
fn odd_routes_can_go() {
    if !inside("odd_routes_can_go") {
        return;
    }
    wans();
    sh("ip route add 10.50.0.0/16 via 10.0.1.1 proto 119 table 100
        ip route add throw default proto 119 table 7000 metric 3
        ip route add default via 10.0.1.1 dev eth1 proto 119 table 100 mtu 1400 metric 4
        ip route add default tos 0x10 dev eth2 proto 119 table 100 metric 5
        ip route append default dev eth1 proto 119 table 100 metric 6 scope link
        ip route append default dev eth2 proto 119 table 100 metric 6 scope link
        ip -6 route add default from 2001:db8:1::/48 via fe80::1 dev eth1 proto 119 table 100
        ip -6 route add 2001:db8:50::/48 dev eth1 proto 119
        ip -6 route add throw default proto 119 table 7000 metric 3");
    let mut kernel = Kernel::new();
    let links = kernel.links().unwrap();
    let routes = kernel.routes(&links).unwrap();
    // Two routes side by side under one metric are both ours in form; only one of them is wanted.
    let twins = [route(Family::V4, 100, 6, &[hop("", "eth1", 1)]), route(Family::V4, 100, 6, &[hop("", "eth2", 1)])];
    assert_eq!(routes.ours, twins);
    kernel.delete_route(&twins[1]).unwrap();
    assert_eq!(kernel.routes(&links).unwrap().ours, twins[..1]);
    assert_eq!(routes.odd.len(), 7);
    for route in &routes.odd {
        kernel.delete_odd_route(route).unwrap_or_else(|error| panic!("{error}"));
    }
    kernel.delete_route(&twins[0]).unwrap();
    assert_eq!(sh("ip route show table all proto 119; ip -6 route show table all proto 119"), "");
}

#[test]
fn lookups_answer_like_packets_are_sent() {
    if !inside("lookups_answer_like_packets_are_sent") {
        return;
    }
    wans();
    sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
        ip link add lan type veth peer name lanfar; ip link set lan up; ip link set lanfar up
        ip addr add 192.168.1.1/24 dev lan; ip -6 addr add fd00:1::1/64 dev lan nodad");
    let mut kernel = Kernel::new();
    let links = kernel.links().unwrap();
    for (family, gateways, away, client, own) in [
        (Family::V4, ["10.0.1.1", "10.0.2.1"], "1.1.1.1", "192.168.1.10", ["10.0.1.2", "10.0.2.2"]),
        (Family::V6, ["fe80::1", "fe80::2"], "2606::1", "fd00:1::10", ["2001:db8:1::2", "2001:db8:2::2"]),
    ] {
        let first = hop(gateways[0], "eth1", 1);
        let second = hop(gateways[1], "eth2", 1);
        let unreachable = Route { family, table: 100, metric: 9, kind: RouteKind::Unreachable };
        kernel.add_route(&route(family, 254, 5, std::slice::from_ref(&first))).unwrap();
        kernel.add_route(&route(family, 100, 1, std::slice::from_ref(&second))).unwrap();
        kernel.add_route(&route(family, 101, 1, &[first.clone(), second.clone()])).unwrap();
        kernel.add_route(&Route { table: 102, ..unreachable.clone() }).unwrap();
        kernel.add_route(&Route { table: 103, kind: RouteKind::Blackhole, ..unreachable }).unwrap();
        let mark = |value| Some((value, 0xff));
        for (value, table) in [(1, 100), (2, 101), (3, 102), (4, 103)] {
            kernel.add_rule(&IpRule { mark: mark(value), ..IpRule::lookup(family, 10, table) }).unwrap();
        }
        let smtp = IpRule { protocol: Some(6), destination_ports: Some((25, 25)), ..IpRule::lookup(family, 11, 100) };
        kernel.add_rule(&smtp).unwrap();

        let lan = links.iter().find(|l| l.name == "lan").unwrap().index;
        let made = Packet {
            destination: ip(away),
            source: None,
            mark: 0,
            iif: None,
            oif: None,
            protocol: None,
            source_port: None,
            destination_port: None,
            user: None,
        };
        let forwarded = Packet { source: Some(ip(client)), iif: Some(lan), ..made.clone() };
        let marked = |mark| Packet { mark, ..forwarded.clone() };
        let mut ask = |packet: &Packet, question| {
            kernel.lookup(&links, packet, question).unwrap_or_else(|error| panic!("{error}"))
        };

        let answer = ask(&made, Question::Way);
        assert_eq!((answer.verdict, answer.table, answer.source), (Verdict::Forwarded, Some(254), Some(ip(own[0]))));
        assert_eq!(answer.hops, std::slice::from_ref(&first));
        let mail = Packet { protocol: Some(6), destination_port: Some(25), source_port: Some(1000), ..made.clone() };
        let answer = ask(&mail, Question::Way);
        assert_eq!((answer.table, answer.source), (Some(100), Some(ip(own[1]))));

        let answer = ask(&forwarded, Question::Route);
        assert_eq!((answer.table, answer.metric, &answer.hops[..]), (Some(254), 5, &[first.clone()][..]));
        let answer = ask(&marked(1), Question::Route);
        assert_eq!((answer.table, answer.metric, &answer.hops[..]), (Some(100), 1, &[second.clone()][..]));
        assert_eq!(ask(&marked(2), Question::Route).hops, [first.clone(), second.clone()]);
        let chosen = ask(&marked(2), Question::Way).hops;
        assert!(chosen == [first.clone()] || chosen == [second.clone()], "{chosen:?}");
        assert_eq!(ask(&marked(3), Question::Way).verdict, Verdict::Unreachable);
        assert_eq!(ask(&marked(4), Question::Way).verdict, Verdict::Blackhole);
        assert_eq!(ask(&marked(4), Question::Route).verdict, Verdict::Blackhole);
        let nowhere = Packet { iif: None, source: None, oif: Some(lan), ..marked(0) };
        let answer = ask(&nowhere, Question::Way);
        // IPv4 takes any destination for a neighbour when a device is named and no route found.
        match family {
            Family::V4 => assert_eq!(answer.hops, [hop("", "lan", 1)]),
            Family::V6 => assert_eq!(answer.verdict, Verdict::NoRoute),
        }
        assert_eq!(ask(&Packet { destination: ip(own[0]), ..made.clone() }, Question::Way).verdict, Verdict::Local);
        let gre = Packet { protocol: Some(47), ..made };
        assert_eq!(ask(&gre, Question::Way).table, Some(254));
    }
}

/// IPv6 takes no next hop without a gateway into a multipath route, so ours get a stand-in; packets must leave all the
/// same by every one of them.
#[test]
fn ipv6_is_spread_over_devices_without_gateways() {
    if !inside("ipv6_is_spread_over_devices_without_gateways") {
        return;
    }
    sh("for n in 1 2; do
            ip link add ppp$n type veth peer name far$n; ip link set ppp$n arp off up; ip link set far$n up
            ip -6 addr add 2001:db8:$n::2/128 dev ppp$n nodad
        done");
    let mut kernel = Kernel::new();
    let spread = route(Family::V6, 254, 1, &[hop("", "ppp1", 1), hop("", "ppp2", 1)]);
    kernel.add_route(&spread).unwrap_or_else(|error| panic!("{error}"));
    let before = kernel.links().unwrap();
    assert_eq!(kernel.routes(&before).unwrap().ours, [spread]);
    let packet = Packet {
        destination: ip("2606::1"),
        source: None,
        mark: 0,
        iif: None,
        oif: None,
        protocol: None,
        source_port: None,
        destination_port: None,
        user: None,
    };
    assert_eq!(kernel.lookup(&before, &packet, Question::Way).unwrap().hops[0].gateway, None);
    let socket = std::net::UdpSocket::bind("[::]:0").unwrap();
    for n in 0..64 {
        socket.send_to(&[0; 1000], (format!("2606:4700::{n:x}").as_str(), 9)).unwrap();
    }
    let after = kernel.links().unwrap();
    for name in ["ppp1", "ppp2"] {
        let sent = |links: &[Link]| links.iter().find(|link| link.name == name).unwrap().tx_bytes;
        assert!(sent(&after) - sent(&before) > 10_000, "{name}: {} {}", sent(&before), sent(&after));
    }
}

/// What the kernel holds at one moment.
struct Snapshot {
    links: Vec<Link>,
    addresses: Vec<Address>,
    rules: Rules,
    routes: Routes,
}

impl Snapshot {
    fn read(kernel: &mut Kernel) -> Result<Self, Error> {
        let links = kernel.links()?;
        let (addresses, rules) = (kernel.addresses()?, kernel.rules()?);
        Ok(Self { addresses, rules, routes: kernel.routes(&links)?, links })
    }
}
