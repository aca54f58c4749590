//! Where packets go by a configuration that was imported.

#![allow(dead_code)]

use crate::support::interpreter;
use crate::support::world::explained;
use std::collections::BTreeSet;
use wansplit::config::model::Config;
use wansplit::explain::{From, Outcome, Packet, decide, outcome};
use wansplit::network::Facts;
use wansplit::plan::{Plan, plan};

/// Where a packet may go: links, `main`, or what happens when no link is up. The compiled table must say the same.
pub fn ways(config: &Config, facts: &Facts, packet: &Packet) -> BTreeSet<String> {
    planned_ways(config, facts, &plan(config, facts).unwrap(), packet)
}

/// The same by a plan that was made for it.
pub fn planned_ways(config: &Config, facts: &Facts, plan: &Plan, packet: &Packet) -> BTreeSet<String> {
    if packet.origin != From::Router {
        let marks = interpreter::marks(&plan.ruleset, packet);
        assert_eq!(marks, explained(config, plan, facts, packet), "compiler and explain");
    }
    let decision = decide(config, &plan.paths, facts, packet);
    if decision.paths.is_empty() {
        return ["main".to_owned()].into();
    }
    let of_path = |path| match outcome(&plan.paths[path], facts, packet.family()) {
        Outcome::Links(links) => links.into_iter().map(|link| config[link].name.clone()).collect(),
        Outcome::Fallback(fallback) => vec![fallback.to_string()],
    };
    decision.paths.iter().flat_map(|(path, _)| of_path(*path)).collect()
}
