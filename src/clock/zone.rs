//! A time zone as POSIX describes it: an offset from UTC, and perhaps another one for a part of each year.

use super::{DAY, Local, calendar};

/// A zone. The default is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    /// Standard time's offset: seconds east of UTC.
    pub(super) standard: i64,
    /// Daylight saving time, if there is any.
    pub(super) daylight: Option<Daylight>,
}

/// Daylight saving time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daylight {
    /// Seconds east of UTC.
    pub(super) offset: i64,
    /// When it begins, in standard time.
    pub(super) begins: Switch,
    /// When it ends, in daylight saving time.
    pub(super) ends: Switch,
}

/// A moment of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The day.
    pub(super) day: Day,
    /// Seconds after that day's midnight, or before: up to a week either way (RFC 8536, 3.3.1).
    pub(super) time: i64,
}

/// A day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// `Jn`: from 1; the 29th of February is never counted.
    Julian(i64),
    /// `n`: from 0; the 29th of February counts.
    Ordinal(i64),
    /// `Mm.w.d`: the `w`th of a weekday in a month, the last if there are not that many. Monday is 0 here.
    Month {
        /// From 1.
        month: usize,
        /// 1 to 5.
        week: i64,
        /// Monday is 0.
        weekday: u8,
    },
}

impl Zone {
    /// Seconds east of UTC at an instant.
    #[must_use]
    pub fn offset_at(&self, instant: i64) -> i64 {
        let mut last = (i64::MIN, self.standard);
        for (at, offset) in self.switches(instant) {
            // Where the end of one year's daylight saving is the beginning of the next one's, there is no end.
            if at <= instant && at >= last.0 {
                last = (at, offset);
            }
        }
        last.1
    }

    /// What the clocks on the walls show at an instant.
    #[must_use]
    pub fn local(&self, instant: i64) -> Local {
        Local(instant + self.offset_at(instant))
    }

    /// The first instant at which the clocks show this; none if they leave it out.
    #[must_use]
    pub fn instant(&self, local: Local) -> Option<i64> {
        let offsets = [Some(self.standard), self.daylight.map(|daylight| daylight.offset)];
        let instants = offsets.into_iter().flatten().map(|offset| local.0 - offset);
        instants.filter(|instant| self.local(*instant) == local).min()
    }

    /// The first instant after this one at which the offset is another one; none if it stays for ever.
    #[must_use]
    pub fn next_change(&self, after: i64) -> Option<i64> {
        let offset = self.offset_at(after);
        let mut later = self.switches(after);
        later.retain(|(at, _)| *at > after && self.offset_at(*at) != offset);
        later.iter().map(|(at, _)| *at).min()
    }

    /// All changes of the years round an instant, and the offset that begins with each; in order, year by year.
    fn switches(&self, instant: i64) -> Vec<(i64, i64)> {
        let Some(daylight) = self.daylight else { return Vec::new() };
        let year = calendar::year(instant.div_euclid(DAY));
        let mut switches = Vec::with_capacity(10);
        // What is said for the end of a year may come in the first week of the next one, and stands until the year after
        // that.
        for year in year - 2..=year + 2 {
            switches.push((daylight.ends.instant(year, daylight.offset), self.standard));
            switches.push((daylight.begins.instant(year, self.standard), daylight.offset));
        }
        switches
    }
}

impl Switch {
    /// When it is in a year, as clocks with this offset show it.
    fn instant(&self, year: i64, offset: i64) -> i64 {
        self.day.in_year(year) * DAY + self.time - offset
    }
}

impl Day {
    fn in_year(self, year: i64) -> i64 {
        let new_year = calendar::new_year(year);
        match self {
            Self::Julian(n) => new_year + n - 1 + i64::from(n >= 60 && calendar::is_leap(year)),
            Self::Ordinal(n) => new_year + n,
            Self::Month { month, week, weekday } => {
                let first = calendar::first_of_month(year, month);
                let until = (i64::from(weekday) - i64::from(calendar::weekday(first))).rem_euclid(7);
                let of_month = until + 7 * (week - 1);
                let beyond = of_month >= calendar::days_of_month(year, month);
                first + if beyond { of_month - 7 } else { of_month }
            }
        }
    }
}

#[cfg(test)]
mod tests;
