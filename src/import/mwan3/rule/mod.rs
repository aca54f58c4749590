//! `config rule`: the first that matches wins, there and here.

pub mod address;
pub mod matches;
mod target;

use super::dialect::Dialect;
use super::globals::Globals;
use super::interface::Links;
use super::names::Names;
use super::policy::Policy;
use super::set::Sets;
use crate::config::options::{Arity, SectionKind};
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};
use crate::import::{Context, Kind, Section};
use matches::Draft;
use target::Targets;

/// The longest time here that a client is remembered, in seconds.
const LONGEST_TIMEOUT: u32 = 24 * 60 * 60;

/// What rules are read with.
pub struct Importer<'a> {
    pub dialect: &'a Dialect,
    pub globals: &'a Globals,
    pub policies: &'a [Policy],
    pub links: &'a Links,
    pub context: &'a Context<'a>,
}

/// The rule cannot be said here, which has been reported.
struct Left;

impl Importer<'_> {
    /// The rules in their order.
    pub fn rules(&self, document: &Document, sets: &mut Sets, names: &mut Names, report: &mut Report) -> Vec<Section> {
        let mut rules = Vec::new();
        for source in &Foreign::all(&document.sections, "rule") {
            let draft = self.read(source, sets, report);
            // Of a rule that is left out nothing more is said.
            if let Ok(sections) = draft.and_then(|draft| self.sections(&draft, names, report)) {
                rules.extend(sections);
                report.unseen(source, self.dialect.program);
            }
        }
        rules
    }

    /// A rule's section; two, if its IP versions go different ways. None if the rule is not in force there.
    fn sections(&self, draft: &Draft, names: &mut Names, report: &mut Report) -> Result<Vec<Section>, Left> {
        let source = draft.source;
        let Targets { targets, off } = self.targets(source, draft.families, report)?;
        let off = if draft.off.is_empty() { off } else { draft.off.clone() };
        let differ = draft.families == [true, true] && targets[0].name != targets[1].name;
        let mut sections = Vec::new();
        for family in if differ { &[Some(0), Some(1)][..] } else { &[None] } {
            let second = *family == Some(1);
            let name = if second { names.fresh(&format!("{}_ipv6", source.name)) } else { source.name.clone() };
            let mut section = Section::new(SectionKind::Rule, &name);
            if !off.is_empty() {
                section.comment(off.as_str()).option("enabled", "0");
            }
            let families = family.map_or(draft.families, |family| [family == 0, family == 1]);
            if families != [true, true] && families != draft.of_addresses() {
                section.option("family", if families[0] { "ipv4" } else { "ipv6" });
            }
            for (option, value) in &draft.options {
                match SectionKind::Rule.option(option).map(|spec| spec.arity) {
                    Some(Arity::Single) => section.option(option, value.as_str()),
                    _ => section.list(option, value.as_str()),
                };
            }
            let target = &targets[usize::from(!families[0])];
            sticky(source, target.balances, &mut section, second, report);
            if !draft.only_from_lan {
                section.option("from", "any");
                if target.balances {
                    let text = "the router's own connections do not balance: they take the first link that works";
                    report.whole(Kind::Changed, text);
                }
            }
            section.option("use", target.name.as_str());
            sections.push(section);
        }
        Ok(sections)
    }
}

/// Stickiness, where there is a choice to stick to.
fn sticky(source: &Foreign, balances: bool, section: &mut Section, again: bool, report: &mut Report) {
    let timeout = source.one("timeout").unwrap_or("600");
    if !source.is("sticky", false) {
        return;
    }
    if !balances {
        if !again {
            report.dropped(source, "sticky", "there is nothing to choose from: what it uses has one link at a time");
        }
        return;
    }
    let seconds = timeout.parse::<u32>().ok().filter(|seconds| *seconds > 0).unwrap_or_else(|| {
        report.changed(source, "timeout", format!("'{timeout}' is no number of seconds: it is 600 here"));
        600
    });
    if seconds > LONGEST_TIMEOUT {
        report.changed(source, "timeout", "24 hours are the most here");
    }
    let seconds = seconds.min(LONGEST_TIMEOUT);
    section
        .option("sticky", "1")
        .option("timeout", if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") });
}
