//! One file a verb. What they share is here: where to read from, how to speak, how to end.

pub mod apply;
pub mod check;
#[doc(hidden)]
pub mod doors;
pub mod explain;
mod facts;
pub mod hotplug;
pub mod import;
pub mod line;
pub mod rpcd;
pub mod run;
pub mod schema;
pub mod set;
pub mod show;
pub mod status;
pub mod stop;
pub mod support;
pub mod use_link;
pub mod version;

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::{self, model::Config};
use crate::survey::lists;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The columns of help. Not the terminal's: who has a narrow one has it fold too.
const WIDTH: usize = 80;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The configuration has errors; what is good was applied.
    Config = 1,
    /// Wrong usage.
    Usage = 2,
    /// The kernel refused; nothing is half-applied.
    Kernel = 3,
    /// Nothing to act on.
    Nothing = 4,
    /// `use`: the command is there, but cannot be run. The number is the shell's for that.
    NotRunnable = 126,
    /// `use`: there is no such command. The shell's number, too.
    NotFound = 127,
}

/// Where the configuration and the facts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The configuration's file.
    pub config: String,
    /// A file in the shape of netifd's answer.
    pub network: Option<String>,
}

impl Place {
    /// The given files, or the usual ones.
    #[must_use]
    pub fn new(config: Option<String>, network: Option<String>) -> Self {
        Self { config: config.unwrap_or_else(|| "/etc/config/wansplit".into()), network }
    }

    /// The firewall's configuration: the package next to ours.
    #[must_use]
    pub fn firewall(&self) -> PathBuf {
        Path::new(&self.config).with_file_name("firewall")
    }
}

/// A configuration that was read.
pub(crate) struct Loaded {
    /// Where from.
    pub file: String,
    /// Its text.
    pub text: Vec<u8>,
    /// What it means; nothing if no safe state can be computed from it.
    pub config: Option<Config>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// It has no section at all.
    pub is_blank: bool,
}

impl Loaded {
    /// Reads the configuration. If the file cannot be read, says so.
    pub fn read(place: &Place) -> Result<Self, Exit> {
        Self::load(place).map_err(|error| {
            complain(&error);
            Exit::Config
        })
    }

    /// Reads the configuration; if the file cannot be read, says why not.
    pub fn load(place: &Place) -> Result<Self, String> {
        let text = std::fs::read(&place.config)
            .map_err(|error| format!("cannot read the configuration {}: {error}", place.config))?;
        Ok(Self::of(place, text))
    }

    /// What this text would mean as the configuration.
    pub fn of(place: &Place, text: Vec<u8>) -> Self {
        let reading = config::read(&text);
        let config::Reading { mut config, mut diagnostics, is_blank } = reading;
        diagnostics.extend(config.as_mut().map(lists::complete).into_iter().flatten());
        Self { file: place.config.clone(), text, config, diagnostics, is_blank }
    }

    /// The configuration, after its findings were printed.
    pub fn usable(&self) -> Result<&Config, Exit> {
        self.print_findings();
        self.config.as_ref().ok_or_else(|| {
            complain("nothing was changed: no safe state can be computed from this configuration");
            Exit::Config
        })
    }

    /// Prints what is wrong to standard error.
    pub fn print_findings(&self) {
        if !self.diagnostics.is_empty() {
            say_err(&config::diagnostics::render_all(&self.diagnostics, &self.file, &self.text));
        }
    }

    /// Says what it means that rules were left out.
    pub fn print_consequences(&self) {
        let in_rule =
            |finding: &&Diagnostic| finding.section.as_deref().is_some_and(|section| section.starts_with("rule"));
        if self.diagnostics.iter().filter(in_rule).any(|finding| finding.severity == Severity::Error) {
            complain(
                "rules with errors are left out: what they were to match takes the next rule that matches it, or the \
                 main table; nothing of it is held back",
            );
        }
    }

    /// How a run that did its work ends.
    pub fn exit(&self) -> Exit {
        if self.diagnostics.iter().any(|finding| finding.severity >= Severity::Error) {
            Exit::Config
        } else {
            Exit::Done
        }
    }
}

/// Prints help that was asked for.
#[must_use]
pub fn help(text: &str) -> Exit {
    say(&folded(text));
    Exit::Done
}

/// Lines of at most [`WIDTH`] columns: argh folds what it says of options, but not what it says of a command.
fn folded(text: &str) -> String {
    let mut folded = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let mut room = WIDTH;
        for (n, word) in line.split(' ').enumerate() {
            if n > 0 && word.len() < room {
                folded.push(' ');
                room -= 1;
            } else if n > 0 {
                folded.push('\n');
                folded.extend(std::iter::repeat_n(' ', indent));
                room = WIDTH - indent;
            }
            folded.push_str(word);
            room = room.saturating_sub(word.len());
        }
        folded.push('\n');
    }
    folded
}

/// Prints what is wrong with the command line.
#[must_use]
pub fn usage(text: &str) -> Exit {
    say_err(&format!("{}\nRun wansplit --help for what there is.\n", text.trim_end()));
    Exit::Usage
}

/// Prints to standard output. A reader that went away (`| head`) is no error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
}

/// Prints to standard error as it is.
pub(crate) fn say_err(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints one line about something that is wrong.
pub(crate) fn complain(text: &str) {
    say_err(&format!("wansplit: {text}\n"));
}
