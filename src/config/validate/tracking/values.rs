//! Durations, percentages and numbers.

use crate::config::diagnostics::quote;
use crate::config::options::ValueKind;
use crate::config::validate::section::Complaint;
use crate::config::validate::values::{decimal, quantity};
use std::time::Duration;

/// The units of durations, in milliseconds; a number without one is in seconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("", 1000)];

/// A value of one of the kinds that are numbers within bounds. Durations are in milliseconds.
pub fn number(kind: ValueKind, text: &str) -> Result<u32, Complaint> {
    let (number, bounds, what) = match kind {
        ValueKind::Duration(least, most) => (milliseconds(text), (least, most), "a duration"),
        ValueKind::Percent => (decimal(text.strip_suffix('%').unwrap_or(text)), (1, 100), "a percentage"),
        ValueKind::Number(least, most) => (decimal(text), (least, most), "a number"),
        _ => (None, (0, 0), "a number"),
    };
    let (least, most) = bounds;
    if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
        return Ok(number);
    }
    let bounds = match kind {
        ValueKind::Duration(..) => [least, most].map(|bound| in_words(Duration::from_millis(bound.into()))),
        _ => [least, most].map(|bound| bound.to_string()),
    };
    let message = format!("{} is not {what} from {} to {}", quote(text), bounds[0], bounds[1]);
    let help = match kind {
        ValueKind::Duration(..) => "write it as 500ms, 2s, 1.5s or 1m; a number alone is in seconds",
        ValueKind::Percent => "write it as 40 or 40%",
        _ => "write it in digits",
    };
    Err(Complaint::new(message, help))
}

/// A duration as people write it: `1s`, `500ms`, `1.5s`, `2m`; a number alone is in seconds. It must be whole
/// milliseconds.
fn milliseconds(text: &str) -> Option<u32> {
    u32::try_from(quantity(text, &UNITS)?).ok()
}

/// A duration in its largest whole unit: `2m`, `1s`, `1500ms`.
pub fn in_words(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let fits = |(factor, _): &(u128, &str)| milliseconds > 0 && milliseconds.is_multiple_of(*factor);
    let (factor, unit) = units.into_iter().find(fits).unwrap_or((1, "ms"));
    format!("{}{unit}", milliseconds / factor)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_milliseconds() {
        let cases = [
            ("1s", Some(1000)),
            ("1", Some(1000)),
            ("0", Some(0)),
            ("007", Some(7000)),
            ("500ms", Some(500)),
            ("1.5s", Some(1500)),
            ("1.5", Some(1500)),
            ("0.25", Some(250)),
            ("0.001s", Some(1)),
            ("2m", Some(120_000)),
            ("0.5m", Some(30_000)),
            ("1h", Some(3_600_000)),
            ("0.0001s", None),
            ("1.5ms", None),
            ("1.000ms", Some(1)),
            ("", None),
            ("s", None),
            ("ms", None),
            (".5s", None),
            ("5.s", None),
            ("1.2.3", None),
            ("-1s", None),
            ("+1s", None),
            ("1 s", None),
            ("1S", None),
            ("1min", None),
            ("1sm", None),
            ("1e3", None),
            ("4294967295", None),
            ("99999999999999999999h", None),
            ("1.٣s", None),
        ];
        for (text, expected) in cases {
            assert_eq!(milliseconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_in_words_reads_back() {
        for number in [1, 250, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 3_600_001] {
            assert_eq!(milliseconds(&in_words(Duration::from_millis(number.into()))), Some(number));
        }
        assert_eq!(in_words(Duration::from_secs(120)), "2m");
        assert_eq!(in_words(Duration::ZERO), "0ms");
    }

    #[test]
    fn bounds_belong_to_the_range() {
        let duration = |text| number(ValueKind::Duration(100, 3_600_000), text).ok();
        assert_eq!(["100ms", "99ms", "1h", "61m"].map(duration), [Some(100), None, Some(3_600_000), None]);
        let percent = |text| number(ValueKind::Percent, text).ok();
        assert_eq!(["1", "40%", "100%", "0", "101", "40 %", "%", "40%%"].map(percent), {
            [Some(1), Some(40), Some(100), None, None, None, None, None]
        });
        let said = number(ValueKind::Duration(100, 3_600_000), "0").unwrap_err();
        assert_eq!(said.message, "'0' is not a duration from 100ms to 1h");
    }
}
