//! A line of the system log, as RFC 3164 writes it.
//!
//! The crate's `Formatter3164` says the same, but brings a whole calendar library for its time stamp: 39 KB on MIPS.

use std::io::Write;
use std::time::{Duration, SystemTime};
use syslog::{Error, Facility, LogFormat, Severity};

/// With the days of a year that is no leap year.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// `<priority>Mmm dd hh:mm:ss wansplit[pid]: message`, without a host name.
///
/// OpenWrt's logd throws the stamp away and puts its own: it cuts 16 bytes where the sixteenth is a blank (`log_add` in
/// ubox's log/syslog.c). Without a stamp it would cut our name. Others, such as syslog-ng, read it.
pub struct Line;

impl LogFormat<&str> for Line {
    fn format<W: Write>(&self, socket: &mut W, severity: Severity, message: &str) -> syslog::Result<()> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        let line = format!("<{priority}>{} wansplit[{}]: {message}", stamp(since), std::process::id());
        // In one write: it is one datagram.
        socket.write_all(line.as_bytes()).map_err(Error::Write)
    }
}

/// The 15 characters of RFC 3164, in UTC as those of musl's `syslog()` are.
fn stamp(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}")
}

/// The month and the day of the month, so many days after 1 January 1970.
fn date(mut days: u64) -> (&'static str, u64) {
    let mut year = 1970_u64;
    loop {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        for (month, usual) in MONTHS {
            let length = if leap && month == "Feb" { 29 } else { usual };
            if days < length {
                return (month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Each as `date -u -d @SECONDS '+%b %e %T'` prints it.
    #[test]
    fn stamps_are_those_of_date() {
        let known = [
            (0, "Jan  1 00:00:00"),
            (951_782_399, "Feb 28 23:59:59"),
            (951_782_400, "Feb 29 00:00:00"),
            (951_868_800, "Mar  1 00:00:00"),
            (1_709_164_800, "Feb 29 00:00:00"),
            (1_735_689_599, "Dec 31 23:59:59"),
            (1_795_376_198, "Nov 22 19:36:38"),
            (4_107_542_400, "Mar  1 00:00:00"),
        ];
        for (seconds, text) in known {
            assert_eq!(stamp(Duration::from_secs(seconds)), text);
        }
    }

    /// One write, as a datagram is one write; and the sixteenth byte after the priority is the blank that logd looks for.
    #[test]
    fn a_line_is_one_write_that_logd_understands() {
        struct Writes(Vec<String>);
        impl Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut writes = Writes(Vec::new());
        Line.format(&mut writes, Severity::LOG_WARNING, "link EMB down").unwrap();
        let [line] = &writes.0[..] else { panic!("{} writes", writes.0.len()) };
        let rest = line.strip_prefix("<28>").unwrap();
        assert_eq!(rest.as_bytes()[15], b' ');
        assert_eq!(rest[16..], format!("wansplit[{}]: link EMB down", std::process::id()));
    }
}
