//! The JSON notation: objects `globals`, `links` and `policies`, array `rules`; the same options as in UCI.
//!
//! serde_json checks the whole text first; then each object is walked by its raw parts, which borrow from the text:
//! so everything keeps its order and its place, doubled keys are seen, and nesting costs no stack.

mod raw;

use super::diagnostics::{Diagnostic, Severity, escape, quote};
use super::options::SectionKind;
use super::source::{Document, Position, RawOption, RawSection, Spanned, Word};
use super::suggest::nearest;
use crate::map::Names;
use raw::{Entries, Entry, Locator};
use serde_json::value::RawValue;

/// Reads a whole file. Faults of syntax and shape are fatal diagnostics, except a bad option value: that option is
/// then left without values.
pub fn parse<'a>(text: &'a [u8], diagnostics: &mut Vec<Diagnostic>) -> Document<'a> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let at = Locator::new(text).position(error.valid_up_to());
            let problem = Diagnostic::new(Severity::Fatal, at, "the text is not valid UTF-8");
            diagnostics.push(problem.help("save the file as UTF-8"));
            return Document::default();
        }
    };
    let whole = match serde_json::from_str::<&RawValue>(text) {
        Ok(whole) => whole,
        Err(error) => {
            diagnostics.push(syntax_error(text, &error));
            return Document::default();
        }
    };
    let locator = Locator::new(text.as_bytes());
    let mut reader = Reader { locator, document: Document::default(), diagnostics };
    reader.file(whole);
    reader.document
}

fn syntax_error(text: &str, error: &serde_json::Error) -> Diagnostic {
    // serde_json counts columns in bytes.
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = line.bytes().take(error.column().saturating_sub(1));
    let start = Position { line: u32::try_from(error.line()).unwrap_or(u32::MAX), column: 1 };
    let at = before.fold(start, Position::after);
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    let what = what.replace("EOF while parsing", "the text ends inside");
    Diagnostic::new(Severity::Fatal, at, format!("this is not JSON: {what}")).help(
        "the text was read as JSON because it begins with '{'; commas stand between entries, not behind the last one",
    )
}

/// Whose option something is.
#[derive(Clone, Copy)]
struct Whose<'l> {
    kind: SectionKind,
    label: &'l str,
}

struct Reader<'a, 'd> {
    locator: Locator<'a>,
    document: Document<'a>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a> Reader<'a, '_> {
    fn file(&mut self, whole: &'a RawValue) {
        let Some(parts) = self.object(
            whole,
            "the file",
            "{ \"globals\": {}, \"links\": {}, \"policies\": {}, \"sets\": {}, \"rules\": [] }",
        ) else {
            return;
        };
        let mut seen = Names::default();
        for (key, value) in parts {
            let Some(key) = self.string(key) else { continue };
            if seen.first(key.value.clone(), 0).is_some() {
                self.report(Severity::Fatal, key.at, format!("{} is written twice", quote(&key.value)), "join the two");
            }
            match key.value.as_ref() {
                "globals" => self.section(SectionKind::Globals, key.at, "globals", None, value),
                "links" => self.named_sections(SectionKind::Link, "links", value),
                "policies" => self.named_sections(SectionKind::Policy, "policies", value),
                "sets" => self.named_sections(SectionKind::Set, "sets", value),
                "rules" => self.rules(value),
                // For editors: it points at the JSON Schema.
                "$schema" => {}
                _ => self.unknown_part(&key),
            }
        }
    }

    fn named_sections(&mut self, kind: SectionKind, part: &str, value: &'a RawValue) {
        let shape = format!("\"{part}\": {{ \"NAME\": {{ … }} }}");
        for (name, section) in self.object(value, &format!("'{part}'"), &shape).unwrap_or_default() {
            let Some(name) = self.string(name) else { continue };
            let label = format!("{kind} {}", quote(&name.value));
            self.section(kind, name.at, &label, Some(name), section);
        }
    }

