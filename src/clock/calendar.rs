//! Days and dates of the Gregorian calendar. Days are counted from the first of 1970.

/// Days of the months of a year that is no leap year.
const MONTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a year has a 29th of February.
pub fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// How long a month of a year is; months count from 1.
pub fn days_of_month(year: i64, month: usize) -> i64 {
    MONTHS[month - 1] + i64::from(month == 2 && is_leap(year))
}

/// The first day of a year.
pub fn new_year(year: i64) -> i64 {
    // The leap years between the years 1 and 1969 are 477.
    let last = year - 1;
    365 * (year - 1970) + last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400) - 477
}

/// The first day of a month of a year.
pub fn first_of_month(year: i64, month: usize) -> i64 {
    (1..month).fold(new_year(year), |days, month| days + days_of_month(year, month))
}

/// The year of a day.
pub fn year(day: i64) -> i64 {
    // 146,097 days are 400 years; with leap years unevenly spread among them that may be one off.
    let near = 1970 + (day * 400).div_euclid(146_097);
    if new_year(near) > day {
        near - 1
    } else if new_year(near + 1) <= day {
        near + 1
    } else {
        near
    }
}

/// Year, month from 1, and day of the month from 1.
pub fn date(day: i64) -> (i64, usize, i64) {
    let year = year(day);
    let mut rest = day - new_year(year);
    let mut month = 1;
    while rest >= days_of_month(year, month) {
        rest -= days_of_month(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

/// The day of the week; Monday is 0.
pub fn weekday(day: i64) -> u8 {
    // 1970 began on a Thursday.
    u8::try_from((day + 3).rem_euclid(7)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_thousand_years_follows_the_one_before() {
        let mut expected = (1700, 1, 1);
        for day in new_year(1700)..new_year(2700) {
            assert_eq!(date(day), expected, "{day}");
            let (year, month, of_month) = expected;
            expected = match (month, of_month == days_of_month(year, month)) {
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
                (_, false) => (year, month, of_month + 1),
            };
        }
        assert_eq!(new_year(1970), 0);
        assert_eq!(first_of_month(2026, 11) + 22 - 1, 20_779);
        assert_eq!((weekday(0), weekday(20_779)), (3, 6), "a Thursday, a Sunday");
    }
}
