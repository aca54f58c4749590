//! A rule's matches in one line for people: `tcp/udp port 53 from 192.168.1.0/24 to !10.0.0.0/8, IPv4`.

use super::diagnostics::escape;
use super::model::{Choice, Family, InSets, LAST_USER, Matches, Rule, Schedule};
use super::validate::{DSCP_NAMES, ICMP_TYPES, PROTOCOL_NAMES};
use crate::clock::{TimeOfDay, short};
use crate::interval::{Interval, IntervalSet, to_ipv4, to_ipv6, to_prefixes};
use std::fmt::Display;

/// How many values of a list are shown before it is cut.
const SHOWN: usize = 8;

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
    if let Some(types) = &matches.icmp_types {
        parts.push(format!("type {}", icmp_types(types)));
    }
    parts.extend(side("from", matches.source_sets.as_ref(), families().map(|family| (family, matches.source(family)))));
    if let Some(macs) = &matches.macs {
        parts.push(format!("from {}", choice(macs)));
    }
    if let Some(interfaces) = &matches.interfaces {
        parts.push(format!("in by {}", choice(interfaces)));
    }
    let to = families().map(|family| (family, matches.destination(family)));
    parts.extend(side("to", matches.destination_sets.as_ref(), to));
    if let Some(set) = &matches.dscp {
        parts.push(format!("dscp {}", numbers(set, Interval::new(0, 63), |value| name_of(DSCP_NAMES, value))));
    }
    if let Some(mark) = matches.mark {
        parts.push(format!("mark {mark}"));
    }
    if let Some(set) = &matches.users {
        parts.push(format!("user {}", numbers(set, Interval::new(0, LAST_USER.into()), |_| None)));
    }
    if parts.is_empty() {
        parts.push("everything".into());
    }
    match matches.family {
        Some(family) => format!("{}, {family}", parts.join(" ")),
        None => parts.join(" "),
    }
}

/// `from A, set 'x' without B`: the addresses of one side of a packet, and the sets they may be in.
fn side<'a>(
    word: &str,
    sets: Option<&InSets>,
    families: impl Iterator<Item = (Family, Option<&'a IntervalSet>)>,
) -> Option<String> {
    let Some(sets) = sets else { return addresses(word, families) };
    let mut words: Vec<String> = Vec::new();
    for (family, set) in families {
        words.extend(set.into_iter().flat_map(IntervalSet::iter).map(|interval| range(interval, family)));
    }
    words.extend(sets.sets.iter().map(|(_, label)| label.clone()));
    let except = Family::BOTH
        .into_iter()
        .flat_map(|family| sets.except(family).iter().map(move |interval| range(interval, family)));
    let except: Vec<String> = except.collect();
    let without = if except.is_empty() { String::new() } else { format!(" without {}", list(except, ", ")) };
    Some(format!("{word} {}{without}", list(words, ", ")))
}

/// Types of ICMP by name, or the IPv4 number if there is none.
fn icmp_types([v4, v6]: &[IntervalSet; 2]) -> String {
    let named = ICMP_TYPES.iter().filter(|(_, four, six)| {
        four.is_some_and(|four| v4.contains(four.into())) || six.is_some_and(|six| v6.contains(six.into()))
    });
    let names: Vec<String> = named.map(|(name, ..)| (*name).to_owned()).collect();
    if names.is_empty() { numbers(v4, Interval::new(0, 255), |_| None) } else { list(names, ", ") }
}

/// What a packet must be like for a rule to take it, and when, in one line.
#[must_use]
pub fn conditions(rule: &Rule) -> String {
    let matches = describe(&rule.matches);
    match &rule.schedule {
        Some(times) => format!("{matches}, {}", schedule(times)),
        None => matches,
    }
}

