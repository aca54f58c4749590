//! `config policy`. Wrong entries are left out, the policy stays.

use super::link::fallback;
use super::names::{Named, Names};
use super::section::{Complaint, Section};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{LinkId, Member, Mode, Policy, Spread, Target};
use crate::config::source::Spanned;
use crate::map::Set;

/// The largest weight: the kernel's multipath routes know no larger one.
const MAX_WEIGHT: u16 = 256;

/// Reads one policy.
pub fn policy(named: Named<'_>, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Policy {
    let Named { section, name } = named;
    let mode = mode(section, diagnostics);
    Policy {
        name: name.to_owned(),
        at: section.at,
        members: members(section, mode, names, diagnostics),
        mode,
        fallback: fallback(section, diagnostics),
    }
}

fn mode(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Mode {
    let mode = section.word("mode", diagnostics);
    let spread = match section.word("balance_by", diagnostics) {
        Ok(Some("connection")) => Spread::Connection,
        _ => Spread::Client,
    };
    if let Ok(Some("balance")) = mode {
        return Mode::Balance(spread);
    }
    if let Some(at) = section.place("balance_by").filter(|_| mode.is_ok()) {
        let complaint = Complaint::new("it has no effect in mode failover", "add: option mode 'balance', or delete it");
        diagnostics.push(section.remark(Severity::Warning, "balance_by", at, complaint));
    }
    Mode::Failover
}

fn members(section: &Section, mode: Mode, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Member> {
    if section.place("use").is_none() {
        let complaint = Complaint::new(
            "the policy names no link",
            "name them in the order of preference, one a line: list use 'NAME'",
        );
        diagnostics.push(section.finding(Severity::Error, section.at, complaint));
    }
    let mut members: Vec<Member> = Vec::new();
    let mut seen = Set::new();
    for Spanned { value, at } in section.values("use") {
        let mut remark = |severity, message: String, help: &str| {
            diagnostics.push(section.remark(severity, "use", *at, Complaint::new(message, help)));
        };
        match entry(value, names) {
            Err(Complaint { message, help }) => remark(Severity::Error, message, &help),
            Ok((link, _)) if !seen.insert(link) => {
                let message = format!("{} repeats a link of this policy", quote(value));
                remark(Severity::Error, message, "each link once; the first place counts");
            }
            Ok((link, weight)) => {
                if weight.is_some() && mode == Mode::Failover {
                    let message = format!("the weight in {} has no effect in mode failover", quote(value));
                    remark(Severity::Warning, message, "delete the number, or add: option mode 'balance'");
                }
                members.push(Member { link, weight: weight.unwrap_or(1) });
            }
        }
    }
    members
}

/// The link of an entry such as `EMB` or `EMB 3`, and its weight if one is written. Names may end in numbers too, so
/// the whole is tried first.
fn entry(text: &str, names: &Names<'_>) -> Result<(LinkId, Option<u16>), Complaint> {
    if let Some(target) = names.target(text) {
        return Ok((as_link(text, target)?, None));
    }
    let several = text.contains(' ') && text.split_whitespace().all(|word| names.target(word).is_some());
    if several {
        let message = format!("{} is no link", quote(text));
        return Err(Complaint::new(message, "one link an entry: write a line 'list use' for each"));
    }
    let split = text.rsplit_once(' ').map(|(name, weight)| (name.trim_end(), weight));
    match split.and_then(|(name, weight)| Some((name, names.target(name)?, weight))) {
        Some((name, target, weight)) => Ok((as_link(name, target)?, Some(parse_weight(weight)?))),
        None => Err(unknown(text, split, names)),
    }
}

fn as_link(name: &str, target: Target) -> Result<LinkId, Complaint> {
    let name = quote(name);
    match target {
        Target::Link(link) => Ok(link),
        Target::Policy(_) => Err(Complaint::new(
            format!("{name} is a policy, and a policy is made of links"),
            "name that policy's links here",
        )),
        Target::Main | Target::Unreachable | Target::Blackhole => Err(Complaint::new(
            format!("{name} is no link"),
            format!("what happens when no link is up goes into another option: option fallback {name}"),
        )),
    }
}

fn parse_weight(text: &str) -> Result<u16, Complaint> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|weight| digits && (1..=MAX_WEIGHT).contains(weight)).ok_or_else(|| {
        Complaint::new(
            format!("{} is not a weight", quote(text)),
            format!("a weight is a number from 1 to {MAX_WEIGHT}, as in: list use 'EMB 3'"),
        )
    })
}

fn unknown(text: &str, split: Option<(&str, &str)>, names: &Names<'_>) -> Complaint {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let name = split.filter(|(_, weight)| is_number(weight)).map_or(text, |(name, _)| name);
    let help = match names.nearest(name, false) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => "the entry is left out; every name here must be that of a link section".into(),
    };
    Complaint::new(format!("there is no link {}", quote(name)), help)
}
