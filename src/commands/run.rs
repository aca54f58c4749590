//! `wansplit run`.

use super::{Exit, Place};
use crate::daemon;
use argh::FromArgs;

/// The daemon: applies the configuration, watches the links, and keeps the kernel in the wanted state.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "run",
    note = "Stays in the foreground, and writes to the log. TERM ends it and leaves the state in place, HUP reads the configuration again, USR1 writes the status to the log.",
    error_code(3, "it cannot start: the log says why"),
    error_code(4, "another one runs")
)]
pub struct Run {}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, _verb: &Run) -> Exit {
    daemon::run(place)
}
