//! The whole status as JSON. Pure.

use crate::config::describe::{describe, schedule};
use crate::config::model::{Config, Family, LinkId, Mode, PolicyId, Spread};
use crate::explain::way::down_words;
use crate::explain::{Outcome, outcome, words};
use crate::json::object;
use crate::kernel::netlink::counters::Count;
use crate::kernel::netlink::link::Link as Device;
use crate::map::Map;
use crate::network::{Facts, Side, Standing, State};
use crate::plan::Plan;
use crate::plan::path::{Choice, PathId};
use serde_json::Value;
use std::time::Duration;

/// All that a status is made of.
pub struct Status<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The links as they are.
    pub facts: &'a Facts,
    /// The wanted state.
    pub plan: &'a Plan,
    /// The kernel's devices, with their counters.
    pub devices: &'a [Device],
    /// Where the kernel differs from the plan, a line each.
    pub drift: &'a [String],
    /// What is odd, a sentence each.
    pub problems: &'a [String],
    /// What the daemon has seen of each link; empty without a daemon.
    pub seen: &'a Map<(LinkId, Family), Seen>,
    /// The daemon's process number.
    pub daemon: Option<u32>,
    /// Whether the daemon keeps away until `wansplit apply`: then nothing of this is in the kernel.
    pub resting: bool,
    /// Connections by family and mark, if they could be counted.
    pub flows: Option<&'a Map<(Family, u32), u64>>,
    /// The counters of our nftables table, if they could be read.
    pub counters: Option<&'a Map<String, Count>>,
    /// Bytes a second of each device, received and sent, where they were measured.
    pub rates: &'a Map<String, (u64, u64)>,
    /// What each metered link has carried in its period; empty without a daemon.
    pub used: &'a Map<LinkId, u64>,
}

/// What the daemon has seen of one link in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `up`, `degraded`, `used up`, `unproven`, `held` or `down`.
    pub state: &'static str,
    /// Why it is so, if there is more to say than its state.
    pub why: Option<String>,
    /// For how long it has been so.
    pub since: Duration,
    /// The mean round-trip time of its probes.
    pub rtt: Option<Duration>,
    /// Lost probes in percent, over the last rounds; none if it is not watched.
    pub loss: Option<u8>,
}

