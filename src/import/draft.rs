//! A configuration of ours that is being written: sections with their comments, printed as UCI.

use crate::config::diagnostics::escape;
use crate::config::options::SectionKind;
use crate::map::Set;
use std::fmt;

/// A configuration, before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Comments at its head.
    pub head: Vec<String>,
    /// Its sections in order.
    pub sections: Vec<Section>,
}

/// A section, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    kind: SectionKind,
    name: String,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Comment(String),
    Option(&'static str, String),
    List(&'static str, String),
}

impl Section {
    /// A section without options. Any text may be its name: what UCI does not take as one becomes `option name`.
    #[must_use]
    pub fn new(kind: SectionKind, name: &str) -> Self {
        Self { kind, name: name.into(), lines: Vec::new() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> SectionKind {
        self.kind
    }

    /// Adds an option with one value.
    pub fn option(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.lines.push(Line::Option(name, value.into()));
        self
    }

    /// Adds one value of an option that has several.
    pub fn list(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.lines.push(Line::List(name, value.into()));
        self
    }

    /// Adds a comment; a text of several lines becomes as many.
    pub fn comment(&mut self, text: impl Into<String>) -> &mut Self {
        self.lines.push(Line::Comment(text.into()));
        self
    }
}

/// Whether UCI takes a text as the name of a section.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A value between single quotes. One within ends the quotes, stands behind a backslash, and begins them anew.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// A text as comment lines. Nothing in it does anything to a terminal.
fn comment(f: &mut fmt::Formatter<'_>, indent: &str, text: &str) -> fmt::Result {
    text.lines().try_for_each(|line| writeln!(f, "{indent}# {}", escape(line)))
}

impl Section {
    /// Writes it, with its name in its first line or as an option.
    fn write(&self, f: &mut fmt::Formatter<'_>, named: bool) -> fmt::Result {
        match (self.kind, named) {
            (SectionKind::Globals, _) => writeln!(f, "config globals 'globals'")?,
            (kind, true) => writeln!(f, "config {kind} '{}'", self.name)?,
            (kind, false) => writeln!(f, "config {kind}\n\toption name {}", quoted(&self.name))?,
        }
        for line in &self.lines {
            match line {
                Line::Comment(text) => comment(f, "\t", text)?,
                Line::Option(name, value) => writeln!(f, "\toption {name} {}", quoted(value))?,
                Line::List(name, value) => writeln!(f, "\tlist {name} {}", quoted(value))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.iter().try_for_each(|text| comment(f, "", text))?;
        // In UCI sections of different types cannot share a name, here a rule and a set may.
        let mut taken = Set::from_iter(["globals"]);
        for section in &self.sections {
            f.write_str("\n")?;
            section.write(f, is_plain(&section.name) && taken.insert(&section.name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_uci() {
        let mut rule = Section::new(SectionKind::Rule, "Netflix & Co's");
        rule.comment("two\nlines").list("dest_port", "80").list("dest_port", "443").option("use", "web");
        let [one, other] = ["web", "web"].map(|name| Section::new(SectionKind::Rule, name));
        let draft = Draft { head: vec!["From mwan3.".into()], sections: vec![rule, one, other] };
        let expected = "# From mwan3.\n\nconfig rule\n\toption name 'Netflix & Co'\\''s'\n\t# two\n\t# lines\n\
                        \tlist dest_port '80'\n\tlist dest_port '443'\n\toption use 'web'\n\n\
                        config rule 'web'\n\nconfig rule\n\toption name 'web'\n";
        assert_eq!(draft.to_string(), expected);
    }
}
