//! What is wrong with a configuration, said the way a good compiler says it.

pub use super::render::{count, render_all};
use super::source::Position;
use serde::Serialize;
use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to do.
    Note,
    /// It works, but probably not as meant.
    Warning,
    /// It is wrong; the option, rule or section it names is left out and the rest holds.
    Error,
    /// It is wrong, and without it no safe state can be computed: nothing is applied, what the kernel holds stays.
    Fatal,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Where it is in the file.
    pub at: Position,
    /// The section, as `rule 'navegacao'`, if it is about one.
    pub section: Option<String>,
    /// The option's name, if it is about one.
    pub option: Option<String>,
    /// What is wrong: one sentence without a full stop.
    pub message: String,
    /// What would be right, or what to do.
    pub help: Option<String>,
}

// None of these is compiled into the hundred places that use it: that is what most of the validator would consist of.
impl Diagnostic {
    /// A finding about a place in the file; section, option and help can be added.
    #[must_use]
    #[inline(never)]
    pub fn new(severity: Severity, at: Position, message: impl Into<String>) -> Self {
        Self { severity, at, section: None, option: None, message: message.into(), help: None }
    }

    /// Names the section it is about.
    #[must_use]
    #[inline(never)]
    pub fn in_section(mut self, section: impl Into<String>) -> Self {
        self.section = Some(section.into());
        self
    }

    /// Names the option it is about.
    #[must_use]
    #[inline(never)]
    pub fn on_option(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// Says what would be right.
    #[must_use]
    #[inline(never)]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the configuration is right in spite of it.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        self.severity < Severity::Error
    }

    /// The finding in one line, without its place in the file.
    #[must_use]
    pub fn in_words(&self) -> String {
        let section = self.section.as_deref().map_or(String::new(), |section| format!("{section}: "));
        let help = self.help.as_deref().map_or(String::new(), |help| format!("; {help}"));
        format!("{}: {section}{}{help}", self.severity, self.message)
    }

    /// The finding as a flat record, for programs.
    #[must_use]
    pub fn record<'a>(&'a self, file: &'a str) -> Record<'a> {
        Record {
            file,
            line: self.at.line,
            column: self.at.column,
            severity: self.severity,
            section: self.section.as_deref(),
            option: self.option.as_deref(),
            message: &self.message,
            help: self.help.as_deref(),
        }
    }
}

/// A finding for programs: what `--json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Record<'a> {
    /// The configuration's file name.
    pub file: &'a str,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// `note`, `warning`, `error` or `fatal` (an error for which nothing is applied).
    pub severity: Severity,
    /// The section it is about.
    pub section: Option<&'a str>,
    /// The option it is about.
    pub option: Option<&'a str>,
    /// What is wrong.
    pub message: &'a str,
    /// What would be right.
    pub help: Option<&'a str>,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error | Self::Fatal => "error",
        })
    }
}

/// Text from the file in single quotes, safe to print: see [`escape`]. Long text is cut.
#[must_use]
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("'{}…'", escape(text.get(..end).unwrap_or(text))),
        None => format!("'{}'", escape(text)),
    }
}

/// Text from the file with everything replaced that would disturb a terminal or hide what is written: control
/// characters, and the invisible ones that turn the direction of text.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if is_disturbing(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether a character must not reach a terminal as it is.
pub(super) fn is_disturbing(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
