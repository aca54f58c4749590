//! The last look at an import: what our own reader would refuse is left out of it, and that is said.
//!
//! Each format looks at the values it knows can be wrong, and says so in its own words. Others are copied as they stand,
//! and would otherwise be found only by `wansplit check`.

use super::{Imported, Kind, Remark};
use crate::config;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::options::SectionKind;

impl Imported {
    /// The same without the sections that our reader finds wrong.
    ///
    /// # Errors
    /// Nothing can be read.
    pub(super) fn accepted(mut self) -> Result<Self, String> {
        // What named a section that went is wrong then, too.
        while let Some(wrong) = self.wrong()? {
            // From the last one on: the places of those before it stay.
            for (place, finding) in wrong.into_iter().rev() {
                let section = self.draft.sections.remove(place);
                self.remarks.push(Remark {
                    line: 0,
                    section: finding.section.unwrap_or_else(|| section.kind().to_string()),
                    option: finding.option,
                    kind: Kind::Dropped,
                    text: finding.help.map_or_else(
                        || finding.message.clone(),
                        |help| format!("{}: the {} is left out; {help}", finding.message, section.kind()),
                    ),
                });
            }
        }
        Ok(self)
    }

    /// The places of wrong sections, and what is the first thing that is wrong with each; none if all are right.
    fn wrong(&self) -> Result<Option<Vec<(usize, Diagnostic)>>, String> {
        let text = self.draft.to_string();
        let (document, _) = config::parse(text.as_bytes());
        let mut wrong: Vec<(usize, Diagnostic)> = Vec::new();
        for finding in config::read(text.as_bytes()).diagnostics {
            if finding.severity < Severity::Error {
                continue;
            }
            let before = document.sections.iter().filter(|section| section.kind.at <= finding.at).count();
            let place = before.checked_sub(1);
            let section = place.and_then(|place| self.draft.sections.get(place));
            match (place, section) {
                (Some(place), Some(section)) if section.kind() != SectionKind::Globals => {
                    if wrong.last().is_none_or(|(last, _)| *last != place) {
                        wrong.push((place, finding));
                    }
                }
                _ => return Err(format!("what was made of it cannot be read: {}", finding.in_words())),
            }
        }
        Ok((!wrong.is_empty()).then_some(wrong))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::import::{Draft, Section};

    #[test]
    fn what_is_wrong_goes_and_what_named_it_goes_with_it() {
        let section = |kind, name, options: &[(&'static str, &str)]| {
            let mut section = Section::new(kind, name);
            for (option, value) in options {
                section.option(option, *value);
            }
            section
        };
        let sections = vec![
            section(SectionKind::Globals, "globals", &[("enabled", "0")]),
            section(SectionKind::Link, "wan", &[("interface", "wan")]),
            section(SectionKind::Set, "list", &[("entry", "nonsense")]),
            section(SectionKind::Rule, "a", &[("dest_set", "list"), ("use", "wan")]),
            section(SectionKind::Rule, "b", &[("dest_port", "80\nconfig x"), ("use", "wan")]),
            section(SectionKind::Rule, "c", &[("dest_port", "80"), ("use", "wan")]),
        ];
        let imported = Imported { draft: Draft { head: Vec::new(), sections }, remarks: Vec::new() };
        let accepted = imported.accepted().unwrap();
        let left: Vec<&str> = accepted.draft.sections.iter().map(Section::name).collect();
        assert_eq!(left, ["globals", "wan", "c"]);
        let said: Vec<String> = accepted.remarks.iter().map(Remark::to_string).collect();
        assert!(
            said.iter().any(|text| text.starts_with("set 'list', option entry: dropped: 'nonsense' is ")),
            "{said:?}"
        );
        assert_eq!(said.len(), 3, "{said:?}");
    }
}
