//! Sorting, made once. The standard library's sort is compiled anew for every type and every order, 4 to 6 KB each time:
//! together a tenth of this program. Here it only ever sorts numbers of places.

use std::cmp::Ordering;

/// Sorts by an order; equal items stay as they stand.
pub fn by<T>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    let places = sorted(items.len(), &|a, b| order(&items[a], &items[b]));
    arrange(places, &mut |a, b| items.swap(a, b));
}

/// Sorts by a key; items of one key stay as they stand.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |a, b| key(a).cmp(&key(b)));
}

/// The places of the items in their new order; none if they are in order already.
fn sorted(count: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    if (1..count).all(|n| order(n - 1, n).is_le()) {
        return Vec::new();
    }
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| order(*a, *b));
    places
}

/// Brings to each place the item that is now at `places` of it.
fn arrange(mut places: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..places.len() {
        // What stands here goes round its cycle until it comes to its own place; all before it are then at theirs.
        let mut at = first;
        loop {
            let from = std::mem::replace(&mut places[at], at);
            if from == first {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items in prop::collection::vec((0u8..8, any::<u8>()), 0..40)) {
            let (mut own, mut expected) = (items.clone(), items);
            by_key(&mut own, |item| item.0);
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(&own, &expected);
            by(&mut own, Ord::cmp);
            expected.sort();
            prop_assert_eq!(own, expected);
        }
    }
}
