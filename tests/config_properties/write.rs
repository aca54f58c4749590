//! A configuration written out in both notations.

use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::time::Duration;
use wansplit::clock::{TimeOfDay, WEEKDAYS};
use wansplit::config::model::*;
use wansplit::interval::{Interval, IntervalSet, to_ipv4, to_ipv6};

/// A section as its type, its name and its options: each a name and its values, several for a list.
struct Written {
    kind: &'static str,
    name: String,
    options: Vec<(&'static str, Vec<String>)>,
}

fn sections(config: &Config) -> Vec<Written> {
    let one = |value: &dyn ToString| vec![value.to_string()];
    let globals = &config.globals;
    let mut written = vec![Written {
        kind: "globals",
        name: "globals".into(),
        options: vec![
            ("enabled", one(&u8::from(globals.enabled))),
            ("mask", one(&globals.mask)),
            ("rule_priority", one(&globals.rule_priority)),
            ("log_level", one(&globals.log_level.to_string().to_lowercase())),
        ],
    }];
    if !globals.dnsmasq_dirs.is_empty() {
        written[0].options.push(("dnsmasq_dir", globals.dnsmasq_dirs.clone()));
    }
    for link in &config.links {
        let mut options = match &link.attachment {
            Attachment::Interface(name) => vec![("interface", one(name))],
            Attachment::Device { device, gateway, gateway6 } => {
                let mut options = vec![("device", one(device))];
                options.extend(gateway.map(|gateway| ("gateway", one(&gateway))));
                options.extend(gateway6.map(|gateway| ("gateway6", one(&gateway))));
                options
            }
            Attachment::Unusable => vec![],
        };
        options.extend(link.mark.map(|mark| ("mark", one(&mark))));
        options.extend(link.table.map(|table| ("table", one(&table))));
        options.extend(link.priority.map(|priority| ("priority", one(&priority))));
        options.push(("fallback", one(&link.fallback)));
        options.push(("masq6", one(&link.masq6.map_or("auto", |on| if on { "1" } else { "0" }))));
        options.extend(link.tracking.iter().flat_map(tracking_options));
        let flush = [(link.flush.down, "down"), (link.flush.up, "up"), (link.flush == NEVER, "none")];
        options.push(("flush_conntrack", flush.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).into()).collect()));
        // Each in whichever unit it fits.
        let units = |value: u64, units: [(&str, u64); 3]| {
            let (unit, factor) = units.into_iter().find(|(_, factor)| value.is_multiple_of(*factor)).unwrap();
            format!("{}{unit}", value / factor)
        };
        let speed = |speed: u32| units(speed.into(), [("G", 1_000_000), ("", 1000), ("k", 1)]);
        options.extend(link.speed.map(|kbits| ("speed", one(&speed(kbits)))));
        if let Some(Quota { bytes, per }) = link.quota {
            let bytes = units(bytes, [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("k", 1000)]);
            options.extend([("max", one(&bytes)), ("max_per", one(&per.word()))]);
        }
        written.push(Written { kind: "link", name: link.name.clone(), options });
    }
    for policy in &config.policies {
        let member = |member: &Member| {
            let name = &config[member.link].name;
            let weight = if member.weight == 1 { String::new() } else { format!(" {}", member.weight) };
            let tier = if member.tier == 1 { String::new() } else { format!(" tier {}", member.tier) };
            format!("{name}{weight}{tier}")
        };
        let mut options = vec![("use", policy.members.iter().map(member).collect())];
        match policy.mode {
            Mode::Failover => options.push(("mode", one(&"failover"))),
            Mode::Balance(spread) => {
                let spread = if spread == Spread::Client { "client" } else { "connection" };
                options.extend([("mode", one(&"balance")), ("balance_by", one(&spread))]);
            }
        }
        options.push(("fallback", one(&policy.fallback)));
        written.push(Written { kind: "policy", name: policy.name.clone(), options });
    }
    written.extend(config.rules.iter().map(|rule| Written {
        kind: "rule",
        name: rule.name.clone(),
        options: rule_options(config, rule),
    }));
    written
}

const NEVER: Flush = Flush { down: false, up: false };

fn tracking_options(tracking: &Tracking) -> Vec<(&'static str, Vec<String>)> {
    let one = |value: &dyn ToString| vec![value.to_string()];
    // In whichever way it can be written.
    let duration = |duration: Duration| match duration.as_millis() {
        ms if ms % 60_000 == 0 => vec![format!("{}m", ms / 60_000)],
        ms if ms % 1000 == 0 => vec![(ms / 1000).to_string()],
        ms if ms % 10 == 0 => vec![format!("{}.{:03}s", ms / 1000, ms % 1000)],
        ms => vec![format!("{ms}ms")],
    };
    let mut options = vec![
        ("track_method", one(&tracking.method.word())),
        ("interval", duration(tracking.interval)),
        ("timeout", duration(tracking.timeout)),
        ("down", one(&tracking.down)),
        ("up", one(&tracking.up)),
        ("reliability", one(&tracking.reliability)),
    ];
    if !tracking.hosts.is_empty() {
        options.push(("track_ip", tracking.hosts.iter().map(ToString::to_string).collect()));
    }
    let percent = |loss: u8| if loss.is_multiple_of(2) { format!("{loss}%") } else { loss.to_string() };
    options.extend(tracking.max_loss.map(|loss| ("max_loss", one(&percent(loss)))));
    options.extend(tracking.max_latency.map(|latency| ("max_latency", duration(latency))));
    options
}

