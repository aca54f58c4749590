//! The table in nft's own language, for people and for `nft -f`.

use super::json;
use super::names::{icmp, ip, kind, nfproto};
use super::{
    Action, Chain, Dice, Entries, Fill, Key, MOST_LEARNED, Map, Match, PRIORITY, Rule, Ruleset, SEED, TABLE, Verdict,
};
use crate::config::model::{Choice, Family, Mask};
use crate::interval::{Interval, to_ipv4, to_ipv6};
use std::fmt::Write;

/// The table as text that `nft -f` loads on an empty router.
#[must_use]
pub fn table(ruleset: &Ruleset) -> String {
    let mut text = format!("table inet {TABLE} {{\n");
    for map in &ruleset.maps {
        write_map(&mut text, map);
    }
    for counter in &ruleset.counters {
        let _ = writeln!(text, "\tcounter {} {{\n\t\tpackets 0 bytes 0\n\t}}\n", counter.name);
    }
    // A chain may be named in a rule before it is written down, but only if it is in the same file: it is.
    let comment = json::comment(&ruleset.digest);
    for chain in &ruleset.chains {
        write_chain(&mut text, chain, ruleset.mask, &comment);
    }
    text.push_str("}\n");
    text
}

fn write_map(text: &mut String, map: &Map) {
    let kinds: Vec<&str> = map.key.iter().map(|key| kind(*key)).collect();
    let (word, data, entries): (_, _, Vec<String>) = match &map.entries {
        Entries::Verdicts(entries) => {
            let entry =
                |(entry, to): &(Vec<Interval>, Verdict)| format!("{} : {}", element(&map.key, entry), verdict(to));
            ("map", " : verdict", entries.iter().map(entry).collect())
        }
        Entries::Members(entries) => ("set", "", entries.iter().map(|entry| element(&map.key, entry)).collect()),
    };
    let _ = writeln!(text, "\t{word} {} {{\n\t\ttype {}{data}", map.name, kinds.join(" . "));
    if let Fill::Learned(seconds) = map.fill {
        let _ = writeln!(text, "\t\tsize {MOST_LEARNED}\n\t\tflags dynamic,timeout\n\t\ttimeout {seconds}s");
    }
    if map.has_intervals() {
        text.push_str("\t\tflags interval\n");
    }
    if !entries.is_empty() {
        let _ = writeln!(text, "\t\telements = {{ {} }}", entries.join(",\n\t\t             "));
    }
    text.push_str("\t}\n\n");
}

fn write_chain(text: &mut String, chain: &Chain, mask: Mask, comment: &str) {
    let _ = writeln!(text, "\tchain {} {{", chain.name);
    if let Some(hook) = chain.hook {
        let _ =
            writeln!(text, "\t\ttype {} hook {} priority {PRIORITY}; policy accept;", hook.chain_type(), hook.name());
    }
    for rule in &chain.rules {
        let _ = writeln!(text, "\t\t{} comment \"{comment}\"", self::rule(rule, mask));
    }
    text.push_str("\t}\n\n");
}

fn rule(rule: &Rule, mask: Mask) -> String {
    let parts = rule.matches.iter().map(|m| condition(m, mask));
    let parts: Vec<String> = parts.chain(rule.actions.iter().map(|action| statement(action, mask))).collect();
    parts.join(" ")
}

fn condition(condition: &Match, mask: Mask) -> String {
    match condition {
        Match::New => "ct state new".into(),
        Match::Running => "ct state established,related".into(),
        Match::First => "ct status & confirmed == 0".into(),
        Match::Unstamped => format!("ct mark & {mask} == 0"),
        Match::HasPort => "th dport 0-65535".into(),
        Match::Mark(mark) => {
            let operator = if mark.negated { "!=" } else { "==" };
            format!("meta mark & {:#x} {operator} {:#x}", mark.mask, mark.value)
        }
        Match::Input(choice) => one_of("iifname", choice, |name| format!("\"{name}\"")),
        Match::Sender(choice) => one_of("ether saddr", choice, ToString::to_string),
        Match::Family(family) => format!("meta nfproto {}", nfproto(*family)),
        Match::Remembered(keys, set) => format!("{} @{set}", joined(keys, None)),
        Match::InSet(key, set) => format!("{} @{set}", expression(*key, None)),
        Match::Dscp(family, values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{} {{ {} }}", expression(Key::Dscp(*family), None), values.join(", "))
        }
    }
}

