//! Ordered rules as a list of lookups.
//!
//! Rules that look at the same things (a *shape*: the same keys and the same negated parts) share one verdict map, a
//! *tier*. Within a tier the earlier rule wins because its packets are taken out of the later one at compile time.
//! Between tiers the earlier tier wins; so a rule may join a tier of its shape only if no tier behind that one holds an
//! earlier rule that matches some of its packets and sends them elsewhere. Otherwise a new tier begins.

use super::boxes::Boxes;
use super::region::{Guard, Member, Region};
use super::{Compiled, Ordered};
use crate::config::model::{Choice, Family};
use crate::interval::{Interval, IntervalSet};
use crate::plan::ruleset::{Action, Key, Map, Match, Rule, Verdict};

/// A rule of more boxes than this is not multiplied out into map entries; it becomes a rule of its own with one set
/// lookup a dimension.
const MOST_BOXES: usize = 8_192;

/// Intervals of up to this many values are written value by value.
const SMALL: u128 = 8;

/// The kernel's longest map key in bytes (`NFT_DATA_VALUE_MAXLEN`).
const LONGEST_KEY: usize = 64;

/// Compiles ordered regions; the first that holds a packet wins. The rules are returned, maps and sets are added.
pub fn compile(ordered: &[Ordered], kept: &dyn Fn(Member) -> Map, compiled: &mut Compiled) -> Vec<Rule> {
    let mut tiers: Vec<Tier> = Vec::new();
    for (region, verdict) in ordered {
        place(&mut tiers, region, verdict);
        if region.is_everything() {
            break;
        }
    }
    let mut rules = Vec::with_capacity(tiers.len());
    for tier in tiers {
        tier.emit(kept, &mut compiled.maps, &mut rules);
    }
    rules
}

/// Puts a region into the last tier of its shape, if it may go there, or into a new one.
fn place<'a>(tiers: &mut Vec<Tier<'a>>, region: &'a Region<'a>, verdict: &Verdict) {
    let sides: Vec<Vec<Interval>> = region.sets().iter().map(|(_, set)| pieces(set)).collect();
    let boxes = sides.iter().try_fold(1_usize, |n, side| n.checked_mul(side.len()));
    let fits = boxes.is_some_and(|n| n <= MOST_BOXES) && key_length(region.keys()) <= LONGEST_KEY;
    if !fits || sides.is_empty() || !region.keys().all(Key::has_maps) {
        tiers.push(Tier::direct(region, verdict));
        return;
    }
    for tier in tiers.iter_mut().rev() {
        if tier.accepts(region) {
            if tier.add(region, verdict, &sides) {
                return;
            }
            break;
        }
        if tier.conflicts(region, verdict) {
            break;
        }
    }
    let mut tier = Tier::map(region);
    tier.add(region, verdict, &sides);
    tiers.push(tier);
}

/// One lookup, or one rule of its own.
struct Tier<'a> {
    keys: Vec<Key>,
    guard: &'a Guard,
    /// What was put in, to find conflicts.
    regions: Vec<(&'a Region<'a>, Verdict)>,
    boxes: Option<Boxes>,
}

impl<'a> Tier<'a> {
    fn map(region: &'a Region<'a>) -> Self {
        let keys = region.keys().collect();
        Self { keys, guard: &region.guard, regions: Vec::new(), boxes: Some(Boxes::default()) }
    }

    fn direct(region: &'a Region<'a>, verdict: &Verdict) -> Self {
        let regions = vec![(region, verdict.clone())];
        Self { keys: region.keys().collect(), guard: &region.guard, regions, boxes: None }
    }

    fn accepts(&self, region: &Region) -> bool {
        self.boxes.is_some() && *self.guard == region.guard && self.keys.iter().copied().eq(region.keys())
    }

    /// Whether some packet of `region` is in here with another verdict.
    fn conflicts(&self, region: &Region, verdict: &Verdict) -> bool {
        self.regions.iter().any(|(own, to)| to != verdict && own.overlaps(region))
    }

