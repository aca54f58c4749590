//! The router of the samples: its configuration, the facts about its links, and what `explain` says of a packet there.

use super::sample::{LINKS, SampleRule};
use std::collections::BTreeSet;
use std::net::IpAddr;
use wansplit::config::{self, model::Config};
use wansplit::explain::{Packet, decide};
use wansplit::network::{Facts, Hop, LinkFacts, Side, State};
use wansplit::plan::Plan;

/// The configuration of some sample rules, and the samples that made it in.
pub fn read(rules: &[SampleRule]) -> (Config, Vec<SampleRule>) {
    let config = configuration(rules.iter().enumerate().filter_map(|(n, rule)| rule.json(n)).collect());
    let kept = config.rules.iter().map(|rule| rules[rule.name[1..].parse::<usize>().unwrap()].clone()).collect();
    (config, kept)
}

/// The samples' links and policies with rules of one's own.
pub fn configuration(rules: Vec<serde_json::Value>) -> Config {
    let text = format!("{{ {LINKS}, \"rules\": {} }}", serde_json::Value::from(rules));
    config::read(text.as_bytes()).config.expect("the sample's frame is right")
}

/// All links up, on `wan0` and so on. With `prefix`, the first has delegated half of the samples' IPv6 addresses.
pub fn facts(config: &Config, prefix: bool) -> Facts {
    let side = |n: usize, gateway: &str| Side {
        device: Some(format!("wan{n}")),
        addresses: Vec::new(),
        state: State::Up(Hop { device: format!("wan{n}"), gateway: Some(gateway.parse::<IpAddr>().unwrap()) }),
        ..Side::default()
    };
    let links = (0..config.links.len()).map(|n| LinkFacts {
        v4: side(n, "198.51.100.1"),
        v6: side(n, "2001:db8::1"),
        prefixes: if prefix && n == 0 { vec![("fd00::".parse().unwrap(), 125)] } else { Vec::new() },
        ..LinkFacts::default()
    });
    Facts { links: links.collect(), ipv6: true, ..Facts::default() }
}

/// The same where these links translate IPv6.
pub fn translating(config: &Config, prefix: bool, translates6: [bool; 3]) -> Facts {
    let mut facts = facts(config, prefix);
    for (link, translates6) in facts.links.iter_mut().zip(translates6) {
        link.translates6 = translates6;
    }
    facts
}

/// The marks `explain` says a packet may get. 0 is "no mark".
pub fn explained(config: &Config, plan: &Plan, facts: &Facts, packet: &Packet) -> BTreeSet<u32> {
    match decide(config, &plan.paths, facts, packet).paths.as_slice() {
        [] => [0].into(),
        paths => paths.iter().map(|(path, _)| plan.paths[*path].mark.bits()).collect(),
    }
}
