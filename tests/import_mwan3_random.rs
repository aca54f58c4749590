//! Random configurations of mwan3, read by the importer and by the plainest account of mwan3's own rules: packets go
//! the same way by both.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod mwan3_support;
mod support;

use mwan3_support::planned_ways;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;
use support::world::facts;
use wansplit::config::diagnostics::Severity;
use wansplit::config::read;
use wansplit::explain::{Details, From, Packet};
use wansplit::import::{Context, Format};
use wansplit::network::{Down, State};
use wansplit::plan::plan;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const LAST_RESORTS: [&str; 3] = ["unreachable", "blackhole", "default"];

/// Whether the interfaces of a provider for IPv4 and IPv6 exist, and whether they are switched on.
type Provider = [Option<bool>; 2];

#[derive(Debug, Clone)]
struct Member {
    provider: usize,
    /// 0 for IPv4, 1 for IPv6.
    family: usize,
    metric: u32,
    weight: u32,
}

#[derive(Debug, Clone)]
struct Rule {
    family: Option<usize>,
    protocol: Option<&'static str>,
    port: Option<u16>,
    source: Option<&'static str>,
    destination: Option<&'static str>,
    /// A policy; behind the last one `default`, `unreachable`, `blackhole`, and one that does not exist.
    target: usize,
    has_long_name: bool,
}

#[derive(Debug, Clone)]
struct Mwan3 {
    providers: Vec<Provider>,
    members: Vec<Member>,
    /// Members by their places, and the last resort.
    policies: Vec<(Vec<usize>, usize)>,
    rules: Vec<Rule>,
}

fn mwan3() -> impl Strategy<Value = Mwan3> {
    let interface = prop_oneof![1 => Just(None), 1 => Just(Some(false)), 4 => Just(Some(true))];
    let providers = prop::collection::vec([interface.clone(), interface].boxed(), 4);
    let member = (0..4usize, 0..2usize, 1..4u32, 1..4u32);
    let member = member.prop_map(|(provider, family, metric, weight)| Member { provider, family, metric, weight });
    let members = prop::collection::vec(member, 1..12);
    let policies = prop::collection::vec((prop::collection::vec(0..12usize, 0..6), 0..3usize), 1..4);
    let rule = (
        prop::option::of(0..2usize),
        prop::option::of(prop::sample::select(&["tcp", "udp", "esp"][..])),
        prop::option::of(1..4u16),
        prop::option::of(prop::sample::select(&["192.168.1.0/24", "192.168.1.10", "fd00::/16"][..])),
        prop::option::weighted(0.3, prop::sample::select(&["192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0"][..])),
        0..8usize,
        prop::bool::weighted(0.1),
    );
    let rule = rule.prop_map(|(family, protocol, port, source, destination, target, has_long_name)| Rule {
        family,
        protocol,
        port,
        source,
        destination,
        target,
        has_long_name,
    });
    let rules = prop::collection::vec(rule, 1..8);
    (providers, members, policies, rules).prop_map(|(providers, members, policies, rules)| Mwan3 {
        providers,
        members,
        policies,
        rules,
    })
}

impl Mwan3 {
    fn text(&self) -> String {
        let mut out = String::new();
        for (provider, name) in self.providers.iter().zip(NAMES) {
            for (family, suffix) in ["", "6"].into_iter().enumerate() {
                if let Some(on) = provider[family] {
                    let (on, family) = (u8::from(on), ["ipv4", "ipv6"][family]);
                    writeln!(out, "config interface '{name}{suffix}'\n option enabled {on}\n option family {family}")
                        .unwrap();
                }
            }
        }
        for (n, member) in self.members.iter().enumerate() {
            let (name, suffix) = (NAMES[member.provider], ["", "6"][member.family]);
            let (metric, weight) = (member.metric, member.weight);
            writeln!(out, "config member m{n}\n option interface {name}{suffix}\n option metric {metric}").unwrap();
            writeln!(out, " option weight {weight}").unwrap();
        }
        for (n, (members, last_resort)) in self.policies.iter().enumerate() {
            writeln!(out, "config policy p{n}\n option last_resort {}", LAST_RESORTS[*last_resort]).unwrap();
            members.iter().for_each(|member| writeln!(out, " list use_member m{member}").unwrap());
        }
        for (n, rule) in self.rules.iter().enumerate() {
            let name = if rule.has_long_name { format!("a_very_long_name{n}") } else { format!("r{n}") };
            writeln!(out, "config rule {name}\n option use_policy {}", self.target(rule)).unwrap();
            let family = rule.family.map(|family| ["ipv4", "ipv6"][family].to_owned());
            let port = rule.port.map(|port| port.to_string());
            let options = [
                ("family", family),
                ("proto", rule.protocol.map(str::to_owned)),
                ("dest_port", port),
                ("src_ip", rule.source.map(str::to_owned)),
                ("dest_ip", rule.destination.map(str::to_owned)),
            ];
            for (option, value) in options {
                value.iter().for_each(|value| writeln!(out, " option {option} {value}").unwrap());
            }
        }
        out
    }

    fn target(&self, rule: &Rule) -> String {
        match rule.target.checked_sub(self.policies.len()) {
            None => format!("p{}", rule.target),
            Some(0) => "default".into(),
            Some(1) => "unreachable".into(),
            Some(2) => "blackhole".into(),
            Some(_) => "nowhere".into(),
        }
    }

