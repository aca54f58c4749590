//! Random rules and packets out of a small world, so that overlaps and near misses are the rule. Rules are made as
//! what a person would write, and matched here by the plainest code: the third opinion besides compiler and `explain`.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wansplit::config::model::{Mac, SetId};
use wansplit::explain::{Details, From, Packet};

/// One value of a list option: a range of numbers, perhaps negated. How the numbers are written depends on the option.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub negated: bool,
    pub first: u8,
    pub last: u8,
}

/// A list option: empty is "not given".
pub type List = Vec<Item>;

#[derive(Debug, Clone)]
pub struct SampleRule {
    pub protocols: Vec<&'static str>,
    pub source4: List,
    pub source6: List,
    pub destination4: List,
    pub destination6: List,
    pub source_ports: List,
    pub destination_ports: List,
    pub devices: List,
    pub macs: List,
    pub dscp: List,
    pub icmp_types: Vec<&'static str>,
    pub mark: Option<(bool, u32)>,
    pub source_sets: Vec<usize>,
    pub destination_sets: Vec<usize>,
    pub family: Option<&'static str>,
    pub target: &'static str,
    pub sticky: Option<&'static str>,
    pub counts: bool,
    pub logs: bool,
    pub times: Option<Times>,
}

/// When a rule holds: these days (Monday is 0), from one hour to another; that may be on the next day.
#[derive(Debug, Clone)]
pub struct Times {
    pub days: Vec<u8>,
    pub start: u8,
    pub stop: u8,
}

/// The targets of the sample rules: links, policies and words.
/// Chance decides about `any`: it comes seldom.
pub const TARGETS: [&str; 18] = [
    "A",
    "B",
    "ab",
    "bc",
    "in_order",
    "any",
    "strict",
    "main",
    "unreachable",
    "A",
    "B",
    "in_order",
    "ab",
    "main",
    "strict",
    "unreachable",
    "A",
    "B",
];

/// The links and policies all samples share, without their rules.
pub const LINKS: &str = r#"
"globals": { "enabled": true },
"links": {
    "A": { "device": "wan0", "gateway": "198.51.100.1", "gateway6": "2001:db8:1::1" },
    "B": { "device": "wan1", "gateway": "203.0.113.1" },
    "C": { "device": "wan2", "gateway": "192.0.2.1", "fallback": "unreachable" }
},
"sets": {
    "s0": { "entry": ["192.0.2.0/24", "2001:db8::/32"] },
    "s1": { "domain": "one.example" },
    "s2": { "entry": ["198.51.100.0/24"], "file": "/nowhere", "domain": ["two.example", "three.example"] }
},
"policies": {
    "ab": { "use": ["A", "B"] },
    "bc": { "use": ["B 3", "C", "A tier 2"], "mode": "balance" },
    "in_order": { "use": ["B", "C"] },
    "any": { "use": ["A", "B 2", "C"], "mode": "balance", "balance_by": "connection" },
    "strict": { "use": ["B"], "fallback": "unreachable" }
}"#;

pub fn address4(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n)
}

pub fn address6(n: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n.into())
}

pub fn port(n: u8) -> u16 {
    1000 + u16::from(n)
}

pub fn mac(n: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, n])
}

pub fn device(n: u8) -> String {
    format!("lan{n}")
}

fn item(most: u8, ranges: bool) -> impl Strategy<Value = Item> {
    (prop::bool::weighted(0.2), 0..=most, 0..=most).prop_map(move |(negated, a, b)| Item {
        negated,
        first: a.min(b),
        last: if ranges { a.max(b) } else { a.min(b) },
    })
}

fn list(most: u8, ranges: bool, chance: f64) -> impl Strategy<Value = List> {
    prop::option::weighted(chance, prop::collection::vec(item(most, ranges), 1..4)).prop_map(Option::unwrap_or_default)
}

