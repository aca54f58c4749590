#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

/// The beginning of 2038 and of 2040.
const YEARS: (i64, i64) = (2_145_916_800, 2_208_988_800);

/// Zones as zoneinfo has them: the offset at the beginning of 2038, and all changes in that year and the next, as Python's
/// `zoneinfo` computes them from these texts.
type Known = (&'static str, i64, &'static [(i64, i64)]);

#[rustfmt::skip]
const KNOWN: [Known; 15] = [
    // Berlin, New York, São Paulo.
    ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, &[(2153350800, 7200), (2172099600, 3600), (2184800400, 7200), (2203549200, 3600)]),
    ("EST5EDT,M3.2.0,M11.1.0", -18000, &[(2152162800, -14400), (2172722400, -18000), (2183612400, -14400), (2204172000, -18000)]),
    ("EST5EDT", -18000, &[(2152162800, -14400), (2172722400, -18000), (2183612400, -14400), (2204172000, -18000)]),
    ("<-03>3", -10800, &[]),
    // South of the equator: Sydney, Santiago (at 24 o'clock), Chatham, Lord Howe (half an hour).
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39600, &[(2153923200, 36000), (2169648000, 39600), (2185372800, 36000), (2201097600, 39600)]),
    ("<-04>4<-03>,M9.1.6/24,M4.1.6/24", -10800, &[(2153962800, -14400), (2167272000, -10800), (2185412400, -14400), (2198721600, -10800)]),
    ("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", 49500, &[(2153916000, 45900), (2169036000, 49500), (2185365600, 45900), (2200485600, 49500)]),
    ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 39600, &[(2153919600, 37800), (2169646200, 39600), (2185369200, 37800), (2201095800, 39600)]),
    // Times outside of the day: Nuuk, Jerusalem, Gaza.
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, &[(2153350800, -3600), (2172099600, -7200), (2184800400, -3600), (2203549200, -7200)]),
    ("IST-2IDT,M3.4.4/26,M10.5.0", 7200, &[(2153174400, 10800), (2172092400, 7200), (2184624000, 10800), (2203542000, 7200)]),
    ("EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, &[(2153260800, 10800), (2172006000, 7200), (2184710400, 10800), (2203455600, 7200)]),
    // Dublin's daylight saving is in winter, and negative.
    ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, &[(2153350800, 3600), (2172099600, 0), (2184800400, 3600), (2203549200, 0)]),
    ("<+0545>-5:45", 20700, &[]),
    // Daylight saving all the year: the example of RFC 8536.
    ("XXX3EDT4,0/0,J365/23", -14400, &[]),
    ("UTC", 0, &[]),
];

#[test]
fn changes_are_when_they_are_known_to_be() {
    for (text, offset, changes) in KNOWN {
        let zone: Zone = text.parse().unwrap();
        assert_eq!(zone.offset_at(YEARS.0), offset, "{text}");
        let mut found = Vec::new();
        let mut at = YEARS.0;
        while let Some(next) = zone.next_change(at).filter(|next| *next < YEARS.1) {
            found.push((next, zone.offset_at(next)));
            at = next;
        }
        assert_eq!(found, changes, "{text}");
    }
}

#[test]
fn a_day_counted_from_0_and_one_counted_from_1_differ_in_leap_years() {
    let days: Zone = "AAA0BBB,59/0,J60/2".parse().unwrap();
    // From 1 March 0:00 to 1 March 2:00, as glibc has it; in a leap year from 29 February.
    let expected = [1_772_323_200, 1_772_326_800, 1_803_859_200, 1_803_862_800, 1_835_395_200, 1_835_485_200];
    let mut at = 1_767_225_600;
    for change in expected {
        assert_eq!(days.next_change(at), Some(change));
        at = change;
    }
}

#[test]
fn an_hour_that_is_left_out_has_no_instant_and_a_doubled_one_has_its_first() {
    let berlin: Zone = "CET-1CEST,M3.5.0,M10.5.0/3".parse().unwrap();
    let (spring, autumn) = (1_774_746_000, 1_792_890_000);
    assert_eq!(berlin.local(spring).date_and_time(), "2026-03-29 03:00:00");
    assert_eq!(berlin.local(spring - 1).to_string(), "Sun 01:59:59");
    assert_eq!(berlin.instant(Local(spring + 3600 + 1800)), None);
    assert_eq!(berlin.local(autumn).date_and_time(), "2026-10-25 02:00:00");
    assert_eq!(berlin.instant(Local(autumn + 3600 + 1800)), Some(autumn - 1800));
}

/// A zone with any rules; now and then one of a known place.
pub fn any_zone() -> impl Strategy<Value = Zone> {
    let day = prop_oneof![
        (1..=365i64).prop_map(Day::Julian),
        (0..=365i64).prop_map(Day::Ordinal),
        (1..=12usize, 1..=5i64, 0..=6u8).prop_map(|(month, week, weekday)| Day::Month { month, week, weekday }),
    ];
    let switch = (day, -168 * 3600..=168 * 3600i64).prop_map(|(day, time)| Switch { day, time });
    let daylight = (-50_000..=50_000i64, switch.clone(), switch);
    let daylight = daylight.prop_map(|(offset, begins, ends)| Daylight { offset, begins, ends });
    let any = (-50_000..=50_000i64, prop::option::weighted(0.9, daylight));
    prop_oneof![
        any.prop_map(|(standard, daylight)| Zone { standard, daylight }),
        prop::sample::select(&KNOWN[..]).prop_map(|(text, ..)| text.parse().unwrap()),
    ]
}

proptest! {
    #[test]
    fn the_next_change_is_the_first(zone in any_zone(), instant in 0..4_000_000_000i64, between in 0.0..1.0f64) {
        let offset = zone.offset_at(instant);
        let end = zone.next_change(instant).unwrap_or(instant + 366 * DAY);
        let before = instant + ((end - 1 - instant) as f64 * between) as i64;
        prop_assert_eq!(zone.offset_at(before), offset);
        prop_assert_eq!(zone.offset_at(end - 1), offset);
        if zone.next_change(instant).is_some() {
            prop_assert_ne!(zone.offset_at(end), offset);
            prop_assert!(end - instant < 367 * 2 * DAY);
        }
    }

    #[test]
    fn there_and_back(zone in any_zone(), instant in -1_000_000_000..4_000_000_000i64) {
        let local = zone.local(instant);
        let back = zone.instant(local).unwrap();
        prop_assert_eq!(zone.local(back), local);
        prop_assert!(back <= instant);
    }
}

#[test]
fn saving_time_that_ends_after_the_next_one_has_begun_is_the_same_from_every_year() {
    // It ends at three in the morning of New Year, UTC, and begins again at two: an hour each year.
    let zone: Zone = "XXX2EDT4,0/0,J365/23".parse().unwrap();
    let new_year = 31_536_000;
    for (hour, offset) in [(1, -2), (2, -4), (3, -2)] {
        assert_eq!(zone.offset_at(new_year + hour * 3600), offset * 3600, "{hour}");
    }
    assert_eq!(zone.next_change(new_year / 2), Some(new_year + 2 * 3600));
    assert_eq!(zone.next_change(new_year + 2 * 3600), Some(new_year + 3 * 3600));
}
