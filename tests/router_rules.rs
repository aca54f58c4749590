//! The router's own packets: the ip rules, walked as the kernel walks them, lead where `explain` says, and where a plain
//! reading of the rules does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wansplit::config::{self, model::Config};
use wansplit::explain::{Details, From, Packet, decide};
use wansplit::network::outer::Outer;
use wansplit::network::{Facts, Hop, LinkFacts, Side, State};
use wansplit::plan::state::{IpRule, RuleAction, TABLE_MAIN};
use wansplit::plan::{self, Plan, users};

/// What a rule asks for, in a world of few users, ports and hosts. Each list is of `(negated, first, last)`.
#[derive(Debug, Clone)]
struct Sample {
    users: Vec<(bool, u32, u32)>,
    ports: Vec<(bool, u32, u32)>,
    hosts: Vec<(bool, u32, u32)>,
    v6: bool,
    protocol: Option<&'static str>,
    target: &'static str,
}

const LINKS: &str = r#"
"globals": { "enabled": true },
"links": {
    "A": { "device": "wan0", "gateway": "198.51.100.1", "gateway6": "2001:db8:1::1" },
    "B": { "device": "wan1", "gateway": "203.0.113.1", "gateway6": "2001:db8:2::1" }
},
"policies": { "both": { "use": ["B", "A"] }, "strict": { "use": ["B"], "fallback": "unreachable" } }"#;

fn list(most: u32, chance: f64) -> impl Strategy<Value = Vec<(bool, u32, u32)>> {
    let item = (prop::bool::weighted(0.3), 0..=most, 0..=most).prop_map(|(not, a, b)| (not, a.min(b), a.max(b)));
    prop::option::weighted(chance, prop::collection::vec(item, 1..4)).prop_map(Option::unwrap_or_default)
}

fn sample() -> impl Strategy<Value = Sample> {
    let protocol = prop_oneof![Just(None), Just(Some("tcp")), Just(Some("udp"))];
    let target = prop::sample::select(vec!["A", "B", "both", "strict", "main", "unreachable"]);
    (list(6, 0.7), list(9, 0.4), list(7, 0.3), any::<bool>(), protocol, target)
        .prop_map(|(users, ports, hosts, v6, protocol, target)| Sample { users, ports, hosts, v6, protocol, target })
}

fn packet() -> impl Strategy<Value = Packet> {
    let user = prop_oneof![4 => (0..=7_u32).prop_map(Some), 1 => Just(None)];
    (user, 0..=10_u16, 0..=8_u32, any::<bool>(), any::<bool>()).prop_map(|(user, port, number, v6, tcp)| Packet {
        origin: From::Router,
        source: None,
        destination: host(number, v6),
        protocol: if tcp { 6 } else { 17 },
        source_port: Some(40000),
        destination_port: Some(1000 + port),
        dscp: 0,
        details: Details { user, ..Details::default() },
    })
}

fn host(number: u32, v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::from(0x2001_0db8_ffff_0000_0000_0000_0000_0000 + u128::from(number)).into()
    } else {
        Ipv4Addr::from(0xc000_0200 + number).into()
    }
}

fn hits(list: &[(bool, u32, u32)], value: u32) -> bool {
    let within = |negated| list.iter().any(|(not, first, last)| *not == negated && (*first..=*last).contains(&value));
    !within(true) && (within(false) || list.iter().all(|(not, ..)| *not))
}

impl Sample {
    fn json(&self, name: usize) -> Value {
        let mut object = json!({ "name": format!("r{name}"), "from": "router", "use": self.target });
        let written = |list: &[(bool, u32, u32)], write: &dyn Fn(u32) -> String| -> Vec<String> {
            let sign = |not: &bool| if *not { "!" } else { "" };
            list.iter().map(|(not, first, last)| format!("{}{}-{}", sign(not), write(*first), write(*last))).collect()
        };
        let mut set = |option: &str, values: Vec<String>| {
            if !values.is_empty() {
                object[option] = values.into();
            }
        };
        set("uid", written(&self.users, &|user| user.to_string()));
        set("dest_port", written(&self.ports, &|port| (1000 + port).to_string()));
        set("dest_ip", written(&self.hosts, &|number| host(number, self.v6).to_string()));
        set("proto", self.protocol.map(str::to_owned).into_iter().collect());
        object
    }

