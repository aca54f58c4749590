//! What time it is where the router stands: instants, the time of a zone, and when a zone changes its offset. Pure.

mod calendar;
mod notation;
mod tzif;
mod zone;

pub use tzif::footer;
pub use zone::Zone;

use std::fmt;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// The days of the week, by the number that [`Local::weekday`] gives.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A moment, and the zone it is looked at from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Seconds since 1970 in UTC.
    pub instant: i64,
    /// The zone.
    pub zone: Zone,
}

impl Now {
    /// What the clocks on the walls show.
    #[must_use]
    pub fn local(self) -> Local {
        self.zone.local(self.instant)
    }

    /// The next moment, or this one, at which the clocks show a time of day, on this day of the week if one is given.
    #[must_use]
    pub fn next(self, weekday: Option<u8>, second_of_day: i64) -> Self {
        let days = (0..=14).map(|day| Local(self.local().midnight().0 + day * DAY + second_of_day));
        let fitting = days.filter(|local| weekday.is_none_or(|weekday| local.weekday() == weekday));
        let instant = fitting.filter_map(|local| self.zone.instant(local)).find(|instant| *instant >= self.instant);
        Self { instant: instant.unwrap_or(self.instant), ..self }
    }
}

/// The time of day and the date as the clocks on the walls show them: the seconds they show since the beginning of 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local(pub i64);

impl Local {
    /// The day of the week; Monday is 0.
    #[must_use]
    pub fn weekday(self) -> u8 {
        calendar::weekday(self.day())
    }

    /// The day, counted from the first of 1970.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The day of the month, from 1.
    #[must_use]
    pub fn day_of_month(self) -> i64 {
        calendar::date(self.day()).2
    }

    /// Seconds since midnight.
    #[must_use]
    pub fn second_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// The midnight that began this day.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self(self.0 - self.second_of_day())
    }

    /// `2026-03-29 02:30:00`.
    #[must_use]
    pub fn date_and_time(self) -> String {
        let (year, month, day) = calendar::date(self.day());
        let second = self.second_of_day();
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}

/// `Sun 14:03`, with seconds if there are any.
impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(short(self.weekday()))?;
        write!(f, " {}", TimeOfDay(self.second_of_day()))
    }
}

/// `Mon`, `Tue` and so on.
#[must_use]
pub fn short(weekday: u8) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].get(usize::from(weekday)).copied().unwrap_or_default()
}

/// Seconds since midnight as people write them: `22:00`, `22:00:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub i64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60)?;
        if self.0 % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", self.0 % 60) }
    }
}
