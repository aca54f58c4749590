//! What iptables marks, as rules.

use super::balance::{self, Shared};
use super::chains::{Does, Lost, Met};
use super::links::{self, Links, Members};
use super::order::{Step, ordered};
use super::routing::{Goal, Routing};
use super::rules::Rule;
use crate::config::diagnostics::quote;
use crate::config::model::Family;
use crate::import::foreign::Report;
use crate::import::names::Names;
use crate::import::{Kind, Section};
use std::net::IpAddr;

/// What marks are read with.
pub struct Marks<'r> {
    pub routing: &'r Routing,
    pub links: &'r Links,
    /// Policies that share out packets.
    pub policies: Vec<(Members, Section)>,
    /// Whether any rules stand in another order than the script's.
    pub turned: bool,
}

/// A chain and whose packets go through it.
pub const CHAINS: [(&str, &str); 2] = [("PREROUTING", "lan"), ("OUTPUT", "router")];

/// What cannot be asked of the router's own packets.
const NOT_OF_THE_ROUTER: [&str; 6] = ["src_mac", "src_iface", "dscp", "icmp_type", "dest_set", "src_set"];

impl Marks<'_> {
    /// The rules of a chain.
    pub fn rules(
        &mut self,
        met: Vec<Met>,
        from: &'static str,
        family: Family,
        names: &mut Names,
        lost: &mut Vec<Lost>,
    ) -> Vec<Rule> {
        let mut alone = Vec::new();
        let mut steps = Vec::new();
        for step in balance::joined(met, &mut alone) {
            let (met, shared) = match step {
                balance::Step::One(met) => (met, None),
                balance::Step::Shared(Shared { met, marks }) => (met, Some(marks)),
            };
            let target = match (&shared, met.does) {
                (_, Does::End) => Ok(None),
                (None, Does::Mark(value, mask)) => self.goal(value, mask, family).map(Some),
                (Some(marks), _) => self.share(marks, family, names).map(Some),
            };
            match target.and_then(|target| self.step(met.clone(), steps.len(), target, from)) {
                Ok(step) => steps.push(step),
                Err((why, needless)) => lost.push(Lost { line: met.line, text: met.text, why, needless }),
            }
        }
        for met in alone {
            let why = "it takes only some of the packets: write a policy with mode 'balance' and weights".into();
            lost.push(Lost { line: met.line, text: met.text, why, needless: false });
        }
        let ordered = ordered(steps);
        self.turned |= ordered.turned;
        for line in ordered.inexact {
            let why =
                "whose packets keep which mark here cannot be said exactly: look at the rules made of the lines before";
            lost.push(Lost { line, text: "ACCEPT or RETURN".into(), why: why.into(), needless: false });
        }
        ordered.rules.into_iter().map(|step| Rule::of(step, from, family)).collect()
    }

    fn step(&self, met: Met, place: usize, target: Option<String>, from: &str) -> Result<Step, (String, bool)> {
        let mut conditions = met.conditions;
        let is_wan = |device: &str| self.links.by_device(device).is_some();
        if let Some(devices) = conditions.get("src_iface") {
            if devices.iter().all(|device| is_wan(device)) {
                return Err(("answers go back by the link a connection came in by".into(), true));
            }
            // Rules are for what comes in by none of the links anyway.
            if devices.iter().all(|device| device.strip_prefix('!').is_some_and(is_wan)) {
                conditions.remove("src_iface");
            }
        }
        if from == "router" {
            if let Some(option) = NOT_OF_THE_ROUTER.iter().find(|option| conditions.get(option).is_some()) {
                return Err((format!("{option} cannot be asked of the router's own packets"), false));
            }
            let own = |text: &String| text.parse().is_ok_and(|address| self.is_own(address, target.as_deref()));
            let answers = conditions.get("src_ip").is_some_and(|addresses| addresses.iter().all(own))
                || (conditions.get("src_port").is_some()
                    && conditions.get("dest_port").is_none()
                    && conditions.get("proto").is_some_and(|proto| *proto == ["tcp".to_owned()]));
            if answers && target.is_some() {
                return Err(("answers go back by the link a connection came in by".into(), true));
            }
        }
        let Met { line, unmarked, part, comments, label, .. } = met;
        Ok(Step { place, line, conditions, target, unmarked, part, comments, label })
    }

    /// Whether an address is the router's own on a link.
    pub fn is_own(&self, address: IpAddr, link: Option<&str>) -> bool {
        let of_link =
            |device: &str| self.links.by_device(device).is_some_and(|own| link.is_none_or(|link| own.name == link));
        if self.routing.addresses.iter().any(|(own, device)| *own == address && of_link(device)) {
            return true;
        }
        // Nothing says so, but it lies beside the gateway.
        let near = |gateway: &IpAddr| match (gateway, address) {
            (IpAddr::V4(gateway), IpAddr::V4(own)) => gateway.octets()[..3] == own.octets()[..3],
            (IpAddr::V6(gateway), IpAddr::V6(own)) => gateway.segments()[..4] == own.segments()[..4],
            _ => false,
        };
        let links = self.links.links.iter().filter(|own| link.is_none_or(|link| own.name == link));
        links.flat_map(|own| own.gateways.iter().flatten()).any(near)
    }

    /// Where a mark leads.
    fn goal(&self, value: u32, mask: u32, family: Family) -> Result<String, (String, bool)> {
        let rules = |family| self.routing.rules.iter().filter(move |rule| rule.family == family && rule.mark.is_some());
        let leads = |family| {
            let fits = |rule: &&super::routing::Rule| {
                rule.mark.is_some_and(|(wanted, bits)| value & bits == wanted && mask & bits == bits && wanted != 0)
            };
            rules(family).filter(fits).min_by_key(|rule| rule.priority)
        };
        if let Some(rule) = leads(family) {
            return Ok(self.links.target(&rule.goal));
        }
        let looked_at = rules(family).filter_map(|rule| rule.mark).fold(0, |all, (_, bits)| all | bits);
        if value & looked_at == 0 && mask & looked_at != 0 {
            return Ok("main".into());
        }
        let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
        let why = if looked_at & mask == 0 && looked_at != 0 {
            format!("no ip rule looks at these bits of the mark ({mask:#x}): it is meant for something else")
        } else if leads(other).is_some() {
            format!("no ip rule of {family} leads mark {value:#x} anywhere: these packets go by main")
        } else {
            format!("no ip rule leads mark {value:#x} anywhere")
        };
        Err((why, false))
    }

    /// A policy for marks that are shared out.
    fn share(
        &mut self,
        marks: &[((u32, u32), u32)],
        family: Family,
        names: &mut Names,
    ) -> Result<String, (String, bool)> {
        let mut members = Vec::with_capacity(marks.len());
        for ((value, mask), weight) in marks {
            let target = self.goal(*value, *mask, family)?;
            if !self.links.links.iter().any(|link| link.name == target) {
                return Err((format!("packets are shared out to {target}, which is no link"), false));
            }
            members.push((target, *weight));
        }
        if let Some((_, section)) = self.policies.iter().find(|(own, _)| *own == members) {
            return Ok(section.name().to_owned());
        }
        let name = names.fresh("balance");
        self.policies.push((members.clone(), links::balance(&name, &members)));
        Ok(name)
    }

    /// Rules of `ip rule` that ask for no mark: those before the ones that do, and those behind.
    pub fn of_ip(&self, family: Family, report: &mut Report) -> [Vec<Rule>; 2] {
        let own = |rule: &&super::routing::Rule| rule.family == family;
        let marked =
            || self.routing.rules.iter().filter(own).filter(|rule| rule.mark.is_some()).map(|rule| rule.priority);
        let (first, last) = (marked().min().unwrap_or(0), marked().max().unwrap_or(0));
        let mut sorted: Vec<&super::routing::Rule> = self.routing.rules.iter().filter(own).collect();
        crate::sort::by_key(&mut sorted, |rule| rule.priority);
        let mut result = [Vec::new(), Vec::new()];
        for rule in sorted {
            let mut say = |kind, text: &str| report.at(kind, rule.line, &quote(&rule.text), text);
            if rule.mark.is_some() {
                if !rule.conditions.is_empty() {
                    say(Kind::Changed, "only its mark is looked at here");
                }
                continue;
            }
            let target = self.links.target(&rule.goal);
            let conditions = &rule.conditions;
            let single = |option| match conditions.get(option) {
                Some([text]) => text.trim_end_matches("/32").trim_end_matches("/128").parse::<IpAddr>().ok(),
                _ => None,
            };
            if single("src_ip").is_some_and(|address| self.is_own(address, Some(&target))) {
                say(Kind::Dropped, "not needed: what leaves from a link's address leaves by that link");
                continue;
            }
            if rule.priority > first && rule.priority < last {
                say(Kind::Look, "it stands between rules that ask for marks; here it comes before them all");
            }
            let mut conditions = conditions.clone();
            let lo = conditions.get("src_iface").is_some_and(|devices| *devices == ["lo".to_owned()]);
            if lo {
                conditions.remove("src_iface");
            }
            let from = match () {
                () if lo || conditions.get("uid").is_some() => "router",
                () if conditions.get("src_ip").is_some() || conditions.get("src_iface").is_some() => "lan",
                () => "any",
            };
            result[usize::from(rule.priority > last && last > 0)].push(Rule {
                line: rule.line,
                from,
                family: Some(family),
                conditions,
                target,
                comments: rule.comments.clone(),
                label: None,
            });
        }
        result
    }

    /// Whether a rule leads nowhere but to a table.
    pub fn leads_somewhere(&self) -> bool {
        self.routing.rules.iter().any(|rule| matches!(rule.goal, Goal::Table(_)))
    }
}
