//! How much a metered link has carried in the running period, from the counters of its devices.

use crate::clock::Local;
use crate::config::model::{Period, Quota};
use crate::map::Map;

/// Before 2020 no clock was right: a router without a battery begins in 1970, or when its firmware was built.
const FIRST_BELIEVED: i64 = 18_262;
/// Half of what a counter of 32 bits can tell.
const HALF: u64 = 1 << 31;

/// What the kernel has counted of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The device's number: one that is made anew gets another, and counts from 0.
    pub index: u32,
    /// Bytes received.
    pub rx: u64,
    /// Bytes sent.
    pub tx: u64,
}

/// A link that has carried all that its owner allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Bytes in the running period.
    pub used: u64,
    /// What it may carry.
    pub quota: Quota,
}

/// What one link has carried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meter {
    /// The period it counts in.
    pub per: Period,
    /// The running period's first day, counted from the first of 1970.
    pub since: i64,
    /// Bytes since then, both directions.
    pub used: u64,
    /// Each device as it was read last.
    pub devices: Map<String, Reading>,
}

impl Meter {
    /// Takes in what the devices of the link say at this time. A device that is seen for the first time has counted
    /// nothing yet.
    pub fn count(&mut self, per: Period, now: Local, readings: &[(&str, Reading)]) {
        let since = first_day(per, now);
        let other = (per, since) != (self.per, self.since);
        if other && (per != self.per || self.since >= FIRST_BELIEVED) {
            self.used = 0;
        }
        (self.per, self.since) = (per, since);
        let carried = |(name, now): &(&str, Reading)| self.devices.get(*name).map_or(0, |before| now.after(*before));
        // With one device for each family the one is a tunnel through the other, most likely: the other counts it too.
        self.used = self.used.saturating_add(readings.iter().map(carried).max().unwrap_or(0));
        if readings.iter().any(|(name, _)| self.devices.get(*name).is_none()) {
            // The link has moved to other devices.
            self.devices = Map::new();
        }
        // One that is away for a moment is remembered: when it is back, it has another number.
        self.devices.extend(readings.iter().map(|(name, reading)| ((*name).to_owned(), *reading)));
    }

    /// Whether that is all that the link may carry.
    #[must_use]
    pub fn spent(&self, quota: Quota) -> Option<Spent> {
        (self.per == quota.per && self.used >= quota.bytes).then_some(Spent { used: self.used, quota })
    }
}

impl Reading {
    /// Bytes since an earlier reading.
    fn after(self, before: Self) -> u64 {
        if self.index != before.index {
            return self.rx.saturating_add(self.tx);
        }
        passed(before.rx, self.rx).saturating_add(passed(before.tx, self.tx))
    }
}

/// How far a counter has come. Some drivers count in 32 bits, so that theirs turns over; and some begin at 0 when the device
/// is switched on.
fn passed(before: u64, now: u64) -> u64 {
    let short = u64::from(u32::MAX);
    let turned = now.wrapping_sub(before) & short;
    match now.checked_sub(before) {
        Some(more) => more,
        None if before <= short && turned < HALF => turned,
        None => now,
    }
}

/// The first day of the period that a moment is in; weeks begin on Monday.
fn first_day(per: Period, now: Local) -> i64 {
    match per {
        Period::Day => now.day(),
        Period::Week => now.day() - i64::from(now.weekday()),
        Period::Month => now.day() - (now.day_of_month() - 1),
    }
}

#[cfg(test)]
mod tests;
