//! When a rule holds: `weekdays`, `start_time`, `stop_time`.

use super::section::{Complaint, Reported, Section};
use super::sets::numbers;
use crate::clock::{DAY, WEEKDAYS};
use crate::config::diagnostics::{Diagnostic, quote};
use crate::config::model::Schedule;
use crate::config::suggest::nearest;
use crate::interval::{Interval, IntervalSet};

/// Reads the three together; nothing if the rule always holds.
pub fn schedule(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<Schedule>, Reported> {
    let weekdays = numbers(section, "weekdays", Interval::new(0, 6), weekdays, diagnostics);
    let start = section.single("start_time", start, diagnostics);
    let stop = section.single("stop_time", time, diagnostics);
    // Everything is read before the first error counts, so that every fault is reported.
    let (weekdays, start, stop) = (weekdays?, start?, stop?);
    let at = stop.as_ref().or(start.as_ref()).map_or(section.at, |time| time.at);
    let (start, stop) = (start.map_or(0, |time| time.value), stop.map_or(DAY, |time| time.value));
    if start == stop {
        let help = "leave both out for whole days; 24:00 is the end of the day, as in: option stop_time '24:00'";
        let complaint = Complaint::new("it would begin and end at the same time", help);
        diagnostics.push(section.complain("stop_time", at, complaint));
        return Err(Reported);
    }
    let named = |day: &u8| weekdays.as_ref().is_none_or(|set| set.contains((*day).into()));
    Ok(Schedule::new((0..7).filter(named), start, stop))
}

/// A day, or a range of days, which may go past Sunday. Monday is 0.
fn weekdays(text: &str) -> Result<IntervalSet, Complaint> {
    let Some((first, last)) = text.split_once('-') else { return Ok(IntervalSet::single(named(text)?)) };
    if first.is_empty() || last.is_empty() {
        let message = format!("{} is not a range of days", quote(text));
        return Err(Complaint::new(message, "write the first and the last day, as mon-fri"));
    }
    let (first, last) = (named(first)?, named(last)?);
    let days = if first <= last {
        vec![Interval::new(first, last)]
    } else {
        vec![Interval::new(first, 6), Interval::new(0, last)]
    };
    Ok(days.into_iter().collect())
}

/// A day by its English name, or the first three letters of it. Monday is 0.
#[must_use]
pub fn weekday(text: &str) -> Option<u8> {
    let is = |name: &str| {
        text.eq_ignore_ascii_case(name) || name.get(..3).is_some_and(|short| text.eq_ignore_ascii_case(short))
    };
    (0..).zip(WEEKDAYS).find(|(_, name)| is(name)).map(|(number, _)| number)
}

/// `HH:MM` or `HH:MM:SS`, in seconds since midnight; `24:00` is the end of the day.
#[must_use]
pub fn time_of_day(text: &str) -> Option<i64> {
    time(text).ok()
}

fn named(text: &str) -> Result<u128, Complaint> {
    let short = || WEEKDAYS.iter().filter_map(|name| name.get(..3));
    match weekday(text) {
        Some(number) => Ok(number.into()),
        None => {
            let help = match nearest(text, WEEKDAYS.into_iter().chain(short())) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => format!("write one of {}, or a range, as mon-fri", short().collect::<Vec<_>>().join(", ")),
            };
            Err(Complaint::new(format!("{} is not a day of the week", quote(text)), help))
        }
    }
}

fn start(text: &str) -> Result<i64, Complaint> {
    match time(text)? {
        DAY => Err(Complaint::new("24:00 is the end of the day", "a day begins at 00:00")),
        time => Ok(time),
    }
}

/// `HH:MM` or `HH:MM:SS`, in seconds since midnight; `24:00` is the end of the day.
fn time(text: &str) -> Result<i64, Complaint> {
    let two_digits = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<i64> = text.split(':').filter(two_digits).filter_map(|part| part.parse().ok()).collect();
    let wrong =
        |what: &str| Complaint::new(format!("{} is {what}", quote(text)), "write hours and minutes, as 22:00 or 06:30");
    let (hours, minutes, seconds) = match parts.as_slice() {
        _ if parts.len() != text.split(':').count() => return Err(wrong("not a time of day")),
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return Err(wrong("not a time of day")),
    };
    let time = hours * 3600 + minutes * 60 + seconds;
    if time > DAY || minutes > 59 || seconds > 59 { Err(wrong("no time that a day has")) } else { Ok(time) }
}
