//! The entries of a map while it grows: boxes of one interval for each key, none of which overlaps another.

use crate::interval::Interval;
use crate::map::Gathered;
use crate::plan::ruleset::Verdict;
use crate::sort;

/// Disjoint boxes with their verdicts.
#[derive(Default)]
pub(super) struct Boxes {
    /// Those that are one point each, by that point.
    points: Gathered<Vec<Interval>, Verdict>,
    /// Those that are larger, as they came.
    wide: Vec<(Vec<Interval>, Verdict)>,
    /// Where those begin in the dimension `side`, in order, with their places. Thousands of networks are thousands of
    /// boxes, and each that comes would else be held against all.
    starts: Vec<(u128, usize)>,
    /// How far the longest of them reaches from there.
    reach: u128,
    /// The dimension with the largest numbers: addresses rather than ports, ports rather than protocols. It tells the
    /// most boxes apart.
    side: usize,
}

impl Boxes {
    /// Adds a box of which nothing is in another, or a point, of which the first one counts.
    pub(super) fn insert(&mut self, piece: Vec<Interval>, verdict: Verdict) {
        if is_point(&piece) {
            // One that is there already is an earlier rule's.
            self.points.add(piece, verdict);
            return;
        }
        if self.wide.is_empty() {
            self.side = (0..piece.len()).max_by_key(|n| piece[*n].last()).unwrap_or_default();
        }
        let (first, last) = (piece[self.side].first(), piece[self.side].last());
        self.reach = self.reach.max(last - first);
        let at = self.starts.partition_point(|(start, _)| *start <= first);
        self.starts.insert(at, (first, self.wide.len()));
        self.wide.push((piece, verdict));
    }

    /// All of them, sorted.
    pub(super) fn into_entries(self) -> Vec<(Vec<Interval>, Verdict)> {
        let mut entries = self.points.into_entries();
        entries.extend(self.wide);
        sort::by(&mut entries, |a, b| a.0.cmp(&b.0));
        entries
    }

    /// Appends to `left` what of `piece` is in no box.
    pub(super) fn subtract_from(&mut self, piece: Vec<Interval>, left: &mut Vec<Vec<Interval>>) {
        if is_point(&piece) {
            // The points are held against each other when they are put in.
            if !self.near(&piece).iter().any(|(_, place)| intersects(&self.wide[*place].0, &piece)) {
                left.push(piece);
            }
            return;
        }
        // In the order in which they came: how the rest is cut depends on it.
        let mut near: Vec<usize> = self.near(&piece).iter().map(|(_, place)| *place).collect();
        sort::by(&mut near, Ord::cmp);
        let points = self.points.settle();
        let from = points.partition_point(|(point, _)| point[0].last() < piece[0].first());
        let to = points.partition_point(|(point, _)| point[0].first() <= piece[0].last());
        let taken =
            points[from..to].iter().map(|(point, _)| point).chain(near.iter().map(|place| &self.wide[*place].0));
        let mut rest = vec![piece];
        for taken in taken {
            if rest.iter().any(|piece| intersects(piece, taken)) {
                rest = rest.into_iter().flat_map(|piece| subtract(piece, taken)).collect();
            }
        }
        left.append(&mut rest);
    }

    /// The larger boxes that may overlap this one: none that begins behind it, or too far before it.
    fn near(&self, piece: &[Interval]) -> &[(u128, usize)] {
        let (first, last) = (piece[self.side].first(), piece[self.side].last());
        let from = self.starts.partition_point(|(start, _)| *start < first.saturating_sub(self.reach));
        let to = self.starts.partition_point(|(start, _)| *start <= last);
        &self.starts[from..to]
    }
}

fn is_point(piece: &[Interval]) -> bool {
    piece.iter().all(|interval| interval.is_single())
}

fn intersects(a: &[Interval], b: &[Interval]) -> bool {
    a.iter().zip(b).all(|(x, y)| x.intersect(*y).is_some())
}

/// What of a box lies outside of another: at most two slabs a dimension.
fn subtract(piece: Vec<Interval>, taken: &[Interval]) -> Vec<Vec<Interval>> {
    if !intersects(&piece, taken) {
        return vec![piece];
    }
    let mut rest = Vec::new();
    let mut core = piece;
    for n in 0..core.len() {
        let (below, above) = core[n].subtract(taken[n]);
        for slab in [below, above].into_iter().flatten() {
            let mut piece = core.clone();
            piece[n] = slab;
            rest.push(piece);
        }
        if let Some(common) = core[n].intersect(taken[n]) {
            core[n] = common;
        }
    }
    rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What of `piece` is in none of `taken`, each held against all of it, points first.
    fn naively(taken: &[Vec<Interval>], piece: Vec<Interval>) -> Vec<Vec<Interval>> {
        let mut points: Vec<&Vec<Interval>> = taken.iter().filter(|own| is_point(own)).collect();
        points.sort();
        let wide = taken.iter().filter(|own| !is_point(own));
        points
            .into_iter()
            .chain(wide)
            .fold(vec![piece], |rest, taken| rest.into_iter().flat_map(|piece| subtract(piece, taken)).collect())
    }

    fn interval(most: u128) -> impl Strategy<Value = Interval> {
        // Many are short, some are long.
        (0..most, prop_oneof![3 => 0..3u128, 1 => 0..most]).prop_map(|(first, more)| Interval::new(first, first + more))
    }

    proptest! {
        #[test]
        fn nothing_is_missed_by_looking_at_what_is_near(
            sides in prop::collection::vec(prop_oneof![Just(6u128), Just(40), Just(1 << 32)], 1..4),
            seeds in prop::collection::vec(prop::collection::vec(interval(40), 3), 0..40),
        ) {
            let mut boxes = Boxes::default();
            let mut taken: Vec<Vec<Interval>> = Vec::new();
            for seed in seeds {
                // Small numbers in all dimensions, moved up where the dimension's are large.
                let piece: Vec<Interval> = sides.iter().zip(&seed).map(|(most, own)| match *most {
                    1..=6 => Interval::new(own.first() % 6, own.last() % 6),
                    large if large > 40 => Interval::new((1 << 31) + own.first(), (1 << 31) + own.last()),
                    _ => *own,
                }).collect();
                let mut left = Vec::new();
                boxes.subtract_from(piece.clone(), &mut left);
                if !is_point(&piece) {
                    prop_assert_eq!(&left, &naively(&taken, piece.clone()));
                } else {
                    let free = taken.iter().filter(|own| !is_point(own)).all(|own| !intersects(own, &piece));
                    prop_assert_eq!(!left.is_empty(), free);
                }
                for piece in left {
                    if !taken.contains(&piece) {
                        taken.push(piece.clone());
                    }
                    boxes.insert(piece, Verdict::Accept);
                }
            }
        }
    }
}
