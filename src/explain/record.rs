//! An answer as JSON. Its sentences are those of the text, in English; beside each stand the words and names it is made of,
//! for whoever tells it in another language, or draws it.

use super::kernel::{self, Asked, Verdict};
use super::words::{self, Words};
use super::{From, Miss, Reason, matching};
use crate::config::describe::conditions;
use crate::config::model::{Config, LinkId, Member, Mode, Policy, Rule, Spread, Target};
use crate::json::object;
use crate::kernel::netlink::lookup;
use crate::plan::path::PathId;
use crate::plan::state::NextHop;
use serde_json::Value;

/// How many rules that did not match are listed: more than anybody reads.
const LISTED: usize = 100;

/// The answer.
#[must_use]
pub fn record(words: &Words, answers: &[Asked]) -> Value {
    let rule = words.rule();
    let (decided, link) = reason(words.decision.reason);
    let misses = words.misses().take(LISTED);
    object! {
        "packet": words.packet(),
        "from": match &words.packet.origin {
            From::Router => object! { "router": true, "device": Value::Null },
            From::Device(device, _) => object! { "router": false, "device": device.as_deref() },
        },
        "rule": rule.map(|rule| object! { "name": rule.name.as_str(), "line": rule.at.line, "matches": conditions(rule) }),
        "use": rule.map(|rule| words::target(words.config, rule.target)),
        "target": rule.map(|rule| target(rule.target)),
        "policy": rule.and_then(|rule| policy(words.config, rule)),
        "reason": words.reason(),
        "decided": decided,
        "decided_link": link.map(|link| words.config[link].name.as_str()),
        "sets": words.sets(),
        "held": words.held().into_iter().map(|(side, sets)| object! { "side": side, "sets": sets }).collect::<Vec<_>>(),
        "passed_over": misses.map(|(rule, miss, why)| {
            let learns = matches!(miss, Miss::Source | Miss::Destination) && matching::learns(rule);
            object! { "rule": rule.name.as_str(), "line": rule.at.line, "miss": test(miss), "why": why, "learns": learns }
        }).collect::<Vec<_>>(),
        "refused": words.decision.refused,
        "paths": words.decision.paths.iter().map(|way| path(words, way)).collect::<Vec<_>>(),
        "kernel": answers.iter().map(answer).collect::<Vec<_>>(),
    }
}

/// What decided, in a word, and the link it is about.
fn reason(reason: Reason) -> (&'static str, Option<LinkId>) {
    match reason {
        Reason::Rule(_) => ("rule", None),
        Reason::RuleAndPrefix(_, link) => ("rule and prefix", Some(link)),
        Reason::Prefix(link) => ("prefix", Some(link)),
        Reason::CameInBy(link) => ("came in by", Some(link)),
        Reason::BoundTo(link) => ("bound to", Some(link)),
        Reason::Used(link) => ("used", Some(link)),
        Reason::OwnPacket(link) => ("own packet", Some(link)),
        Reason::NoRule => ("no rule", None),
    }
}

fn target(target: Target) -> &'static str {
    match target {
        Target::Link(_) => "link",
        Target::Policy(_) => "policy",
        Target::Main => "main",
        Target::Unreachable => "unreachable",
        Target::Blackhole => "blackhole",
    }
}

fn policy(config: &Config, rule: &Rule) -> Option<Value> {
    let Target::Policy(id) = rule.target else { return None };
    let policy: &Policy = &config[id];
    let (mode, per) = match policy.mode {
        Mode::Failover => ("failover", None),
        Mode::Balance(Spread::Client) => ("balance", Some("client")),
        Mode::Balance(Spread::Connection) => ("balance", Some("connection")),
    };
    let member = |one: &Member| object! { "link": config[one.link].name.as_str(), "weight": one.weight };
    Some(object! {
        "name": policy.name.as_str(), "mode": mode, "per": per, "sticky": rule.sticky.is_some(),
        "tiers": policy.tiers().map(|tier| tier.iter().map(member).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "fallback": policy.fallback.to_string(),
    })
}

/// The test that a rule failed, in a word.
fn test(miss: Miss) -> &'static str {
    match miss {
        Miss::Origin => "origin",
        Miss::Family => "family",
        Miss::Protocol => "protocol",
        Miss::Source => "source",
        Miss::Destination => "destination",
        Miss::SourcePort => "source port",
        Miss::DestinationPort => "destination port",
        Miss::Device => "device",
        Miss::Mac => "mac",
        Miss::Dscp => "dscp",
        Miss::IcmpType => "icmp type",
        Miss::Mark => "mark",
        Miss::User => "user",
        Miss::Time => "time",
    }
}

