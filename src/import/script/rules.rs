//! Rules as they are written: those of ip and those of iptables, IPv4's and IPv6's together where they are the same.

use super::conditions::Conditions;
use super::order::Step;
use crate::config::model::Family;
use crate::config::options::SectionKind;
use crate::import::Section;
use crate::import::names::Names;

/// A rule before it is written.
#[derive(Debug, Clone)]
pub struct Rule {
    pub line: usize,
    pub from: &'static str,
    pub family: Option<Family>,
    pub conditions: Conditions,
    pub target: String,
    pub comments: Vec<String>,
    pub label: Option<String>,
}

impl Rule {
    /// The rule of a step.
    pub fn of(step: Step, from: &'static str, family: Family) -> Self {
        Self {
            line: step.line,
            from,
            family: Some(family),
            conditions: step.conditions,
            target: step.target.unwrap_or_default(),
            comments: step.comments,
            label: step.label,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.from == other.from && self.conditions == other.conditions && self.target == other.target
    }
}

/// Two lists of rules, IPv4's and IPv6's, as one. Each keeps its order; what is in both stands once.
pub fn both(v4: Vec<Rule>, v6: Vec<Rule>) -> Vec<Rule> {
    let mut all = Vec::with_capacity(v4.len() + v6.len());
    let mut rest = v6.into_iter().map(Some).collect::<Vec<_>>();
    let mut next = 0;
    for mut rule in v4 {
        let same = (next..rest.len()).find(|n| rest[*n].as_ref().is_some_and(|other| other.is_like(&rule)));
        if let Some(same) = same {
            all.extend(rest[next..same].iter_mut().filter_map(Option::take));
            next = same + 1;
            rule.family = None;
        }
        all.push(rule);
    }
    all.extend(rest.into_iter().skip(next).flatten());
    all
}

/// Options of which a rule may have more values.
const JOINED: [&str; 7] = ["dest_port", "src_port", "proto", "src_ip", "dest_ip", "src_mac", "dscp"];

/// Joins neighbours that differ in one thing only, unless a comment begins something new.
pub fn joined(rules: Vec<Rule>) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::with_capacity(rules.len());
    for rule in rules {
        if let Some(last) = all.last_mut()
            && last.from == rule.from
            && last.family == rule.family
            && last.target == rule.target
            && (rule.comments.is_empty() || rule.comments == last.comments)
            && (rule.label.is_none() || rule.label == last.label)
            && let Some(option) = last.conditions.only_difference(&rule.conditions)
            && JOINED.contains(&option)
        {
            last.conditions.or(option, &rule.conditions);
            continue;
        }
        all.push(rule);
    }
    all
}

/// A comment up to this length is a name.
const NAME: usize = 40;

/// The rules as sections. `families`: whether the family has to be said where no address says it.
pub fn sections(rules: Vec<Rule>, families: bool, names: &mut Names, line: impl Fn(usize) -> usize) -> Vec<Section> {
    let section = |mut rule: Rule| {
        let title = |text: &String| !text.is_empty() && text.chars().count() <= NAME;
        let name = match (rule.label, rule.comments.last().is_some_and(title)) {
            (Some(label), _) => label,
            (None, true) => rule.comments.pop().unwrap_or_default(),
            (None, false) => format!("line {}", line(rule.line)),
        };
        let mut section = Section::new(SectionKind::Rule, &names.fresh(&name));
        for comment in &rule.comments {
            section.comment(comment.as_str());
        }
        if rule.from != "lan" {
            section.option("from", rule.from);
        }
        rule.conditions.write(&mut section);
        if let Some(family) = rule.family.filter(|_| families && rule.conditions.family().is_none()) {
            section.option("family", if family == Family::V4 { "ipv4" } else { "ipv6" });
        }
        section.option("use", rule.target);
        section
    };
    rules.into_iter().map(section).collect()
}
