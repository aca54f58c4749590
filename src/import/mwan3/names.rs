//! Names that the result may have: those of the source, and new ones beside them.

use crate::config::options::RESERVED_NAMES;
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};
use crate::map::Set;

/// The names that are taken. UCI has one name space for sections of all types.
pub struct Names(Set<String>);

impl Names {
    /// Those of a file.
    pub fn of(document: &Document) -> Self {
        let names = document.sections.iter().filter_map(|section| section.name.as_ref());
        Self(names.map(|name| name.value.to_string()).collect())
    }

    /// The name of a link or policy: its own, unless a rule's `use` means something else by it.
    pub fn usable(&mut self, source: &Foreign, kind: &str, report: &mut Report) -> String {
        let name = &source.name;
        if !RESERVED_NAMES.contains(&name.as_str()) {
            return name.clone();
        }
        let fresh = self.fresh(&format!("{name}_{kind}"));
        report.changed(source, "", format!("'{name}' means something else in a rule here: it is called '{fresh}'"));
        fresh
    }

    /// A new name: this one, or one like it.
    pub fn fresh(&mut self, name: &str) -> String {
        let mut fresh = name.to_owned();
        while !self.0.insert(fresh.clone()) {
            fresh.push('_');
        }
        fresh
    }
}
