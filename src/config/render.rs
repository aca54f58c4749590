//! Diagnostics as text for people: the place, what is wrong, the line with a caret, what would be right.

use super::diagnostics::{Diagnostic, Severity, escape, is_disturbing};
use super::source::Position;
use crate::sort;
use std::fmt::Write;

/// How many characters of a source line are shown.
const WIDTH: usize = 120;
/// How many of them before the place, when a line is cut.
const BEFORE: usize = 60;

/// All findings in the order of the file, and a last line that counts them; empty if there are none.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], file: &str, text: &[u8]) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sort::by_key(&mut sorted, |diagnostic| diagnostic.at);
    let file = escape(file);
    let mut lines = Lines::new(text);
    let mut out = String::new();
    for diagnostic in sorted {
        render_one(&mut out, diagnostic, &file, &mut lines);
    }
    if !diagnostics.is_empty() {
        let nothing = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Fatal);
        out.push_str(&count(diagnostics));
        out.push_str(if nothing { "; nothing is applied\n" } else { "\n" });
    }
    out
}

/// `2 errors, 1 warning`; empty if there is nothing to count.
#[must_use]
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let groups = [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)];
    let counted = groups.into_iter().filter_map(|(word, severity)| {
        let number = diagnostics.iter().filter(|d| d.severity.min(Severity::Error) == severity).count();
        let plural = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{number} {word}{plural}"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn render_one(out: &mut String, diagnostic: &Diagnostic, file: &str, lines: &mut Lines<'_>) {
    let Diagnostic { severity, at, section, option, message, help } = diagnostic;
    let place = if at.line == 0 { file.to_owned() } else { format!("{file}:{}:{}", at.line, at.column) };
    let _ = write!(out, "{place}: {severity}: ");
    if let Some(section) = section {
        let _ = write!(out, "{section}, ");
    }
    if let Some(option) = option {
        let _ = write!(out, "option '{option}', ");
    }
    if section.is_some() || option.is_some() {
        out.truncate(out.len() - 2);
        out.push_str(": ");
    }
    let _ = writeln!(out, "{message}");
    let number = at.line.to_string();
    let gutter = " ".repeat(number.len());
    if let Some((line, caret)) = lines.excerpt(*at) {
        let _ = writeln!(out, " {number} | {line}\n {gutter} | {caret}^");
    }
    if let Some(help) = help {
        let _ = writeln!(out, " {gutter} = help: {help}");
    }
}

/// Walks through the text once, forwards, since the places come in the order of the file.
struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    at: Position,
    line_start: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0, at: Position::START, line_start: 0 }
    }

    /// The part of a line round a place, and what must stand before a caret below it.
    fn excerpt(&mut self, place: Position) -> Option<(String, String)> {
        self.go_to(place)?;
        // A character has at most four bytes; more of a very long line need not be looked at.
        let from = self.line_start.max(self.offset.saturating_sub(4 * WIDTH));
        let rest = self.text.get(self.offset..)?;
        let near = rest.get(..4 * WIDTH).unwrap_or(rest);
        let line_end = near.iter().position(|byte| *byte == b'\n');
        let near = line_end.and_then(|end| near.get(..end)).unwrap_or(near);
        let before = String::from_utf8_lossy(self.text.get(from..self.offset)?);
        let after = String::from_utf8_lossy(near.strip_suffix(b"\r").unwrap_or(near));

        let (length_before, length_after) = (before.chars().count(), after.chars().count());
        let fits = from == self.line_start && length_before + length_after <= WIDTH;
        let skip = if fits { 0 } else { length_before.saturating_sub(BEFORE) };
        let room = WIDTH.saturating_sub(length_before - skip);

        let left: String = before.chars().skip(skip).map(printable).collect();
        let right: String = after.chars().take(room).map(printable).collect();
        let cut_left = if skip > 0 { "…" } else { "" };
        let cut_right = if length_after > room { "…" } else { "" };
        let below = cut_left.chars().chain(left.chars()).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        Some((format!("{cut_left}{left}{right}{cut_right}"), below))
    }

    /// Moves to a place, or to the end of its line; `None` if the text has no such line.
    fn go_to(&mut self, place: Position) -> Option<()> {
        while self.at < place {
            match self.text.get(self.offset) {
                Some(b'\n') if self.at.line >= place.line => break,
                Some(byte) => {
                    self.at = self.at.after(*byte);
                    self.offset += 1;
                    if *byte == b'\n' {
                        self.line_start = self.offset;
                    }
                }
                None => break,
            }
        }
        // The rest of a character that began before the place.
        while self.text.get(self.offset).is_some_and(|byte| (0x80..=0xbf).contains(byte)) {
            self.offset += 1;
        }
        (place.line == self.at.line).then_some(())
    }
}

/// One character for one, so that the caret stays under its place.
fn printable(c: char) -> char {
    match c {
        '\t' => c,
        c if is_disturbing(c) => '\u{fffd}',
        c => c,
    }
}
