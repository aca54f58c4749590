//! Rules of different shapes in one map: a rule that does not look at a thing has all of its values there. The kernel looks
//! such a map up field by field (`nft_set_pipapo`), which costs about three of the simplest lookups, however many entries.

use super::boxes::Boxes;
use super::region::{Member, Region};
use super::tiers::{self, product};
use super::{Compiled, Ordered};
use crate::config::model::Family;
use crate::interval::Interval;
use crate::plan::ruleset::{Action, Key, Map, Rule};
use crate::sort;

/// The most entries of one map: it takes memory for each field of each.
const MOST: usize = 2_048;

/// Whether a key has ranges in nft, and a region that has it can stand in a wide map.
#[must_use]
pub fn is_ranged(key: Key) -> bool {
    last(key).is_some()
}

/// The largest value of a key that has ranges.
fn last(key: Key) -> Option<u128> {
    Some(match key {
        Key::Source(family) | Key::Destination(family) => family.max_address(),
        Key::Dscp(Family::V4) => 63,
        Key::Protocol => 255,
        Key::SourcePort | Key::DestinationPort => 65535,
        _ => return None,
    })
}

/// The keys of all these regions.
#[must_use]
pub fn keys(ordered: &[Ordered]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for key in ordered.iter().flat_map(|(region, _)| region.keys()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    sort::by_key(&mut keys, |key| super::region::order(*key));
    keys
}

/// Whether packets must have a port to be looked up: some of these regions look at ports and others do not.
#[must_use]
pub fn mixes_ports(ordered: &[Ordered]) -> bool {
    let looks = |(region, _): &Ordered| looks_at_ports(region);
    ordered.iter().any(looks) && !ordered.iter().all(looks)
}

/// Whether a region holds only packets with certain ports.
#[must_use]
pub fn looks_at_ports(region: &Region) -> bool {
    region.keys().any(|key| matches!(key, Key::SourcePort | Key::DestinationPort))
}

/// Compiles regions that have nothing but [ranged](is_ranged) keys; the first that holds a packet wins. One map does if
/// its regions do not fall into too many pieces, else there are several, one after the other.
pub fn compile(ordered: &[Ordered], kept: &dyn Fn(Member) -> Map, compiled: &mut Compiled) -> Vec<Rule> {
    let keys = keys(ordered);
    let (mut rules, mut boxes, mut count) = (Vec::new(), Boxes::default(), 0);
    for one in ordered {
        let (region, verdict) = one;
        let sides = sides(region, &keys);
        let size = sides.iter().try_fold(1_usize, |n, side| n.checked_mul(side.len()));
        if size.is_none_or(|size| size > MOST / 4) {
            flush(&keys, std::mem::take(&mut boxes), compiled, &mut rules);
            count = 0;
            rules.extend(tiers::compile(std::slice::from_ref(one), kept, compiled));
            continue;
        }
        let mut pieces = Vec::new();
        for piece in product(&sides) {
            boxes.subtract_from(piece, &mut pieces);
        }
        if count + pieces.len() > MOST {
            flush(&keys, std::mem::take(&mut boxes), compiled, &mut rules);
            count = 0;
            pieces = product(&sides).collect();
        }
        count += pieces.len();
        for piece in pieces {
            boxes.insert(piece, verdict.clone());
        }
    }
    flush(&keys, boxes, compiled, &mut rules);
    rules
}

/// What a region has of each key; all there is of one that it does not look at.
fn sides(region: &Region, keys: &[Key]) -> Vec<Vec<Interval>> {
    let side = |key: &Key| match region.sets().iter().find(|(own, _)| own == key) {
        Some((_, set)) => set.iter().collect(),
        None => vec![Interval::new(0, last(*key).unwrap_or(0))],
    };
    keys.iter().map(side).collect()
}

fn flush(keys: &[Key], boxes: Boxes, compiled: &mut Compiled, rules: &mut Vec<Rule>) {
    let entries = boxes.into_entries();
    if entries.is_empty() {
        return;
    }
    let map = Map::verdicts("wide", keys.to_vec(), entries);
    rules.push(Rule::always(Action::Lookup(keys.to_vec(), map.name.clone())));
    compiled.maps.push(map);
}