    /// Adds what no earlier rule of the tier has. Refuses, unchanged, if that falls into too many pieces.
    fn add(&mut self, region: &'a Region<'a>, verdict: &Verdict, sides: &[Vec<Interval>]) -> bool {
        let Some(boxes) = &mut self.boxes else { return false };
        let product = product(sides);
        let limit = match self.regions.as_slice() {
            [] => usize::MAX,
            _ => product.len().saturating_mul(4).saturating_add(64),
        };
        let mut pieces = Vec::with_capacity(product.len());
        for piece in product {
            boxes.subtract_from(piece, &mut pieces);
            if pieces.len() > limit {
                return false;
            }
        }
        for piece in pieces {
            boxes.insert(piece, verdict.clone());
        }
        self.regions.push((region, verdict.clone()));
        true
    }

    fn emit(self, kept: &dyn Fn(Member) -> Map, maps: &mut Vec<Map>, rules: &mut Vec<Rule>) {
        let mut matches = guard_matches(self.guard, kept, maps);
        let Some(boxes) = self.boxes else {
            for (region, verdict) in self.regions {
                for (key, values) in region.sets() {
                    if let Key::Dscp(family) = *key {
                        matches.push(Match::Dscp(family, dscp_values(values)));
                        continue;
                    }
                    let set = Map::members("some", *key, values);
                    matches.push(Match::InSet(*key, set.name.clone()));
                    maps.push(set);
                }
                rules.push(Rule { matches: matches.clone(), actions: vec![Action::Verdict(verdict)] });
            }
            return;
        };
        let entries = boxes.into_entries();
        if entries.is_empty() {
            return;
        }
        let map = Map::verdicts("rules", self.keys.clone(), entries);
        rules.push(Rule { matches, actions: vec![Action::Lookup(self.keys, map.name.clone())] });
        maps.push(map);
    }
}

/// All combinations of one interval from each side. There are not too many to count.
pub(super) fn product(sides: &[Vec<Interval>]) -> impl ExactSizeIterator<Item = Vec<Interval>> {
    let count = sides.iter().map(Vec::len).product();
    (0..count).map(move |n| {
        // The digits of `n` in a number system whose places have as many digits as the sides have intervals.
        let mut place: usize = count;
        let digit = |side: &Vec<Interval>| {
            place /= side.len();
            side[n / place % side.len()]
        };
        sides.iter().map(digit).collect()
    })
}

/// The intervals of a set, small ones taken apart: a map of single values is a hash table, the fastest there is, and one
/// rule for ports 137 to 139 must not turn it into a tree.
fn pieces(set: &IntervalSet) -> Vec<Interval> {
    let mut pieces = Vec::with_capacity(set.interval_count());
    for interval in set.iter() {
        if interval.last() - interval.first() < SMALL {
            pieces.extend((interval.first()..=interval.last()).map(Interval::single));
        } else {
            pieces.push(interval);
        }
    }
    pieces
}

fn dscp_values(set: &IntervalSet) -> Vec<u8> {
    set.iter().flat_map(|interval| interval.first()..=interval.last()).filter_map(|n| u8::try_from(n).ok()).collect()
}

/// Negated devices first: that match is the cheaper one.
fn guard_matches(guard: &Guard, kept: &dyn Fn(Member) -> Map, maps: &mut Vec<Map>) -> Vec<Match> {
    let mut matches = Vec::new();
    if !guard.not_devices.is_empty() {
        matches.push(Match::Input(Choice::NoneOf(guard.not_devices.clone())));
    }
    if !guard.not_macs.is_empty() {
        matches.push(Match::Sender(Choice::NoneOf(guard.not_macs.clone())));
    }
    matches.extend(guard.mark.map(Match::Mark));
    let source = guard.source.map(|member| (Key::Source(member.family), member));
    let destination = guard.destination.map(|member| (Key::Destination(member.family), member));
    for (key, member) in source.into_iter().chain(destination) {
        let set = kept(member);
        matches.push(Match::InSet(key, set.name.clone()));
        maps.push(set);
    }
    matches
}

/// The bytes of a concatenated key: each part takes whole 32-bit registers.
fn key_length(keys: impl Iterator<Item = Key>) -> usize {
    keys.map(|key| match key {
        Key::Input | Key::Output | Key::Source(Family::V6) | Key::Destination(Family::V6) => 16,
        Key::Sender => 8,
        _ => 4,
    })
    .sum()
}