/// When a rule holds: `mon to fri 22:00 to 06:00`, `sat, sun`, `12:00 to 24:00`.
#[must_use]
pub fn schedule(schedule: &Schedule) -> String {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for day in (0..7).filter(|day| schedule.has_day(*day)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let name = |day: u8| short(day).to_ascii_lowercase();
    let words = runs.into_iter().map(|(first, last)| match last - first {
        0 => name(first),
        1 => format!("{}, {}", name(first), name(last)),
        _ => format!("{} to {}", name(first), name(last)),
    });
    let days = (!schedule.is_daily()).then(|| words.collect::<Vec<_>>().join(", "));
    let span = schedule.span().map(|(start, stop)| format!("{} to {}", TimeOfDay(start), TimeOfDay(stop)));
    [days, span].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Protocols by name: `tcp/udp`, `icmp`, `protocol 99`.
#[must_use]
pub fn protocols(set: &IntervalSet) -> String {
    list(shortest(set, Interval::new(0, 255), protocol_words), "/")
}

fn protocol_words(set: &IntervalSet) -> Vec<String> {
    // A rule that names icmp matches both families' protocols, so these two together are one thing.
    let both_icmp = set.contains(1) && set.contains(58);
    let mut words = Vec::new();
    for interval in set.iter() {
        let (first, last) = (interval.first(), interval.last());
        if last - first > 1 {
            words.push(format!("protocols {first}-{last}"));
            continue;
        }
        for number in first..=last {
            match (number, name_of(PROTOCOL_NAMES, number)) {
                (1, _) if both_icmp => words.push("icmp".into()),
                (58, _) if both_icmp => {}
                (_, Some(name)) => words.push(name.into()),
                (_, None) => words.push(format!("protocol {number}")),
            }
        }
    }
    words
}

/// `port 80`, `ports 80, 443, 8000-8080`.
fn ports(word: &str, set: &IntervalSet) -> String {
    let numbers = numbers(set, Interval::new(1, 65535), |_| None);
    let plural = if numbers.contains([',', '-']) { "s" } else { "" };
    format!("{word}{plural} {numbers}")
}

fn numbers(set: &IntervalSet, universe: Interval, name: fn(u128) -> Option<&'static str>) -> String {
    let write = |interval: Interval| match (interval.is_single(), name(interval.first())) {
        (true, Some(name)) => name.to_owned(),
        (true, None) => interval.first().to_string(),
        (false, _) => format!("{}-{}", interval.first(), interval.last()),
    };
    list(shortest(set, universe, |set| set.iter().map(write).collect()), ", ")
}

/// `from A, B`, or nothing if all addresses will do.
fn addresses<'a>(word: &str, families: impl Iterator<Item = (Family, Option<&'a IntervalSet>)>) -> Option<String> {
    let families: Vec<_> = families.collect();
    if families.iter().all(|(_, set)| set.is_none()) {
        return None;
    }
    let words = families.into_iter().flat_map(|(family, set)| match set {
        None => vec![format!("any {family}")],
        Some(set) => shortest(set, Interval::new(0, family.max_address()), |set| {
            set.iter().map(|interval| range(interval, family)).collect()
        }),
    });
    Some(format!("{word} {}", list(words.collect(), ", ")))
}

/// An interval of addresses as a single address, a network, or a range.
#[must_use]
pub fn range(interval: Interval, family: Family) -> String {
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
    list(set.iter().map(|item| format!("{sign}{item}")).collect(), ", ")
}

/// The words for a set, or those for what it leaves out, each with a `!`, if that is shorter to say.
fn shortest(set: &IntervalSet, universe: Interval, words: impl Fn(&IntervalSet) -> Vec<String>) -> Vec<String> {
    let all: IntervalSet = [universe].into_iter().collect();
    let rest = all.subtract(set, universe.last());
    let plain = words(set);
    let negated: Vec<String> = words(&rest).iter().map(|word| format!("!{word}")).collect();
    let length = |words: &[String]| (words.len(), words.iter().map(String::len).sum::<usize>());
    if negated.is_empty() || length(&plain) <= length(&negated) { plain } else { negated }
}

fn list(mut words: Vec<String>, separator: &str) -> String {
    let more = words.len().saturating_sub(SHOWN);
    // "and 1 more" would take the room of the one that is left out.
    let cut = more > 1;
    words.truncate(if cut { SHOWN } else { words.len() });
    let shown = escape(&words.join(separator));
    if cut { format!("{shown} and {more} more") } else { shown }
}

fn name_of(names: &[(&'static str, u8)], value: u128) -> Option<&'static str> {
    names.iter().find(|(_, number)| u128::from(*number) == value).map(|(name, _)| *name)
}
