//! How POSIX writes a zone: `CET-1CEST,M3.5.0,M10.5.0/3`. The variable `TZ`, OpenWrt's `/etc/TZ` and the end of a TZif
//! file hold this.

use super::zone::{Day, Daylight, Switch, Zone};
use std::str::FromStr;

const HOUR: i64 = 3600;

/// When daylight saving time changes where the text does not say: the rule of the United States, as everywhere else.
const USUAL: &str = ",M3.2.0,M11.1.0";

/// A text is no zone as POSIX writes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAZone;

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Self, NotAZone> {
        // Strictly an offset must follow, but OpenWrt's default is this.
        if matches!(text, "UTC" | "GMT") {
            return Ok(Self::default());
        }
        let mut rest = Rest(text);
        zone(&mut rest).filter(|_| rest.0.is_empty()).ok_or(NotAZone)
    }
}

fn zone(rest: &mut Rest) -> Option<Zone> {
    rest.name()?;
    // West is positive here.
    let standard = -rest.offset(24)?;
    if rest.0.is_empty() {
        return Some(Zone { standard, daylight: None });
    }
    rest.name()?;
    let offset = if rest.0.is_empty() || rest.0.starts_with(',') { standard + HOUR } else { -rest.offset(24)? };
    if rest.0.is_empty() {
        *rest = Rest(USUAL);
    }
    let (begins, ends) = (rest.switch()?, rest.switch()?);
    Some(Zone { standard, daylight: Some(Daylight { offset, begins, ends }) })
}

/// What has not been read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// `CET`, `<-03>`: three characters or more.
    fn name(&mut self) -> Option<()> {
        let (name, rest) = match self.0.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>')?,
            None => self.0.split_at(self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len())),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-');
        self.0 = rest;
        (name.len() >= 3 && name.chars().all(fits)).then_some(())
    }

    /// `[+-]hh[:mm[:ss]]` in seconds, with at most so many hours.
    fn offset(&mut self, most: i64) -> Option<i64> {
        let sign = if self.skip('-') { -1 } else { 1 };
        if sign == 1 {
            self.skip('+');
        }
        let mut seconds = self.number(0, most)? * HOUR;
        for unit in [60, 1] {
            if !self.skip(':') {
                break;
            }
            seconds += self.number(0, 59)? * unit;
        }
        Some(sign * seconds)
    }

    /// `,day[/time]`; without a time it is two o'clock.
    fn switch(&mut self) -> Option<Switch> {
        if !self.skip(',') {
            return None;
        }
        let day = self.day()?;
        let time = if self.skip('/') { self.offset(167)? } else { 2 * HOUR };
        Some(Switch { day, time })
    }

    fn day(&mut self) -> Option<Day> {
        if self.skip('J') {
            return self.number(1, 365).map(Day::Julian);
        }
        if !self.skip('M') {
            return self.number(0, 365).map(Day::Ordinal);
        }
        let month = usize::try_from(self.number(1, 12)?).ok()?;
        let week = self.part(1, 5)?;
        // Sunday is 0 there.
        let weekday = u8::try_from((self.part(0, 6)? + 6) % 7).ok()?;
        Some(Day::Month { month, week, weekday })
    }

    fn part(&mut self, least: i64, most: i64) -> Option<i64> {
        if self.skip('.') { self.number(least, most) } else { None }
    }

    fn number(&mut self, least: i64, most: i64) -> Option<i64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok().filter(|number| (least..=most).contains(number))
    }

    fn skip(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in [
            "",
            "CET",
            "CE-1",
            "Europe/Berlin",
            ":CET-1",
            "CET-1CEST,",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,M3.5,M10.5.0",
            "CET-25",
            "CET-1:60",
            "CET-1CEST,J0,J365",
            "CET-1CEST,J1,J366",
            "CET-1CEST,0,366",
            "CET-1CEST,M3.5.0/168,M10.5.0",
            "<-03>",
            "<-03",
            "<a>3",
            "CET-1CEST,M3.5.0,M10.5.0/3 ",
            "CET-1CEST,M3.5.0,M10.5.0/3,",
            "CET--1",
            "CET-+1",
            "CET- 1",
            "<ä b>3",
            "CET-99999999999999999999",
        ] {
            assert_eq!(text.parse::<Zone>(), Err(NotAZone), "{text}");
        }
    }

    #[test]
    fn offsets_are_read_in_every_form() {
        for (text, standard) in [
            ("UTC", 0),
            ("GMT0", 0),
            ("UTC+0", 0),
            ("CET-1", 3600),
            ("<-03>3", -10_800),
            ("BRT3", -10_800),
            ("<+0545>-5:45", 20_700),
            ("LMT+0:01:15", -75),
            ("<+14>-14", 50_400),
            ("EST24:59:59", -89_999),
        ] {
            assert_eq!(text.parse(), Ok(Zone { standard, daylight: None }), "{text}");
        }
        assert_eq!("EST5EDT".parse::<Zone>(), "EST5EDT4,M3.2.0/2,M11.1.0/+2:00".parse());
    }
}
