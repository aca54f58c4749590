//! When a rule holds: days of the week, and a part of the day.

use crate::clock::{DAY, Local, Now};

/// Days of the week, and a span of time that begins on each of them. One that ends after midnight belongs to the day on
/// which it began: `fri`, 22:00 to 06:00, ends on Saturday at 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    days: u8,
    start: i64,
    length: i64,
}

/// A change must come within two weeks, or there is none: a span may fall into the hour that summer time leaves out.
const LONGEST: i64 = 15 * DAY;

impl Schedule {
    /// On these days (Monday is 0), from `start` to `stop`, in seconds since midnight; a `stop` that is not later is on
    /// the next day. Nothing if that is always or never.
    #[must_use]
    pub fn new(weekdays: impl IntoIterator<Item = u8>, start: i64, stop: i64) -> Option<Self> {
        let days = weekdays.into_iter().filter(|day| *day < 7).fold(0, |days, day| days | 1 << day);
        let length = if stop > start { stop - start } else { stop + DAY - start };
        let is_always = days == ALL_DAYS && length == DAY;
        let fits = (0..DAY).contains(&start) && (1..=DAY).contains(&length);
        (fits && days != 0 && !is_always).then_some(Self { days, start, length })
    }

    /// Whether it names a day; Monday is 0.
    #[must_use]
    pub fn has_day(&self, weekday: u8) -> bool {
        self.days >> weekday & 1 == 1
    }

    /// Whether it names every day.
    #[must_use]
    pub fn is_daily(&self) -> bool {
        self.days == ALL_DAYS
    }

    /// When it begins and ends, in seconds since midnight; nothing if it is whole days. It ends on the next day, if that is
    /// not later.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let end = self.start + self.length;
        (self.length < DAY || self.start > 0).then_some((self.start, if end > DAY { end - DAY } else { end }))
    }

    /// Whether it holds when the clocks show this.
    #[must_use]
    pub fn holds_at(&self, local: Local) -> bool {
        let (second, today) = (local.second_of_day(), local.weekday());
        let began = |day: u8, since: i64| self.has_day(day) && (0..self.length).contains(&since);
        began(today, second - self.start) || began((today + 6) % 7, second + DAY - self.start)
    }

    /// When that changes, by clocks that nobody turns; nothing if it never does.
    #[must_use]
    pub fn next_change(&self, after: Local) -> Option<Local> {
        let held = self.holds_at(after);
        let mut edges = Vec::with_capacity(20);
        for day in -1..=8 {
            let start = after.midnight().0 + day * DAY + self.start;
            edges.extend([Local(start), Local(start + self.length)]);
        }
        edges.retain(|edge| *edge > after && self.holds_at(*edge) != held);
        edges.into_iter().min()
    }

    /// When that changes, as an instant, by the clocks of a zone, which are turned twice a year.
    #[must_use]
    pub fn changes_after(&self, now: Now) -> Option<i64> {
        let Now { instant, zone } = now;
        let held = self.holds_at(now.local());
        let mut from = instant;
        while from < instant + LONGEST {
            let turned = zone.next_change(from).unwrap_or(i64::MAX);
            let change = self.next_change(zone.local(from)).map(|change| change.0 - zone.offset_at(from));
            match change.filter(|change| *change < turned) {
                Some(change) => return Some(change),
                None if turned == i64::MAX => return None,
                None if self.holds_at(zone.local(turned)) != held => return Some(turned),
                None => from = turned,
            }
        }
        None
    }
}

const ALL_DAYS: u8 = 0x7f;

#[cfg(test)]
mod tests;
