//! `config rule`. A wrong one is left out whole, so that it never matches more than its owner said.

use super::address_set::Sets;
use super::matches::matches;
use super::names::{Names, check_name};
use super::schedule::schedule;
use super::section::{Complaint, Reported, Section};
use super::tracking::values::number;
use super::values;
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{
    AddressSet, Mask, Matches, Mode, Origin, Policy, Rule, Sticky, Target, Who, misses_last_port,
};
use crate::config::options::STICKY_TIME;
use crate::map;
use std::borrow::Cow;

/// What rules name.
pub struct Reader<'r, 's> {
    /// Links and policies.
    pub names: &'r Names<'s>,
    /// The policies themselves.
    pub policies: &'r [Policy],
    /// Our bits of marks.
    pub mask: Mask,
    /// Sets of addresses; those of rules are added.
    pub sets: Sets<'s>,
}

impl Reader<'_, '_> {
    /// Reads the `count` rules in the order of the file, without those that are wrong or switched off.
    pub fn rules<'s>(
        &mut self,
        sections: impl Iterator<Item = &'s Section<'s>>,
        count: usize,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Rule> {
        let sections: Vec<&Section> = sections.collect();
        let mut seen = map::Names::default();
        let mut rules = Vec::with_capacity(count);
        for (index, section) in sections.iter().enumerate() {
            let name = name(section, index + 1, diagnostics);
            if let Some(first) = seen.first(name.clone(), index) {
                let at = section.name.map_or(section.at, |name| name.at);
                let message = format!("the rule in line {} has the same name", sections[first].at.line);
                let complaint = Complaint::new(message, "both hold; but status and logs cannot tell them apart");
                diagnostics.push(section.finding(Severity::Warning, at, complaint));
            }
            if let Some(rule) = self.rule(section, name, diagnostics) {
                rules.push(rule);
            }
        }
        rules
    }

    /// Whether there is a choice of links that could stick; if not, that is said.
    fn balances(&self, section: &Section, target: Target, diagnostics: &mut Vec<Diagnostic>) -> bool {
        let policy = match target {
            Target::Policy(policy) => self.policies.get(policy.0),
            _ => None,
        };
        let balances = policy.is_some_and(|policy| matches!(policy.mode, Mode::Balance(_)));
        if !balances {
            let at = section.place("sticky").unwrap_or(section.at);
            let help = "it is for rules that use a policy with mode 'balance': there each new connection could take another link";
            let complaint = Complaint::new("it has no effect: what the rule uses does not balance", help);
            diagnostics.push(section.remark(Severity::Warning, "sticky", at, complaint));
        }
        balances
    }

    fn rule(&mut self, section: &Section, name: Cow<str>, diagnostics: &mut Vec<Diagnostic>) -> Option<Rule> {
        let enabled = section.single("enabled", values::boolean, diagnostics);
        let origin = origin(section, diagnostics);
        let matches = matches(section, self.mask, &self.sets, diagnostics);
        let target = target(section, self.names, diagnostics);
        let sticky = sticky(section, diagnostics);
        let schedule = schedule(section, diagnostics);
        let counter = counter(section, diagnostics);
        let log = section.single("log", values::boolean, diagnostics);
        // Everything is read before the first error counts, so that every fault is reported.
        let (enabled, origin, target, counter) = (enabled.ok()?, origin.ok()?, target.ok()?, counter.ok()?);
        let (sticky, schedule, log) = (sticky.ok()?, schedule.ok()?, log.ok()?.is_some_and(|log| log.value));
        let sticky = sticky.filter(|_| self.balances(section, target, diagnostics));
        if section.broken || enabled.is_some_and(|enabled| !enabled.value) {
            return None;
        }
        let (mut matches, domains) = matches.ok()?;
        warn_of_last_port(section, origin, &matches, diagnostics);
        if let (Some(named), false) = (&mut matches.destination_sets, domains.is_empty()) {
            let label = match domains.as_slice() {
                [only] => format!("domain {only}"),
                all => format!("domains {}", all.join(", ")),
            };
            let set = AddressSet {
                name: section.name.map_or(String::new(), |_| name.to_string()),
                at: section.at,
                is_of_rule: true,
                entries4: Default::default(),
                entries6: Default::default(),
                files: Vec::new(),
                listed: Default::default(),
                domains,
            };
            named.sets.push((self.sets.add(set), label));
        }
        let (name, at) = (name.into_owned(), section.at);
        let section = section.in_uci();
        Some(Rule { name, section, at, origin, matches, target, sticky, schedule, counter, log })
    }
}

fn name<'s>(section: &Section<'s>, place: usize, diagnostics: &mut Vec<Diagnostic>) -> Cow<'s, str> {
    let unnamed = || Cow::Owned(format!("rule {place}"));
    match section.name {
        None => unnamed(),
        Some(name) => match check_name(name.value) {
            Ok(()) => Cow::Borrowed(name.value),
            Err(complaint) => {
                diagnostics.push(section.finding(Severity::Error, name.at, complaint));
                unnamed()
            }
        },
    }
}

