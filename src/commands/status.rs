//! `wansplit status`.

use super::table::{Paint, Table};
use super::{Exit, Loaded, Place, apply, facts, say};
use crate::config::describe::describe;
use crate::config::model::{Config, Family, Link, LinkId, Mode, PolicyId, Spread, Target};
use crate::explain::{Outcome, outcome, words};
use crate::kernel::Kernel;
use crate::kernel::netlink::link::Link as Device;
use crate::network::{Down, Facts, Side, State};
use crate::plan::Plan;
use crate::plan::path::{Choice, Path, PathId};
use crate::reconcile;
use argh::FromArgs;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Shows the links, what each policy and rule uses now, and whether the kernel holds the wanted state.
#[derive(FromArgs)]
#[argh(subcommand, name = "status")]
pub struct Status {
    /// print it as JSON
    #[argh(switch)]
    json: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Status) -> Exit {
    match attempt(place, verb) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn attempt(place: &Place, verb: &Status) -> Result<Exit, Exit> {
    let loaded = Loaded::read(place)?;
    let config = loaded.usable()?;
    let mut kernel = Kernel::new();
    let (gathered, plan) = facts::plan(&mut kernel, config, place, facts::Trust::Kernel)?;
    let wanted = config.globals.enabled.then_some(&plan);
    let drift = reconcile::difference(&mut kernel, wanted).map_err(apply::refused)?;
    let mut problems = gathered.findings;
    problems.extend(facts::neighbours(&mut kernel, config, &plan));
    let view = View {
        config,
        facts: &gathered.facts,
        plan: &plan,
        devices: kernel.links().unwrap_or_default(),
        drift: drift.changed,
        problems: problems.iter().map(|p| p.in_words()).collect(),
    };
    if verb.json {
        say(&format!("{:#}", view.json()));
    } else {
        say(&view.text(Paint::for_stdout()));
    }
    Ok(loaded.exit())
}

struct View<'a> {
    config: &'a Config,
    facts: &'a Facts,
    plan: &'a Plan,
    devices: Vec<Device>,
    drift: Vec<String>,
    problems: Vec<String>,
}

