//! One round on its way.

use super::{Moment, Outcome};
use std::time::Duration;

/// A round on its way. The hosts are bits.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) number: u32,
    pub(super) at: Moment,
    pub(super) answered: u32,
    pub(super) lost: u32,
    pub(super) unsent: u32,
    /// How long the slowest answer so far took, of those that count.
    pub(super) rtt: Option<Duration>,
    /// Set as soon as it is certain.
    pub(super) outcome: Option<Outcome>,
    pub(super) reported: bool,
}

impl Sent {
    pub(super) fn new(number: u32, at: Moment) -> Self {
        Self { number, at, answered: 0, lost: 0, unsent: 0, rtt: None, outcome: None, reported: false }
    }

    /// The hosts of which nothing is known yet.
    pub(super) fn pending(&self, everyone: u32) -> u32 {
        everyone & !(self.answered | self.lost | self.unsent)
    }

    /// Sets the outcome if it is certain, whatever the missing answers will be.
    pub(super) fn decide(&mut self, everyone: u32, reliability: u32) {
        self.outcome = self.outcome.or(self.verdict(everyone, reliability));
    }

    fn verdict(&self, everyone: u32, reliability: u32) -> Option<Outcome> {
        let answered = self.answered.count_ones();
        let pending = self.pending(everyone).count_ones();
        if answered >= reliability {
            Some(Outcome::Good)
        } else if answered + pending >= reliability {
            None
        } else if answered + pending + self.unsent.count_ones() >= reliability {
            // It might have been good, if all had been sent.
            (pending == 0).then_some(Outcome::Void)
        } else {
            Some(Outcome::Failed)
        }
    }
}
