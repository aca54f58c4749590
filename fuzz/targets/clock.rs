//! Time zones as POSIX writes them, and files of zoneinfo; and when a rule holds there.
//!
//! Input: a zone up to the first line end, or a TZif file; its last bytes are moments to ask about.

use wansplit::clock::{DAY, Now, Zone, footer};
use wansplit::config::model::Schedule;

/// Takes one input.
pub fn run(input: &[u8]) {
    let first_line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = if input.starts_with(b"TZif") { footer(input) } else { std::str::from_utf8(first_line).ok() };
    let Some(zone) = text.and_then(|text| text.trim().parse::<Zone>().ok()) else { return };
    let rest = input.get(first_line.len() + 1..).unwrap_or_default();
    for (n, moment) in rest.chunks(4).take(8).enumerate() {
        let number = moment.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        // From 1970 to 2106, and to the same time before.
        at(zone, if n % 4 == 3 { -number } else { number });
        schedule(Now { instant: number, zone }, moment);
    }
    at(zone, 1_784_000_000);
}

fn at(zone: Zone, instant: i64) {
    let offset = zone.offset_at(instant);
    assert!(offset.abs() <= 26 * 3600, "{offset}");
    let local = zone.local(instant);
    // An hour may come twice; it is the first of them that is named.
    let named = zone.instant(local).expect("the clocks show it");
    assert!(named <= instant && zone.local(named) == local);
    if let Some(change) = zone.next_change(instant) {
        assert!(change > instant, "{change} is not after {instant}");
        assert_ne!(zone.offset_at(change), offset, "at {change}");
        assert_eq!(zone.offset_at(change - 1), offset, "nothing changes between {instant} and {change}");
    }
}

/// A rule that holds at some times, at this moment.
fn schedule(now: Now, numbers: &[u8]) {
    let [days, start, stop, ..] = *numbers else { return };
    let weekdays = (0..7).filter(|day| days >> day & 1 == 1);
    let time = |byte: u8| i64::from(byte) * 1000 % DAY;
    let Some(schedule) = Schedule::new(weekdays, time(start), time(stop)) else { return };
    let holds = |instant| schedule.holds_at(Now { instant, ..now }.local());
    if let Some(change) = schedule.changes_after(now) {
        assert!(change > now.instant, "{change} is not after {}", now.instant);
        // It may change later than is said, never earlier.
        let step = ((change - now.instant) / 16).max(1);
        let between = (0..16).map(|n| now.instant + n * step).filter(|instant| *instant < change);
        assert!(between.into_iter().all(|instant| holds(instant) == holds(now.instant)), "it changes before {change}");
    }
    let next = now.next(Some(2), 3600);
    assert!(next.instant >= now.instant);
}
