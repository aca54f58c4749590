//! `config set`. Wrong entries are left out, the set stays: what is not in it is not matched.

use super::address;
use super::match_values::domain;
use super::names::check_name;
use super::section::{Complaint, Reported, Section};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{AddressSet, Family, Listed, SetId};
use crate::config::source::{Position, Spanned};
use crate::config::suggest::nearest;
use crate::interval::{Interval, IntervalSet};
use crate::map;

/// The sets of a configuration, by name.
pub struct Sets<'s> {
    places: map::Names<'s>,
    /// Those with a section, then those of rules.
    pub all: Vec<AddressSet>,
}

impl<'s> Sets<'s> {
    /// Reads all sections of sets; those that cannot have their name are left out.
    pub fn read(sections: impl Iterator<Item = &'s Section<'s>>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut sets = Self { places: map::Names::default(), all: Vec::new() };
        for section in sections {
            match sets.claim(section) {
                Ok(name) => sets.all.push(set(section, name, diagnostics)),
                Err((at, complaint)) => diagnostics.push(section.finding(Severity::Error, at, complaint)),
            }
        }
        sets
    }

    fn claim(&mut self, section: &'s Section<'s>) -> Result<&'s str, (Position, Complaint)> {
        let Some(name) = section.name else {
            let help = "give it one: config set 'NAME'";
            return Err((section.at, Complaint::new("this set has no name, so no rule can use it", help)));
        };
        check_name(name.value).map_err(|complaint| (name.at, complaint))?;
        match self.places.first(name.value.into(), self.all.len()) {
            Some(first) => {
                let line = self.all[first].at.line;
                let message = format!("the name {} is taken by the set in line {line}", quote(name.value));
                Err((name.at, Complaint::new(message, "join the two, or rename this one; until then it is left out")))
            }
            None => Ok(name.value),
        }
    }

    /// The sets that an option of a rule names. `None` if it was not written.
    pub fn named(
        &self,
        section: &Section,
        option: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Vec<(SetId, String)>, Reported> {
        let mut named: Vec<(SetId, String)> = Vec::new();
        let mut result = Ok(());
        for Spanned { value, at } in section.shapely(option)? {
            match self.places.get(value) {
                Some(place) => {
                    let id = SetId(place);
                    if !named.iter().any(|(known, _)| *known == id) {
                        named.push((id, format!("set {}", quote(value))));
                    }
                }
                None => {
                    diagnostics.push(section.complain(option, *at, self.unknown(value)));
                    result = Err(Reported);
                }
            }
        }
        result.map(|()| named)
    }

    fn unknown(&self, name: &str) -> Complaint {
        let help = match nearest(name, self.all.iter().map(|set| set.name.as_str())) {
            _ if name.starts_with('!') => {
                "sets cannot be negated here: write a rule for the set before this one, with use 'main'".into()
            }
            Some(meant) => format!("did you mean '{meant}'?"),
            None => format!("write it: config set {}", quote(name)),
        };
        Complaint::new(format!("there is no set {}", quote(name)), help)
    }

    /// Adds the set of a rule's own domains.
    pub fn add(&mut self, set: AddressSet) -> SetId {
        self.all.push(set);
        SetId(self.all.len() - 1)
    }
}

fn set(section: &Section, name: &str, diagnostics: &mut Vec<Diagnostic>) -> AddressSet {
    let mut intervals: [Vec<Interval>; 2] = Default::default();
    let parse = |text: &str| match text.strip_prefix('!') {
        Some(_) => Err(Complaint::new("an entry of a set cannot be negated", "leave that address out of the others")),
        None => address::parse(text),
    };
    for (entry, _) in good(section, "entry", parse, diagnostics) {
        let [v4, v6] = &mut intervals;
        if entry.family == Family::V4 { v4.push(entry.interval) } else { v6.push(entry.interval) }
    }
    let [entries4, entries6] = intervals.map(IntervalSet::from_iter);
    let files: Vec<String> = good(section, "file", path, diagnostics).into_iter().map(|(path, _)| path).collect();
    let domains = domains(section, "domain", diagnostics);
    let is_empty = entries4.is_empty() && entries6.is_empty() && files.is_empty() && domains.is_empty();
    if is_empty && !section.broken {
        let complaint = Complaint::new("the set is empty", "say what is in it: list entry, list file or list domain");
        diagnostics.push(section.finding(Severity::Warning, section.at, complaint));
    }
    let listed = [Listed::default(); 2];
    AddressSet { name: name.to_owned(), at: section.at, is_of_rule: false, entries4, entries6, files, listed, domains }
}

/// The good domains of an option, each once.
fn domains(section: &Section, option: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    for (domain, _) in good(section, option, domain, diagnostics) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// The good values of an option; the others are reported.
fn good<T>(
    section: &Section,
    option: &str,
    parse: impl Fn(&str) -> Result<T, Complaint>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(T, Position)> {
    let mut values = Vec::new();
    for Spanned { value, at } in section.values(option) {
        match parse(value) {
            Ok(value) => values.push((value, *at)),
            Err(complaint) => diagnostics.push(section.complain(option, *at, complaint)),
        }
    }
    values
}

fn path(text: &str) -> Result<String, Complaint> {
    if text.starts_with('/') && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        let message = format!("{} is not the absolute path of a file", quote(text));
        Err(Complaint::new(message, "write it from the root, as /etc/wansplit/streams.list"))
    }
}
