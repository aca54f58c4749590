use super::*;
use crate::clock::DAY;

/// 22 November 2026, a Sunday.
const SUNDAY: i64 = 20_779;

/// Shortly before the midnight that ends a day.
fn late(day: i64) -> Local {
    Local(day * DAY + DAY - 1)
}

fn reading(index: u32, rx: u64, tx: u64) -> Reading {
    Reading { index, rx, tx }
}

/// What a meter has counted after these readings of one device, on one day.
fn counted(readings: &[Reading]) -> u64 {
    let mut meter = Meter::default();
    for reading in readings {
        meter.count(Period::Month, late(SUNDAY), &[("wwan0", *reading)]);
    }
    meter.used
}

#[test]
fn only_what_passes_while_it_looks_is_counted() {
    assert_eq!(counted(&[reading(3, 5000, 700)]), 0);
    assert_eq!(counted(&[reading(3, 5000, 700), reading(3, 5100, 701), reading(3, 5100, 801)]), 201);
}

#[test]
fn a_device_that_is_made_anew_counts_from_nothing() {
    assert_eq!(counted(&[reading(3, 5000, 700), reading(9, 40, 2), reading(9, 41, 2)]), 43);
    // While it is away it is not forgotten.
    let mut meter = Meter::default();
    for readings in [&[("ppp0", reading(3, 5000, 700))][..], &[], &[("ppp0", reading(9, 40, 2))]] {
        meter.count(Period::Month, late(SUNDAY), readings);
    }
    assert_eq!(meter.used, 42);
}

#[test]
fn a_counter_of_32_bits_turns_over_and_one_that_began_anew_does_not_seem_to() {
    let top = u64::from(u32::MAX);
    assert_eq!(counted(&[reading(3, top - 99, 0), reading(3, 50, 0)]), 150);
    assert_eq!(counted(&[reading(3, 1_000_000, 0), reading(3, 50, 0)]), 50, "it was switched off and on");
    assert_eq!(counted(&[reading(3, top * 8, 0), reading(3, 50, 0)]), 50, "it has more than 32 bits");
}

#[test]
fn a_tunnel_is_counted_once() {
    let mut meter = Meter::default();
    let both = |wan, tunnel| [("wan", reading(3, wan, 0)), ("6in4", reading(4, tunnel, 0))];
    meter.count(Period::Month, late(SUNDAY), &both(1000, 10));
    meter.count(Period::Month, late(SUNDAY), &both(1900, 500));
    assert_eq!(meter.used, 900);
}

#[test]
fn another_device_is_looked_at_from_its_first_reading_on() {
    let mut meter = Meter::default();
    for (name, bytes) in
        [("wwan0", 1000), ("wwan0", 1500), ("usb0", 9000), ("usb0", 9001), ("wwan0", 77), ("wwan0", 78)]
    {
        meter.count(Period::Month, late(SUNDAY), &[(name, reading(3, bytes, 0))]);
    }
    assert_eq!(meter.used, 502);
}

#[test]
fn periods_begin_at_their_first_day() {
    // 1 and 30 November; 1 December; the week's Monday.
    for (per, day, first) in [
        (Period::Day, SUNDAY, SUNDAY),
        (Period::Week, SUNDAY, SUNDAY - 6),
        (Period::Week, SUNDAY + 1, SUNDAY + 1),
        (Period::Month, SUNDAY, SUNDAY - 21),
        (Period::Month, SUNDAY - 21, SUNDAY - 21),
        (Period::Month, SUNDAY + 8, SUNDAY - 21),
        (Period::Month, SUNDAY + 9, SUNDAY + 9),
        (Period::Month, 0, 0),
        (Period::Week, 4, 4),
    ] {
        assert_eq!(first_day(per, late(day)), first, "{per:?} {day}");
    }
}

#[test]
fn a_new_period_begins_at_nothing_and_a_clock_that_is_set_does_not() {
    let quota = Quota { bytes: 1000, per: Period::Day };
    let mut meter = Meter::default();
    let mut bytes = 0;
    let mut on = |meter: &mut Meter, per, day| {
        bytes += 600;
        meter.count(per, late(day), &[("wwan0", reading(3, bytes, 0))]);
        meter.used
    };
    on(&mut meter, Period::Day, 0);
    assert_eq!(on(&mut meter, Period::Day, 0), 600, "the clock is not set yet");
    assert_eq!(meter.spent(quota), None);
    assert_eq!(on(&mut meter, Period::Day, SUNDAY), 1200, "now it is");
    assert_eq!(meter.spent(quota), Some(Spent { used: 1200, quota }));
    assert_eq!(on(&mut meter, Period::Day, SUNDAY + 1), 600, "the next day");
    assert_eq!(meter.spent(quota), None);
    assert_eq!(on(&mut meter, Period::Week, SUNDAY + 1), 600, "the owner counts otherwise now");
    assert_eq!(on(&mut meter, Period::Week, SUNDAY + 2), 1200);
    assert_eq!(meter.spent(quota), None, "what a week has used says nothing of a day");
}
