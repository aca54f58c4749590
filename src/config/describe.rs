//! A rule's matches in one line for people: `tcp/udp port 53 from 192.168.1.0/24 to !10.0.0.0/8, IPv4`.

use super::diagnostics::escape;
use super::model::{Choice, Family, Matches};
use super::validate::{DSCP_NAMES, PROTOCOL_NAMES};
use crate::interval::{Interval, IntervalSet, to_ipv4, to_ipv6, to_prefixes};
use std::fmt::Display;

/// How many values of a list are shown before it is cut.
const SHOWN: usize = 4;

/// What a packet must be like, in one line.
#[must_use]
pub fn describe(matches: &Matches) -> String {
    let families = || Family::BOTH.into_iter().filter(|family| matches.allows(*family));
    let mut parts = Vec::new();
    if let Some(set) = &matches.protocols {
        parts.push(protocols(set));
    }
    if let Some(set) = &matches.destination_ports {
        parts.push(ports("port", set));
    }
    if let Some(set) = &matches.source_ports {
        parts.push(ports("source port", set));
    }
    parts.extend(addresses("from", families().map(|family| (family, matches.source(family)))));
    if let Some(macs) = &matches.macs {
        parts.push(format!("from {}", choice(macs)));
    }
    if let Some(interfaces) = &matches.interfaces {
        parts.push(format!("in by {}", choice(interfaces)));
    }
    parts.extend(addresses("to", families().map(|family| (family, matches.destination(family)))));
    if let Some(set) = &matches.dscp {
        parts.push(format!("dscp {}", numbers(set, Interval::new(0, 63), |value| name_of(DSCP_NAMES, value))));
    }
    if parts.is_empty() {
        parts.push("everything".into());
    }
    match matches.family {
        Some(family) => format!("{}, {family}", parts.join(" ")),
        None => parts.join(" "),
    }
}

/// Protocols by name: `tcp/udp`, `icmp`, `protocol 99`.
#[must_use]
pub fn protocols(set: &IntervalSet) -> String {
    let (values, negated) = shortest(set, Interval::new(0, 255));
    // A rule that names icmp matches both families' protocols, so these two together are one thing.
    let both_icmp = values.contains(1) && values.contains(58);
    let mut words = Vec::new();
    for interval in values.iter() {
        let (first, last) = (interval.first(), interval.last());
        if last - first > 1 {
            words.push(format!("protocols {first}-{last}"));
            continue;
        }
        for number in first..=last {
            match number {
                1 if both_icmp => words.push("icmp".into()),
                58 if both_icmp => {}
                _ => words
                    .push(name_of(PROTOCOL_NAMES, number).map_or_else(|| format!("protocol {number}"), str::to_owned)),
            }
        }
    }
    list(words, if negated { "!" } else { "" }, "/")
}

/// `port 80`, `ports 80, 443, 8000-8080`.
fn ports(word: &str, set: &IntervalSet) -> String {
    let plural = if set.interval_count() == 1 && set.iter().all(Interval::is_single) { "" } else { "s" };
    format!("{word}{plural} {}", numbers(set, Interval::new(1, 65535), |_| None))
}

fn numbers(set: &IntervalSet, universe: Interval, name: impl Fn(u128) -> Option<&'static str>) -> String {
    let (values, negated) = shortest(set, universe);
    let write = |interval: Interval| match interval.is_single() {
        true => name(interval.first()).map_or_else(|| interval.first().to_string(), str::to_owned),
        false => format!("{}-{}", interval.first(), interval.last()),
    };
    list(values.iter().map(write).collect(), if negated { "!" } else { "" }, ", ")
}

/// `from A, B`, or nothing if all addresses will do.
fn addresses<'a>(word: &str, families: impl Iterator<Item = (Family, Option<&'a IntervalSet>)>) -> Option<String> {
    let families: Vec<_> = families.collect();
    if families.iter().all(|(_, set)| set.is_none()) {
        return None;
    }
    let mut words = Vec::new();
    for (family, set) in families {
        let Some(set) = set else {
            words.push(format!("any {family}"));
            continue;
        };
        let (values, negated) = shortest(set, Interval::new(0, family.max_address()));
        let sign = if negated { "!" } else { "" };
        words.extend(values.iter().map(|interval| format!("{sign}{}", range(interval, family))));
    }
    Some(format!("{word} {}", list(words, "", ", ")))
}

/// An interval of addresses as a single address, a network, or a range.
fn range(interval: Interval, family: Family) -> String {
    let address = |number| match family {
        Family::V4 => to_ipv4(number).to_string(),
        Family::V6 => to_ipv6(number).to_string(),
    };
    match to_prefixes(interval, family.width()).as_slice() {
        [(number, length)] if *length == family.width() => address(*number),
        [(number, length)] => format!("{}/{length}", address(*number)),
        _ => format!("{}-{}", address(interval.first()), address(interval.last())),
    }
}

fn choice<T: Ord + Display>(choice: &Choice<T>) -> String {
    let (set, sign) = match choice {
        Choice::OneOf(set) => (set, ""),
        Choice::NoneOf(set) => (set, "!"),
    };
    list(set.iter().map(ToString::to_string).collect(), sign, ", ")
}

/// The set, or what it leaves out if that is shorter to say.
fn shortest(set: &IntervalSet, universe: Interval) -> (IntervalSet, bool) {
    let all: IntervalSet = [universe].into_iter().collect();
    let rest = all.subtract(set, universe.last());
    let negate = !rest.is_empty() && rest.interval_count() < set.interval_count();
    if negate { (rest, true) } else { (set.clone(), false) }
}

fn list(mut words: Vec<String>, sign: &str, separator: &str) -> String {
    let more = words.len().saturating_sub(SHOWN);
    if more > 1 {
        words.truncate(SHOWN);
    }
    let shown = words.iter().map(|word| format!("{sign}{}", escape(word))).collect::<Vec<_>>().join(separator);
    if more > 1 { format!("{shown} and {more} more") } else { shown }
}

fn name_of(names: &[(&'static str, u8)], value: u128) -> Option<&'static str> {
    names.iter().find(|(_, number)| u128::from(*number) == value).map(|(name, _)| *name)
}
