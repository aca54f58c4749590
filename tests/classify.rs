//! Compiler, `explain` and a plain first match hold each other: for random rules and packets all three agree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, missing_docs)]

mod support;

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::IpAddr;
use support::interpreter;
use support::sample::{self, SampleRule};
use support::world::{explained, read, translating};
use wansplit::clock::Now;
use wansplit::config::model::{Config, LinkId, Target};
use wansplit::explain::Packet;
use wansplit::network::Facts;
use wansplit::plan::path::{Choice, Paths};
use wansplit::plan::{Plan, plan};

/// The marks a packet may get by the plain first match.
fn naive(config: &Config, plan: &Plan, facts: &Facts, hit: Option<usize>, packet: &Packet) -> BTreeSet<u32> {
    let paths = &plan.paths;
    let choice = hit.and_then(|n| paths.of_target(config.rules[n].target));
    let delegated = facts.links.iter().position(|link| {
        let source = packet.source.unwrap();
        !link.prefixes.is_empty() && matches!(source, IpAddr::V6(a) if a.octets()[15] < 8)
    });
    let target = hit.map_or(Target::Main, |n| config.rules[n].target);
    if let Some(link) = delegated.filter(|own| !all_others_translate(config, facts, target, *own))
        && let Some(path) = paths.for_prefix(choice.as_ref(), LinkId(link), facts)
    {
        return [paths[path].mark.bits()].into();
    }
    if let Some(memory) = hit.and_then(|n| paths.memory_of(&config.rules[n])) {
        return memory.paths.iter().map(|(path, ..)| paths[*path].mark.bits()).collect();
    }
    possible(paths, choice.as_ref(), packet)
}

/// Whether a target may lead to links other than `own`, and each of them translates.
fn all_others_translate(config: &Config, facts: &Facts, target: Target, own: usize) -> bool {
    let links: Vec<usize> = match target {
        Target::Main => (0..config.links.len()).collect(),
        Target::Link(link) => vec![link.0],
        Target::Policy(policy) => config[policy].members.iter().map(|member| member.link.0).collect(),
        Target::Unreachable | Target::Blackhole => Vec::new(),
    };
    let others: Vec<usize> = links.into_iter().filter(|link| *link != own).collect();
    !others.is_empty() && others.iter().all(|other| facts.links[*other].translates6)
}

fn possible(paths: &Paths, choice: Option<&Choice>, packet: &Packet) -> BTreeSet<u32> {
    match choice {
        None => [0].into(),
        Some(Choice::One(path)) => [paths[*path].mark.bits()].into(),
        Some(Choice::Spread(wansplit::config::model::Spread::Connection, all)) => {
            all.iter().map(|(path, _)| paths[*path].mark.bits()).collect()
        }
        Some(Choice::Spread(wansplit::config::model::Spread::Client, all)) => {
            let bytes = match packet.source.unwrap() {
                IpAddr::V4(a) => a.octets().to_vec(),
                IpAddr::V6(a) => a.octets().to_vec(),
            };
            let total: u16 = all.iter().map(|(_, weight)| weight).sum();
            let mut number = wansplit::plan::jhash::bucket(&bytes, total.into(), wansplit::plan::ruleset::SEED) as u16;
            let path = all.iter().find(|(_, weight)| match number.checked_sub(*weight) {
                Some(rest) => {
                    number = rest;
                    false
                }
                None => true,
            });
            [paths[path.unwrap().0].mark.bits()].into()
        }
    }
}

fn agree(rules: &[SampleRule], packets: &[Packet], prefix: bool, translates6: [bool; 3], (day, hour): (u8, u8)) {
    let (config, kept) = read(rules);
    let mut facts = translating(&config, prefix, translates6);
    // 1970-01-05 was a Monday; two hours east of UTC.
    let instant = (4 + i64::from(day)) * 86_400 + (i64::from(hour) - 2) * 3600 + 1800;
    facts.now = Now { instant, zone: "EET-2".parse().unwrap() };
    let plan = plan(&config, &facts).unwrap();
    let counting: Vec<bool> = (0..kept.len()).map(|n| plan.counter_of(n).is_some()).collect();
    assert_eq!(counting, kept.iter().map(|rule| rule.counts).collect::<Vec<_>>(), "who asked for it counts");
    for packet in packets {
        let walked = interpreter::walked(&plan.ruleset, packet);
        let hit = kept.iter().position(|rule| rule.is_on(day, hour) && rule.matches(packet));
        let counts = hit.and_then(|n| plan.counter_of(n));
        assert_eq!(walked.counters, Vec::from_iter(counts), "the counter of the rule that takes {packet:?}");
        let logs = hit.filter(|n| kept[*n].logs).map(|n| format!("wansplit {}: ", config.rules[n].name));
        assert_eq!(walked.logged, Vec::from_iter(logs), "the log of the rule that takes {packet:?}");
        let compiled = walked.marks;
        let plain = naive(&config, &plan, &facts, hit, packet);
        assert_eq!(compiled, plain, "compiled and plain first match differ for {packet:?}");
        let explained = explained(&config, &plan, &facts, packet);
        assert_eq!(explained, plain, "explain and plain first match differ for {packet:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mixed_rules(
        rules in prop::collection::vec(sample::rule(), 1..25),
        packets in prop::collection::vec(sample::packet(), 40),
        prefix in any::<bool>(),
        translates6 in any::<[bool; 3]>(),
        time in (0..7u8, 0..24u8),
    ) {
        agree(&rules, &packets, prefix, translates6, time);
    }

    #[test]
    fn rules_that_merge(
        rules in prop::collection::vec(sample::plain_rule(), 1..60),
        packets in prop::collection::vec(sample::packet(), 40),
        time in (0..7u8, 0..24u8),
    ) {
        agree(&rules, &packets, false, [false; 3], time);
    }
}