pub fn rule() -> impl Strategy<Value = SampleRule> {
    let protocols = prop_oneof![
        3 => Just(vec![]),
        2 => Just(vec!["tcp"]),
        2 => Just(vec!["udp"]),
        2 => Just(vec!["tcp", "udp"]),
        1 => Just(vec!["icmp"]),
        1 => Just(vec!["gre", "esp", "ah"]),
        1 => Just(vec!["!tcp"]),
    ];
    let ports = (list(30, true, 0.2), list(30, true, 0.5));
    let addresses = (list(15, true, 0.25), list(15, true, 0.15), list(15, true, 0.25), list(15, true, 0.1));
    let rest = (list(2, false, 0.2), list(3, false, 0.15), list(9, true, 0.1));
    let types = prop::sample::subsequence(vec!["echo-request", "echo-reply", "13"], 1..=2);
    let mark = prop::option::weighted(0.1, (prop::bool::weighted(0.3), 0..=2u32));
    let special = (prop::option::weighted(0.5, types), mark, sets(0.07), sets(0.15));
    let family = prop_oneof![8 => Just(None), 1 => Just(Some("ipv4")), 1 => Just(Some("ipv6"))];
    let who = prop::option::weighted(0.2, prop::sample::select(&["client", "destination"][..]));
    let target = (prop::sample::select(&TARGETS[..]), who);
    let use_and_note = (target, prop::bool::weighted(0.3), prop::bool::weighted(0.2), times());
    (protocols, ports, addresses, rest, special, family, use_and_note).prop_map(
        |(protocols, (source_ports, destination_ports), addresses, (devices, macs, dscp), special, family, rest)| {
            let ((target, who), counts, logs, times) = rest;
            let sticky = who.filter(|_| matches!(target, "bc" | "any"));
            let (types, mark, source_sets, destination_sets) = special;
            let icmp_types = types.filter(|_| protocols == ["icmp"]).unwrap_or_default();
            let (source4, source6, destination4, destination6) = addresses;
            SampleRule {
                protocols,
                source4,
                source6,
                destination4,
                destination6,
                source_ports,
                destination_ports,
                devices,
                macs,
                dscp,
                icmp_types,
                mark,
                source_sets,
                destination_sets,
                family,
                target,
                sticky,
                counts,
                logs,
                times,
            }
        },
    )
}

/// Rules of the simplest shapes, which merge into maps most.
pub fn plain_rule() -> impl Strategy<Value = SampleRule> {
    (rule(), 0..4).prop_map(|(rule, shape)| {
        let mut plain = SampleRule {
            source6: vec![],
            destination6: vec![],
            source_ports: vec![],
            devices: vec![],
            macs: vec![],
            dscp: vec![],
            icmp_types: vec![],
            mark: None,
            source_sets: vec![],
            destination_sets: vec![],
            family: None,
            ..rule
        };
        if shape != 0 {
            plain.source4.clear();
        }
        if shape != 1 {
            plain.destination4.clear();
        }
        if shape < 2 {
            plain.destination_ports.clear();
            plain.protocols.clear();
        }
        plain
    })
}

fn times() -> impl Strategy<Value = Option<Times>> {
    let days = prop::sample::subsequence((0..7).collect::<Vec<u8>>(), 1..=6);
    let times = (days, 0..=23u8, 1..=24u8).prop_map(|(days, start, stop)| Times { days, start, stop });
    prop::option::weighted(0.3, times.prop_filter("no time", |times| times.start != times.stop))
}

/// Some of the samples' sets.
fn sets(chance: f64) -> impl Strategy<Value = Vec<usize>> {
    prop::option::weighted(chance, prop::sample::subsequence(vec![0, 1, 2], 1..=2)).prop_map(Option::unwrap_or_default)
}

/// What rules see of a packet besides its addresses and ports: in which sets its addresses are is left to chance.
fn details() -> impl Strategy<Value = Details> {
    let within = || prop::sample::subsequence(vec![SetId(0), SetId(1), SetId(2)], 0..=2);
    let types = prop::sample::select(vec![0, 8, 13, 128, 129]);
    (types, 0..=3u32, within(), within()).prop_map(|(icmp_type, mark, source_in, destination_in)| Details {
        icmp_type: Some(icmp_type),
        mark,
        source_in,
        destination_in,
        user: None,
    })
}

