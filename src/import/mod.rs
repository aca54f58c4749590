//! Other programs' configurations, said in the words of wansplit. Pure: text in, text and remarks out.

pub mod draft;
pub mod remark;

pub use draft::{Draft, Section};
pub use remark::{Kind, Remark};

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The configuration in wansplit's words, before it is written.
    pub draft: Draft,
    /// What could not be carried over as it was, in the order of the source.
    pub remarks: Vec<Remark>,
}