/// Who stays on a link.
fn sticky(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<Sticky>, Reported> {
    let word = section.word("sticky", diagnostics);
    let timeout = section.single("timeout", |text| number(STICKY_TIME, text), diagnostics)?;
    let who = match word? {
        Some("1" | "client") => Who::Client,
        Some("destination") => Who::Destination,
        _ => {
            if let Some(timeout) = timeout {
                let complaint = Complaint::new("it has no effect without sticky", "add: option sticky '1'");
                diagnostics.push(section.remark(Severity::Warning, "timeout", timeout.at, complaint));
            }
            return Ok(None);
        }
    };
    let milliseconds: u32 = timeout.map_or(600_000, |timeout| timeout.value);
    Ok(Some(Sticky { who, seconds: milliseconds.div_ceil(1000) }))
}

fn counter(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<bool, Reported> {
    let Some(counter) = section.single("counter", values::boolean, diagnostics)? else { return Ok(false) };
    if counter.value && section.name.is_none() {
        let help = "give it a name: then the count stays with it when rules before it come and go";
        let complaint = Complaint::new("a rule without a name is counted by its place in the file", help);
        diagnostics.push(section.remark(Severity::Note, "counter", counter.at, complaint));
    }
    Ok(counter.value)
}

/// What a rule for the router's own packets cannot look at, and why.
const NOT_OF_THE_ROUTER: [(&str, &str); 7] = [
    ("src_mac", "the router's own packets have no sender's Ethernet address yet"),
    ("src_iface", "the router's own packets come in by no interface"),
    ("dscp", "the DSCP of the router's own packets cannot be matched: ip rules do not see it"),
    ("icmp_type", "the ICMP type of the router's own packets cannot be matched: ip rules do not see it"),
    ("src_set", SETS_OF_THE_ROUTER),
    ("dest_set", SETS_OF_THE_ROUTER),
    ("dest_domain", SETS_OF_THE_ROUTER),
];

const SETS_OF_THE_ROUTER: &str = "the router's own packets cannot be looked up in sets: ip rules know none";

fn origin(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Origin, Reported> {
    let origin = match section.word("from", diagnostics)? {
        Some("router") => Origin::Router,
        Some("any") => Origin::Any,
        _ => Origin::Lan,
    };
    let mut result = Ok(origin);
    if let Some(at) = section.place("uid").filter(|_| origin.includes_lan()) {
        let why = "only the router's own packets belong to a user";
        let help = "say from 'router', and for what arrives write a rule of its own without uid";
        diagnostics.push(section.complain("uid", at, Complaint::new(why, help)));
        result = Err(Reported);
    }
    for (option, why) in NOT_OF_THE_ROUTER.into_iter().filter(|_| origin.includes_router()) {
        if let Some(at) = section.place(option) {
            let help = "use it with from 'lan' only; for the router itself write a rule of its own without it";
            diagnostics.push(section.complain(option, at, Complaint::new(why, help)));
            result = Err(Reported);
        }
    }
    if let Some(mark) =
        section.values("mark").first().filter(|mark| origin.includes_router() && mark.value.starts_with('!'))
    {
        let help = "use it with from 'lan' only, or write a rule for that mark before this one";
        let complaint = Complaint::new("a mark cannot be negated for the router's own packets", help);
        diagnostics.push(section.complain("mark", mark.at, complaint));
        result = Err(Reported);
    }
    result
}

/// Ip rules can name every port but the last one.
fn warn_of_last_port(section: &Section, origin: Origin, matches: &Matches, diagnostics: &mut Vec<Diagnostic>) {
    let ports = [("src_port", &matches.source_ports), ("dest_port", &matches.destination_ports)];
    for (option, set) in ports.into_iter().filter(|_| origin.includes_router()) {
        if let (Some(at), true) = (section.place(option), set.as_ref().is_some_and(misses_last_port)) {
            let why = "port 65535 of the router's own packets is left out: ip rules cannot name it";
            let help = "all other ports hold; all ports together, 1-65535, hold too";
            diagnostics.push(section.remark(Severity::Warning, option, at, Complaint::new(why, help)));
        }
    }
}

fn target(section: &Section, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Result<Target, Reported> {
    let parse = |name: &str| {
        names.target(name).ok_or_else(|| {
            // pbr's and mwan3's words for the main table.
            let foreign = matches!(name, "ignore" | "default").then_some("main");
            let help = match foreign.or_else(|| names.nearest(name, true)) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => {
                    "use names a link, a policy, main, unreachable or blackhole; until then the rule is left out".into()
                }
            };
            Complaint::new(format!("there is no link or policy {}", quote(name)), help)
        })
    };
    match section.single("use", parse, diagnostics)? {
        Some(target) => Ok(target.value),
        None => {
            let help = "name a link, a policy, main, unreachable or blackhole, as in: option use 'web'";
            let complaint = Complaint::new("the rule does not say where its traffic goes, so it is left out", help);
            diagnostics.push(section.finding(Severity::Error, section.at, complaint));
            Err(Reported)
        }
    }
}