fn rule_options(config: &Config, rule: &Rule) -> Vec<(&'static str, Vec<String>)> {
    let matches = &rule.matches;
    let mut options = Vec::new();
    let ranges = |set: &IntervalSet| -> Vec<String> {
        let range = |i: Interval| {
            if i.is_single() { i.first().to_string() } else { format!("{}-{}", i.first(), i.last()) }
        };
        set.iter().map(range).collect()
    };
    let singles = |set: &IntervalSet| set.iter().flat_map(|i| i.first()..=i.last()).map(|n| n.to_string()).collect();
    let addresses = |set: &IntervalSet, family: Family| -> Vec<String> {
        let write = |n| if family == Family::V4 { to_ipv4(n).to_string() } else { to_ipv6(n).to_string() };
        set.iter().map(|i| format!("{}-{}", write(i.first()), write(i.last()))).collect()
    };
    let side = |v4: &Option<IntervalSet>, v6: &Option<IntervalSet>| -> Option<Vec<String>> {
        if v4.is_none() && v6.is_none() {
            return None;
        }
        let mut all = Vec::new();
        for (set, family, any) in [(v4, Family::V4, "0.0.0.0/0"), (v6, Family::V6, "::/0")] {
            if matches.allows(family) {
                all.extend(set.as_ref().map_or_else(|| vec![any.to_owned()], |set| addresses(set, family)));
            }
        }
        Some(all)
    };
    fn chosen<T: Ord + ToString>(choice: &Choice<T>) -> Vec<String> {
        match choice {
            Choice::OneOf(set) => set.iter().map(ToString::to_string).collect(),
            Choice::NoneOf(set) => set.iter().map(|item| format!("!{}", item.to_string())).collect(),
        }
    }
    options.extend(matches.family.map(|family| ("family", vec![family.to_string().to_lowercase()])));
    options.extend(matches.protocols.as_ref().map(|set| ("proto", singles(set))));
    options.extend(side(&matches.source4, &matches.source6).map(|list| ("src_ip", list)));
    options.extend(side(&matches.destination4, &matches.destination6).map(|list| ("dest_ip", list)));
    options.extend(matches.source_ports.as_ref().map(|set| ("src_port", ranges(set))));
    options.extend(matches.destination_ports.as_ref().map(|set| ("dest_port", ranges(set))));
    options.extend(matches.interfaces.as_ref().map(|choice| ("src_iface", chosen(choice))));
    options.extend(matches.macs.as_ref().map(|choice| ("src_mac", chosen(choice))));
    options.extend(matches.dscp.as_ref().map(|set| ("dscp", singles(set))));
    options.push(("from", vec![format!("{:?}", rule.origin).to_lowercase()]));
    if let Some(schedule) = rule.schedule {
        let days = (0..7).filter(|day| schedule.has_day(*day)).map(usize::from);
        let name =
            |day: usize| if day.is_multiple_of(2) { WEEKDAYS[day].into() } else { WEEKDAYS[day][..3].to_uppercase() };
        options.push(("weekdays", days.map(name).collect()));
        if let Some((start, stop)) = schedule.span() {
            let time = |time| vec![TimeOfDay(time).to_string()];
            options.extend([("start_time", time(start)), ("stop_time", time(stop))]);
        }
    }
    if rule.log {
        options.push(("log", vec!["1".into()]));
    }
    if rule.counter {
        options.push(("counter", vec!["1".into()]));
    }
    let target = match rule.target {
        Target::Link(link) => config[link].name.clone(),
        Target::Policy(policy) => config[policy].name.clone(),
        word => format!("{word:?}").to_lowercase(),
    };
    options.push(("use", vec![target]));
    options
}

/// As UCI; every name goes into an option, since it may hold anything.
pub fn to_uci(config: &Config) -> String {
    let mut out = String::new();
    let quote = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    for section in sections(config) {
        writeln!(out, "config {}", section.kind).unwrap();
        if section.kind != "globals" {
            writeln!(out, "\toption name {}", quote(&section.name)).unwrap();
        }
        for (name, values) in section.options {
            let word = if values.len() > 1 || name == "use" && section.kind == "policy" { "list" } else { "option" };
            for value in values {
                writeln!(out, "\t{word} {name} {}", quote(&value)).unwrap();
            }
        }
    }
    out
}

/// As JSON; numbers as numbers where possible.
pub fn to_json(config: &Config) -> String {
    let (mut links, mut policies, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    let mut globals = Value::Null;
    for section in sections(config) {
        let value = |values: Vec<String>| match values.as_slice() {
            [one] => one.parse::<u32>().map_or(json!(one), |number| json!(number)),
            _ => json!(values),
        };
        let mut options: Map<String, Value> =
            section.options.into_iter().map(|(name, values)| (name.into(), value(values))).collect();
        match section.kind {
            "globals" => globals = options.into(),
            "link" => links.push((section.name, options)),
            "policy" => policies.push((section.name, options)),
            _ => {
                options.insert("name".into(), section.name.into());
                rules.push(options);
            }
        }
    }
    // serde_json's own map sorts; the order of the sections must stay.
    let object = |sections: Vec<(String, Map<String, Value>)>| {
        let entries = sections.iter().map(|(name, options)| format!("{}: {}", json!(name), json!(options)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n"))
    };
    let (links, policies) = (object(links), object(policies));
    format!("{{\"globals\": {globals}, \"links\": {links},\n\"policies\": {policies}, \"rules\": {}}}", json!(rules))
}
