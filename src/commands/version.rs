//! `wansplit version`.

use super::{Exit, say};
use argh::FromArgs;

/// Prints the version.
#[derive(FromArgs)]
#[argh(subcommand, name = "version")]
pub struct Version {}

/// Runs the verb.
#[must_use]
pub fn run() -> Exit {
    say(concat!("wansplit ", env!("CARGO_PKG_VERSION")));
    Exit::Done
}
