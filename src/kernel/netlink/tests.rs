//! The codec without a kernel: against what iproute2 sends, there and back, and against damaged answers.

#![allow(clippy::unwrap_used)]

use super::link::Link;
use super::message::{Attributes, Malformed, Message, Messages, Request};
use super::news::{Memory, News, hear_nftables};
use super::{
    address, connection, conntrack, counters, link, lookup, neighbour, nftables, route, route_reader, rule, socket,
};
use crate::config::model::Family;
use crate::plan::state::{IpRule, NextHop, PROTOCOL, Route, RouteKind, RuleAction};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const RTM_NEWRULE: u16 = 32;
const RTM_NEWROUTE: u16 = 24;

/// Devices as the kernel numbers them everywhere: `lo` is 1.
fn links() -> Vec<Link> {
    let lo = Link {
        index: 1,
        name: "lo".into(),
        up: true,
        carrier: true,
        operational: true,
        loopback: true,
        gatewayless: false,
        tunnel: None,
        mtu: 1500,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    };
    vec![lo]
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Recorded with `strace -e write=all` from iproute2 6.1, whose command stands above each.
#[cfg(target_endian = "little")]
mod recorded {
    use super::super::message::{CREATE, EXCLUSIVE, REPLACE};
    use super::*;

    const RTM_DELRULE: u16 = 33;
    const ADD: u16 = CREATE | EXCLUSIVE;
    /// The sequence number in the recordings.
    const SEQUENCE: u32 = 0x6b02_f4fc;

    fn hex(mut request: Request) -> String {
        let bytes = request.seal(SEQUENCE).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn rules() {
        // ip rule add pref 10 fwmark 0x1000000/0xff000000 table 1001 protocol 119
        let marked = IpRule { mark: Some((0x0100_0000, 0xff00_0000)), ..IpRule::lookup(Family::V4, 10, 1001) };
        let expected = "4400000020000506fcf4026b00000000\
            020000000000000100000000080006000a00000008000a000000000108001000\
            000000ff08000f00e90300000500150077000000";
        assert_eq!(hex(rule::encode(RTM_NEWRULE, ADD, &marked)), expected);
        // ip rule del pref 10 fwmark 0x1000000/0xff000000 table 1001 protocol 119
        // iproute2 leaves the action out, byte 23; without it a delete would match a rule that refuses, too.
        let expected = "4400000021000500fcf4026b00000000\
            020000000000000100000000080006000a00000008000a000000000108001000\
            000000ff08000f00e90300000500150077000000";
        assert_eq!(hex(rule::encode(RTM_DELRULE, 0, &marked)), expected);
        // ip -6 rule add pref 821 from 2001:db8::1/128 to 2001:db8:7::/48 iif lo oif eth1.2 ipproto tcp
        //   sport 22-22 dport 5000-6000 table 200 protocol 119
        let full = IpRule {
            from: Some((ip("2001:db8::1"), 128)),
            to: Some((ip("2001:db8:7::"), 48)),
            iif: Some("lo".into()),
            oif: Some("eth1.2".into()),
            protocol: Some(6),
            source_ports: Some((22, 22)),
            destination_ports: Some((5000, 6000)),
            ..IpRule::lookup(Family::V6, 821, 200)
        };
        let expected = "8000000020000506fcf4026b00000000\
            0a308000c80000010000000008000600350300001400020020010db800000000\
            00000000000000011400010020010db8000700000000000000000000070003006c6f00000b001100657468312e320000\
            050016000600000008001700160016000800180088137017\
            0500150077000000";
        assert_eq!(hex(rule::encode(RTM_NEWRULE, ADD, &full)), expected);
        // ip rule add not pref 800 fwmark 0/0xff000000 table main suppress_prefixlength 0 protocol 119
        let suppress = IpRule {
            invert: true,
            mark: Some((0, 0xff00_0000)),
            suppress_prefixlength: Some(0),
            ..IpRule::lookup(Family::V4, 800, 254)
        };
        let expected = "4400000020000506fcf4026b00000000\
            02000000fe000001020000000800060020030000\
            08000a000000000008001000000000ff08000e00000000000500150077000000";
        assert_eq!(hex(rule::encode(RTM_NEWRULE, ADD, &suppress)), expected);
    }

    #[test]
    fn routes() {
        let hop = |gateway: &str, weight| NextHop { device: "lo".into(), gateway: gateway.parse().ok(), weight };
        let route = |table, metric, kind| Route { family: Family::V4, table, metric, kind };
        let encode = |flags, route| hex(route::encode(RTM_NEWROUTE, CREATE | flags, &route).unwrap());
        // ip route add default table 70000 metric 1 proto 119 via 10.0.0.1 dev lo onlink
        let expected = "3c00000018000506fcf4026b00000000\
            02000000007700010400000008000f0070110100080006000100000008000500\
            0a0000010800040001000000";
        assert_eq!(encode(EXCLUSIVE, route(70_000, 1, RouteKind::Via(vec![hop("10.0.0.1", 1)]))), expected);
        // ip route add default table 100 metric 2 proto 119 dev lo
        let expected = "2c00000018000506fcf4026b00000000\
            020000006477fd010000000008000600020000000800040001000000";
        assert_eq!(encode(EXCLUSIVE, route(100, 2, RouteKind::Via(vec![hop("", 1)]))), expected);
        // ip route replace default table 100 metric 3 proto 119 nexthop via 10.0.0.1 dev lo weight 7 onlink
        //   nexthop via 10.0.0.2 dev lo weight 3 onlink
        let expected = "4800000018000505fcf4026b00000000\
            020000006477000100000000080006000300000024000900100004060100000008000500\
            0a000001100004020100000008000500\
            0a000002";
        let hops = vec![hop("10.0.0.1", 7), hop("10.0.0.2", 3)];
        assert_eq!(encode(REPLACE, route(100, 3, RouteKind::Via(hops))), expected);
        // ip route add blackhole default table 100 metric 9 proto 119
        let expected = "2400000018000506fcf4026b00000000\
            02000000647700060000000008000600\
            09000000";
        assert_eq!(encode(EXCLUSIVE, route(100, 9, RouteKind::Blackhole)), expected);
    }

    #[test]
    fn a_gateway_of_the_other_family_is_refused() {
        let hop = NextHop { device: "lo".into(), gateway: Some(ip("fe80::1")), weight: 1 };
        for hops in [vec![hop.clone()], vec![hop.clone(), hop], vec![]] {
            let route = Route { family: Family::V4, table: 100, metric: 1, kind: RouteKind::Via(hops) };
            assert!(route::encode(RTM_NEWROUTE, 0, &route).is_err());
        }
    }
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

fn an_address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))).boxed(),
        Family::V6 => any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))).boxed(),
    }
}

