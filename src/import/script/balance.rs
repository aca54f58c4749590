//! `-m statistic`: packets shared out among links.

use super::chains::{Does, Met};
use super::iptables::Chance;

/// Rules that together share out the packets of one.
pub struct Shared {
    /// The first of them; its mark does not count.
    pub met: Met,
    /// Marks and masks with their weights.
    pub marks: Vec<((u32, u32), u32)>,
}

/// A rule, or several that share out packets.
pub enum Step {
    One(Met),
    Shared(Shared),
}

/// Joins neighbours that share out the same packets. What stands alone with a chance is given back by its line.
pub fn joined(met: Vec<Met>, lost: &mut Vec<Met>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(met.len());
    let mut group: Vec<Met> = Vec::new();
    for own in met {
        // What some packets are marked with, they keep.
        if let Some(last) = group.last_mut()
            && own.does == Does::End
            && own.chance.is_some()
            && (own.chance, &own.conditions) == (last.chance, &last.conditions)
        {
            last.stays = true;
            continue;
        }
        let fits = group.last().is_some_and(|last| {
            matches!(own.does, Does::Mark(..)) && last.conditions == own.conditions && last.part == own.part
        });
        if !fits {
            close(&mut group, &mut steps, lost);
        }
        group.push(own);
    }
    close(&mut group, &mut steps, lost);
    steps
}

fn close(group: &mut Vec<Met>, steps: &mut Vec<Step>, lost: &mut Vec<Met>) {
    let all = std::mem::take(group);
    if all.iter().all(|met| met.chance.is_none()) {
        steps.extend(all.into_iter().map(Step::One));
        return;
    }
    match shares(&all) {
        Some(marks) if marks.len() > 1 => {
            let end = all.iter().any(|met| met.stays);
            let Some(first) = all.into_iter().next() else { return };
            let done = Met { does: Does::End, chance: None, ..first.clone() };
            steps.push(Step::Shared(Shared { met: first, marks }));
            steps.extend(end.then_some(Step::One(done)));
        }
        _ => {
            let (chance, sure): (Vec<Met>, Vec<Met>) = all.into_iter().partition(|met| met.chance.is_some());
            lost.extend(chance);
            steps.extend(sure.into_iter().map(Step::One));
        }
    }
}

/// A million.
const WHOLE: u64 = 1_000_000;

/// What share each mark gets. Nothing if some packets get none.
fn shares(all: &[Met]) -> Option<Vec<((u32, u32), u32)>> {
    let mark = |met: &Met| match met.does {
        Does::Mark(value, mask) => Some((value, mask)),
        Does::End => None,
    };
    // Counters that all run to the same number share alike.
    let every: Vec<Option<u32>> =
        all.iter().map(|met| if let Some(Chance::Every(n)) = met.chance { Some(n) } else { None }).collect();
    let count = u32::try_from(all.len()).ok()?;
    if every.iter().all(|own| *own == Some(count)) {
        return all.iter().map(|met| Some((mark(met)?, 1))).collect();
    }
    let of = |met: &Met| match met.chance {
        None => WHOLE,
        Some(Chance::Random(millionth)) => u64::from(millionth),
        Some(Chance::Every(every)) => WHOLE / u64::from(every.max(1)),
    };
    // Where only unmarked packets are taken the first mark stays, else the last.
    let first_stays = all.windows(2).all(|pair| pair[1].unmarked || pair[0].stays);
    let mut rest = WHOLE;
    let mut marks = Vec::new();
    let mut take = |met: &Met| -> Option<()> {
        let share = rest * of(met) / WHOLE;
        rest -= share;
        marks.push((mark(met)?, share));
        Some(())
    };
    if first_stays {
        all.iter().try_for_each(&mut take)?;
    } else {
        all.iter().rev().try_for_each(&mut take)?;
        marks.reverse();
    }
    // A rounded share or two in a thousand that get no mark are none that was meant.
    if rest > WHOLE / 100 {
        return None;
    }
    marks.retain(|(_, share)| *share > 0);
    let weights = small(&marks.iter().map(|(_, share)| *share).collect::<Vec<_>>());
    Some(marks.into_iter().map(|(mark, _)| mark).zip(weights).collect())
}

/// Small numbers that stand in the same proportion, to a hundredth.
fn small(shares: &[u64]) -> Vec<u32> {
    let close = |parts: u64| {
        shares.iter().all(|share| {
            let weight = (share * parts + WHOLE / 2) / WHOLE;
            weight > 0 && (weight * WHOLE / parts).abs_diff(*share) <= WHOLE / 100
        })
    };
    let parts = (1..=64).find(|parts| close(*parts)).unwrap_or(100);
    shares.iter().map(|share| u32::try_from((share * parts + WHOLE / 2) / WHOLE).unwrap_or(1).clamp(1, 256)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_small_numbers() {
        assert_eq!(small(&[500_000, 500_000]), [1, 1]);
        assert_eq!(small(&[333_333, 333_333, 333_334]), [1, 1, 1]);
        assert_eq!(small(&[250_000, 750_000]), [1, 3]);
        assert_eq!(small(&[700_000, 300_000]), [7, 3]);
    }
}
