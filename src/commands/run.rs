//! `wansplit run`.

use super::{Exit, Place};
use crate::daemon;
use argh::FromArgs;

/// The daemon: applies the configuration, watches the links, and keeps the kernel in the wanted state. Stays in the
/// foreground; TERM ends it and leaves the state in place, HUP reads the configuration again, USR1 writes the status to
/// the log.
#[derive(FromArgs)]
#[argh(subcommand, name = "run")]
pub struct Run {}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, _verb: &Run) -> Exit {
    daemon::run(place)
}
