//! A map for thousands of names that are looked up while they come.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

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
