//! What the owner wrote, as typed values.
//!
//! Text (`uci` or `json`) becomes a [`source::Document`], and one validator turns that into a
//! [`model::Config`] and a list of [`diagnostics::Diagnostic`]s: all of them, never only the first.

pub mod diagnostics;
pub mod model;
pub mod source;
