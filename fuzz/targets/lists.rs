//! Files of a set: networks, ranges and addresses, one a line. And single entries, as the configuration has them.

use wansplit::config::entry;
use wansplit::config::model::Family;
use wansplit::interval::{Interval, IntervalSet, to_ipv4, to_ipv6, to_prefixes};
use wansplit::survey::lists::lines;

/// Takes one input.
pub fn run(text: &[u8]) {
    let mut intervals = [Vec::new(), Vec::new()];
    let mut problems = Vec::new();
    lines("file", text, &mut intervals, &mut problems);
    assert!(problems.iter().all(|problem| !problem.chars().any(char::is_control)), "{problems:?}");
    for (intervals, family) in intervals.into_iter().zip(Family::BOTH) {
        let set: IntervalSet = intervals.iter().copied().collect();
        assert!(intervals.iter().all(|one| set.contains(one.first()) && set.contains(one.last())));
        assert!(intervals.iter().all(|one| one.last() <= family.max_address()));
        let sorted: Vec<Interval> = set.iter().collect();
        assert!(sorted.windows(2).all(|pair| pair[0].last() + 1 < pair[1].first()), "{sorted:?}");
        for one in set.iter() {
            assert!(intervals.iter().any(|own| own.first() == one.first()));
            round_trip(one, family);
        }
    }
}

/// Written as a range, and as networks, it is the same again.
fn round_trip(interval: Interval, family: Family) {
    let address = |n| if family == Family::V4 { to_ipv4(n).to_string() } else { to_ipv6(n).to_string() };
    let range = format!("{}-{}", address(interval.first()), address(interval.last()));
    assert_eq!(entry(&range), Some((family, interval)), "{range}");
    let prefixes = to_prefixes(interval, family.width());
    let networks = prefixes.iter().map(|(first, length)| {
        let text = format!("{}/{length}", address(*first));
        entry(&text).unwrap_or_else(|| panic!("{text} is a network")).1
    });
    assert_eq!(networks.collect::<IntervalSet>(), [interval].into_iter().collect(), "{prefixes:?}");
}
