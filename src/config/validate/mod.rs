//! From what is written to what is meant: a [`Document`] becomes a [`Config`], and all that is wrong is reported.
//!
//! A bad rule is left out whole: dropping only its bad part would make it match more than its owner said. A bad link
//! or policy keeps its place, so that what names it still holds back its traffic (kill switch). Bad globals are fatal.

mod address;
mod address_set;
mod globals;
mod link;
mod match_values;
mod matches;
mod names;
mod policy;
mod quota;
mod rule;
mod schedule;
mod section;
mod sets;
mod tracking;
mod tunnel;
mod values;

use super::diagnostics::{Diagnostic, Severity, quote};
use super::model::{Config, Policy};
use super::options::SectionKind;
use super::source::{Document, RawSection};
use super::suggest::nearest;
use crate::config::model::Family;
use crate::interval::Interval;
use address_set::Sets;
pub use match_values::{DSCP_NAMES, ICMP_TYPES, PROTOCOL_NAMES, is_domain_name, protocol_number};
use names::Names;
pub use schedule::{time_of_day, weekday};
use section::Section;
pub use values::{FALSE, TRUE};

/// Everything that is good, as typed values; everything that is not, as diagnostics.
pub fn validate(document: &Document, diagnostics: &mut Vec<Diagnostic>) -> Config {
    let mut known = Vec::with_capacity(document.sections.len());
    let mut rules_so_far = 0;
    for raw in &document.sections {
        match SectionKind::from_word(&raw.kind.value) {
            Some(kind) => {
                rules_so_far += usize::from(kind == SectionKind::Rule);
                known.push(Section::read(kind, raw, rules_so_far, diagnostics));
            }
            None => diagnostics.push(unknown_section(raw)),
        }
    }
    let of = |kind| known.iter().filter(move |section| section.kind == kind);

    let globals = globals::globals(of(SectionKind::Globals), diagnostics);
    let names = Names::collect(&known, diagnostics);
    let mut links = link::links(names.links(), globals.mask, diagnostics);
    let policies: Vec<Policy> =
        names.policies().map(|section| policy::policy(section, &names, &links, diagnostics)).collect();
    tunnel::underlays(&names, &policies, &mut links, diagnostics);
    let sets = Sets::read(of(SectionKind::Set), diagnostics);
    let mut reader = rule::Reader { names: &names, policies: &policies, mask: globals.values.mask, sets };
    let rules = reader.rules(of(SectionKind::Rule), rules_so_far, diagnostics);
    let sets = reader.sets.all;
    Config { globals: globals.values, links, policies, sets, rules }
}

/// One entry of a list of addresses: an address, a network or a range. `None` if it is none.
#[must_use]
pub fn entry(text: &str) -> Option<(Family, Interval)> {
    address::parse(text).ok().map(|entry| (entry.family, entry.interval))
}

fn unknown_section(raw: &RawSection) -> Diagnostic {
    let word = &raw.kind.value;
    let suggestion = nearest(word, SectionKind::ALL.map(SectionKind::word));
    // Without its globals the whole program would be switched off.
    let severity = if suggestion == Some("globals") { Severity::Fatal } else { Severity::Error };
    let help = match suggestion {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => "section types are globals, link, policy, set and rule".into(),
    };
    Diagnostic::new(severity, raw.kind.at, format!("there is no section type {}", quote(word))).help(help)
}
