//! A section of another program's UCI file. It remembers which of its options were looked at, so that none is passed
//! over in silence.

use super::remark::{Kind, Remark};
use crate::config::TRUE;
use crate::config::diagnostics::{escape, quote};
use crate::config::source::{RawOption, RawSection};
use crate::sort;
use std::cell::Cell;

/// A section of another program.
pub struct Foreign<'a> {
    raw: &'a RawSection<'a>,
    /// Its name; of an unnamed one, its type and place: `rule 3`.
    pub name: String,
    label: String,
    /// One for each option: whether it was looked at.
    seen: Vec<Cell<bool>>,
}

impl<'a> Foreign<'a> {
    /// A section; `place` is its place among those of its type, from 1.
    pub fn new(raw: &'a RawSection<'a>, place: usize) -> Self {
        let kind = raw.kind.value.as_ref();
        let (name, label) = match &raw.name {
            Some(name) => (name.value.to_string(), format!("{kind} {}", quote(&name.value))),
            None => (format!("{kind} {place}"), format!("{kind} {place}")),
        };
        Self { raw, name, label, seen: vec![Cell::new(false); raw.options.len()] }
    }

    /// The same section, which its owner knows by its option `name`.
    pub fn called(mut self) -> Self {
        let called = self.raw.options.iter().find(|option| option.name.value == "name");
        if let Some(text) = called.and_then(|option| option.values.first()).filter(|_| self.raw.name.is_none()) {
            self.label = format!("{} {}", self.raw.kind.value, quote(&text.value));
        }
        self
    }

    /// All sections of a type, in their order.
    pub fn all(sections: &'a [RawSection<'a>], kind: &str) -> Vec<Self> {
        let own = sections.iter().filter(|section| section.kind.value == kind);
        own.enumerate().map(|(n, section)| Self::new(section, n + 1)).collect()
    }

    /// The line it begins in.
    pub fn line(&self) -> usize {
        self.raw.kind.at.line as usize
    }

    fn find(&self, option: &str) -> Option<&'a RawOption<'a>> {
        let place = self.raw.options.iter().position(|own| own.name.value == option)?;
        self.seen.get(place)?.set(true);
        self.raw.options.get(place).filter(|option| option.values.iter().any(|value| !value.value.is_empty()))
    }

    /// An option's value; of a list the first. Empty ones count as not written.
    pub fn one(&self, option: &str) -> Option<&'a str> {
        self.many(option).into_iter().next()
    }

    /// An option's values. One that is no list is one value.
    pub fn many(&self, option: &str) -> Vec<&'a str> {
        let values = self.find(option).map_or(&[][..], |option| &option.values);
        values.iter().map(|value| value.value.as_ref().trim()).filter(|value| !value.is_empty()).collect()
    }

    /// An option's words: each value taken apart at its blanks.
    pub fn words(&self, option: &str) -> Vec<&'a str> {
        let values = self.find(option).map_or(&[][..], |option| &option.values);
        values.iter().flat_map(|value| value.value.as_ref().split_whitespace()).collect()
    }

    /// Whether an option is written as a list.
    pub fn is_list(&self, option: &str) -> bool {
        self.find(option).is_some_and(|option| option.is_list)
    }

    /// Whether an option says yes.
    pub fn is(&self, option: &str, default: bool) -> bool {
        self.one(option).map_or(default, |value| TRUE.contains(&value))
    }

    /// The names of its options.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.raw.options.iter().map(|option| option.name.value.as_ref())
    }

    /// The options nobody looked at.
    pub fn unseen(&self) -> impl Iterator<Item = &'a str> {
        let raw = self.raw;
        let unseen = raw.options.iter().zip(&self.seen).filter(|(_, seen)| !seen.get());
        unseen.map(|(option, _)| option.name.value.as_ref())
    }
}

/// What there is to say, as it is gathered.
#[derive(Default)]
pub struct Report(Vec<Remark>);

// None of these is compiled into the many places that use it.
impl Report {
    /// Says something about a section, or an option of it.
    #[inline(never)]
    pub fn say(&mut self, kind: Kind, section: &Foreign, option: &str, text: impl Into<String>) {
        let written = section.raw.options.iter().find(|own| own.name.value == option);
        let line = written.map_or(section.line(), |own| own.name.at.line as usize);
        let option = (!option.is_empty()).then(|| escape(option));
        self.0.push(Remark { line, section: section.label.clone(), option, kind, text: escape(&text.into()) });
    }

    /// An option, or the section if it is empty, is not in the result.
    #[inline(never)]
    pub fn dropped(&mut self, section: &Foreign, option: &str, text: impl Into<String>) {
        self.say(Kind::Dropped, section, option, text);
    }

    /// The result says something else.
    #[inline(never)]
    pub fn changed(&mut self, section: &Foreign, option: &str, text: impl Into<String>) {
        self.say(Kind::Changed, section, option, text);
    }

    /// The owner should look at it.
    #[inline(never)]
    pub fn look(&mut self, section: &Foreign, option: &str, text: impl Into<String>) {
        self.say(Kind::Look, section, option, text);
    }

    /// Says something about the whole; once.
    #[inline(never)]
    pub fn whole(&mut self, kind: Kind, text: impl Into<String>) {
        let remark = Remark { line: 0, section: String::new(), option: None, kind, text: text.into() };
        if !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }

    /// Says something about a line of a text that has no sections; `what` stands there.
    #[inline(never)]
    pub fn at(&mut self, kind: Kind, line: usize, what: &str, text: impl Into<String>) {
        self.0.push(Remark { line, section: escape(what), option: None, kind, text: escape(&text.into()) });
    }

    /// Says of every option that nobody looked at that it is dropped.
    pub fn unseen(&mut self, section: &Foreign, program: &str) {
        for option in section.unseen() {
            self.dropped(section, option, format!("{program} has no such option"));
        }
    }

    /// All of it, in the order of the source.
    pub fn in_order(mut self) -> Vec<Remark> {
        sort::by_key(&mut self.0, |remark| remark.line);
        self.0
    }
}
