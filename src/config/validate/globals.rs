//! `config globals`: when it is wrong, nothing is applied.

use super::section::{Complaint, Section};
use super::values;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Globals, Mask};
use crate::config::source::Spanned;

/// What the globals say.
pub struct Checked {
    pub values: Globals,
    /// The mask, unless it is wrong: then marks cannot be held against it.
    pub mask: Option<Mask>,
}

/// Reads the globals; several differently named sections are an error and only the first counts.
pub fn globals<'s>(mut sections: impl Iterator<Item = &'s Section<'s>>, diagnostics: &mut Vec<Diagnostic>) -> Checked {
    let defaults = Globals::default();
    let Some(section) = sections.next() else {
        return Checked { mask: Some(defaults.mask), values: defaults };
    };
    for extra in sections {
        let message = format!("there are globals in line {} already; these are left out", section.at.line);
        diagnostics.push(extra.finding(Severity::Error, extra.at, Complaint::new(message, "join the two sections")));
    }
    let enabled = section.single("enabled", values::boolean, diagnostics);
    let mask = section.single("mask", values::mask, diagnostics);
    let rule_priority = section.single("rule_priority", values::priority, diagnostics);
    let log_level = section.word("log_level", diagnostics).ok().flatten();
    let dnsmasq_dirs = directories(section, "dnsmasq_dir", diagnostics);

    let mask = mask.map(|written| written.map_or(defaults.mask, |mask| mask.value)).ok();
    let values = Globals {
        enabled: enabled.ok().flatten().map_or(defaults.enabled, |enabled| enabled.value),
        mask: mask.unwrap_or(defaults.mask),
        rule_priority: rule_priority.ok().flatten().map_or(defaults.rule_priority, |priority| priority.value),
        log_level: match log_level {
            Some("error") => log::LevelFilter::Error,
            Some("warn") => log::LevelFilter::Warn,
            Some("debug") => log::LevelFilter::Debug,
            _ => log::LevelFilter::Info,
        },
        dnsmasq_dirs,
    };
    Checked { values, mask }
}

/// The good ones; the others are reported.
fn directories(section: &Section, option: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut directories: Vec<String> = Vec::new();
    for Spanned { value, at } in section.values(option) {
        match values::directory(value) {
            Ok(directory) if directories.contains(&directory) => {}
            Ok(directory) => directories.push(directory),
            Err(complaint) => diagnostics.push(section.complain(option, *at, complaint)),
        }
    }
    directories
}
