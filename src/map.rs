//! Maps and sets as sorted lists. The standard library's trees are compiled anew for every pair of types, 3 to 6 KB each
//! time: together a fifteenth of this program. Here only what knows the type is, and that is little.
//!
//! A key put in at its place moves all that are behind it. So these are for what is small, comes in order, or comes all
//! at once; [`Gathered`] is for thousands of keys that come one by one and are looked at when all are there, [`Names`]
//! for thousands of names that are looked up between.

use crate::sort;
use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Values by their keys, in the keys' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K, V> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The keys with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord, V> Map<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        place(self.0.len(), &|n| self.0[n].0.borrow().cmp(key))
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|n| &self.0[n].1)
    }

    /// Gives a key its value, and returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(n) => Some(std::mem::replace(&mut self.0[n].1, value)),
            Err(n) => {
                self.0.insert(n, (key, value));
                None
            }
        }
    }

    /// The value of a key, which is made if there is none.
    pub fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let n = match self.place(&key) {
            Ok(n) => n,
            Err(n) => {
                self.0.insert(n, (key, make()));
                n
            }
        };
        &mut self.0[n].1
    }

    /// Brings entries that were put at the end to their places; the last one of a key counts.
    fn settle(&mut self) {
        sort::by(&mut self.0, |a, b| a.0.cmp(&b.0));
        self.0.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
    }

    /// Takes a key and its value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|n| self.0.remove(n).1)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Of several values of one key the last one counts.
impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries);
        self.settle();
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Values without doubles, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T>(Vec<T>);

impl<T> Set<T> {
    /// An empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: Ord> Set<T> {
    fn place<Q: Ord + ?Sized>(&self, value: &Q) -> Result<usize, usize>
    where
        T: Borrow<Q>,
    {
        place(self.0.len(), &|n| self.0[n].borrow().cmp(value))
    }

    /// Brings values that were put at the end to their places.
    fn settle(&mut self) {
        sort::by(&mut self.0, Ord::cmp);
        self.0.dedup_by(|later, kept| later == kept);
    }

    /// Whether a value is in it.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.place(value).is_ok()
    }

    /// Adds a value; says whether it is a new one.
    pub fn insert(&mut self, value: T) -> bool {
        match self.place(&value) {
            Ok(_) => false,
            Err(n) => {
                self.0.insert(n, value);
                true
            }
        }
    }

    /// Whether all its values are in another set.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|value| other.contains(value))
    }

    /// The smallest value that is in one of two sets only.
    #[must_use]
    pub fn first_difference<'a>(&'a self, other: &'a Self) -> Option<&'a T> {
        let common = self.0.iter().zip(&other.0).take_while(|(own, theirs)| own == theirs).count();
        match (self.0.get(common), other.0.get(common)) {
            (Some(own), Some(theirs)) => Some(own.min(theirs)),
            (own, theirs) => own.or(theirs),
        }
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut set = Self(values.into_iter().collect());
        set.settle();
        set
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Set<T> {
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A map that is filled in any order and then looked at: it is sorted when that is asked for, and when it has doubled.
/// Of several values of one key the first one counts.
#[derive(Debug)]
pub struct Gathered<K, V> {
    entries: Vec<(K, V)>,
    /// How many entries, from the first, are in order.
    settled: usize,
}

impl<K: Ord, V> Gathered<K, V> {
    /// Gives a key its value if it has none.
    pub fn add(&mut self, key: K, value: V) {
        // So that keys that come again and again do not fill the memory.
        if self.entries.len() > 2 * self.settled + 64 {
            self.settle();
        }
        self.entries.push((key, value));
    }

    /// The entries in the order of their keys.
    pub fn settle(&mut self) -> &[(K, V)] {
        if self.settled < self.entries.len() {
            sort::by(&mut self.entries, |a, b| a.0.cmp(&b.0));
            self.entries.dedup_by(|later, kept| later.0 == kept.0);
            self.settled = self.entries.len();
        }
        &self.entries
    }

    /// The same, for good.
    pub fn into_entries(mut self) -> Vec<(K, V)> {
        self.settle();
        self.entries
    }
}

impl<K, V> Default for Gathered<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), settled: 0 }
    }
}

/// The places of names, in any number and order; of several places of one name the first one counts.
#[derive(Debug, Default)]
pub struct Names<'a>(HashMap<Cow<'a, str>, usize>);

impl<'a> Names<'a> {
    /// The place where the name was seen before; if it was not, it is now.
    pub fn first(&mut self, name: Cow<'a, str>, place: usize) -> Option<usize> {
        match self.0.entry(name) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(free) => {
                free.insert(place);
                None
            }
        }
    }

    /// The place of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }
}

/// Where in a sorted list something is, or where it would be. `order` compares an item with it.
fn place(count: usize, order: &dyn Fn(usize) -> Ordering) -> Result<usize, usize> {
    // Most lists are filled in order: the last item is looked at first.
    let (mut from, mut to) = (0, count);
    let mut middle = count.saturating_sub(1);
    while from < to {
        match order(middle) {
            Ordering::Equal => return Ok(middle),
            Ordering::Less => from = middle + 1,
            Ordering::Greater => to = middle,
        }
        middle = from.midpoint(to);
    }
    Err(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn maps_are_as_the_standard_librarys(
            steps in prop::collection::vec((0u8..4, 0u8..12, any::<u8>()), 0..60),
            more in prop::collection::vec((0u8..12, any::<u8>()), 0..20),
        ) {
            let (mut own, mut model) = (Map::new(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(own.insert(key, value), model.insert(key, value)),
                    1 => prop_assert_eq!(own.or_insert_with(key, || value), model.entry(key).or_insert(value)),
                    2 => prop_assert_eq!(own.remove(&key), model.remove(&key)),
                    _ => prop_assert_eq!(own.get(&key), model.get(&key)),
                }
            }
            own.extend(more.clone());
            model.extend(more);
            prop_assert_eq!(own.is_empty(), model.is_empty());
            prop_assert!(own.iter().eq(model.iter()) && own.keys().eq(model.keys()) && own.values().eq(model.values()));
            prop_assert!(own.into_iter().eq(model));
        }

        #[test]
        fn sets_are_as_the_standard_librarys(
            values in prop::collection::vec(0u8..12, 0..20),
            others in prop::collection::vec(0u8..12, 0..20),
            one in 0u8..12,
        ) {
            let (mut own, theirs): (Set<u8>, Set<u8>) = (values.iter().copied().collect(), others.iter().copied().collect());
            let (mut model, other): (BTreeSet<u8>, BTreeSet<u8>) = (values.into_iter().collect(), others.into_iter().collect());
            prop_assert_eq!(own.first_difference(&theirs), model.symmetric_difference(&other).next());
            prop_assert_eq!(own.is_subset(&theirs), model.is_subset(&other));
            prop_assert_eq!(own.contains(&one), model.contains(&one));
            prop_assert_eq!(own.insert(one), model.insert(one));
            prop_assert_eq!((own.len(), own.is_empty()), (model.len(), model.is_empty()));
            prop_assert!(own.iter().eq(model.iter()));
        }

        #[test]
        fn what_is_gathered_keeps_its_first_values(entries in prop::collection::vec((0u8..200, any::<u8>()), 0..400)) {
            let (mut own, mut model) = (Gathered::default(), BTreeMap::new());
            for (key, value) in entries {
                own.add(key, value);
                model.entry(key).or_insert(value);
                if value == 0 {
                    prop_assert!(own.settle().iter().map(|(key, value)| (key, value)).eq(model.iter()));
                }
            }
            prop_assert!(own.into_entries().into_iter().eq(model));
        }
    }
}