    /// Where mwan3 sends a packet, with these providers down. Nothing if the importer does something else on purpose:
    /// a policy without members for the packet's IP version.
    fn ways(&self, packet: &Packet, down: &[bool]) -> Option<BTreeSet<String>> {
        let family = usize::from(packet.destination.is_ipv6());
        let one = |word: &str| Some([if word == "default" { "main" } else { word }.to_owned()].into());
        for rule in self.rules.iter().filter(|rule| rule.matches(packet, family)) {
            let target = self.target(rule);
            if target == "nowhere" {
                continue;
            }
            let Some((members, last_resort)) = self.policies.get(rule.target) else { return one(&target) };
            let exists = |member: &&Member| self.providers[member.provider][member.family] == Some(true);
            let all: Vec<&Member> = members.iter().filter_map(|m| self.members.get(*m)).filter(exists).collect();
            let own = || all.iter().filter(|member| member.family == family);
            if own().next().is_none() && !all.is_empty() {
                return None;
            }
            let online = || own().filter(|member| !down[member.provider]);
            let Some(best) = online().map(|member| member.metric).min() else {
                return one(LAST_RESORTS[*last_resort]);
            };
            let best = online().filter(|member| member.metric == best);
            return Some(best.map(|member| NAMES[member.provider].to_owned()).collect());
        }
        one("main")
    }
}

impl Rule {
    fn matches(&self, packet: &Packet, family: usize) -> bool {
        let within = |text: &str, address: IpAddr| match (text, address) {
            ("192.168.1.10", address) => address == "192.168.1.10".parse::<IpAddr>().unwrap(),
            ("192.168.1.0/24", IpAddr::V4(v4)) => v4.octets()[..3] == [192, 168, 1],
            ("192.0.2.0/24", IpAddr::V4(v4)) => v4.octets()[..3] == [192, 0, 2],
            ("0.0.0.0/0", address) => address.is_ipv4(),
            ("fd00::/16", IpAddr::V6(v6)) => v6.segments()[0] == 0xfd00,
            ("2001:db8::/32", IpAddr::V6(v6)) => v6.segments()[..2] == [0x2001, 0xdb8],
            ("::/0", address) => address.is_ipv6(),
            _ => false,
        };
        let number = |name: &str| wansplit::config::protocol_number(name).unwrap();
        // Ports count with tcp and udp only.
        let port = self.port.filter(|_| matches!(self.protocol, Some("tcp" | "udp")));
        !self.has_long_name
            && self.family.is_none_or(|own| own == family)
            && self.protocol.is_none_or(|own| number(own) == packet.protocol)
            && port.is_none_or(|own| packet.destination_port == Some(own))
            && self.source.is_none_or(|own| within(own, packet.source.unwrap()))
            && self.destination.is_none_or(|own| within(own, packet.destination))
    }
}

fn packets() -> Vec<Packet> {
    let addresses = [
        (["192.168.1.10", "192.168.1.11", "10.0.0.1"], ["192.0.2.9", "198.18.0.1"]),
        (["fd00::10", "fd00::11", "2001:db8:7::1"], ["2001:db8::9", "2a00::1"]),
    ];
    let mut packets = Vec::new();
    for (sources, destinations) in addresses {
        for source in sources {
            for destination in destinations {
                for (protocol, port) in [(6, Some(1)), (6, Some(3)), (17, Some(2)), (50, None)] {
                    packets.push(Packet {
                        origin: From::Device(Some("br-lan".into()), None),
                        source: Some(source.parse().unwrap()),
                        destination: destination.parse().unwrap(),
                        protocol,
                        source_port: port.map(|_| 40000),
                        destination_port: port,
                        dscp: 0,
                        details: Details::default(),
                    });
                }
            }
        }
    }
    packets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn packets_go_where_they_went(mwan3 in mwan3(), down in prop::collection::vec(prop::bool::weighted(0.3), 4)) {
        let text = mwan3.text();
        let context = Context { file: "mwan3", interfaces: None, more: &[] };
        let Ok(imported) = Format::Mwan3.import(&text, &context) else { return Ok(()) };
        let written = imported.draft.to_string();
        let reading = read(written.as_bytes());
        let errors: Vec<_> = reading.diagnostics.iter().filter(|found| found.severity >= Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}\n{written}");
        let config = reading.config.unwrap();
        let mut facts = facts(&config, false);
        for (link, own) in config.links.iter().zip(&mut facts.links) {
            // `a`, or `a6` where only that is switched on.
            let provider = NAMES.iter().position(|name| link.name.starts_with(name)).unwrap();
            for (family, side) in [&mut own.v4, &mut own.v6].into_iter().enumerate() {
                if down[provider] || mwan3.providers[provider][family] != Some(true) {
                    side.state = State::Down(Down::NotOffered);
                }
            }
        }
        let plan = plan(&config, &facts).unwrap();
        for packet in packets() {
            let Some(expected) = mwan3.ways(&packet, &down) else { continue };
            let got: BTreeSet<String> =
                planned_ways(&config, &facts, &plan, &packet).iter().map(|way| way.trim_end_matches('6').to_owned()).collect();
            prop_assert_eq!(got, expected, "{:?}\n{}\n{}", packet, text, written);
        }
    }
}
