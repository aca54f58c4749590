//! Aligned tables for people.

use std::fmt::Write;
use std::io::IsTerminal;

/// Rows of cells; the first row is the heading.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a heading.
    pub fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text; headings bold if `paint` says so.
    pub fn text(&self, paint: Paint) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| length(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (n, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let gap = width - length(cell).min(*width) + 2;
                let painted = if n == 0 { paint.bold(cell) } else { paint.state(cell) };
                let _ = write!(line, "{painted}{:gap$}", "");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The columns a text takes on a terminal: characters, not bytes.
fn length(cell: &str) -> usize {
    cell.chars().count()
}

/// Whether to use colour: only on a terminal, and not if `NO_COLOR` is set.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// For standard output as it is.
    pub fn for_stdout() -> Self {
        Self(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    /// None.
    pub fn none() -> Self {
        Self(false)
    }

    /// Bold.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Green for "up", yellow for "degraded", red for "down" and "no carrier", nothing for the rest.
    fn state(self, text: &str) -> String {
        match text.split(':').next() {
            Some("up") => self.wrap("32", text),
            Some("degraded") => self.wrap("33", text),
            Some("down" | "no carrier") => self.wrap("31", text),
            _ => text.to_string(),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
