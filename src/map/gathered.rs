//! A map for thousands of keys that come one by one, and are looked at when all are there.

use crate::sort;

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
