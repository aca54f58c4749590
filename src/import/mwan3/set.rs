//! `config ipset`, and the sets that rules name and others fill.

use super::dialect::Dialect;
use super::rule::address;
use crate::config::options::SectionKind;
use crate::config::parse;
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};
use crate::import::{Section, Source};

/// The sets of a file, and those that its rules name.
pub struct Sets<'a> {
    sets: Vec<Section>,
    /// The files that were named besides: they may define a set that this one does not.
    more: &'a [Source],
}

/// Options without a counterpart: the value that changes nothing, and what to know of the others.
const DETAILS: [(&str, &str, &str); 4] = [
    ("maxelem", "0", "a set has no limit here"),
    ("timeout", "0", "entries stay here"),
    ("counters", "0", "entries are not counted here"),
    ("match", "", "a rule's dest_set or src_set says which address is meant"),
];

/// Reads the sections.
pub fn sets<'a>(document: &Document, dialect: &Dialect, more: &'a [Source], report: &mut Report) -> Sets<'a> {
    let mut sets = Sets { sets: Vec::new(), more };
    for source in &Foreign::all(&document.sections, "ipset") {
        let mut section = Section::new(SectionKind::Set, source.one("name").unwrap_or(&source.name));
        let is_on = source.is("enabled", true);
        if is_on {
            fill(&mut section, source, report);
        } else {
            for option in ["entry", "loadfile", "domain"] {
                source.one(option);
            }
            section.comment("switched off there, so it is empty");
            report.dropped(source, "enabled", "the set is switched off: it is empty here");
        }
        source.one("family");
        for (option, usual, instead) in DETAILS {
            if source.one(option).is_some_and(|value| value != usual) {
                report.dropped(source, option, instead);
            }
        }
        report.unseen(source, dialect.program);
        sets.sets.push(section);
    }
    sets
}

/// Takes over what is in a set.
fn fill(section: &mut Section, source: &Foreign, report: &mut Report) {
    for entry in source.words("entry") {
        if address::family(entry).is_some() {
            section.list("entry", entry);
        } else {
            report.dropped(source, "entry", format!("'{entry}' is no address or network"));
        }
    }
    match source.one("loadfile") {
        Some(file) if file.starts_with('/') => _ = section.list("file", file),
        Some(file) => report.dropped(source, "loadfile", format!("'{file}' is not the full path of a file")),
        None => {}
    }
    for domain in source.words("domain") {
        section.list("domain", domain);
    }
}

impl Sets<'_> {
    /// Makes sure that there is a set of this name: one that the file does not define is filled by somebody else there.
    pub fn named(&mut self, rule: &Foreign, option: &str, name: &str, report: &mut Report) {
        if self.sets.iter().any(|own| own.name() == name) {
            return;
        }
        let mut section = Section::new(SectionKind::Set, name);
        let files: Vec<&str> =
            self.more.iter().filter(|more| found(more, name, &mut section)).map(|more| more.file.as_str()).collect();
        if files.is_empty() {
            section.comment("filled by dnsmasq or the firewall there");
            let text = format!(
                "somebody else fills the set '{name}', which cannot be seen from here, so it is empty: name \
                 /etc/config/dhcp and /etc/config/firewall behind this file, or fill config set '{name}' by hand"
            );
            report.look(rule, option, text);
        } else {
            section.comment(format!("as in {}", files.join(", ")));
        }
        self.sets.push(section);
    }

    /// The sections.
    pub fn into_sections(self) -> Vec<Section> {
        self.sets
    }
}

/// Takes over what a file of dnsmasq's or the firewall's options says of a set. dnsmasq's sections fill several at once.
fn found(more: &Source, name: &str, section: &mut Section) -> bool {
    let (document, _) = parse(more.text.as_bytes());
    let mut any = false;
    for source in &Foreign::all(&document.sections, "ipset") {
        if source.words("name").contains(&name) && source.is("enabled", true) {
            fill(section, source, &mut Report::default());
            any = true;
        }
    }
    any
}