    fn rules(&mut self, value: &'a RawValue) {
        let Ok(rules) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
            let message = format!("'rules' must be an array, since the order counts, not {}", describe(value));
            let at = self.place(value);
            return self.report(Severity::Fatal, at, message, "\"rules\": [ { \"name\": \"web\", … }, … ]");
        };
        for (index, rule) in rules.into_iter().enumerate() {
            let at = self.place(rule);
            let label = match rule_name(rule) {
                Some(name) => format!("rule {}", quote(&name)),
                None => format!("rule {}", index + 1),
            };
            if rule.get().starts_with('{') {
                self.section(SectionKind::Rule, at, &label, None, rule);
            } else {
                // A bad rule is left out, the rest holds.
                let message = format!("{label} must be an object, not {}", describe(rule));
                self.report(Severity::Error, at, message, "it looks like this: { \"option\": \"value\", … }");
            }
        }
    }

    fn section(&mut self, kind: SectionKind, at: Position, label: &str, name: Option<Word<'a>>, value: &'a RawValue) {
        let Some(entries) = self.object(value, label, "{ \"option\": \"value\", … }") else {
            return;
        };
        let whose = Whose { kind, label };
        let mut options: Vec<RawOption> = Vec::new();
        let mut seen = Names::default();
        for (key, value) in entries {
            let Some(key) = self.string(key) else { continue };
            let (values, is_list) = self.values(whose, &key.value, value);
            let index = seen.first(key.value.clone(), options.len()).unwrap_or(options.len());
            if name.is_some() && key.value == "name" {
                let message = format!("in JSON the name of a {kind} is its key");
                self.option_error(whose, "name", key.at, message, "delete this option");
            } else if let Some(first) = options.get_mut(index) {
                first.values.clear();
                let help = "keep one of them; several values go into one array";
                self.option_error(whose, &key.value, key.at, "this option is written twice".into(), help);
            } else {
                options.push(RawOption { name: key, values, is_list });
            }
        }
        let kind = Spanned { value: kind.word().into(), at };
        self.document.sections.push(RawSection { kind, name, options });
    }

    /// An option's values; none at all if the shape is wrong, which is reported.
    fn values(&mut self, whose: Whose<'_>, option: &str, value: &'a RawValue) -> (Vec<Word<'a>>, bool) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
            return (self.scalar(whose, option, value).into_iter().collect(), false);
        };
        if elements.is_empty() {
            let at = self.place(value);
            let help = "leave the option out, or put a value into the list";
            self.option_error(whose, option, at, "the list is empty".into(), help);
        }
        let count = elements.len();
        let values: Vec<_> = elements.into_iter().filter_map(|element| self.scalar(whose, option, element)).collect();
        // One bad element makes the whole option bad: without it the list would say something else than was meant.
        (if values.len() == count { values } else { Vec::new() }, true)
    }

    fn scalar(&mut self, whose: Whose<'_>, option: &str, value: &'a RawValue) -> Option<Word<'a>> {
        match value.get().as_bytes().first() {
            Some(b'"') => self.string(value),
            Some(b'{' | b'[' | b'n') => {
                let at = self.place(value);
                let help = "values are strings, numbers, true, false, and arrays of these";
                self.option_error(whose, option, at, format!("{} is not a value", describe(value)), help);
                None
            }
            _ => Some(Spanned { value: value.get().into(), at: self.place(value) }),
        }
    }

    fn string(&mut self, raw: &'a RawValue) -> Option<Word<'a>> {
        let quote = self.place(raw);
        match serde_json::from_str(raw.get()) {
            Ok(value) => Some(Spanned { value, at: quote.after(b'"') }),
            Err(_) => {
                let message = "this string holds half of a surrogate pair";
                self.report(Severity::Fatal, quote, message, "write the character itself instead of its \\u code");
                None
            }
        }
    }

    /// The entries of an object in the order of the file; `None` if it is none, which is reported.
    fn object(&mut self, value: &'a RawValue, what: &str, shape: &str) -> Option<Vec<Entry<'a>>> {
        let Ok(Entries(entries)) = serde_json::from_str::<Entries<'a>>(value.get()) else {
            let at = self.place(value);
            let message = format!("{what} must be an object, not {}", describe(value));
            self.report(Severity::Fatal, at, message, &format!("it looks like this: {shape}"));
            return None;
        };
        Some(entries)
    }

    fn unknown_part(&mut self, key: &Word) {
        let suggestion = nearest(&key.value, ["globals", "links", "policies", "sets", "rules"]);
        // Without its globals the whole program would be switched off.
        let severity = if suggestion == Some("globals") { Severity::Fatal } else { Severity::Error };
        let message = format!("there is no part {}", quote(&key.value));
        let help = suggestion.map(|word| format!("did you mean '{word}'?"));
        self.report(
            severity,
            key.at,
            message,
            &help.unwrap_or("the parts are globals, links, policies, sets and rules".into()),
        );
    }

    fn place(&mut self, part: &RawValue) -> Position {
        self.locator.place(part)
    }

    fn option_error(&mut self, whose: Whose<'_>, option: &str, at: Position, message: String, help: &str) {
        let problem = Diagnostic::new(whose.kind.severity_of(option), at, message).help(help);
        self.diagnostics.push(problem.in_section(whose.label).on_option(escape(option)));
    }

    fn report(&mut self, severity: Severity, at: Position, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic::new(severity, at, message).help(help));
    }
}

/// A rule's name, for messages about it.
fn rule_name(rule: &RawValue) -> Option<String> {
    let Entries(entries) = serde_json::from_str(rule.get()).ok()?;
    let (_, name) = entries.into_iter().find(|(key, _)| key.get() == "\"name\"")?;
    serde_json::from_str(name.get()).ok()
}

fn describe(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}