    /// The plain reading.
    fn matches(&self, packet: &Packet) -> bool {
        let number = match packet.destination {
            IpAddr::V4(address) => address.to_bits() - 0xc000_0200,
            IpAddr::V6(address) => u32::try_from(address.to_bits() & 0xffff).unwrap(),
        };
        let user = self.users.is_empty() || packet.details.user.is_some_and(|user| hits(&self.users, user));
        let port = u32::from(packet.destination_port.unwrap() - 1000);
        let hosts = self.hosts.is_empty() || (self.v6 == packet.destination.is_ipv6() && hits(&self.hosts, number));
        let protocol = self.protocol.is_none_or(|protocol| (protocol == "tcp") == (packet.protocol == 6));
        user && hosts && protocol && (self.ports.is_empty() || hits(&self.ports, port))
    }
}

fn facts(config: &Config) -> Facts {
    let side = |n: usize, gateway: &str| Side {
        device: Some(format!("wan{n}")),
        state: State::Up(Hop { device: format!("wan{n}"), gateway: gateway.parse().ok() }),
        ..Side::default()
    };
    let link = |n| LinkFacts { v4: side(n, "198.51.100.1"), v6: side(n, "2001:db8::1"), ..LinkFacts::default() };
    Facts { links: (0..config.links.len()).map(link).collect(), ipv6: true, ..Facts::default() }
}

/// The table the kernel comes to for an unmarked packet of a socket that is bound to nothing. Nothing: refused.
fn table(plan: &Plan, packet: &Packet) -> Option<u32> {
    let within = |prefix: Option<(IpAddr, u8)>| {
        prefix.is_none_or(|(address, length)| match (address, packet.destination) {
            (IpAddr::V4(a), IpAddr::V4(b)) => length == 0 || (a.to_bits() ^ b.to_bits()) >> (32 - length) == 0,
            (IpAddr::V6(a), IpAddr::V6(b)) => length == 0 || (a.to_bits() ^ b.to_bits()) >> (128 - length) == 0,
            _ => unreachable!("a rule of the other family"),
        })
    };
    let holds = |range: Option<(u16, u16)>, port: Option<u16>| {
        range.is_none_or(|(first, last)| port.is_some_and(|port| (first..=last).contains(&port)))
    };
    let matches = |rule: &&IpRule| {
        rule.family == packet.family()
            // No route of main but the default one leads to the Internet.
            && rule.suppress_prefixlength.is_none()
            && rule.mark.is_none()
            && rule.oif.is_none()
            && rule.from.is_none()
            && rule.users.is_none_or(|(first, last)| packet.details.user.is_some_and(|user| (first..=last).contains(&user)))
            && rule.protocol.is_none_or(|protocol| protocol == packet.protocol)
            && within(rule.to)
            && holds(rule.source_ports, packet.source_port)
            && holds(rule.destination_ports, packet.destination_port)
    };
    match plan.ip_rules.iter().find(matches) {
        Some(IpRule { action: RuleAction::Unreachable, .. }) => None,
        Some(rule) => Some(rule.table),
        None => Some(TABLE_MAIN),
    }
}

/// The table that `explain` names.
fn explained(config: &Config, facts: &Facts, plan: &Plan, packet: &Packet) -> Option<u32> {
    let decision = decide(config, &plan.paths, facts, packet);
    Some(decision.paths.first().map_or(TABLE_MAIN, |(path, _)| plan.paths[*path].table))
}

fn read(rules: Vec<Value>) -> Config {
    let text = format!("{{ {LINKS}, \"rules\": {} }}", Value::from(rules));
    config::read(text.as_bytes()).config.unwrap()
}

