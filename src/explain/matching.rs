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
        Miss::User => "another user, or none known (give --uid)",
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
    let learnt =
        if labels.iter().copied().any(is_learnt) { " (no answer that dnsmasq here has given named it)" } else { "" };
    format!("the {which} address is not of {}{learnt}", labels.join(", "))
}

/// By which sets of a rule its packet matches: a side, and their names.
#[must_use]
pub fn by_sets(rule: &Rule, packet: &Packet) -> Vec<(&'static str, String)> {
    let (matches, details) = (&rule.matches, &packet.details);
    let source = matches.source_sets.as_ref().and_then(|sets| holding(sets, &details.source_in));
    let destination = matches.destination_sets.as_ref().and_then(|sets| holding(sets, &details.destination_in));
    [("source", source), ("destination", destination)]
        .into_iter()
        .filter_map(|(side, held)| Some((side, held?)))
        .collect()
}

/// Whether the rule looks for a domain's addresses, which are known only once somebody has asked for that domain.
#[must_use]
pub fn learns(rule: &Rule) -> bool {
    let matches = &rule.matches;
    let sides = [&matches.source_sets, &matches.destination_sets].into_iter().flatten();
    sides.flat_map(|sets| &sets.sets).any(|(_, label)| is_learnt(label))
}

fn is_learnt(label: &str) -> bool {
    label.starts_with("domain")
}

/// The sets that hold an address.
fn holding(sets: &InSets, within: &[SetId]) -> Option<String> {
    let holds = sets.sets.iter().filter(|(set, _)| within.contains(set));
    let labels: Vec<&str> = holds.map(|(_, label)| label.as_str()).collect();
    (!labels.is_empty()).then(|| labels.join(", "))
}
