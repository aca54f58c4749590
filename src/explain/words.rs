//! A decision in words, and the words of a question.

use super::question::with_port;
use super::way::Way;
use super::{Decision, From, Miss, Outcome, Packet, Reason, matching, miss};
use crate::config::describe::{conditions, protocols, schedule};
use crate::config::model::{Config, Fallback, LinkId, Member, Mode, Policy, Rule, Target};
use crate::interval::IntervalSet;
use crate::network::Facts;
use crate::plan::path::{Path, Paths};
use std::net::IpAddr;

/// How many rules that did not match are named.
const NAMED: usize = 5;

/// Everything a decision is about.
pub struct Words<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The facts.
    pub facts: &'a Facts,
    /// The paths.
    pub paths: &'a Paths,
    /// The packet.
    pub packet: &'a Packet,
    /// What was decided.
    pub decision: &'a Decision,
}

impl Words<'_> {
    /// The packet in one line.
    #[must_use]
    pub fn packet(&self) -> String {
        let Packet { origin, source, destination, protocol, source_port, destination_port, dscp, .. } = self.packet;
        let end =
            |address: IpAddr, port: &Option<u16>| port.map_or(address.to_string(), |port| with_port(address, port));
        let sender = match (origin, source) {
            (From::Router, None) => source_port.map_or("router".to_string(), |port| format!("router, port {port}")),
            (From::Router, Some(source)) => format!("router, bound to {}", end(*source, source_port)),
            (From::Device(device, _), source) => {
                let source = source.map_or("?".into(), |source| end(source, source_port));
                device.as_ref().map_or(source.clone(), |device| format!("{source} (in by {device})"))
            }
        };
        let dscp = if *dscp == 0 { String::new() } else { format!(", dscp {dscp}") };
        let user = self.packet.details.user.map_or(String::new(), |user| format!(", user {user}"));
        let protocol = protocols(&IntervalSet::single((*protocol).into()));
        format!("{protocol} {sender} -> {}{dscp}{user}", end(*destination, destination_port))
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        match self.decision.reason {
            Reason::Rule(n) | Reason::RuleAndPrefix(n, _) => self.config.rules.get(n),
            _ => None,
        }
    }

    /// What decided, in one sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        let link = |link: LinkId| &self.config[link].name;
        match self.decision.reason {
            Reason::CameInBy(id) => format!("it comes in by link {}: its answers go back by the same link", link(id)),
            Reason::Prefix(id) => format!("no rule matches; its address is out of a prefix of link {}", link(id)),
            Reason::BoundTo(id) => format!("its address belongs to link {}", link(id)),
            Reason::Used(id) => {
                format!("a command bound to link {} sends it (wansplit use); by another link it never goes", link(id))
            }
            Reason::OwnPacket(id) => {
                format!("link {} is a tunnel made of such packets: they never go into it", link(id))
            }
            Reason::NoRule => "no rule matches".into(),
            Reason::Rule(n) => {
                self.config.rules.get(n).map_or(String::new(), |rule| format!("rule '{}' matches", rule.name))
            }
            Reason::RuleAndPrefix(n, id) => self.config.rules.get(n).map_or(String::new(), |rule| {
                format!(
                    "rule '{}' matches; its address is out of a prefix of link {}, and no other provider takes it",
                    rule.name,
                    link(id)
                )
            }),
        }
    }

    /// The rules before the one that matched, and why each did not: the test it failed, and a sentence.
    pub fn misses(&self) -> impl Iterator<Item = (&Rule, Miss, String)> {
        let end = match self.decision.reason {
            Reason::Rule(n) | Reason::RuleAndPrefix(n, _) => n,
            Reason::NoRule | Reason::Prefix(_) => self.config.rules.len(),
            Reason::CameInBy(_) | Reason::BoundTo(_) | Reason::Used(_) | Reason::OwnPacket(_) => 0,
        };
        let passed = self.config.rules.iter().take(end);
        passed.filter_map(|rule| {
            let miss = miss(rule, self.facts, self.packet)?;
            Some((rule, miss, self.what(miss, rule)))
        })
    }

    /// The same, a line each.
    #[must_use]
    pub fn passed_over(&self) -> Vec<String> {
        let line = |(rule, _, why): (&Rule, Miss, String)| format!("not      rule '{}': {why}", rule.name);
        let mut lines: Vec<String> = self.misses().map(line).collect();
        if lines.len() > NAMED {
            let more = lines.len() - NAMED;
            lines.truncate(NAMED);
            lines.push(format!("not      {more} more rules"));
        }
        lines
    }

    fn what(&self, miss: Miss, rule: &Rule) -> String {
        match (miss, &rule.schedule) {
            (Miss::Time, Some(times)) => {
                format!("not now: it holds {}; it is {}", schedule(times), self.facts.now.local())
            }
            _ => matching::why_not(miss, rule, self.packet),
        }
    }

    /// By which sets the rule matches, if by any: a side of the packet, and their names.
    #[must_use]
    pub fn held(&self) -> Vec<(&'static str, String)> {
        self.rule().map_or_else(Vec::new, |rule| matching::by_sets(rule, self.packet))
    }

    /// The same, a sentence each.
    #[must_use]
    pub fn sets(&self) -> Vec<String> {
        self.held().into_iter().map(|(side, held)| format!("its {side} address is of {held}")).collect()
    }

    /// Rule, policy, path and link, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match self.rule() {
            Some(rule) => {
                let (name, line) = (&rule.name, rule.at.line);
                lines.push(format!(
                    "rule     '{name}' (line {line}): {} -> {}",
                    conditions(rule),
                    target(self.config, rule.target)
                ));
                lines.extend(self.sets().iter().map(|held| format!("set      {held}")));
                if let Target::Policy(policy) = rule.target {
                    lines.push(format!("policy   {}", self::policy(self.config, &self.config[policy])));
                }
                if let Reason::RuleAndPrefix(..) = self.decision.reason {
                    lines.push(format!("because  {}", self.reason()));
                }
            }
            None => lines.push(format!("because  {}", self.reason())),
        }
        if self.decision.paths.is_empty() {
            lines.push("link     whatever the main table says".into());
        }
        let total: u32 = self.decision.paths.iter().map(|(_, weight)| u32::from(*weight)).sum();
        for (path, weight) in &self.decision.paths {
            let path = &self.paths[*path];
            let chance = if self.decision.paths.len() > 1 {
                format!("{weight} of {total} connections: ")
            } else {
                String::new()
            };
            lines.push(format!("path     {chance}'{}', mark {}, table {}", path.name, path.mark, path.table));
            let way = self.way(path);
            lines.extend(way.passed_over().iter().map(|link| format!("not      link {link}")));
            let refused =
                matches!(self.decision.reason, Reason::Used(_)) && matches!(way.outcome(), Outcome::Fallback(_));
            let taken = if refused { "none: it is down, and the packet is refused".into() } else { way.taken() };
            lines.push(format!("link     {taken}"));
        }
        lines
    }

    /// What happens to the packet if none of the path's links is up.
    #[must_use]
    pub fn fallback(&self, path: &Path) -> Fallback {
        if self.decision.refused { Fallback::Unreachable } else { path.course.fallback }
    }

    /// A path in the packet's family.
    #[must_use]
    pub fn way<'a>(&'a self, path: &'a Path) -> Way<'a> {
        let Self { config, facts, .. } = *self;
        Way { config, facts, family: self.packet.family(), path, refused: self.decision.refused }
    }
}

