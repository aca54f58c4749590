//! The name space that links and policies share, and what the names in `use` stand for.

use super::section::{Complaint, Section};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{LinkId, PolicyId, Target};
use crate::config::options::{RESERVED_NAMES, SectionKind};
use crate::config::suggest::nearest;
use crate::map;

/// The links and policies whose names are good.
pub struct Names<'s> {
    links: Vec<Named<'s>>,
    policies: Vec<Named<'s>>,
    /// Where in `all` each name is.
    places: map::Names<'s>,
    all: Vec<(&'s Section<'s>, Target)>,
}

/// A section and its good name.
#[derive(Clone, Copy)]
pub struct Named<'s> {
    pub section: &'s Section<'s>,
    pub name: &'s str,
}

impl<'s> Names<'s> {
    /// Gives every link and policy its name; those that cannot have one are reported and left out.
    pub fn collect(sections: &'s [Section<'s>], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let (links, policies, places, all) = (Vec::new(), Vec::new(), map::Names::default(), Vec::new());
        let mut names = Self { links, policies, places, all };
        for section in sections.iter().filter(|s| matches!(s.kind, SectionKind::Link | SectionKind::Policy)) {
            match names.claim(section) {
                Ok(name) => names.add(Named { section, name }),
                Err(problem) => diagnostics.push(problem),
            }
        }
        names
    }

    /// The name a section may have, or why it has none.
    fn claim(&mut self, section: &'s Section<'s>) -> Result<&'s str, Diagnostic> {
        let kind = section.kind;
        let error = |at, message, help: String| section.finding(Severity::Error, at, Complaint { message, help });
        let Some(name) = section.name else {
            let message = format!("this {kind} has no name, so no rule can use it");
            return Err(error(section.at, message, format!("give it one: config {kind} 'NAME'")));
        };
        if let Err(Complaint { message, help }) = check_name(name.value) {
            return Err(error(name.at, message, help));
        }
        if RESERVED_NAMES.contains(&name.value) {
            let message = format!("the name '{}' is reserved: a rule's use means something else by it", name.value);
            return Err(error(name.at, message, "choose another name".into()));
        }
        match self.places.first(name.value.into(), self.all.len()) {
            Some(first) => {
                let first = self.all[first].0;
                let (name_text, line) = (quote(name.value), first.at.line);
                let message = format!("the name {name_text} is taken by the {} in line {line}", first.kind);
                let help =
                    format!("links and policies share one name space: rename this {kind}; until then it is left out");
                Err(error(name.at, message, help))
            }
            None => Ok(name.value),
        }
    }

    fn add(&mut self, named: Named<'s>) {
        let target = if named.section.kind == SectionKind::Link {
            self.links.push(named);
            Target::Link(LinkId(self.links.len() - 1))
        } else {
            self.policies.push(named);
            Target::Policy(PolicyId(self.policies.len() - 1))
        };
        self.all.push((named.section, target));
    }

    /// The links in the order of the file: [`LinkId`]s count through them.
    pub fn links(&self) -> impl Iterator<Item = Named<'s>> + '_ {
        self.links.iter().copied()
    }

    /// The policies in the order of the file: [`PolicyId`]s count through them.
    pub fn policies(&self) -> impl Iterator<Item = Named<'s>> + '_ {
        self.policies.iter().copied()
    }

    /// What a name stands for.
    pub fn target(&self, name: &str) -> Option<Target> {
        match name {
            "main" => Some(Target::Main),
            "unreachable" => Some(Target::Unreachable),
            "blackhole" => Some(Target::Blackhole),
            _ => self.places.get(name).map(|place| self.all[place].1),
        }
    }

    /// The known name nearest to a wrong one: of a link, and if `all` is set of any target.
    pub fn nearest(&self, name: &str, all: bool) -> Option<&str> {
        let others = self.policies.iter().map(|named| named.name).chain(RESERVED_NAMES.iter().copied()).filter(|_| all);
        nearest(name, self.links.iter().map(|named| named.name).chain(others))
    }
}

/// Whether a text can be a name: it must be visible, and the same when written with other blanks round it.
pub fn check_name(name: &str) -> Result<(), Complaint> {
    let problem = if name.is_empty() {
        "a name cannot be empty"
    } else if name.chars().any(char::is_control) {
        "a name cannot hold control characters, such as tabs and line ends"
    } else if name.trim() != name {
        "a name cannot begin or end with a blank"
    } else {
        return Ok(());
    };
    Err(Complaint::new(problem, "names may be long and hold blanks inside, as in 'Fibra óptica'"))
}
