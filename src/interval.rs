//! Sets of integers as sorted, disjoint, non-adjacent closed intervals.
//!
//! Addresses, ports, protocol numbers and DSCP values are all such sets; so one piece of arithmetic
//! serves the validator (negation), the rule compiler (an earlier rule's packets are taken out of a
//! later one) and `explain` (membership).

use crate::sort;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A closed interval `first..=last`; `first <= last` always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    first: u128,
    last: u128,
}

impl Interval {
    /// The interval between two values, whichever is the smaller.
    #[must_use]
    pub fn new(a: u128, b: u128) -> Self {
        Self { first: a.min(b), last: a.max(b) }
    }

    /// The interval that holds one value.
    #[must_use]
    pub fn single(value: u128) -> Self {
        Self { first: value, last: value }
    }

    /// The smallest value in it.
    #[must_use]
    pub fn first(self) -> u128 {
        self.first
    }

    /// The largest value in it.
    #[must_use]
    pub fn last(self) -> u128 {
        self.last
    }

    /// Whether it holds just one value.
    #[must_use]
    pub fn is_single(self) -> bool {
        self.first == self.last
    }

    /// Whether the value lies in it.
    #[must_use]
    pub fn contains(self, value: u128) -> bool {
        self.first <= value && value <= self.last
    }

    /// What two intervals have in common.
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }

    /// What lies in `self` below `other` and above it.
    #[must_use]
    pub fn subtract(self, other: Self) -> (Option<Self>, Option<Self>) {
        let below =
            (self.first < other.first).then(|| Self { first: self.first, last: self.last.min(other.first - 1) });
        let above = (self.last > other.last).then(|| Self { first: self.first.max(other.last + 1), last: self.last });
        (below, above)
    }
}

/// A set of integers. Two sets with the same members are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// The empty set.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The set of these intervals, in any order.
    fn normal(mut intervals: Vec<Interval>) -> Self {
        sort::by(&mut intervals, Ord::cmp);
        // Adjacent intervals become one too, so that equal sets are equal values.
        intervals.dedup_by(|next, last| {
            let joins = next.first <= last.last.saturating_add(1);
            if joins {
                last.last = last.last.max(next.last);
            }
            joins
        });
        Self(intervals)
    }

    /// Every value from 0 to `max`.
    #[must_use]
    pub fn full(max: u128) -> Self {
        Self(vec![Interval::new(0, max)])
    }

    /// The set that holds one value.
    #[must_use]
    pub fn single(value: u128) -> Self {
        Self(vec![Interval::single(value)])
    }

    /// The intervals in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Interval> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// How many intervals it takes to write the set down.
    #[must_use]
    pub fn interval_count(&self) -> usize {
        self.0.len()
    }

    /// Whether no value is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every value from 0 to `max` is in it, and nothing else.
    #[must_use]
    pub fn is_full(&self, max: u128) -> bool {
        self.0 == [Interval::new(0, max)]
    }

    /// Whether the value is in it.
    #[must_use]
    pub fn contains(&self, value: u128) -> bool {
        self.around(value).is_some()
    }

    /// Whether every value of `other` is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|theirs| self.around(theirs.first).is_some_and(|own| theirs.last <= own.last))
    }

    /// The interval that holds a value.
    fn around(&self, value: u128) -> Option<Interval> {
        let after = self.0.partition_point(|interval| interval.first <= value);
        self.0.get(after.checked_sub(1)?).copied().filter(|interval| interval.contains(value))
    }

    /// Whether two sets share a value.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mut a, mut b) = (0, 0);
        while let (Some(x), Some(y)) = (self.0.get(a), other.0.get(b)) {
            if x.intersect(*y).is_some() {
                return true;
            }
            if x.last < y.last { a += 1 } else { b += 1 }
        }
        false
    }

    /// The values in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// The values in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut common = Vec::new();
        let (mut a, mut b) = (0, 0);
        while let (Some(x), Some(y)) = (self.0.get(a), other.0.get(b)) {
            common.extend(x.intersect(*y));
            if x.last < y.last { a += 1 } else { b += 1 }
        }
        Self(common)
    }

    /// The values from 0 to `max` that are not in it.
    #[must_use]
    pub fn complement(&self, max: u128) -> Self {
        let mut gaps = Vec::new();
        let mut next = Some(0);
        for interval in self.iter() {
            if let Some(first) = next
                && first < interval.first
            {
                gaps.push(Interval::new(first, interval.first - 1));
            }
            next = interval.last.checked_add(1);
        }
        if let Some(first) = next
            && first <= max
        {
            gaps.push(Interval::new(first, max));
        }
        Self(gaps)
    }

    /// The values of `self` that are not in `other`; values are at most `max`.
    #[must_use]
    pub fn subtract(&self, other: &Self, max: u128) -> Self {
        self.intersect(&other.complement(max))
    }

    /// The same of a set that is not needed any more; mostly there is nothing to take out.
    #[must_use]
    pub fn without(self, other: &Self, max: u128) -> Self {
        if other.is_empty() { self } else { self.subtract(other, max) }
    }
}

