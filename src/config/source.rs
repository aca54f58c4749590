//! A configuration as it stands in its file: sections and options with positions, meaning nothing yet.
//!
//! Both notations, UCI and JSON, end here; everything behind it is the same for both.

use std::borrow::Cow;

/// A place in the configuration file. Lines and columns count from 1; a column is a character, not a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The line, from 1; 0 means the file as a whole.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place behind one more byte of UTF-8 text. Only the first byte of a character counts as a column.
    #[must_use]
    pub fn after(self, byte: u8) -> Self {
        match byte {
            b'\n' => Self { line: self.line.saturating_add(1), column: 1 },
            0x80..=0xbf => self,
            _ => Self { column: self.column.saturating_add(1), ..self },
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it starts. The text of a quoted value starts behind its quote.
    pub at: Position,
}

/// A piece of the file's text: borrowed from the file where it stands there in one piece, without escapes.
pub type Word<'a> = Spanned<Cow<'a, str>>;

impl<T: AsRef<str>> Spanned<T> {
    /// The same text, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Spanned<&str> {
        Spanned { value: self.value.as_ref(), at: self.at }
    }

    /// The words between blanks, each with its own place. The places are exact unless the value was written with
    /// escapes or in several quoted parts.
    #[must_use]
    pub fn words(&self) -> Vec<Spanned<&str>> {
        let mut words = Vec::new();
        let mut at = self.at;
        for piece in self.value.as_ref().split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let word = piece.trim_end_matches(|c: char| c.is_ascii_whitespace());
            if !word.is_empty() {
                words.push(Spanned { value: word, at });
            }
            at = piece.bytes().fold(at, Position::after);
        }
        words
    }
}

/// `option` or `list` lines of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawOption<'a> {
    /// The option's name and where it was first written.
    pub name: Word<'a>,
    /// Its values: one for an `option`, any number for a `list`. Each has its own position.
    /// None at all: what was written cannot be a value, which has been reported.
    pub values: Vec<Word<'a>>,
    /// Whether it was written as a list.
    pub is_list: bool,
}

/// One `config TYPE 'NAME'` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSection<'a> {
    /// The type: `globals`, `link`, `policy`, `rule`, or something unknown.
    pub kind: Word<'a>,
    /// The name, if it has one.
    pub name: Option<Word<'a>>,
    /// Its options in the order of the file.
    pub options: Vec<RawOption<'a>>,
}

/// A whole configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document<'a> {
    /// The sections in the order of the file.
    pub sections: Vec<RawSection<'a>>,
}
