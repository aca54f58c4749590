//! What an import has to say about a line of the source.

use std::fmt;

/// One thing that was not carried over as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The line of the source, from 1; 0 if it is about the whole.
    pub line: usize,
    /// The section, as its owner knows it: `rule 'https'`; empty if it is about the whole.
    pub section: String,
    /// The option, if it is about one.
    pub option: Option<String>,
    /// What became of it.
    pub kind: Kind,
    /// Why, and what to do instead.
    pub text: String,
}

/// What became of a line of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is not in the result.
    Dropped,
    /// The result says something else, or only nearly the same.
    Changed,
    /// It is in the result as it was, but the owner should look at it.
    Look,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dropped => "dropped",
            Self::Changed => "changed",
            Self::Look => "look at this",
        })
    }
}

impl fmt::Display for Remark {
    /// `line 12: rule 'https', option sticky: changed: ...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        match (self.section.is_empty(), &self.option) {
            (true, None) => {}
            (true, Some(option)) => write!(f, "option {option}: ")?,
            (false, None) => write!(f, "{}: ", self.section)?,
            (false, Some(option)) => write!(f, "{}, option {option}: ", self.section)?,
        }
        write!(f, "{}: {}", self.kind, self.text)
    }
}
