//! One section held against the table of options: what is left are options that exist, in the shape they must have.

use crate::config::diagnostics::{Diagnostic, Severity, escape, quote};
use crate::config::options::{Arity, OptionSpec, SectionKind};
use crate::config::source::{Position, RawOption, RawSection, Spanned};
use crate::config::suggest::nearest;

/// A section whose options all exist and are supported.
pub struct Section<'s> {
    pub kind: SectionKind,
    /// Where it starts.
    pub at: Position,
    /// Its name: `option name`, or the section's own.
    pub name: Option<Spanned<&'s str>>,
    raw: &'s RawSection<'s>,
    /// A rule's place among the rules, from 1.
    place: usize,
    options: Vec<(&'static OptionSpec, Given<'s>)>,
    /// Whether something in it was unknown or not supported, which has been reported.
    pub broken: bool,
}

/// What was written for an option.
struct Given<'s> {
    at: Position,
    /// None at all if the shape was wrong, which has been reported.
    values: Vec<Spanned<&'s str>>,
}

/// What is wrong with a value, and what would be right.
#[derive(Debug)]
pub struct Complaint {
    pub message: String,
    pub help: String,
}

impl Complaint {
    // Not compiled into each of the places that complain.
    #[inline(never)]
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A value was wrong, and that has been reported.
#[derive(Debug, Clone, Copy)]
pub struct Reported;

impl<'s> Section<'s> {
    /// Holds a section against the table. `place` is a rule's place among the rules, from 1.
    pub fn read(kind: SectionKind, raw: &'s RawSection, place: usize, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut section = Self {
            kind,
            at: raw.kind.at,
            name: raw.name.as_ref().map(Spanned::borrowed),
            raw,
            place,
            options: Vec::with_capacity(raw.options.len()),
            broken: false,
        };
        for option in &raw.options {
            match section.specification(option) {
                Ok(spec) => {
                    let given = section.given(spec, option, diagnostics);
                    section.options.push((spec, given));
                }
                Err(problem) => {
                    diagnostics.push(problem);
                    section.broken = true;
                }
            }
        }
        if let Some(name) = section.values("name").first() {
            section.name = Some(*name);
        }
        section
    }