/// A path, with the links it leads to now, those it would rather lead to, and those that are next if one fails.
fn path(words: &Words, (id, weight): &(PathId, u16)) -> Value {
    let path = &words.paths[*id];
    let way = words.way(path);
    let name = |link: LinkId| words.config[link].name.as_str();
    let names = |links: Vec<LinkId>| links.into_iter().map(name).collect::<Vec<&str>>();
    let hop = |link: LinkId| {
        let hop = words.facts.side(link, way.family)?.hop()?;
        let gateway = hop.gateway.map(|gateway| gateway.to_string());
        Some(object! { "link": name(link), "device": hop.device.as_str(), "gateway": gateway })
    };
    let not_taken = way.not_taken().into_iter();
    object! {
        "name": path.name.as_str(), "weight": *weight, "mark": path.mark.bits(), "table": path.table,
        "links": names(way.links()), "hops": way.links().into_iter().filter_map(hop).collect::<Vec<_>>(),
        "not_taken": not_taken.map(|(link, why)| object! { "link": name(link), "why": why }).collect::<Vec<_>>(),
        "order": way.order().into_iter().map(names).collect::<Vec<_>>(),
        "fallback": words.fallback(path).to_string(),
    }
}

fn answer(asked: &Asked) -> Value {
    let hop = |hop: &NextHop| {
        object! { "device": hop.device.as_str(), "gateway": hop.gateway.map(|gateway| gateway.to_string()) }
    };
    let answer = asked.answer.as_ref();
    object! {
        "mark": asked.mark,
        "answer": answer.map_or_else(Clone::clone, kernel::answer),
        "verdict": answer.ok().map(|answer| verdict(answer.verdict)),
        "hops": answer.map_or(&[][..], |answer| &answer.hops).iter().map(hop).collect::<Vec<_>>(),
        "agrees": match asked.verdict {
            Some(Verdict::Agrees) => Some(true),
            Some(Verdict::Differs) => Some(false),
            Some(Verdict::MoreSpecific | Verdict::Main) | None => None,
        },
        "compared": asked.verdict.map(|verdict| match verdict {
            Verdict::Agrees => "agrees",
            Verdict::MoreSpecific => "more specific",
            Verdict::Differs => "differs",
            Verdict::Main => "main",
        }),
    }
}

fn verdict(verdict: lookup::Verdict) -> &'static str {
    match verdict {
        lookup::Verdict::Forwarded => "forwarded",
        lookup::Verdict::Local => "local",
        lookup::Verdict::Unreachable => "unreachable",
        lookup::Verdict::NoRoute => "no route",
        lookup::Verdict::Blackhole => "blackhole",
        lookup::Verdict::Prohibit => "prohibited",
        lookup::Verdict::Other(_) => "other",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::explain::{Details, Packet, decide};
    use crate::plan::path::Paths;
    use crate::plan::sample::{config, facts, links, policy, rule};

    #[test]
    fn it_names_what_decided_and_what_is_next_when_the_link_fails() {
        let text = links(3, "") + &policy("order", &["A", "B", "C"], "") + &rule("other", "C");
        let text = text.replace("'80'", "'22'") + &rule("web", "order");
        let (config, facts) = (config(&text, true), facts("DGP"));
        let paths = Paths::new(&config).unwrap();
        let packet = Packet {
            origin: From::Device(Some("br-lan".into()), None),
            source: Some([192, 168, 1, 10].into()),
            destination: [192, 0, 2, 10].into(),
            protocol: 6,
            source_port: Some(40000),
            destination_port: Some(80),
            dscp: 0,
            details: Details::default(),
        };
        let decision = decide(&config, &paths, &facts, &packet);
        let words = Words { config: &config, facts: &facts, paths: &paths, packet: &packet, decision: &decision };
        let answer = record(&words, &[]);
        assert_eq!((&answer["decided"], &answer["target"]), (&"rule".into(), &"policy".into()));
        assert_eq!(answer["passed_over"][0]["rule"], "other");
        assert_eq!(answer["passed_over"][0]["miss"], "destination port");
        assert_eq!(answer["policy"]["mode"], "failover");
        assert_eq!(answer["policy"]["tiers"][2], serde_json::json!([{ "link": "C", "weight": 1 }]));
        let path = &answer["paths"][0];
        assert_eq!(path["links"], serde_json::json!(["B"]));
        assert_eq!(path["hops"], serde_json::json!([{ "link": "B", "device": "eth1", "gateway": "10.0.1.1" }]));
        assert_eq!(path["not_taken"], serde_json::json!([{ "link": "A", "why": "dead by its probes" }]));
        assert_eq!(path["order"], serde_json::json!([["B"], ["C"]]), "C is second choice now");
        assert_eq!(path["fallback"], "main");
    }
}
