//! `config rule`. A wrong one is left out whole, so that it never matches more than its owner said.

use super::matches::matches;
use super::names::{Names, check_name};
use super::section::{Complaint, Reported, Section};
use super::values;
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Origin, Rule, Target};
use crate::map;
use std::borrow::Cow;

/// Reads the `count` rules in the order of the file, without those that are wrong or switched off.
pub fn rules<'s>(
    sections: impl Iterator<Item = &'s Section<'s>>,
    count: usize,
    names: &Names<'_>,
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
        if let Some(rule) = rule(section, name, names, diagnostics) {
            rules.push(rule);
        }
    }
    rules
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

fn rule(section: &Section, name: Cow<str>, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Rule> {
    let enabled = section.single("enabled", values::boolean, diagnostics);
    let origin = origin(section, diagnostics);
    let matches = matches(section, diagnostics);
    let target = target(section, names, diagnostics);
    let counter = counter(section, diagnostics);
    // Everything is read before the first error counts, so that every fault is reported.
    let (enabled, origin, target, counter) = (enabled.ok()?, origin.ok()?, target.ok()?, counter.ok()?);
    if section.broken || enabled.is_some_and(|enabled| !enabled.value) {
        return None;
    }
    Some(Rule { name: name.into_owned(), at: section.at, origin, matches: matches.ok()?, target, counter })
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
const NOT_OF_THE_ROUTER: [(&str, &str); 3] = [
    ("src_mac", "the router's own packets have no sender's Ethernet address yet"),
    ("src_iface", "the router's own packets come in by no interface"),
    ("dscp", "the DSCP of the router's own packets cannot be matched: ip rules do not see it"),
];

fn origin(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Origin, Reported> {
    let origin = match section.word("from", diagnostics)? {
        Some("router") => Origin::Router,
        Some("any") => Origin::Any,
        _ => Origin::Lan,
    };
    let mut result = Ok(origin);
    for (option, why) in NOT_OF_THE_ROUTER.into_iter().filter(|_| origin.includes_router()) {
        if let Some(at) = section.place(option) {
            let help = "use it with from 'lan' only; for the router itself write a rule of its own without it";
            diagnostics.push(section.complain(option, at, Complaint::new(why, help)));
            result = Err(Reported);
        }
    }
    result
}

fn target(section: &Section, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Result<Target, Reported> {
    let parse = |name: &str| {
        names.target(name).ok_or_else(|| {
            let help = match names.nearest(name, true) {
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
