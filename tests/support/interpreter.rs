//! Walks the compiled table for one packet, as the kernel would.

use std::collections::BTreeSet;
use std::net::IpAddr;
use wansplit::config::model::{Choice, Family};
use wansplit::explain::{From, Packet};
use wansplit::interval::{from_ipv4, from_ipv6};
use wansplit::plan::jhash;
use wansplit::plan::ruleset::{
    Action, Dice, Entries, Fill, Key, Match, Ruleset, SEED, Verdict, device_number, family_number, mac_number,
};

/// What stands in the place of a port where a protocol has none: a port that the samples' rules name.
const OTHER_BYTES: u16 = 1005;

/// The marks that the first packet of a connection may leave the prerouting hook with: one, or one for each number that
/// chance may draw. 0 is "no mark".
pub fn marks(ruleset: &Ruleset, packet: &Packet) -> BTreeSet<u32> {
    walked(ruleset, packet).marks
}

/// What becomes of the first packet of a connection.
#[derive(Default)]
pub struct Walk {
    /// As of [`marks`].
    pub marks: BTreeSet<u32>,
    /// The counters that count it, in the order it meets them.
    pub counters: Vec<String>,
    /// What it is logged as, in the order it meets them.
    pub logged: Vec<String>,
}

/// Walks the prerouting hook.
pub fn walked(ruleset: &Ruleset, packet: &Packet) -> Walk {
    let mut seen = Walk::default();
    walk(ruleset, "prerouting", packet, 0, &mut seen);
    seen
}

fn walk(ruleset: &Ruleset, chain: &str, packet: &Packet, mut mark: u32, seen: &mut Walk) {
    let chain = ruleset.chains.iter().find(|c| c.name == chain).expect("a verdict leads to a chain that exists");
    for rule in &chain.rules {
        if !rule.matches.iter().all(|m| holds(ruleset, m, packet)) {
            continue;
        }
        // Somebody may be remembered, or not.
        if let ([Match::Remembered(..)], [Action::Verdict(verdict)]) = (&rule.matches[..], &rule.actions[..]) {
            follow(ruleset, verdict, packet, mark, seen);
            continue;
        }
        for action in &rule.actions {
            let verdict = match action {
                Action::Lookup(keys, map) => lookup(ruleset, keys, map, packet),
                Action::Spread(Dice::Random, buckets) => {
                    for verdict in buckets {
                        follow(ruleset, verdict, packet, mark, seen);
                    }
                    return;
                }
                Action::Spread(Dice::Client(family), buckets) => (packet.family() == *family).then(|| {
                    let bytes = match packet.source.unwrap() {
                        IpAddr::V4(a) => a.octets().to_vec(),
                        IpAddr::V6(a) => a.octets().to_vec(),
                    };
                    buckets[jhash::bucket(&bytes, buckets.len() as u32, SEED) as usize].clone()
                }),
                Action::SetMark(value) => {
                    mark = *value;
                    None
                }
                Action::SetConnectionMark(_) | Action::Remember(..) => None,
                Action::Count(name) => {
                    let mut counters = ruleset.counters.iter();
                    assert!(counters.any(|counter| counter.name == *name), "a counter that exists");
                    seen.counters.push(name.clone());
                    None
                }
                Action::Log(prefix) => {
                    seen.logged.push(prefix.clone());
                    None
                }
                Action::Verdict(verdict) => Some(verdict.clone()),
            };
            if let Some(verdict) = verdict {
                follow(ruleset, &verdict, packet, mark, seen);
                return;
            }
        }
    }
    // The end of a chain one went to for good is the end of the base chain: policy accept.
    seen.marks.insert(mark);
}

fn follow(ruleset: &Ruleset, verdict: &Verdict, packet: &Packet, mark: u32, seen: &mut Walk) {
    match verdict {
        Verdict::Accept => {
            seen.marks.insert(mark);
        }
        Verdict::Goto(chain) => walk(ruleset, chain, packet, mark, seen),
    }
}

