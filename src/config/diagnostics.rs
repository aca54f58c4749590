//! What is wrong with a configuration, said the way a good compiler says it.

use super::source::Position;
use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

impl Diagnostic {
    /// A finding about a place in the file; section, option and help can be added.
    #[must_use]
    pub fn new(severity: Severity, at: Position, message: impl Into<String>) -> Self {
        Self { severity, at, section: None, option: None, message: message.into(), help: None }
    }

    /// Names the section it is about.
    #[must_use]
    pub fn in_section(mut self, section: impl Into<String>) -> Self {
        self.section = Some(section.into());
        self
    }

    /// Names the option it is about.
    #[must_use]
    pub fn on_option(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// Says what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
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