fn a_rule() -> impl Strategy<Value = IpRule> {
    family().prop_flat_map(|family| {
        let prefix = move || option::of((an_address(family), 1..=family.width()));
        let device = || option::of("[a-z][a-z0-9.@-]{0,14}");
        let selectors = (any::<bool>(), option::of(any::<(u32, u32)>()), device(), device(), prefix(), prefix());
        let ports = (option::of(any::<u8>()), option::of(any::<(u16, u16)>()), option::of(any::<(u16, u16)>()));
        let users = (option::of(any::<(u32, u32)>()), prop::bool::weighted(0.2));
        (any::<(u32, u32)>(), selectors, ports, users, option::of(0..u32::MAX)).prop_map(
            move |((priority, table), selectors, ports, (users, refuses), suppress_prefixlength)| {
                let (invert, mark, iif, oif, from, to) = selectors;
                let rule = if refuses {
                    IpRule::unreachable(family, priority)
                } else {
                    IpRule::lookup(family, priority, table)
                };
                IpRule {
                    invert,
                    mark,
                    iif,
                    oif,
                    from,
                    to,
                    protocol: ports.0,
                    source_ports: ports.1,
                    destination_ports: ports.2,
                    users,
                    suppress_prefixlength,
                    ..rule
                }
            },
        )
    })
}