proptest! {
    #[test]
    fn ip_rules_and_explain_and_a_plain_reading_agree(
        samples in prop::collection::vec(sample(), 1..8),
        packets in prop::collection::vec(packet(), 1..30),
    ) {
        let config = read(samples.iter().enumerate().map(|(n, sample)| sample.json(n)).collect());
        let facts = facts(&config);
        let plan = plan::plan(&config, &facts).unwrap();
        // Rules that can match nothing are refused by the validator, and left out.
        let kept: Vec<&Sample> = config.rules.iter().map(|rule| &samples[rule.name[1..].parse::<usize>().unwrap()]).collect();
        for packet in &packets {
            let first = kept.iter().position(|sample| sample.matches(packet)).map(|n| config.rules[n].target);
            let path = first.and_then(|target| plan.paths.of_router_target(target));
            let plain = Some(path.map_or(TABLE_MAIN, |path| plan.paths[path].table));
            prop_assert_eq!(table(&plan, packet), plain, "{:?}", packet);
            prop_assert_eq!(explained(&config, &facts, &plan, packet), plain, "{:?}", packet);
        }
    }

    #[test]
    fn a_command_that_is_bound_to_a_link_goes_there_whatever_the_rules_say(
        samples in prop::collection::vec(sample(), 0..8),
        packet in packet(),
        link in 0..2_usize,
    ) {
        let config = read(samples.iter().enumerate().map(|(n, sample)| sample.json(n)).collect());
        let facts = facts(&config);
        let plan = plan::plan(&config, &facts).unwrap();
        let link = config::model::LinkId(link);
        let user = users::of_link(&config, &plan.paths, link).unwrap();
        prop_assert_eq!(users::link_of(&config, &plan.paths, user), Some(link));
        let packet = Packet { details: Details { user: Some(user), ..Details::default() }, ..packet };
        let own = Some(plan.paths[plan.paths.of_link(link)].table);
        prop_assert_eq!(table(&plan, &packet), own);
        prop_assert_eq!(explained(&config, &facts, &plan, &packet), own);
        // One of our numbers that is no link's any more goes nowhere.
        let stranger = (0x5753_0000..).find(|user| users::link_of(&config, &plan.paths, *user).is_none());
        prop_assert_eq!(table(&plan, &Packet { details: Details { user: stranger, ..Details::default() }, ..packet }), None);
    }

    #[test]
    fn users_that_cannot_exist_are_in_no_rule(
        samples in prop::collection::vec(sample(), 1..8),
        absent in 0..8_u128,
    ) {
        let config = read(samples.iter().enumerate().map(|(n, sample)| sample.json(n)).collect());
        let absent_users = [wansplit::interval::Interval::new(absent, u128::from(u32::MAX))].into_iter().collect();
        let facts = Facts { absent_users, ..facts(&config) };
        let plan = plan::plan(&config, &facts).unwrap();
        prop_assert!(plan.ip_rules.iter().all(|rule| rule.users.is_none_or(|(_, last)| u128::from(last) < absent)));
    }

    #[test]
    fn a_tunnels_own_packets_never_go_into_it(
        samples in prop::collection::vec(sample(), 1..8),
        packets in prop::collection::vec(packet(), 1..30),
        to in (0..=8_u32, any::<bool>()),
        known in any::<[bool; 2]>(),
        via in any::<bool>(),
    ) {
        let mut config = read(samples.iter().enumerate().map(|(n, sample)| sample.json(n)).collect());
        let [tunnel, other] = [1, 0].map(config::model::LinkId);
        config.links[tunnel.0].via = via.then_some(config::model::Underlay::Link(other));
        let mut facts = facts(&config);
        let server = known[0].then(|| host(to.0, to.1));
        let outer = if known[1] { Outer::from_port(40000) } else { Outer::to_port(server, 1005) };
        facts.links[tunnel.0].outer.push(outer);
        let plan = plan::plan(&config, &facts).unwrap();
        for packet in &packets {
            let came_to = table(&plan, packet);
            prop_assert_eq!(explained(&config, &facts, &plan, packet), came_to, "{:?}", packet);
            let own = packet.protocol == 17
                && (known[1] || (packet.destination_port == Some(1005) && server.is_none_or(|server| server == packet.destination)));
            let into = plan.paths.iter().any(|(_, path)| Some(path.table) == came_to && path.links().any(|link| link == tunnel));
            prop_assert!(!(own && into), "{:?}", packet);
            if own && via {
                prop_assert_eq!(came_to, Some(plan.paths[plan.paths.of_link(other)].table));
            }
        }
    }
}
