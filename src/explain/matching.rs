//! Why a rule does not match a packet, and by which of its sets it does, in words.

use super::{Miss, Packet};
use crate::config::model::{InSets, Rule, SetId};

/// Why a rule does not match.
#[must_use]
pub fn why_not(miss: Miss, rule: &Rule, packet: &Packet) -> String {
    let (matches, details) = (&rule.matches, &packet.details);
    match (miss, &matches.source_sets, &matches.destination_sets) {
        (Miss::Source, Some(sets), _) => return in_none("source", sets, &details.source_in),
        (Miss::Destination, _, Some(sets)) => return in_none("destination", sets, &details.destination_in),
        _ => {}
    }
    let words = match miss {
        Miss::Origin => "it looks at packets of another origin (from)",
        Miss::Family => "other IP version",
        Miss::Protocol => "other protocol",
        Miss::Source => "other source address",
        Miss::Destination => "other destination address",
        Miss::SourcePort => "other source port",
        Miss::DestinationPort => "other destination port",
        Miss::Device => "other interface",
        Miss::Mac => "other Ethernet address, or none known (give --mac)",
        Miss::Dscp => "other DSCP value",
        Miss::IcmpType => "other type of ICMP",
        Miss::Mark => "other packet mark (give --mark)",
        Miss::Time => "not now",
    };
    words.into()
}

/// An address of a domain is known only when the router has been asked for that domain.
fn in_none(which: &str, sets: &InSets, within: &[SetId]) -> String {
    if let Some(held) = holding(sets, within) {
        return format!("the {which} address is of {held}, but excepted");
    }
    let labels: Vec<&str> = sets.sets.iter().map(|(_, label)| label.as_str()).collect();
    let learnt = if labels.iter().any(|label| label.starts_with("domain")) {
        " (no answer that dnsmasq here has given named it)"
    } else {
        ""
    };
    format!("the {which} address is not of {}{learnt}", labels.join(", "))
}

/// By which sets of a rule its packet matches.
#[must_use]
pub fn by_sets(rule: &Rule, packet: &Packet) -> Vec<String> {
    let (matches, details) = (&rule.matches, &packet.details);
    let sides = [
        ("source", &matches.source_sets, &details.source_in),
        ("destination", &matches.destination_sets, &details.destination_in),
    ];
    let line = |(which, sets, within): (&str, &Option<InSets>, &Vec<SetId>)| {
        Some(format!("its {which} address is of {}", holding(sets.as_ref()?, within)?))
    };
    sides.into_iter().filter_map(line).collect()
}

/// The sets that hold an address.
fn holding(sets: &InSets, within: &[SetId]) -> Option<String> {
    let holds = sets.sets.iter().filter(|(set, _)| within.contains(set));
    let labels: Vec<&str> = holds.map(|(_, label)| label.as_str()).collect();
    (!labels.is_empty()).then(|| labels.join(", "))
}
