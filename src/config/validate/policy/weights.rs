//! Weights by the links' speeds. Pure.

use super::entry::MAX_WEIGHT;

/// The largest weight where it comes near enough. A policy's map has as many entries as its weights together.
const USUAL: u16 = 64;
/// A share that is wrong by this many thousandths of the whole is near enough at once.
const NEAR: u64 = 5;
/// By so many, so by less than two hundredths, it is near enough to do without larger weights than the usual ones.
const TOLERABLE: u64 = 19;

/// Small weights in proportion to the speeds, none of them 0.
pub fn by_speed(speeds: &[u32]) -> Vec<u16> {
    let usual = closest(speeds, USUAL);
    if error(speeds, &usual) <= TOLERABLE { usual } else { closest(speeds, MAX_WEIGHT) }
}

/// The smallest weights up to `most` that are near enough, or else the nearest ones.
fn closest(speeds: &[u32], most: u16) -> Vec<u16> {
    let mut best = scaled(speeds, 1);
    for largest in 2..=most {
        let wrong = error(speeds, &best);
        if wrong <= NEAR {
            break;
        }
        let next = scaled(speeds, largest);
        if error(speeds, &next) < wrong {
            best = next;
        }
    }
    best
}

fn scaled(speeds: &[u32], largest: u16) -> Vec<u16> {
    let fastest = speeds.iter().copied().max().map_or(1, u64::from).max(1);
    let scale = |speed: &u32| (u64::from(*speed) * u64::from(largest) + fastest / 2) / fastest;
    speeds.iter().map(|speed| u16::try_from(scale(speed)).unwrap_or(largest).max(1)).collect()
}

/// How far the share that is most wrong is from what it should be, in thousandths of the whole.
fn error(speeds: &[u32], weights: &[u16]) -> u64 {
    let speed_of_all: u64 = speeds.iter().copied().map(u64::from).sum::<u64>().max(1);
    let weight_of_all: u64 = weights.iter().copied().map(u64::from).sum::<u64>().max(1);
    let wrong = |(speed, weight): (&u32, &u16)| {
        let (has, wants) = (u64::from(*weight) * speed_of_all, u64::from(*speed) * weight_of_all);
        has.abs_diff(wants).saturating_mul(1000) / (speed_of_all * weight_of_all)
    };
    speeds.iter().zip(weights).map(wrong).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn round_speeds_give_the_weights_a_person_would_write() {
        for (speeds, weights) in [
            (&[300_000, 100_000][..], &[3, 1][..]),
            (&[100_000, 100_000], &[1, 1]),
            (&[1_000_000, 500_000, 250_000], &[4, 2, 1]),
            (&[50_000], &[1]),
            (&[1_000_000, 512], &[64, 1]),
            (&[300_000, 200_000, 20_000], &[15, 10, 1]),
        ] {
            assert_eq!(by_speed(speeds), weights, "{speeds:?}");
        }
    }

    proptest! {
        /// Up to six links: more than 1 of 256 each cannot be taken from the fastest.
        #[test]
        fn shares_are_right_within_two_hundredths(speeds in vec(1u32..=1_000_000_000, 1..=6), digits in vec(0u32..9, 6)) {
            // As many slow links as fast ones.
            let speeds: Vec<u32> =
                speeds.iter().zip(digits).map(|(speed, digits)| (speed / 10u32.pow(digits)).max(1)).collect();
            let weights = by_speed(&speeds);
            prop_assert_eq!(weights.len(), speeds.len());
            let of_all = |values: &[f64]| values.iter().sum::<f64>();
            let exact: Vec<f64> = speeds.iter().copied().map(f64::from).collect();
            let given: Vec<f64> = weights.iter().copied().map(f64::from).collect();
            for (exact_one, given_one) in exact.iter().zip(&given) {
                let (wanted, got) = (exact_one / of_all(&exact), given_one / of_all(&given));
                prop_assert!((wanted - got).abs() <= 0.02, "{:?} became {:?}: {} is {}", speeds, weights, wanted, got);
                prop_assert!((1.0..=256.0).contains(given_one));
            }
            // A faster link never gets less than a slower one.
            for (speed, weight) in speeds.iter().zip(&weights) {
                prop_assert!(speeds.iter().zip(&weights).all(|(other, own)| speed > other || weight <= own));
            }
        }
    }
}