impl FromIterator<Interval> for IntervalSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        Self::normal(intervals.into_iter().collect())
    }
}

/// An IPv4 address as a number.
#[must_use]
pub fn from_ipv4(address: Ipv4Addr) -> u128 {
    u128::from(u32::from(address))
}

/// An IPv6 address as a number.
#[must_use]
pub fn from_ipv6(address: Ipv6Addr) -> u128 {
    u128::from(address)
}

/// The IPv4 address of a number below 2^32; larger ones are cut to their low 32 bits.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn to_ipv4(value: u128) -> Ipv4Addr {
    Ipv4Addr::from(value as u32)
}

/// The IPv6 address of a number.
#[must_use]
pub fn to_ipv6(value: u128) -> Ipv6Addr {
    Ipv6Addr::from(value)
}

/// The addresses of an IPv6 prefix.
#[must_use]
pub fn ipv6_prefix((network, length): (Ipv6Addr, u8)) -> Interval {
    let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
    Interval::new(from_ipv6(network) & !host, from_ipv6(network) | host)
}

/// The CIDR prefixes `(address, length)` that together cover an interval, fewest possible.
/// `width` is 32 or 128, the number of bits of an address.
#[must_use]
pub fn to_prefixes(interval: Interval, width: u8) -> Vec<(u128, u8)> {
    let mut prefixes = Vec::new();
    let mut first = interval.first;
    loop {
        let aligned = first.trailing_zeros().min(u32::from(width));
        let mut bits = aligned;
        // Shrink until the block ends inside the interval.
        while bits > 0 && block_end(first, bits) > interval.last {
            bits -= 1;
        }
        #[allow(clippy::cast_possible_truncation)]
        prefixes.push((first, width - bits as u8));
        let end = block_end(first, bits);
        if end >= interval.last {
            return prefixes;
        }
        first = end + 1;
    }
}

fn block_end(first: u128, bits: u32) -> u128 {
    if bits >= 128 { u128::MAX } else { first + ((1u128 << bits) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: u128 = 63;

    fn members(set: &IntervalSet) -> Vec<u128> {
        (0..=MAX).filter(|v| set.contains(*v)).collect()
    }

    fn any_set() -> impl Strategy<Value = IntervalSet> {
        prop::collection::vec((0..=MAX, 0..=MAX), 0..8)
            .prop_map(|pairs| pairs.into_iter().map(|(a, b)| Interval::new(a, b)).collect())
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_membership(a in any_set(), b in any_set()) {
            let both = |f: &dyn Fn(bool, bool) -> bool| -> Vec<u128> {
                (0..=MAX).filter(|v| f(a.contains(*v), b.contains(*v))).collect()
            };
            prop_assert_eq!(members(&a.union(&b)), both(&|x, y| x || y));
            prop_assert_eq!(members(&a.intersect(&b)), both(&|x, y| x && y));
            prop_assert_eq!(members(&a.subtract(&b, MAX)), both(&|x, y| x && !y));
            prop_assert_eq!(members(&a.complement(MAX)), both(&|x, _| !x));
            prop_assert_eq!(a.overlaps(&b), !a.intersect(&b).is_empty());
            prop_assert_eq!(a.covers(&b), b.subtract(&a, MAX).is_empty());
            prop_assert_eq!(a.is_full(MAX), a.complement(MAX).is_empty());
            prop_assert_eq!(a.clone().without(&b, MAX), a.subtract(&b, MAX));
            prop_assert_eq!(a.complement(MAX).complement(MAX), a);
        }

        #[test]
        fn prefixes_cover_the_interval_exactly(a in 0u128..256, b in 0u128..256) {
            let interval = Interval::new(a, b);
            let covered: IntervalSet = to_prefixes(interval, 32)
                .into_iter()
                .map(|(first, len)| Interval::new(first, block_end(first, u32::from(32 - len))))
                .collect();
            prop_assert_eq!(covered, IntervalSet(vec![interval]));
        }
    }

    #[test]
    fn the_whole_ipv6_space_is_one_prefix() {
        assert_eq!(to_prefixes(Interval::new(0, u128::MAX), 128), vec![(0, 0)]);
        assert!(IntervalSet::full(u128::MAX).complement(u128::MAX).is_empty());
    }
}