fn a_route() -> impl Strategy<Value = Route> {
    family().prop_flat_map(|family| {
        let hop = (option::of(an_address(family)), 1..=256_u16);
        let hops = vec(hop, 1..40).prop_map(|hops| {
            let single = hops.len() == 1;
            let hop =
                |(gateway, weight)| NextHop { device: "lo".into(), gateway, weight: if single { 1 } else { weight } };
            RouteKind::Via(hops.into_iter().map(hop).collect())
        });
        let kind = prop_oneof![4 => hops, 1 => Just(RouteKind::Unreachable), 1 => Just(RouteKind::Blackhole), 1 => Just(RouteKind::Prohibit)];
        (any::<u32>(), any::<u32>(), kind).prop_map(move |(table, metric, kind)| Route { family, table, metric, kind })
    })
}

fn first<T>(mut request: Request, decode: impl Fn(&Message) -> Result<Option<T>, Malformed>) -> Option<T> {
    let bytes = request.seal(1).unwrap();
    decode(&Messages(bytes).next().unwrap().unwrap()).unwrap()
}

proptest! {
    #[test]
    fn every_rule_comes_back(rule in a_rule()) {
        let found = first(rule::encode(RTM_NEWRULE, 0, &rule), rule::decode).unwrap();
        let action = match rule.action {
            RuleAction::Lookup => rule::Action::Lookup,
            RuleAction::Unreachable => rule::Action::Unreachable,
        };
        prop_assert_eq!((found.complete, found.action, found.protocol), (true, action, PROTOCOL));
        prop_assert_eq!(found.rule, rule);
    }

    #[test]
    fn every_route_comes_back(route in a_route()) {
        let request = route::encode(RTM_NEWROUTE, 0, &route).unwrap();
        let found = first(request, |message| route_reader::decode(message, &links())).unwrap();
        prop_assert_eq!(found.as_ours(), Some(route));
    }

    #[test]
    fn damaged_answers_never_panic(
        (rule, route) in (a_rule(), a_route()),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let mut datagram = Vec::new();
        for mut request in answers(&rule, &route) {
            datagram.extend_from_slice(request.seal(1).unwrap());
        }
        decode_everything(&datagram);
        decode_everything(&datagram[..cut.index(datagram.len())]);
        for (place, byte) in flips {
            let place = place.index(datagram.len());
            datagram[place] = byte;
            decode_everything(&datagram);
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        decode_everything(&bytes);
        for kind in KINDS {
            let message = Message { kind, flags: 0, sequence: 1, port: 0, payload: &bytes };
            decode_message(&message);
        }
    }
}

/// Every kind of answer that is decoded.
const KINDS: [u16; 17] =
    [16, 17, 20, 21, 24, 25, 32, 33, 0x100, 0x105, 0xa00, 0xa03, 0xa06, 0xa08, 0xa09, 0xa0c, 0xa12];

/// One answer of each kind, with every attribute that is looked at.
fn answers(rule: &IpRule, route: &Route) -> Vec<Request> {
    // Numbers of these fixed parts are the processor's own: family, type of hardware, index, IFF_ flags, which changed.
    let ([t0, t1], [i0, i1, i2, i3], [f0, f1, f2, f3]) =
        (1u16.to_ne_bytes(), 1u32.to_ne_bytes(), 0x0001_0043_u32.to_ne_bytes());
    let mut device = Request::new(16, 0, &[0, 0, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, 0, 0, 0, 0]);
    device.string(3, "lo");
    device.u8(16, 6);
    device.raw(23, &[7; 200]);
    let mut address = Request::new(20, 0, &[2, 24, 0x80, 0, i0, i1, i2, i3]);
    address.address(1, ip("10.0.0.1"));
    address.address(2, ip("10.0.0.2"));
    address.u32(8, 0x80);
    let nft = |kind| {
        let mut request = Request::new(kind, 0, &[1, 0, 0, 0]);
        request.string(1, "wansplit");
        request
    };
    let mut chain = nft(0xa03);
    chain.string(3, "prerouting");
    chain.nested(4, |hook| {
        hook.raw(1, &[0, 0, 0, 0]);
        hook.raw(2, &[0xff, 0xff, 0xff, 0x6b]);
    });
    chain.string(7, "filter");
    let mut nft_rule = nft(0xa06);
    nft_rule.string(2, "prerouting");
    nft_rule.raw(7, b"\x01\x02ab\x00\x03hi\x00");
    let mut set = nft(0xa09);
    set.string(2, "set");
    set.raw(3, &[0, 0, 0, 0xc]);
    let mut elements = nft(0xa0c);
    elements.string(2, "set");
    elements.nested(3, |list| {
        for flag in [0, 1] {
            list.nested(1, |element| {
                element.raw(1, &[1, 2, 3, 4]);
                element.raw(3, &[0, 0, 0, flag]);
            });
        }
    });
    let mut counter = nft(0xa12);
    counter.string(2, "count_web");
    counter.raw(3, &[0, 0, 0, 1]);
    counter.nested(4, |count| {
        count.raw(1, &[1, 0, 0, 0, 0, 0, 0, 2]);
        count.raw(2, &[0, 0, 0, 0, 0, 0, 0, 3]);
    });
    let route = route::encode(RTM_NEWROUTE, 0, route).unwrap();
    let mut flow = Request::new(0x100, 0, &[10, 0, 0, 0]);
    for (kind, [source, destination]) in [(1, ["fd00::9", "2001:db8::1"]), (2, ["2001:db8::1", "2001:db8:a::2"])] {
        flow.nested(kind, |tuple| {
            tuple.nested(1, |addresses| {
                addresses.address(3, ip(source));
                addresses.address(4, ip(destination));
            });
            tuple.nested(2, |protocol| {
                protocol.u8(1, 6);
                protocol.be16(2, 40000);
                protocol.be16(3, 443);
            });
        });
        flow.nested(kind + 8, |count| {
            count.raw(1, &[0, 0, 0, 0, 0, 0, 0, 3]);
            count.raw(2, &[0, 0, 0, 1, 0, 0, 0, 0]);
        });
    }
    flow.raw(3, &[0, 0, 0, 0x0e]);
    flow.raw(7, &[0, 0, 1, 0]);
    flow.raw(8, &[1, 2, 3, 4]);
    let mut flows = Request::new(0x105, 0, &[0; 4]);
    flows.raw(1, &[0, 1, 0, 0]);
    let rule = rule::encode(RTM_NEWRULE, 0, rule);
    vec![device, address, chain, nft_rule, set, elements, flow, flows, counter, rule, route]
}

fn decode_everything(datagram: &[u8]) {
    for message in Messages(datagram).flatten() {
        decode_message(&message);
    }
    let _ = Attributes(datagram).count();
}

fn decode_message(message: &Message) {
    for (kind, flags) in [(2, 0x200), (2, 0x300), (3, 0x200)] {
        let _ = socket::verdict(&Message { kind, flags, ..*message });
    }
    let _ = link::decode(message);
    let _ = address::decode(message);
    let _ = rule::decode(message);
    let _ = route_reader::decode(message, &links()).map(|found| found.and_then(|found| found.as_ours()));
    for family in Family::BOTH {
        let _ = lookup::decode(message, family, &links());
    }
    let _ = nftables::chain(message, "wansplit");
    let _ = nftables::rule(message, "wansplit");
    let _ = nftables::set(message, "wansplit");
    let _ = nftables::elements(message);
    let _ = conntrack::decode(message);
    let _ = conntrack::decode_total(message);
    let _ = connection::decode(message);
    let _ = neighbour::decode_ethernet(message);
    let (mut memory, mut news) = (Memory::default(), News::default());
    // What cannot be understood the first time is not understood the second time either.
    let [first, second] = [(); 2].map(|()| memory.hear(message, &mut news));
    assert_eq!(first, second);
    let _ = hear_nftables(message, &mut news);
    let _ = counters::counter(message, "wansplit");
}

#[test]
fn hand_made_answers_mean_what_they_should() {
    let rule = IpRule::lookup(Family::V4, 1, 2);
    let route = Route { family: Family::V4, table: 1, metric: 1, kind: RouteKind::Blackhole };
    let mut bytes = Vec::new();
    for mut request in answers(&rule, &route) {
        bytes.extend_from_slice(request.seal(1).unwrap());
    }
    let messages: Vec<Message> = Messages(&bytes).map(Result::unwrap).collect();
    let lo = link::decode(&messages[0]).unwrap().unwrap();
    assert_eq!((&lo.name[..], lo.up, lo.carrier, lo.rx_bytes), ("lo", true, true, 0x0707_0707_0707_0707));
    let own = address::decode(&messages[1]).unwrap().unwrap();
    assert_eq!((own.address, own.tentative), (ip("10.0.0.2"), false));
    let chain = nftables::chain(&messages[2], "wansplit").unwrap().unwrap();
    assert_eq!(chain.hook.map(|hook| (hook.number, hook.priority)), Some((0, -149)));
    assert_eq!(nftables::chain(&messages[2], "other"), Ok(None));
    let expected = Some(("prerouting".to_owned(), "hi".to_owned()));
    assert_eq!(nftables::rule(&messages[3], "wansplit"), Ok(expected));
    assert!(nftables::set(&messages[4], "wansplit").unwrap().unwrap().map);
    assert_eq!(nftables::elements(&messages[5]), Ok(Some(1)));
    assert_eq!(conntrack::decode(&messages[6]), Ok(Some((Family::V6, 0x0102_0304))));
    assert_eq!(conntrack::decode(&messages[7]), Ok(None));
    let own = connection::decode(&messages[6]).unwrap().unwrap();
    assert_eq!((own.protocol, own.mark, own.answered, own.expires), (6, 0x0102_0304, true, 256));
    assert_eq!((own.original.source, own.reply.destination), (ip("fd00::9"), ip("2001:db8:a::2")));
    assert_eq!((own.original.source_port, own.original.destination_port), (Some(40000), Some(443)));
    assert_eq!(own.count, Some((6, 2 << 32)));
    assert_eq!(connection::decode(&messages[7]), Ok(None));
    // One that lacks a direction, as no kernel sends it.
    let mut lame = Request::new(0x100, 0, &[10, 0, 0, 0]);
    lame.raw(8, &[0; 4]);
    let bytes = lame.seal(1).unwrap().to_vec();
    assert!(connection::decode(&Messages(&bytes).next().unwrap().unwrap()).is_err());
    assert_eq!(conntrack::decode_total(&messages[7]), Ok(0x0001_0000));
    assert!(conntrack::decode_total(&messages[6]).is_err());
    let count = (3, 0x0100_0000_0000_0002);
    assert_eq!(counters::counter(&messages[8], "wansplit"), Ok(Some(("count_web".to_owned(), count))));
    assert_eq!(counters::counter(&messages[8], "other"), Ok(None));
}

#[test]
fn what_is_cut_short_is_an_error() {
    assert!(Messages(&[0; 15]).next().unwrap().is_err());
    assert!(Messages(&[255; 16]).next().unwrap().is_err());
    let mut attributes = Attributes(&[3, 0, 1, 0, 9]);
    assert!(attributes.next().unwrap().is_err());
    assert!(attributes.next().is_none());
    let short = Message { kind: RTM_NEWRULE, flags: 0, sequence: 0, port: 0, payload: &[2; 11] };
    assert!(rule::decode(&short).is_err());
    // Something longer than its own length field can say is refused, not cut.
    let mut request = Request::new(1, 0, &[]);
    request.raw(1, &[0; 70_000]);
    assert!(request.seal(1).is_err());
}
