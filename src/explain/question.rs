//! The words of a question: addresses with ports.

use crate::clock::DAY;
use crate::config;
use crate::config::options::PROTOCOLS_WITH_PORTS;
use std::net::{IpAddr, SocketAddr};

/// Whether a protocol has ports.
#[must_use]
pub fn has_ports(protocol: u8) -> bool {
    PROTOCOLS_WITH_PORTS.iter().any(|(_, number)| *number == protocol)
}

/// An address, perhaps with a port: `1.1.1.1`, `1.1.1.1:53`, `2001:db8::1`, `[2001:db8::1]:53`.
///
/// # Errors
/// A sentence that says what would be right.
pub fn endpoint(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok((address, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(end) => Ok((end.ip(), Some(end.port()))),
        Err(_) => Err(format!(
            "'{text}' is no address: write 192.168.1.10, 192.168.1.10:443, 2001:db8::1 or [2001:db8::1]:443"
        )),
    }
}

/// A day of the week, perhaps, and a time of day in seconds: `fri 23:00`, `23:00`. Monday is 0.
///
/// # Errors
/// A sentence that says what would be right.
pub fn time_of_week(text: &str) -> Result<(Option<u8>, i64), String> {
    let wrong = || format!("'{text}' is no time: write 23:00, or \"fri 23:00\"");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (day, time) = match words.as_slice() {
        [time] => (None, *time),
        [day, time] => (Some(config::weekday(day).ok_or_else(wrong)?), *time),
        _ => return Err(wrong()),
    };
    config::time_of_day(time).filter(|time| *time < DAY).map(|time| (day, time)).ok_or_else(wrong)
}

/// An address with a port, as [`endpoint`] reads it.
#[must_use]
pub fn with_port(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}

#[cfg(test)]
mod tests {
    use super::time_of_week;
    use crate::clock::Now;

    #[test]
    fn a_time_of_the_week_is_the_next_one() {
        // Thursday, 1 January 1970, 12:00 in UTC.
        let now = Now { instant: 43_200, ..Now::default() };
        let when = |text: &str| time_of_week(text).map(|(day, second)| now.next(day, second).local().date_and_time());
        for (text, expected) in [
            ("23:00", "1970-01-01 23:00:00"),
            ("12:00", "1970-01-01 12:00:00"),
            ("11:59:59", "1970-01-02 11:59:59"),
            ("Friday 6:30", "1970-01-02 06:30:00"),
            (" thu  11:00 ", "1970-01-08 11:00:00"),
        ] {
            assert_eq!(when(text), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "fri", "24:00", "fri 24:00", "Fr 23:00", "fri 23:00 UTC", "23"] {
            assert!(when(text).is_err(), "{text}");
        }
    }
}
