//! Which user ids there can be: all of them, but in a container only those it was lent.

use crate::config::model::LAST_USER;
use crate::interval::{Interval, IntervalSet};

/// The map of our user namespace: `FIRST-HERE FIRST-OUTSIDE COUNT` in each line.
const MAP: &str = "/proc/self/uid_map";

/// The user ids that cannot exist here. A kernel without user namespaces has no map, and all of them.
#[must_use]
pub fn absent() -> IntervalSet {
    std::fs::read_to_string(MAP).map_or_else(|_| IntervalSet::empty(), |map| beyond(&map))
}

pub(super) fn beyond(map: &str) -> IntervalSet {
    let lent = map.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(|word| word.parse::<u32>().ok());
        let (first, _, count) = (words.next()??, words.next()??, words.next()??);
        let last = first.checked_add(count.checked_sub(1)?)?;
        Some(Interval::new(first.into(), last.min(LAST_USER).into()))
    });
    lent.collect::<IntervalSet>().complement(LAST_USER.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_the_users_it_was_lent() {
        let all: IntervalSet = IntervalSet::full(LAST_USER.into());
        let from = |first| [Interval::new(first, LAST_USER.into())].into_iter().collect::<IntervalSet>();
        assert_eq!(beyond("         0          0 4294967295\n"), IntervalSet::empty());
        assert_eq!(beyond("         0     100000      65536\n"), from(65536));
        assert_eq!(beyond("0 1000 1\n1 100000 999\n"), from(1000));
        assert_eq!(beyond("         0       1000          1\n"), from(1));
        assert_eq!(beyond("0 0 0\n"), all);
        // No kernel writes such lines; they lend nothing.
        assert_eq!(beyond("99999999999999999999 0 1\n4294967295 0 4294967295\n"), all);
        assert_eq!(beyond(""), all);
    }
}
