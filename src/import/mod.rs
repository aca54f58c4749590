//! Other programs' configurations, said in the words of wansplit. Pure: text in, text and remarks out.

mod accepted;
mod address;
pub mod draft;
mod foreign;
pub mod format;
mod mwan3;
mod names;
pub mod pbr;
mod ports;
pub mod remark;
pub mod script;

use crate::network::netifd::Interface;
pub use draft::{Draft, Section};
pub use format::Format;
pub use remark::{Kind, Remark};

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The configuration in wansplit's words, before it is written.
    pub draft: Draft,
    /// What could not be carried over as it was, in the order of the source.
    pub remarks: Vec<Remark>,
}

/// What an import may know besides the text.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What the text is called, for comments: its file.
    pub file: &'a str,
    /// netifd's interfaces, if they are known.
    pub interfaces: Option<&'a [Interface]>,
    /// More files that were named behind the first.
    pub more: &'a [Source],
}

/// A text and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its file.
    pub file: String,
    /// The text.
    pub text: String,
}