pub fn packet() -> impl Strategy<Value = Packet> {
    let protocol = prop_oneof![3 => Just(6u8), 3 => Just(17u8), 1 => Just(1u8), 1 => Just(47u8), 1 => Just(132u8)];
    let values = (0..=10u8, details());
    (any::<bool>(), protocol, (0..=16u8, 0..=16u8), (0..=31u8, 0..=31u8), (0..=3u8, 0..=4u8), values).prop_map(
        |(v6, protocol, (source, destination), ports, (dev, sender), (dscp, details))| {
            let address = |n| if v6 { IpAddr::V6(address6(n)) } else { IpAddr::V4(address4(n)) };
            let protocol = if v6 && protocol == 1 { 58 } else { protocol };
            let has_ports = matches!(protocol, 6 | 17 | 132);
            Packet {
                // One device stands for a tunnel: its packets have no Ethernet address.
                origin: From::Device(Some(device(dev)), (dev != 3).then(|| mac(sender))),
                source: Some(address(source)),
                destination: address(destination),
                protocol,
                source_port: has_ports.then(|| port(ports.0)),
                destination_port: has_ports.then(|| port(ports.1)),
                dscp,
                details: Details { icmp_type: details.icmp_type.filter(|_| matches!(protocol, 1 | 58)), ..details },
            }
        },
    )
}

