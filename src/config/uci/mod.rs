//! OpenWrt's configuration syntax, as libuci really reads it, with the position of everything.
//!
//! Where libuci accepts a file, so do we, with the same result; but a `;` outside quotes never loses text silently,
//! and text that is not UTF-8 is refused. Like libuci we take nothing from a file with a syntax error; unlike it we
//! report all of them.

mod words;

use super::diagnostics::{Diagnostic, Severity, quote};
use super::source::{Document, Position, RawOption, RawSection, Spanned, Word};
use crate::map::Names;
use std::borrow::Cow;
use words::{Fault, Lexer};

/// Reads a whole file. Syntax errors are fatal diagnostics; the document then holds what could be read.
pub fn parse<'a>(text: &'a [u8], diagnostics: &mut Vec<Diagnostic>) -> Document<'a> {
    let mut builder = Builder::default();
    let mut lexer = Lexer::new(text);
    let mut words = Vec::new();
    while let Some(line) = lexer.statement(&mut words) {
        let result = line.map_err(Diagnostic::from).and_then(|()| builder.statement(words.drain(..)));
        if let Err(problem) = result {
            diagnostics.push(problem);
        }
    }
    diagnostics.append(&mut builder.warnings);
    builder.document
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        Self::new(Severity::Fatal, fault.at, fault.message).help(fault.help)
    }
}

/// The section that options belong to.
#[derive(Default)]
enum Current {
    #[default]
    None,
    /// Its `config` line was wrong; its options are left out without another message.
    Broken,
    Section(usize),
}

#[derive(Default)]
struct Builder<'a> {
    document: Document<'a>,
    current: Current,
    /// Sections by name, so that large files take linear time.
    sections: Names<'a>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn statement(&mut self, mut words: impl Iterator<Item = Word<'a>>) -> Result<(), Diagnostic> {
        let Some(keyword) = words.next() else { return Ok(()) };
        let arguments = [words.next(), words.next()];
        let extra = words.next();
        match keyword.value.as_ref() {
            "package" | "p" => package(&keyword, arguments),
            "config" | "c" => {
                self.current = Current::Broken;
                no_more(extra, "a section has a type and at most one name")?;
                self.current = Current::Section(self.section(&keyword, arguments)?);
                Ok(())
            }
            "option" | "list" | "o" | "l" => {
                no_more(extra, "put quotes round a value with blanks, as in: option name 'My rule'")?;
                self.option(&keyword, arguments)
            }
            other => Err(unknown_keyword(other, keyword.at)),
        }
    }

    fn section(&mut self, keyword: &Word, [kind, name]: [Option<Word<'a>>; 2]) -> Result<usize, Diagnostic> {
        let Some(kind) = kind.filter(|kind| !kind.value.is_empty()) else {
            return Err(fatal(keyword.at, "a section needs a type").help("for example: config rule 'web'"));
        };
        if !kind.value.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("{} cannot be a section type", quote(&kind.value));
            return Err(fatal(kind.at, message).help("section types here are globals, link, policy and rule"));
        }
        let name = name.filter(|name| !name.value.is_empty());
        if let Some(name) = &name {
            if !is_identifier(&name.value) {
                let message = format!("{} cannot be a section name", quote(&name.value));
                return Err(fatal(name.at, message).help(
                    "section names have only letters a-z, digits and underscores; any other name goes into an option: option name 'My link'",
                ));
            }
            if let Some(index) = self.sections.first(name.value.clone(), self.document.sections.len()) {
                return self.same_name(index, &kind, name);
            }
        }
        self.document.sections.push(RawSection { kind, name, options: Vec::new() });
        Ok(self.document.sections.len() - 1)
    }

    /// UCI merges sections of one name and type, and knows only one name space for all types.
    fn same_name(&self, index: usize, kind: &Word, name: &Word) -> Result<usize, Diagnostic> {
        match self.document.sections.get(index) {
            Some(first) if first.kind.value != kind.value => {
                let (old, line) = (quote(&first.kind.value), first.kind.at.line);
                let message = format!("the name {} is taken by the {old} section in line {line}", quote(&name.value));
                Err(fatal(name.at, message).help(
                    "in UCI sections of different types cannot share a name; leave this one unnamed and give it an option name",
                ))
            }
            _ => Ok(index),
        }
    }

    fn option(&mut self, keyword: &Word, [name, value]: [Option<Word<'a>>; 2]) -> Result<(), Diagnostic> {
        let is_list = keyword.value.starts_with('l');
        let Some(name) = name.filter(|name| !name.value.is_empty()) else {
            return Err(fatal(keyword.at, "the option's name is missing").help("for example: option enabled '1'"));
        };
        if !is_identifier(&name.value) {
            let message = format!("{} cannot be an option name", quote(&name.value));
            return Err(fatal(name.at, message).help("option names have only letters a-z, digits and underscores"));
        }
        let section = match self.current {
            Current::Section(index) => index,
            Current::Broken => return Ok(()),
            Current::None => {
                return Err(fatal(keyword.at, "this option stands before any section")
                    .help("begin a section above it, for example: config globals 'globals'"));
            }
        };
        let value = value.unwrap_or(Spanned { value: Cow::Borrowed(""), at: name.at });
        if value.value.is_empty() && !is_list {
            let message = format!("option {} has no value, so it counts as not written", quote(&name.value));
            self.warnings
                .push(Diagnostic::new(Severity::Warning, value.at, message).help("delete the line, or give a value"));
            return Ok(());
        }
        self.store(section, name, value, is_list);
        Ok(())
    }

    /// An `option` replaces what was there, a `list` adds to it; the first place is kept.
    fn store(&mut self, section: usize, name: Word<'a>, value: Word<'a>, is_list: bool) {
        let Some(options) = self.document.sections.get_mut(section).map(|section| &mut section.options) else {
            return;
        };
        match options.iter_mut().find(|option| option.name.value == name.value) {
            Some(option) if is_list => {
                option.values.push(value);
                option.is_list = true;
            }
            Some(option) => {
                option.values = vec![value];
                option.is_list = false;
            }
            None => options.push(RawOption { name, values: vec![value], is_list }),
        }
    }
}

/// `package NAME` is accepted and ignored: the file name is the package.
fn package(keyword: &Word, [name, extra]: [Option<Word>; 2]) -> Result<(), Diagnostic> {
    no_more(extra, "a package has one name")?;
    match name {
        Some(_) => Ok(()),
        None => Err(fatal(keyword.at, "the package's name is missing").help("the line is not needed: delete it")),
    }
}

fn no_more(extra: Option<Word>, help: &str) -> Result<(), Diagnostic> {
    match extra {
        Some(word) => {
            Err(fatal(word.at, format!("too many words: {} was not expected here", quote(&word.value))).help(help))
        }
        None => Ok(()),
    }
}

fn unknown_keyword(word: &str, at: Position) -> Diagnostic {
    if word.starts_with('\u{feff}') {
        return fatal(at, "the file begins with a byte order mark").help("save it as UTF-8 without one ('BOM')");
    }
    fatal(at, format!("{} is not a UCI keyword", quote(word)))
        .help("a line begins with config, option or list (or # for a comment), in lower case")
}

fn fatal(at: Position, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Fatal, at, message)
}

fn is_identifier(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