    /// The option's line in the table, or why it has none that can be used.
    fn specification(&self, option: &RawOption) -> Result<&'static OptionSpec, Diagnostic> {
        let RawOption { name, .. } = option;
        let known = self.kind.options();
        let report = |severity, message: String| {
            Diagnostic::new(severity, name.at, message).in_section(self.label()).on_option(escape(&name.value))
        };
        match self.kind.option(&name.value) {
            Some(spec) => Ok(spec),
            None => {
                if let Some(why) = self.kind.why_not(&name.value) {
                    return Err(report(Severity::Error, "there is no such option".into()).help(why));
                }
                let suggestion = nearest(&name.value, known.iter().map(|spec| spec.name));
                let severity = self.kind.severity_of(suggestion.unwrap_or_default());
                Err(report(severity, "there is no such option".into()).help(match suggestion {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => {
                        let usable = known.iter().map(|spec| spec.name);
                        format!("its options are {}", usable.collect::<Vec<_>>().join(", "))
                    }
                }))
            }
        }
    }

    fn given(&self, spec: &'static OptionSpec, option: &'s RawOption, diagnostics: &mut Vec<Diagnostic>) -> Given<'s> {
        let at = option.name.at;
        let values = match (spec.arity, option.values.as_slice()) {
            (Arity::Single, [_, second, ..]) => {
                let complaint = Complaint::new(
                    "this option takes one value, not a list",
                    format!("write: option {} '…'", spec.name),
                );
                diagnostics.push(self.complain(spec.name, second.at, complaint));
                Vec::new()
            }
            (Arity::List, [single]) if !option.is_list => {
                let words = single.words();
                if words.is_empty() {
                    let complaint = Complaint::new("the value is empty", "leave the option out, or give a value");
                    diagnostics.push(self.complain(spec.name, single.at, complaint));
                }
                words
            }
            (_, values) => values.iter().map(Spanned::borrowed).collect(),
        };
        Given { at, values }
    }

    /// An error about an option, fatal if it is a vital one.
    pub fn complain(&self, option: &str, at: Position, complaint: Complaint) -> Diagnostic {
        let severity = self.kind.severity_of(option);
        self.remark(severity, option, at, complaint)
    }

    /// A finding about an option.
    pub fn remark(&self, severity: Severity, option: &str, at: Position, complaint: Complaint) -> Diagnostic {
        self.finding(severity, at, complaint).on_option(option)
    }

    /// A finding about the section as a whole.
    pub fn finding(&self, severity: Severity, at: Position, Complaint { message, help }: Complaint) -> Diagnostic {
        Diagnostic::new(severity, at, message).in_section(self.label()).help(help)
    }

    /// How messages call it.
    fn label(&self) -> String {
        let kind = self.kind;
        let mut options = self.raw.options.iter();
        let written = options.find(|option| option.name.value == "name").and_then(|option| option.values.first());
        match (kind, written.or(self.raw.name.as_ref())) {
            (SectionKind::Globals, _) => kind.to_string(),
            (_, Some(name)) => format!("{kind} {}", quote(&name.value)),
            (SectionKind::Rule, None) => format!("{kind} {}", self.place),
            (_, None) => format!("unnamed {kind}"),
        }
    }

    fn written(&self, option: &str) -> Option<&Given<'s>> {
        self.options.iter().find(|(spec, _)| spec.name == option).map(|(_, given)| given)
    }

    /// Where an option was written, if it was.
    pub fn place(&self, option: &str) -> Option<Position> {
        self.written(option).map(|given| given.at)
    }

    /// An option's values; none if it was not written or is misshapen.
    pub fn values(&self, option: &str) -> &[Spanned<&'s str>] {
        self.written(option).map_or(&[], |given| &given.values)
    }

    /// How UCI calls a rule's section, whatever its option `name` says.
    pub fn in_uci(&self) -> String {
        match &self.raw.name {
            Some(name) => name.value.clone().into_owned(),
            None => format!("@{}[{}]", self.kind, self.place.saturating_sub(1)),
        }
    }

    /// An option's values, none if it was not written; an error if it was written in a shape it cannot have, which has
    /// been reported.
    pub fn shapely(&self, option: &str) -> Result<&[Spanned<&'s str>], Reported> {
        match self.written(option) {
            Some(given) if given.values.is_empty() => Err(Reported),
            Some(given) => Ok(&given.values),
            None => Ok(&[]),
        }
    }

    /// The value of an option that has just one, read by `parse`.
    pub fn single<T>(
        &self,
        option: &str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<Spanned<T>>, Reported> {
        match self.shapely(option)?.first() {
            None => Ok(None),
            Some(Spanned { value, at }) => match parse(value) {
                Ok(value) => Ok(Some(Spanned { value, at: *at })),
                Err(complaint) => {
                    diagnostics.push(self.complain(option, *at, complaint));
                    Err(Reported)
                }
            },
        }
    }

    /// The value of an option that is one of a few words, as the table has it.
    pub fn word(&self, option: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<&'static str>, Reported> {
        let word = self.single(option, |text| self.parse_word(option, text), diagnostics)?;
        Ok(word.map(|word| word.value))
    }

    /// One of the words the table has for an option.
    pub fn parse_word(&self, option: &str, text: &str) -> Result<&'static str, Complaint> {
        let words = self.kind.option(option).map_or(&[] as &[_], OptionSpec::words);
        words.iter().find(|word| **word == text).copied().ok_or_else(|| {
            let help = match nearest(text, words.iter().copied()) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => format!("it can be {}", either(words)),
            };
            Complaint::new(format!("{} is not one of {}", quote(text), words.join(", ")), help)
        })
    }
}

/// `a, b or c`.
fn either(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}