fn holds(ruleset: &Ruleset, condition: &Match, packet: &Packet) -> bool {
    let From::Device(device, mac) = &packet.origin else { panic!("only packets that arrive are classified") };
    match condition {
        Match::New | Match::First => true,
        Match::Running => false,
        Match::Unstamped => true,
        Match::Input(choice) => choice.allows(device.as_ref().unwrap()),
        Match::Sender(choice) => match (mac, choice) {
            (None, _) => false,
            (Some(mac), Choice::OneOf(macs)) => macs.contains(mac),
            (Some(mac), Choice::NoneOf(macs)) => !macs.contains(mac),
        },
        Match::Family(family) => packet.family() == *family,
        Match::Remembered(keys, _) => keys.iter().all(|key| value(*key, packet).is_some()),
        // What has no ports has other bytes in their place.
        Match::HasPort => true,
        Match::Mark(mark) => mark.allows(packet.details.mark),
        Match::Dscp(family, values) => packet.family() == *family && values.contains(&packet.dscp),
        Match::InSet(key, set) => {
            let set = ruleset.maps.iter().find(|map| map.name == *set).expect("a set that exists");
            let Entries::Members(members) = &set.entries else { panic!("a map where a set is wanted") };
            if let Fill::Listed(id, family) | Fill::Resolver(id, family) = set.fill {
                let within = match key {
                    Key::Source(_) => &packet.details.source_in,
                    _ => &packet.details.destination_in,
                };
                return packet.family() == family && within.contains(&id);
            }
            value(*key, packet).is_some_and(|value| members.iter().any(|entry| entry[0].contains(value)))
        }
    }
}

fn lookup(ruleset: &Ruleset, keys: &[Key], map: &str, packet: &Packet) -> Option<Verdict> {
    let map = ruleset.maps.iter().find(|known| known.name == map).expect("a map that exists");
    assert_eq!(map.key.len(), keys.len(), "the lookup has as many keys as the map");
    let values: Option<Vec<u128>> = keys.iter().map(|key| value(*key, packet)).collect();
    let values = values?;
    let Entries::Verdicts(entries) = &map.entries else { panic!("a set where a map is wanted") };
    let mut hits = entries.iter().filter(|(entry, _)| entry.iter().zip(&values).all(|(i, v)| i.contains(*v)));
    let hit = hits.next();
    assert!(hits.next().is_none(), "two entries of one map hold the same packet: the kernel refuses that");
    hit.map(|(_, verdict)| verdict.clone())
}

fn value(key: Key, packet: &Packet) -> Option<u128> {
    let From::Device(device, mac) = &packet.origin else { return None };
    let address = |family, address: Option<IpAddr>| match (family, address?) {
        (Family::V4, IpAddr::V4(a)) => Some(from_ipv4(a)),
        (Family::V6, IpAddr::V6(a)) => Some(from_ipv6(a)),
        _ => None,
    };
    match key {
        // The first packet of a connection: its connection has no mark yet, and so there is no entry.
        Key::ConnectionMark | Key::PacketMark => Some(0),
        Key::Input => Some(device_number(device.as_ref()?)),
        Key::Output => None,
        Key::Family => Some(family_number(packet.family())),
        Key::Protocol => Some(packet.protocol.into()),
        Key::Source(family) => address(family, packet.source),
        Key::Destination(family) => address(family, Some(packet.destination)),
        Key::SourcePort => Some(packet.source_port.unwrap_or(OTHER_BYTES).into()),
        Key::DestinationPort => Some(packet.destination_port.unwrap_or(OTHER_BYTES).into()),
        Key::Sender => mac.map(mac_number),
        Key::IcmpType(family) => {
            let own = if packet.family() == Family::V4 { 1 } else { 58 };
            let typed = packet.family() == family && packet.protocol == own;
            packet.details.icmp_type.filter(|_| typed).map(Into::into)
        }
        Key::Dscp(family) => (packet.family() == family).then_some(packet.dscp.into()),
    }
}
