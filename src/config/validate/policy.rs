//! `config policy`. Wrong entries are left out, the policy stays.

mod entry;
mod weights;

use super::link::fallback;
use super::names::{Named, Names};
use super::section::{Complaint, Section};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Link, Member, Mode, Policy, Spread};
use crate::config::source::{Position, Spanned};
use crate::map::Set;
use crate::sort;
use entry::{Entry, Weight, entry};

/// Reads one policy.
pub fn policy(named: Named<'_>, names: &Names<'_>, links: &[Link], diagnostics: &mut Vec<Diagnostic>) -> Policy {
    let Named { section, name } = named;
    let mode = mode(section, diagnostics);
    Policy {
        name: name.to_owned(),
        at: section.at,
        members: members(section, mode, names, links, diagnostics),
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

/// A member before its weight is known.
struct Wish<'s> {
    member: Member,
    auto: bool,
    text: &'s str,
    at: Position,
}

fn members(
    section: &Section,
    mode: Mode,
    names: &Names<'_>,
    links: &[Link],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Member> {
    if section.place("use").is_none() {
        let complaint = Complaint::new(
            "the policy names no link",
            "name them in the order of preference, one a line: list use 'NAME'",
        );
        diagnostics.push(section.finding(Severity::Error, section.at, complaint));
    }
    let mut wishes: Vec<Wish> = Vec::new();
    let mut seen = Set::new();
    for Spanned { value, at } in section.values("use") {
        let mut remark = |severity, message: String, help: &str| {
            diagnostics.push(section.remark(severity, "use", *at, Complaint::new(message, help)));
        };
        match entry(value, names) {
            Err(Complaint { message, help }) => remark(Severity::Error, message, &help),
            Ok(Entry { link, .. }) if !seen.insert(link) => {
                let message = format!("{} repeats a link of this policy", quote(value));
                remark(Severity::Error, message, "each link once; the first place counts");
            }
            Ok(Entry { link, weight, tier }) => {
                let in_order = mode == Mode::Failover;
                if tier.is_some() && in_order {
                    let message = format!("{} names a tier, and in mode failover there are none", quote(value));
                    let help = "add: option mode 'balance', or delete the tier: there the order of the lines is the preference";
                    remark(Severity::Error, message, help);
                } else if weight.is_some() && in_order {
                    let message = format!("the weight in {} has no effect in mode failover", quote(value));
                    remark(Severity::Warning, message, "delete it, or add: option mode 'balance'");
                }
                let (number, auto) = match weight.filter(|_| !in_order) {
                    Some(Weight::Auto) => (1, true),
                    Some(Weight::Number(number)) => (number, false),
                    None => (1, false),
                };
                let tier = tier.filter(|_| !in_order).unwrap_or(1);
                wishes.push(Wish { member: Member { link, weight: number, tier }, auto, text: value, at: *at });
            }
        }
    }
    sort::by_key(&mut wishes, |wish| wish.member.tier);
    for tier in wishes.chunk_by_mut(|one, next| one.member.tier == next.member.tier) {
        weigh(section, tier, links, diagnostics);
    }
    wishes.into_iter().map(|wish| wish.member).collect()
}

/// Finds the weights of a tier whose links are to be used by their speeds. Where that cannot be, they share equally.
fn weigh(section: &Section, tier: &mut [Wish], links: &[Link], diagnostics: &mut Vec<Diagnostic>) {
    if tier.iter().all(|wish| !wish.auto) {
        return;
    }
    let mut complain = |wish: &Wish, message: String, help: &str| {
        let help = format!("{help}; until then the links of this tier share equally");
        diagnostics.push(section.complain("use", wish.at, Complaint { message, help }));
    };
    let mut speeds = Vec::new();
    for wish in tier.iter() {
        let link = links.get(wish.member.link.0);
        match (wish.auto, link.and_then(|link| link.speed)) {
            (true, Some(speed)) => speeds.push(speed),
            (true, None) => {
                let name = link.map_or(String::new(), |link| quote(&link.name));
                let message = format!("link {name} has no valid speed, and weight auto needs one");
                complain(wish, message, "add to the link what it can do, for example: option speed '100M'");
            }
            (false, _) => {
                let message = format!("{} shares its tier with links of weight auto", quote(wish.text));
                complain(wish, message, "a tier has 'auto' behind each of its links, or behind none");
            }
        }
    }
    let whole = speeds.len() == tier.len();
    let weights = if whole { weights::by_speed(&speeds) } else { vec![1; tier.len()] };
    for (wish, weight) in tier.iter_mut().zip(weights) {
        wish.member.weight = weight;
    }
}
