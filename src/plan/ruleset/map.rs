//! Maps and sets: what they are looked up by, what they hold and who fills them.

use super::digest::Digest;
use super::names;
use super::{Key, Verdict};
use crate::config::model::{AddressSet, Family, Listed, Part, SetId};
use crate::interval::{Interval, IntervalSet};

/// How many entries a set that rules fill has at most: who comes later is not remembered.
pub const MOST_LEARNED: u32 = 65_535;

/// A named map or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Its name, which ends in a digest of its content.
    pub name: String,
    /// What it is looked up by.
    pub key: Vec<Key>,
    /// Its entries, which do not overlap.
    pub entries: Entries,
    /// Who fills it.
    pub fill: Fill,
}

/// Who fills a map or set, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fill {
    /// We do, when it is made; it never changes.
    Fixed,
    /// We do, with the addresses of one family that a set lists. It is made empty, and filled before a rule looks into it.
    Listed(SetId, Family),
    /// The resolver does, with single addresses of one family.
    Resolver(SetId, Family),
    /// Rules do, with what each packet has of its key; the kernel forgets an entry so many seconds after the last such
    /// packet.
    Learned(u32),
}

/// What a map or set holds. Each entry has one interval for each key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entries {
    /// A verdict map.
    Verdicts(Vec<(Vec<Interval>, Verdict)>),
    /// A set.
    Members(Vec<Vec<Interval>>),
}

impl Map {
    /// A verdict map; `role` is the readable part of its name.
    #[must_use]
    pub fn verdicts(role: &str, key: Vec<Key>, entries: Vec<(Vec<Interval>, Verdict)>) -> Self {
        Self::named(role, key, Entries::Verdicts(entries))
    }

    /// A set of single values of one key.
    #[must_use]
    pub fn members(role: &str, key: Key, set: &IntervalSet) -> Self {
        Self::named(role, vec![key], Entries::Members(set.iter().map(|interval| vec![interval]).collect()))
    }

    /// A set of addresses whose content is not part of the table: it comes and goes.
    #[must_use]
    pub fn kept(name: String, family: Family, part: Part, set: SetId) -> Self {
        let fill = match part {
            Part::Listed => Fill::Listed(set, family),
            Part::Domains => Fill::Resolver(set, family),
        };
        Self { name, key: vec![Key::Destination(family)], entries: Entries::Members(Vec::new()), fill }
    }

    /// A set that rules fill.
    #[must_use]
    pub fn learned(name: String, key: Vec<Key>, seconds: u32) -> Self {
        Self { name, key, entries: Entries::Members(Vec::new()), fill: Fill::Learned(seconds) }
    }

    fn named(role: &str, key: Vec<Key>, entries: Entries) -> Self {
        let mut digest = Digest::default();
        for part in &key {
            digest.add(names::kind(*part).as_bytes());
        }
        let mut add_entry = |entry: &[Interval]| {
            for interval in entry {
                digest.number(interval.first());
                digest.number(interval.last());
            }
        };
        match &entries {
            Entries::Verdicts(entries) => {
                for (entry, _) in entries {
                    add_entry(entry);
                }
                for (_, verdict) in entries {
                    digest.add(verdict.chain().unwrap_or_default().as_bytes());
                }
            }
            Entries::Members(entries) => entries.iter().for_each(|entry| add_entry(entry)),
        }
        Self { name: format!("{role}_{:016x}", digest.value()), key, entries, fill: Fill::Fixed }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.entries {
            Entries::Verdicts(entries) => entries.len(),
            Entries::Members(entries) => entries.len(),
        }
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an entry spans more than one value. The kernel keeps such maps as trees, and they must be filled before
    /// the transaction that puts them to use.
    #[must_use]
    pub fn has_intervals(&self) -> bool {
        if self.fill != Fill::Fixed {
            return matches!(self.fill, Fill::Listed(..));
        }
        let single = |entry: &Vec<Interval>| entry.iter().all(|interval| interval.is_single());
        match &self.entries {
            Entries::Verdicts(entries) => !entries.iter().all(|(entry, _)| single(entry)),
            Entries::Members(entries) => !entries.iter().all(single),
        }
    }
}

/// A set that lists addresses: what it holds is read when it is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The name of the map.
    pub name: String,
    /// The family.
    pub family: Family,
    /// Where its entries are written.
    pub set: AddressSet,
}

impl List {
    /// What it lists, in a nutshell.
    #[must_use]
    pub fn listed(&self) -> Listed {
        self.set.listed(self.family)
    }

    /// The name of an empty chain that says what the set holds. The kernel takes seconds to tell what is in a long list: it
    /// begins anew with every few hundred entries (`nft_dump_set`).
    #[must_use]
    pub fn sign(&self) -> String {
        let Listed { digest, is_partial, .. } = self.listed();
        format!("holds_{}.{digest:016x}{}", self.name, if is_partial { "p" } else { "" })
    }

    /// The place of its family where both families stand side by side.
    #[must_use]
    pub fn index(&self) -> usize {
        usize::from(self.family == Family::V6)
    }
}
