//! Whether a link works, from what its probes show and what the machine says of it. Pure: no I/O and no clock.
//!
//! [`Rounds`] says when which host is asked, and makes rounds of the answers; [`Judge`] makes a verdict of the rounds
//! and of whether the link is there at all. [`Meter`] counts what a metered link has carried. Both are for one link in one family. The caller owns the sockets and the
//! clock, and comes back at the latest when `deadline()` says so:
//!
//! 1. read every answer that is waiting: [`Rounds::answered`], [`Rounds::failed`];
//! 2. [`Rounds::finished`], and each round of it to [`Judge::round`]; [`Judge::tick`];
//! 3. [`Rounds::due`], and send what it says; [`Rounds::unsent`] for what could not be sent.

mod average;
mod damping;
mod judge;
mod meter;
mod rounds;
#[cfg(test)]
mod simulation;

pub use average::Statistics;
pub use judge::{Cause, Condition, Judge, Presence, Quality};
pub use meter::{Meter, Reading, Spent};
pub use rounds::{Outcome, Probe, Round, Rounds};

use std::time::Duration;

/// A moment, as the time since the daemon's start.
pub type Moment = Duration;

/// How long after the others' start the first round of the link at a place (from 0) should be, so that the probes of
/// many links do not leave all at once. Less than `interval`, and than a second.
#[must_use]
pub fn start_offset(place: usize, interval: Duration) -> Duration {
    // Multiples of the golden ratio lie evenly, however many they are.
    const GOLDEN: u32 = 0x9e37_79b9;
    let turn = u32::try_from(place).unwrap_or(0).wrapping_mul(GOLDEN) >> 24;
    interval.min(Duration::from_secs(1)) * turn / 256
}