impl Status<'_> {
    /// The status.
    #[must_use]
    pub fn json(&self) -> Value {
        let now = |choice: Option<&Choice>| object! { "ipv4": self.now(choice, Family::V4), "ipv6": self.now(choice, Family::V6) };
        let paths = &self.plan.paths;
        let links = (0..self.config.links.len()).map(|n| self.link(LinkId(n)));
        let policies = self.config.policies.iter().enumerate().map(|(n, policy)| {
            object! { "name": policy.name.as_str(), "order": self.order(n), "now": now(Some(paths.of_policy(PolicyId(n)))) }
        });
        let rules = self.config.rules.iter().enumerate().map(|(n, rule)| {
            let count = self.plan.counter_of(n).and_then(|name| self.counters?.get(name));
            let choice = paths.of_target(rule.target);
            let active = self.facts.is_time_for(rule);
            let changes = rule.schedule.and_then(|times| times.changes_after(self.facts.now));
            let one = |family| (active && rule.matches.allows(family)).then(|| self.now(choice.as_ref(), family));
            object! {
                "name": rule.name.as_str(), "section": rule.section.as_str(), "matches": describe(&rule.matches), "use": words::target(self.config, rule.target),
                "now": object! { "ipv4": one(Family::V4), "ipv6": one(Family::V6) },
                // When it holds, whether that is now, and when that changes: as the clocks show it, and as seconds since 1970.
                "times": rule.schedule.map(|times| schedule(&times)), "active": active,
                "changes": changes.map(|at| self.facts.now.zone.local(at).to_string()), "changes_at": changes,
                // The first packets of connections: null if the rule does not count.
                "packets": count.map(|(packets, _)| *packets), "bytes": count.map(|(_, bytes)| *bytes),
            }
        });
        object! {
            "version": env!("CARGO_PKG_VERSION"),
            "enabled": self.config.globals.enabled,
            "daemon": self.daemon,
            "resting": self.resting,
            "in_sync": self.drift.is_empty(),
            "links": links.collect::<Vec<_>>(),
            "policies": policies.collect::<Vec<_>>(),
            "rules": rules.collect::<Vec<_>>(),
            "drift": self.drift,
            "problems": self.problems,
        }
    }

    fn link(&self, id: LinkId) -> Value {
        let link = &self.config[id];
        let path = &self.plan.paths[self.plan.paths.of_link(id)];
        let own = self.facts.links.get(id.0);
        object! {
            "name": link.name.as_str(), "mark": path.mark.bits(), "table": path.table, "fallback": link.fallback.to_string(),
            "tracked": link.tracking.is_some(),
            "quota": link.quota.map(|quota| object! {
                "used_bytes": self.used.get(&id).copied(), "max_bytes": quota.bytes, "per": quota.per.word(),
            }),
            "prefixes": own.map_or(&[][..], |own| &own.prefixes).iter().map(|(address, length)| format!("{address}/{length}")).collect::<Vec<_>>(),
            "masq6": own.is_some_and(|own| own.translates6),
            "ipv4": self.side(id, Family::V4), "ipv6": self.side(id, Family::V6),
        }
    }

    fn side(&self, id: LinkId, family: Family) -> Value {
        let Some(side) = self.facts.side(id, family) else { return Value::Null };
        let device = side.device.as_ref().and_then(|name| self.devices.iter().find(|device| device.name == *name));
        let rates = side.device.as_ref().and_then(|name| self.rates.get(name));
        let seen = self.seen.get(&(id, family));
        let (state, why) = match (&side.state, seen) {
            // The daemon looks from time to time; the facts are of this moment.
            (State::NoCarrier(_), _) => ("down", Some("no carrier".to_string())),
            (State::Down(why), _) => ("down", Some(down_words(*why).to_string())),
            (State::Up(_), Some(seen)) => (seen.state, seen.why.clone()),
            (State::Up(_), None) => (standing_word(side.standing), None),
        };
        object! {
            "state": state, "why": why, "since": seen.map(|seen| seen.since.as_secs()),
            "device": side.device.as_deref(), "gateway": gateway(side),
            "addresses": side.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "rtt_ms": seen.and_then(|seen| seen.rtt).map(milliseconds), "loss_percent": seen.and_then(|seen| seen.loss),
            "flows": self.flows_of(id, family),
            "rx_bytes": device.map(|device| device.rx_bytes), "tx_bytes": device.map(|device| device.tx_bytes),
            "rx_rate": rates.map(|rates| rates.0), "tx_rate": rates.map(|rates| rates.1),
        }
    }

    /// Connections that carry a mark of the link.
    fn flows_of(&self, id: LinkId, family: Family) -> Option<u64> {
        let flows = self.flows?;
        let marks = self.plan.paths.marks_of_link(id);
        Some(marks.into_iter().filter_map(|mark| flows.get(&(family, mark.bits()))).sum())
    }

    fn order(&self, policy: usize) -> String {
        let policy = &self.config.policies[policy];
        let order = words::order(self.config, policy, if policy.mode == Mode::Failover { " > " } else { ", then " });
        let per = if policy.mode == Mode::Balance(Spread::Connection) { " per connection" } else { "" };
        format!("{order}{per}, else {}", policy.fallback)
    }

    /// Where connections go now.
    fn now(&self, choice: Option<&Choice>, family: Family) -> String {
        match choice {
            None => "main".into(),
            Some(Choice::One(path)) => self.names_now(*path, family).join(" + "),
            Some(Choice::Spread(_, paths)) => {
                let mut names: Vec<String> = Vec::new();
                for (path, _) in paths {
                    for name in self.names_now(*path, family) {
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
                names.join(" + ")
            }
        }
    }

    fn names_now(&self, path: PathId, family: Family) -> Vec<String> {
        let path = &self.plan.paths[path];
        match outcome(path, self.facts, family) {
            Outcome::Links(links) => links.iter().map(|link| self.config[*link].name.clone()).collect(),
            Outcome::Fallback(fallback) => vec![fallback.to_string()],
        }
    }
}

fn gateway(side: &Side) -> Option<String> {
    side.hop().and_then(|hop| hop.gateway).map(|gateway| gateway.to_string())
}

/// Milliseconds with two digits behind the point. Up to an hour, which is more than any probe may take.
fn milliseconds(time: Duration) -> f64 {
    let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros.saturating_add(5) / 10) / 100.0
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "up",
        Standing::Poor => "degraded",
        Standing::Dead => "down",
    }
}