fn one_of<T: Ord>(left: &str, choice: &Choice<T>, word: impl Fn(&T) -> String) -> String {
    let (operator, values) = match choice {
        Choice::OneOf(values) => ("", values),
        Choice::NoneOf(values) => ("!= ", values),
    };
    let values: Vec<String> = values.iter().map(word).collect();
    format!("{left} {operator}{{ {} }}", values.join(", "))
}

fn statement(action: &Action, mask: Mask) -> String {
    match action {
        Action::Lookup(keys, map) => {
            format!("{} vmap @{map}", joined(keys, Some(mask)))
        }
        Action::Spread(dice, buckets) => {
            let entries: Vec<String> =
                (0..).zip(buckets).map(|(n, to): (u32, _)| format!("{n} : {}", verdict(to))).collect();
            let number = match dice {
                Dice::Random => format!("numgen random mod {}", buckets.len()),
                Dice::Client(family) => format!("jhash {} saddr mod {} seed {SEED:#x}", ip(*family), buckets.len()),
            };
            format!("{number} vmap {{ {} }}", entries.join(", "))
        }
        Action::SetMark(mark) => set_bits("meta mark", mask, *mark),
        Action::SetConnectionMark(mark) => set_bits("ct mark", mask, *mark),
        Action::Remember(keys, set) => format!("update @{set} {{ {} }}", joined(keys, None)),
        Action::Count(counter) => format!("counter name \"{counter}\""),
        Action::Log(prefix) => format!("log prefix \"{prefix}\" level info"),
        Action::Verdict(to) => verdict(to),
    }
}

fn joined(keys: &[Key], mask: Option<Mask>) -> String {
    keys.iter().map(|key| expression(*key, mask)).collect::<Vec<_>>().join(" . ")
}

fn set_bits(key: &str, mask: Mask, value: u32) -> String {
    format!("{key} set {key} & {:#010x} | {value:#x}", !mask.bits())
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Goto(chain) => format!("goto {chain}"),
        Verdict::Accept => "accept".into(),
    }
}

fn expression(key: Key, mask: Option<Mask>) -> String {
    let masked = |key: &str| mask.map_or_else(|| key.to_string(), |mask| format!("{key} & {mask}"));
    match key {
        Key::ConnectionMark => masked("ct mark"),
        Key::PacketMark => masked("meta mark"),
        Key::Input => "iifname".into(),
        Key::Output => "oifname".into(),
        Key::Family => "meta nfproto".into(),
        Key::Protocol => "meta l4proto".into(),
        Key::Source(family) => format!("{} saddr", ip(family)),
        Key::Destination(family) => format!("{} daddr", ip(family)),
        Key::SourcePort => "th sport".into(),
        Key::DestinationPort => "th dport".into(),
        Key::Sender => "ether saddr".into(),
        Key::Dscp(family) => format!("{} dscp", ip(family)),
        Key::IcmpType(family) => format!("{} type", icmp(family)),
    }
}

fn element(keys: &[Key], entry: &[Interval]) -> String {
    let parts: Vec<String> = keys.iter().zip(entry).map(|(key, interval)| range(*key, *interval)).collect();
    parts.join(" . ")
}

fn range(key: Key, interval: Interval) -> String {
    if interval.is_single() {
        value(key, interval.first())
    } else {
        format!("{}-{}", value(key, interval.first()), value(key, interval.last()))
    }
}

fn value(key: Key, value: u128) -> String {
    match key {
        Key::Input | Key::Output => format!("\"{}\"", super::device_name(value)),
        Key::Family if value == super::family_number(Family::V4) => nfproto(Family::V4).into(),
        Key::Family => nfproto(Family::V6).into(),
        Key::Source(Family::V4) | Key::Destination(Family::V4) => to_ipv4(value).to_string(),
        Key::Source(Family::V6) | Key::Destination(Family::V6) => to_ipv6(value).to_string(),
        Key::Sender => super::mac(value).to_string(),
        Key::ConnectionMark | Key::PacketMark => format!("{value:#x}"),
        Key::Protocol => protocol(value),
        Key::SourcePort | Key::DestinationPort | Key::Dscp(_) | Key::IcmpType(_) => value.to_string(),
    }
}

/// A protocol by the name everybody knows, or its number.
fn protocol(value: u128) -> String {
    match value {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "ipv6-icmp".into(),
        other => other.to_string(),
    }
}
