//! A configuration as it stands in its file: sections and options with positions, meaning nothing yet.
//!
//! Both notations, UCI and JSON, end here; everything behind it is the same for both.

/// A place in the configuration file. Lines and columns count from 1; a column is a character, not a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The line, from 1; 0 means the file as a whole.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it starts.
    pub at: Position,
}

/// `option` or `list` lines of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawOption {
    /// The option's name and where it was first written.
    pub name: Spanned<String>,
    /// Its values: one for an `option`, any number for a `list`. Each has its own position.
    pub values: Vec<Spanned<String>>,
    /// Whether it was written as a list.
    pub is_list: bool,
}

/// One `config TYPE 'NAME'` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSection {
    /// The type: `globals`, `link`, `policy`, `rule`, or something unknown.
    pub kind: Spanned<String>,
    /// The name, if it has one.
    pub name: Option<Spanned<String>>,
    /// Its options in the order of the file.
    pub options: Vec<RawOption>,
}

/// A whole configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The sections in the order of the file.
    pub sections: Vec<RawSection>,
}