impl View<'_> {
    fn text(&self, paint: Paint) -> String {
        let mut text = format!("{}\n", self.headline());
        let mut links = Table::new(&[
            "LINK", "FAMILY", "STATE", "DEVICE", "GATEWAY", "ADDRESS", "MARK", "TABLE", "RECEIVED", "SENT",
        ]);
        for (id, link) in self.links() {
            for (n, family) in Family::BOTH.into_iter().enumerate() {
                links.row(self.link_row(id, link, family, n == 0));
            }
        }
        text.push_str(&format!("\n{}", links.text(paint)));
        if !self.config.policies.is_empty() {
            let mut policies = Table::new(&["POLICY", "ORDER", "NOW IPv4", "NOW IPv6"]);
            for (n, policy) in self.config.policies.iter().enumerate() {
                let choice = self.plan.paths.of_policy(PolicyId(n));
                let [v4, v6] = Family::BOTH.map(|family| self.now(Some(choice), family));
                policies.row([policy.name.clone(), self.order(n), v4, v6]);
            }
            text.push_str(&format!("\n{}", policies.text(paint)));
        }
        if !self.config.rules.is_empty() {
            let mut rules = Table::new(&["RULE", "MATCHES", "USE", "NOW IPv4", "NOW IPv6"]);
            for rule in &self.config.rules {
                let choice = self.plan.paths.of_target(rule.target);
                let [v4, v6] = Family::BOTH.map(|family| {
                    if rule.matches.allows(family) { self.now(choice.as_ref(), family) } else { "-".into() }
                });
                rules.row([
                    rule.name.clone(),
                    describe(&rule.matches),
                    words::target(self.config, rule.target),
                    v4,
                    v6,
                ]);
            }
            text.push_str(&format!("\n{}", rules.text(paint)));
        }
        for problem in &self.problems {
            text.push_str(&format!("\n{problem}"));
        }
        if !self.drift.is_empty() {
            text.push_str("\nthe kernel differs from what is wanted (+ is missing, - is too much, ~ is different); `wansplit apply` mends it:\n");
            text.push_str(&self.drift.iter().map(|line| format!("  {line}\n")).collect::<String>());
        }
        text
    }

    fn headline(&self) -> String {
        let state = match (self.config.globals.enabled, self.drift.is_empty()) {
            (true, true) => "on, and the kernel holds the wanted state".to_string(),
            (true, false) if self.drift.len() == 1 => "on, but the kernel differs in one place".to_string(),
            (true, false) => format!("on, but the kernel differs in {} places", self.drift.len()),
            (false, true) => "switched off in its configuration".to_string(),
            (false, false) => "switched off in its configuration, but the kernel still holds state of ours".to_string(),
        };
        format!("wansplit {}: {state}", env!("CARGO_PKG_VERSION"))
    }

    fn links(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.config.links.iter().enumerate().map(|(n, link)| (LinkId(n), link))
    }

    fn link_row(&self, id: LinkId, link: &Link, family: Family, first: bool) -> Vec<String> {
        let path = &self.plan.paths[self.plan.paths.of_link(id)];
        let side = self.facts.side(id, family).cloned().unwrap_or_default();
        let device = self.device(&side);
        let only = |text: String| if first { text } else { String::new() };
        let bytes = |bytes: Option<u64>| only(bytes.map_or("-".into(), human));
        vec![
            only(link.name.clone()),
            family.to_string(),
            state_words(&side.state),
            side.device.clone().unwrap_or("-".into()),
            gateway(&side).map_or("-".into(), |gateway| gateway.to_string()),
            list(side.addresses.iter().map(ToString::to_string)),
            only(path.mark.to_string()),
            only(path.table.to_string()),
            bytes(device.map(|device| device.rx_bytes)),
            bytes(device.map(|device| device.tx_bytes)),
        ]
    }

    fn device(&self, side: &Side) -> Option<&Device> {
        let name = side.device.as_deref()?;
        self.devices.iter().find(|device| device.name == name)
    }

    fn order(&self, policy: usize) -> String {
        let policy = &self.config.policies[policy];
        let names = policy.members.iter().map(|member| match policy.mode {
            Mode::Failover => self.config[member.link].name.clone(),
            Mode::Balance(_) => format!("{} {}", self.config[member.link].name, member.weight),
        });
        let separator = if policy.mode == Mode::Failover { " > " } else { " + " };
        let names: Vec<String> = names.collect();
        let per = if policy.mode == Mode::Balance(Spread::Connection) { " per connection" } else { "" };
        format!("{}{per}, else {}", names.join(separator), policy.fallback)
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
        let path: &Path = &self.plan.paths[path];
        match outcome(path, self.facts, family) {
            Outcome::Links(links) => links.iter().map(|link| self.config[*link].name.clone()).collect(),
            Outcome::Fallback(fallback) => vec![fallback.to_string()],
        }
    }

    fn json(&self) -> Value {
        let now = |choice: Option<&Choice>| json!({ "ipv4": self.now(choice, Family::V4), "ipv6": self.now(choice, Family::V6) });
        let links = self.links().map(|(id, link)| {
            let path = &self.plan.paths[self.plan.paths.of_link(id)];
            let side = |family| self.facts.side(id, family).map_or(Value::Null, |side| self.side_json(side));
            json!({
                "name": link.name, "mark": path.mark.bits(), "table": path.table, "fallback": link.fallback.to_string(),
                "ipv4": side(Family::V4), "ipv6": side(Family::V6),
            })
        });
        let policies = self.config.policies.iter().enumerate().map(|(n, policy)| {
            json!({ "name": policy.name, "order": self.order(n), "now": now(Some(self.plan.paths.of_policy(PolicyId(n)))) })
        });
        let rules = self.config.rules.iter().map(|rule| {
            let target: Target = rule.target;
            json!({
                "name": rule.name, "matches": describe(&rule.matches), "use": words::target(self.config, target),
                "now": now(self.plan.paths.of_target(target).as_ref()),
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "enabled": self.config.globals.enabled,
            "in_sync": self.drift.is_empty(),
            "links": links.collect::<Vec<_>>(),
            "policies": policies.collect::<Vec<_>>(),
            "rules": rules.collect::<Vec<_>>(),
            "drift": self.drift,
            "problems": self.problems,
        })
    }

    fn side_json(&self, side: &Side) -> Value {
        let device = self.device(side);
        let (state, why) = match &side.state {
            State::Up(_) => ("up", None),
            State::NoCarrier(_) => ("down", Some("no carrier")),
            State::Down(why) => ("down", Some(down_words(*why))),
        };
        json!({
            "state": state, "why": why, "device": side.device, "gateway": gateway(side).map(|g| g.to_string()),
            "addresses": side.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "rx_bytes": device.map(|device| device.rx_bytes), "tx_bytes": device.map(|device| device.tx_bytes),
        })
    }
}

fn gateway(side: &Side) -> Option<IpAddr> {
    side.hop().and_then(|hop| hop.gateway)
}

fn state_words(state: &State) -> String {
    match state {
        State::Up(_) => "up".into(),
        State::NoCarrier(_) => "no carrier".into(),
        State::Down(Down::NotOffered) => "-".into(),
        State::Down(why) => format!("down: {}", down_words(*why)),
    }
}

fn down_words(why: Down) -> &'static str {
    match why {
        Down::NotOffered => "not offered",
        Down::Misconfigured => "misconfigured",
        Down::NoSuchInterface => "no such interface",
        Down::InterfaceDown => "interface down",
        Down::NoSuchDevice => "no such device",
        Down::DeviceDown => "switched off",
        Down::NoAddress => "no address",
        Down::Ipv6Off => "IPv6 is off",
        Down::OwnGateway => "gateway is the router itself",
    }
}

fn list(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    match values.as_slice() {
        [] => "-".into(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}

/// Bytes in the unit that keeps the number short.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}