/// A target's name.
#[must_use]
pub fn target(config: &Config, target: Target) -> String {
    match target {
        Target::Link(link) => config[link].name.clone(),
        Target::Policy(policy) => config[policy].name.clone(),
        Target::Main => "main".into(),
        Target::Unreachable => "unreachable".into(),
        Target::Blackhole => "blackhole".into(),
    }
}

/// A policy in one line.
#[must_use]
pub fn policy(config: &Config, policy: &Policy) -> String {
    let how = if policy.mode == Mode::Failover { "" } else { "balanced over " };
    let order = if policy.members.is_empty() { "no link".into() } else { order(config, policy, ", then ") };
    format!("'{}': {how}{order}; if none is up: {}", policy.name, policy.fallback)
}

/// A policy's links: `EMB 3 + OI 2, then LTE`. A weight says nothing where a link is alone.
#[must_use]
pub fn order(config: &Config, policy: &Policy, then: &str) -> String {
    let tier = |tier: &[Member]| match tier {
        [only] => config[only.link].name.clone(),
        several => {
            let names: Vec<String> = several.iter().map(|m| format!("{} {}", config[m.link].name, m.weight)).collect();
            names.join(" + ")
        }
    };
    policy.tiers().map(tier).collect::<Vec<_>>().join(then)
}