impl SampleRule {
    /// The rule as a JSON object, or nothing if no packet could match it (the validator refuses such rules).
    pub fn json(&self, name: usize) -> Option<serde_json::Value> {
        let mut object = serde_json::json!({ "name": format!("r{name}"), "use": self.target });
        let v4 = |i: &Item| range(i, address4(i.first), address4(i.last));
        let v6 = |i: &Item| range(i, address6(i.first), address6(i.last));
        let single = |i: &Item, text: String| format!("{}{text}", if i.negated { "!" } else { "" });
        let mut set = |option: &str, values: Vec<String>| {
            if !values.is_empty() {
                object[option] = values.into();
            }
        };
        set("proto", self.protocols.iter().map(ToString::to_string).collect());
        set("src_ip", self.source4.iter().map(v4).chain(self.source6.iter().map(v6)).collect());
        set("dest_ip", self.destination4.iter().map(v4).chain(self.destination6.iter().map(v6)).collect());
        set("src_port", self.source_ports.iter().map(|i| range(i, port(i.first), port(i.last))).collect());
        set("dest_port", self.destination_ports.iter().map(|i| range(i, port(i.first), port(i.last))).collect());
        set("src_iface", self.devices.iter().map(|i| single(i, device(i.first))).collect());
        set("src_mac", self.macs.iter().map(|i| single(i, mac(i.first).to_string())).collect());
        set("dscp", dscp_values(&self.dscp));
        if let Some(family) = self.family {
            object["family"] = family.into();
        }
        if !self.icmp_types.is_empty() {
            object["icmp_type"] = self.icmp_types.clone().into();
        }
        if let Some((negated, value)) = self.mark {
            object["mark"] = format!("{}{value:#x}/0x3", if negated { "!" } else { "" }).into();
        }
        let names = |sets: &[usize]| sets.iter().map(|set| format!("s{set}")).collect::<Vec<_>>();
        for (option, sets) in [("src_set", &self.source_sets), ("dest_set", &self.destination_sets)] {
            if !sets.is_empty() {
                object[option] = names(sets).into();
            }
        }
        if let Some(Times { days, start, stop }) = &self.times {
            let name = |day: &u8| ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(*day)];
            object["weekdays"] = days.iter().map(name).collect::<Vec<_>>().into();
            object["start_time"] = format!("{start:02}:00").into();
            object["stop_time"] = format!("{stop:02}:00").into();
        }
        if self.logs {
            object["log"] = true.into();
        }
        if let Some(who) = self.sticky {
            object["sticky"] = who.into();
        }
        if self.counts {
            object["counter"] = true.into();
        }
        let ports = !self.source_ports.is_empty() || !self.destination_ports.is_empty();
        let portless = self.protocols.iter().any(|p| !matches!(*p, "tcp" | "udp"));
        (!(ports && portless)).then_some(object)
    }

    /// Whether the rule holds in an hour of a day of the week (Monday is 0).
    pub fn is_on(&self, day: u8, hour: u8) -> bool {
        self.times.as_ref().is_none_or(|Times { days, start, stop }| {
            let (today, yesterday) = (days.contains(&day), days.contains(&((day + 6) % 7)));
            match start < stop {
                true => today && (*start..*stop).contains(&hour),
                false => today && hour >= *start || yesterday && hour < *stop,
            }
        })
    }

    /// Whether the rule matches: said as plainly as can be.
    pub fn matches(&self, packet: &Packet) -> bool {
        let From::Device(device_name, sender) = &packet.origin else { return false };
        let (source, destination) = (packet.source.unwrap(), packet.destination);
        let v6 = source.is_ipv6();
        let ports = !self.source_ports.is_empty() || !self.destination_ports.is_empty();
        let named = |v4: &List, v6: &List| !v4.is_empty() || !v6.is_empty();
        let families_of = |four: &List, six: &List| if v6 { !six.is_empty() } else { !four.is_empty() };
        let protocol = match self.protocols.as_slice() {
            [] if ports => matches!(packet.protocol, 6 | 17),
            [] => true,
            ["!tcp"] => packet.protocol != 6,
            names => names.iter().any(|name| match *name {
                "tcp" => packet.protocol == 6,
                "udp" => packet.protocol == 17,
                "icmp" => matches!(packet.protocol, 1 | 58),
                "gre" => packet.protocol == 47,
                "esp" => packet.protocol == 50,
                "ah" => packet.protocol == 51,
                other => unreachable!("{other}"),
            }),
        };
        let address = |four: &List, six: &List, sets: &[usize], within: &[SetId], address: IpAddr| {
            let in_set = sets.iter().any(|set| within.contains(&SetId(*set)));
            if !named(four, six) {
                return sets.is_empty() || in_set;
            }
            // A list's positive entries are counted over both families: if there are any, only they can match.
            let positive = four.iter().chain(six).any(|i| !i.negated);
            let own = if v6 { six } else { four };
            let last = match address {
                IpAddr::V4(a) => a.octets()[3],
                IpAddr::V6(a) => a.octets()[15],
            };
            if !sets.is_empty() {
                let excepted = own.iter().any(|i| i.negated && i.first <= last && last <= i.last);
                let listed = own.iter().any(|i| !i.negated && i.first <= last && last <= i.last);
                return (listed || in_set) && !excepted;
            }
            families_of(four, six) && in_list(own, last, positive)
        };
        let port_in = |list: &List, port: Option<u16>| {
            list.is_empty()
                || port.is_some_and(|port| in_list(list, (port - 1000) as u8, list.iter().any(|i| !i.negated)))
        };
        let digit = device_name.as_ref().unwrap().bytes().last().unwrap() - b'0';
        let mac_in = sender.is_some_and(|mac| in_list(&self.macs, mac.0[5], self.macs.iter().any(|i| !i.negated)));
        let details = &packet.details;
        let kind = details.icmp_type.unwrap_or(255);
        let typed = self.icmp_types.is_empty()
            || self.icmp_types.iter().any(|name| match *name {
                "echo-request" => kind == if v6 { 128 } else { 8 },
                "echo-reply" => kind == if v6 { 129 } else { 0 },
                other => kind.to_string() == other,
            });
        let family = self.family.is_none_or(|family| (family == "ipv6") == v6);
        family
            && protocol
            && address(&self.source4, &self.source6, &self.source_sets, &details.source_in, source)
            && address(
                &self.destination4,
                &self.destination6,
                &self.destination_sets,
                &details.destination_in,
                destination,
            )
            && typed
            && self.mark.is_none_or(|(negated, value)| (details.mark & 3 == value) != negated)
            && port_in(&self.source_ports, packet.source_port)
            && port_in(&self.destination_ports, packet.destination_port)
            && (self.devices.is_empty() || in_list(&self.devices, digit, self.devices.iter().any(|i| !i.negated)))
            && (self.macs.is_empty() || mac_in)
            && (self.dscp.is_empty() || in_list(&self.dscp, packet.dscp, self.dscp.iter().any(|i| !i.negated)))
    }
}

fn in_list(list: &List, value: u8, positive: bool) -> bool {
    let hit = |i: &&Item| i.first <= value && value <= i.last;
    let wanted = !positive || list.iter().filter(|i| !i.negated).any(|i| hit(&i));
    wanted && !list.iter().filter(|i| i.negated).any(|i| hit(&i))
}

fn range<T: std::fmt::Display + PartialEq>(item: &Item, first: T, last: T) -> String {
    let not = if item.negated { "!" } else { "" };
    if first == last { format!("{not}{first}") } else { format!("{not}{first}-{last}") }
}

/// DSCP has no ranges: each value is written out.
fn dscp_values(list: &List) -> Vec<String> {
    let text = |i: &Item, n: u8| if i.negated { format!("!{n}") } else { n.to_string() };
    list.iter().flat_map(|i| (i.first..=i.last).map(move |n| text(i, n))).collect()
}
