//! One entry of `use`: `LINK [WEIGHT | auto] [tier N]`.
//!
//! Names may hold blanks and end in numbers, so what is a name wins: a link called `EMB 3` is that link.

use crate::config::diagnostics::quote;
use crate::config::model::{LinkId, Target};
use crate::config::validate::names::Names;
use crate::config::validate::section::Complaint;

/// The largest weight: the kernel's multipath routes know no larger one.
pub const MAX_WEIGHT: u16 = 256;
/// The largest number of a tier. There may be gaps between them, so that other people's metrics can be used.
const MAX_TIER: u16 = 1000;

/// What an entry says.
pub struct Entry {
    pub link: LinkId,
    pub weight: Option<Weight>,
    pub tier: Option<u16>,
}

/// A weight as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Number(u16),
    /// By the link's speed.
    Auto,
}

/// Reads one entry.
pub fn entry(text: &str, names: &Names<'_>) -> Result<Entry, Complaint> {
    if let Some(target) = names.target(text) {
        return Ok(Entry { link: as_link(text, target)?, weight: None, tier: None });
    }
    if text.contains(' ') && text.split_whitespace().all(|word| names.target(word).is_some()) {
        let message = format!("{} is no link", quote(text));
        return Err(Complaint::new(message, "one link an entry: write a line 'list use' for each"));
    }
    let (text, tier) = match last_word(text) {
        (rest, Some(number)) => match last_word(rest) {
            (name, Some("tier")) => (name, Some(number)),
            _ => (text, None),
        },
        _ => (text, None),
    };
    let (name, weight) = match (names.target(text), last_word(text)) {
        (None, (name, Some(weight))) => (name, Some(weight)),
        _ => (text, None),
    };
    let Some(target) = names.target(name) else { return Err(unknown(text, name, weight, names)) };
    Ok(Entry {
        link: as_link(name, target)?,
        weight: weight.map(parse_weight).transpose()?,
        tier: tier.map(parse_tier).transpose()?,
    })
}

/// What is before the last word, and that word; all of it if there is only one.
fn last_word(text: &str) -> (&str, Option<&str>) {
    text.rsplit_once(' ').map_or((text, None), |(rest, word)| (rest.trim_end(), Some(word)))
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

fn number(text: &str, most: u16) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=most).contains(number))
}

fn parse_weight(text: &str) -> Result<Weight, Complaint> {
    if text == "auto" {
        return Ok(Weight::Auto);
    }
    if text == "tier" {
        return Err(Complaint::new("the tier has no number", "write it as in: list use 'EMB tier 2'"));
    }
    number(text, MAX_WEIGHT).map(Weight::Number).ok_or_else(|| {
        Complaint::new(
            format!("{} is not a weight", quote(text)),
            format!(
                "a weight is a number from 1 to {MAX_WEIGHT}, as in: list use 'EMB 3'; or auto, by the link's speed"
            ),
        )
    })
}

fn parse_tier(text: &str) -> Result<u16, Complaint> {
    number(text, MAX_TIER).ok_or_else(|| {
        Complaint::new(
            format!("{} is not the number of a tier", quote(text)),
            format!("tiers are numbered from 1, which is used first, to {MAX_TIER}, as in: list use 'EMB tier 2'"),
        )
    })
}

/// `name` is `text` without what may be its weight.
fn unknown(text: &str, name: &str, weight: Option<&str>, names: &Names<'_>) -> Complaint {
    let known = |name: &str| names.target(name).is_some();
    let is_weight = |word: &&str| *word == "auto" || word.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((before, _)) = name.split_once(" tier ").filter(|(before, _)| known(before)) {
        let help =
            format!("the weight comes first: list use '{before} {} tier N'", weight.filter(is_weight).unwrap_or("3"));
        return Complaint::new(format!("there is no link {}", quote(text)), help);
    }
    let name = if weight.is_some_and(|word| is_weight(&word)) { name } else { text };
    let help = match names.nearest(name, false) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => "the entry is left out; every name here must be that of a link section".into(),
    };
    Complaint::new(format!("there is no link {}", quote(name)), help)
}
