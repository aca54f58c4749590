//! What a link can do, and how much it may carry: `speed`, `max` and `max_per`.

use super::section::{Complaint, Section};
use super::values::quantity;
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{Period, Quota};

/// In kbit/s. A number alone is in Mbit/s: so providers sell them.
const SPEED_UNITS: [(&str, u64); 4] = [("k", 1), ("M", 1000), ("G", 1_000_000), ("", 1000)];
/// 1000 Gbit/s.
const FASTEST: u64 = 1_000_000_000;
/// A number alone could be meant in any of them, so it is none.
const BYTE_UNITS: [(&str, u64); 4] = [("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)];
/// Less than that is a mistake.
const LEAST: u64 = 1000;
/// 1000 TB.
const MOST: u64 = 1_000_000_000_000_000;

/// A speed, in kbit/s.
pub fn speed(text: &str) -> Result<u32, Complaint> {
    let speed = quantity(text, &SPEED_UNITS).filter(|speed| (1..=FASTEST).contains(speed));
    speed.and_then(|speed| u32::try_from(speed).ok()).ok_or_else(|| {
        let message = format!("{} is not a speed from 1k to 1000G", quote(text));
        Complaint::new(message, "write bits a second as 512k, 300M or 2.5G; a number alone is in Mbit/s")
    })
}

/// How much the link may carry.
pub fn quota(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Option<Quota> {
    let per = section.word("max_per", diagnostics);
    let bytes = section.single("max", bytes, diagnostics);
    let per = match per {
        Ok(word) => Period::ALL.into_iter().find(|period| Some(period.word()) == word).unwrap_or_default(),
        Err(_) => Period::default(),
    };
    let bytes = bytes.ok()?;
    if let (None, Some(at)) = (&bytes, section.place("max_per")) {
        let complaint =
            Complaint::new("it has no effect without max", "add for example: option max '10G', or delete it");
        diagnostics.push(section.remark(Severity::Warning, "max_per", at, complaint));
    }
    Some(Quota { bytes: bytes?.value, per })
}

fn bytes(text: &str) -> Result<u64, Complaint> {
    quantity(text, &BYTE_UNITS).filter(|bytes| (LEAST..=MOST).contains(bytes)).ok_or_else(|| {
        let message = format!("{} is not a number of bytes from 1k to 1000T", quote(text));
        Complaint::new(message, "write it with its unit: 500M, 10G or 1.5T (1G is 1000M)")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_in_kilobits() {
        for (text, expected) in [
            ("300M", Some(300_000)),
            ("300", Some(300_000)),
            ("1G", Some(1_000_000)),
            ("2.5G", Some(2_500_000)),
            ("512k", Some(512)),
            ("0.5", Some(500)),
            ("1000G", Some(1_000_000_000)),
            ("1001G", None),
            ("0", None),
            ("0.5k", None),
            ("300m", None),
            ("300 M", None),
            ("300Mbit", None),
            ("-1", None),
            ("", None),
            ("M", None),
        ] {
            assert_eq!(speed(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_need_their_unit() {
        for (text, expected) in [
            ("10G", Some(10_000_000_000)),
            ("1.5T", Some(1_500_000_000_000)),
            ("500M", Some(500_000_000)),
            ("1k", Some(1000)),
            ("1000T", Some(MOST)),
            ("1001T", None),
            ("99999999999999999999T", None),
            ("10000000000", None),
            ("10g", None),
            ("10GB", None),
            ("0G", None),
            ("0.5k", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text:?}");
        }
    }
}
