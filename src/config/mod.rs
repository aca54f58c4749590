//! What the owner wrote, as typed values.
//!
//! Text (`uci` or `json`) becomes a [`source::Document`], and one validator turns that into a
//! [`model::Config`] and a list of [`diagnostics::Diagnostic`]s: all of them, never only the first.

pub mod describe;
pub mod diagnostics;
mod json;
pub mod model;
pub mod options;
mod render;
pub mod schema;
pub mod source;
pub(crate) mod suggest;
mod uci;
mod validate;

use crate::sort;
pub use validate::{FALSE, TRUE, entry, is_domain_name, protocol_number, time_of_day, weekday};

use diagnostics::{Diagnostic, Severity};
use source::Document;

/// What came of reading a configuration.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The configuration, without what was wrong. `None` when something is fatal: then nothing may be applied.
    pub config: Option<model::Config>,
    /// Everything found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// It has no section at all. That is not "switched off": a file that lost its content must not lift a kill switch.
    pub is_blank: bool,
}

/// Reads a configuration: JSON if its first character is a `{`, else UCI.
#[must_use]
pub fn read(text: &[u8]) -> Reading {
    let (document, mut diagnostics) = parse(text);
    // After a syntax error whole sections may be missing; complaints that follow from that would only confuse.
    let mut config = None;
    if !is_fatal(&diagnostics) {
        let valid = validate::validate(&document, &mut diagnostics);
        config = (!is_fatal(&diagnostics)).then_some(valid);
    }
    sort::by_key(&mut diagnostics, |diagnostic| diagnostic.at);
    Reading { config, diagnostics, is_blank: document.sections.is_empty() }
}

/// Only the syntax: the sections and options of a UCI or JSON text, and what is wrong with its form.
#[must_use]
pub fn parse(text: &[u8]) -> (Document<'_>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let document =
        if first == Some(&b'{') { json::parse(text, &mut diagnostics) } else { uci::parse(text, &mut diagnostics) };
    (document, diagnostics)
}

fn is_fatal(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Fatal)
}
