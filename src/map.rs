//! Maps and sets as sorted lists. The standard library's trees are compiled anew for every pair of types, 3 to 6 KB each
//! time: together a fifteenth of this program. Here only what knows the type is, and that is little.
//!
//! A key put in at its place moves all that are behind it. So these are for what is small, comes in order, or comes all
//! at once; [`Gathered`] is for thousands of keys that come one by one and are looked at when all are there, [`Names`]
//! for thousands of names that are looked up between.

use crate::sort;
use std::borrow::Borrow;
use std::cmp::Ordering;

mod gathered;
mod names;
mod set;
#[cfg(test)]
mod tests;

pub use gathered::Gathered;
pub use names::Names;
pub use set::Set;

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

    /// The values, to be changed, in the order of their keys.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
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
