#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3600;
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn holding(schedule: &Schedule) -> String {
    // 1970-01-05 was a Monday.
    let hours = (0..7 * 24).map(|hour| schedule.holds_at(Local(4 * DAY + hour * HOUR)));
    let hours: Vec<char> = hours.map(|holds| if holds { '#' } else { '.' }).collect();
    hours.chunks(24).map(|day| day.iter().collect::<String>() + "\n").collect()
}

#[test]
fn a_span_belongs_to_the_day_it_begins_on() {
    let friday_night = Schedule::new([4], 22 * HOUR, 6 * HOUR).unwrap();
    let none = ".".repeat(24) + "\n";
    let expected = none.repeat(4) + &".".repeat(22) + "##\n######" + &".".repeat(18) + "\n" + &none;
    assert_eq!(holding(&friday_night), expected);
    let sunday_night = Schedule::new([6], 23 * HOUR, HOUR).unwrap();
    let expected = "#".to_owned() + &".".repeat(23) + "\n" + &none.repeat(5) + &".".repeat(23) + "#\n";
    assert_eq!(holding(&sunday_night), expected);
    let days = Schedule::new([5, 6], 0, DAY).unwrap();
    assert_eq!(holding(&days), none.repeat(5) + &("#".repeat(24) + "\n").repeat(2));
    assert_eq!(holding(&Schedule::new(0..7, 22 * HOUR, 0).unwrap()), (".".repeat(22) + "##\n").repeat(7));
    assert_eq!(holding(&Schedule::new(0..7, 22 * HOUR, DAY).unwrap()), (".".repeat(22) + "##\n").repeat(7));
}

#[test]
fn always_and_never_are_no_schedules() {
    assert_eq!(Schedule::new(0..7, 0, DAY), None);
    assert_eq!(Schedule::new([], 0, DAY), None);
    assert_eq!(Schedule::new([7], 0, DAY), None);
    assert_eq!(Schedule::new([1], DAY, DAY), None);
}

/// The next changes after an instant, as the clocks show them.
fn changes(schedule: &Schedule, zone: &str, mut instant: i64, count: usize) -> Vec<String> {
    let zone = zone.parse().unwrap();
    let mut said = Vec::new();
    for _ in 0..count {
        instant = schedule.changes_after(Now { instant, zone }).unwrap();
        said.push(format!("{} {}", zone.local(instant).date_and_time(), schedule.holds_at(zone.local(instant))));
    }
    said
}

#[test]
fn summer_time_begins_and_ends() {
    // Saturday, 28 March 2026, 12:00; in the night the clocks go from 2 to 3.
    let spring = 1_774_695_600;
    let night = Schedule::new(0..7, 22 * HOUR, 6 * HOUR).unwrap();
    let expected = ["2026-03-28 22:00:00 true", "2026-03-29 06:00:00 false", "2026-03-29 22:00:00 true"];
    assert_eq!(changes(&night, BERLIN, spring, 3), expected);
    // What begins in the hour that is left out begins when the clocks are there.
    let left_out = Schedule::new(0..7, 2 * HOUR + 1800, 4 * HOUR).unwrap();
    assert_eq!(changes(&left_out, BERLIN, spring, 2), ["2026-03-29 03:00:00 true", "2026-03-29 04:00:00 false"]);
    // What is wholly within it does not come that night.
    let swallowed = Schedule::new([6], 2 * HOUR, 3 * HOUR).unwrap();
    assert_eq!(changes(&swallowed, BERLIN, spring, 2), ["2026-04-05 02:00:00 true", "2026-04-05 03:00:00 false"]);
    // Saturday, 24 October 2026, 12:00; in the night the clocks go from 3 back to 2.
    let autumn = 1_792_836_000;
    let doubled = Schedule::new(0..7, 2 * HOUR + 1800, 4 * HOUR).unwrap();
    let expected = ["2026-10-25 02:30:00 true", "2026-10-25 02:00:00 false", "2026-10-25 02:30:00 true"];
    assert_eq!(changes(&doubled, BERLIN, autumn, 3), expected, "the clocks decide");
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let edge = || prop_oneof![(0..24i64).prop_map(|hour| hour * HOUR), 0..DAY];
    let parts = (prop::collection::vec(0..7u8, 1..7), edge(), edge());
    parts.prop_filter_map("always", |(days, start, stop)| Schedule::new(days, start, stop))
}

fn any_zone() -> impl Strategy<Value = crate::clock::Zone> {
    let zones = ["UTC", BERLIN, "<-03>3", "AEST-10AEDT,M10.1.0,M4.1.0/3", "IST-1GMT0,M10.5.0,M3.5.0/1", "<+0545>-5:45"];
    prop::sample::select(zones.to_vec()).prop_map(|zone| zone.parse().unwrap())
}

proptest! {
    #[test]
    fn the_next_change_is_the_first(schedule in any_schedule(), zone in any_zone(), instant in 0..4_000_000_000i64) {
        let now = Now { instant, zone };
        let held = schedule.holds_at(now.local());
        let change = schedule.changes_after(now);
        let end = change.unwrap_or(instant + 14 * DAY);
        prop_assert!(end > instant);
        // Every minute, and the seconds round each quarter: there the clocks are turned.
        let between = (instant..end).step_by(60).chain((instant - instant % 900..=end).step_by(900).flat_map(|at| [at - 1, at]));
        for at in between.filter(|at| (instant..end).contains(at)).chain([end - 1]) {
            prop_assert_eq!(schedule.holds_at(zone.local(at)), held, "{}", zone.local(at).date_and_time());
        }
        if let Some(change) = change {
            prop_assert_ne!(schedule.holds_at(zone.local(change)), held);
        }
    }

    #[test]
    fn it_holds_on_its_days_in_its_span_and_at_no_other_time(
        days in prop::collection::btree_set(0..7u8, 1..7),
        start in 0..DAY,
        stop in 1..=DAY,
        local in 0..4_000_000_000i64,
    ) {
        prop_assume!(start != stop);
        let schedule = Schedule::new(days.iter().copied(), start, stop).unwrap();
        let local = Local(local);
        let (today, second) = (local.weekday(), local.second_of_day());
        let yesterday = (today + 6) % 7;
        let expected = if start < stop {
            days.contains(&today) && start <= second && second < stop
        } else {
            (days.contains(&today) && second >= start) || (days.contains(&yesterday) && second < stop)
        };
        prop_assert_eq!(schedule.holds_at(local), expected);
    }
}
