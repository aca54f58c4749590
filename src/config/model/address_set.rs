//! Named sets of addresses: `config set`, and the domains a rule names.

use super::Family;
use crate::config::source::Position;
use crate::interval::IntervalSet;

/// Index of a set in [`Config::sets`](super::Config::sets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub usize);

/// A set of addresses that rules look up as a whole: what is in it may change while the rules stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSet {
    /// Its name, in a name space of its own; that of the rule, if it is a rule's own (empty if it has none).
    pub name: String,
    /// Where its section, or its rule, starts.
    pub at: Position,
    /// Whether it holds the domains of one rule (`dest_domain`): no other rule can name it.
    pub is_of_rule: bool,
    /// `entry`, the IPv4 ones.
    pub entries4: IntervalSet,
    /// `entry`, the IPv6 ones.
    pub entries6: IntervalSet,
    /// `file`: more entries, one a line.
    pub files: Vec<String>,
    /// What it lists in IPv4 and IPv6 with its files, once those have been read.
    pub listed: [Listed; 2],
    /// `domain`: names whose addresses, and those of their subdomains, the resolver puts in as it answers for them.
    pub domains: Vec<String>,
}

/// What a set lists in one family, in a nutshell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    /// A digest of all of it.
    pub digest: u64,
    /// How many intervals it is.
    pub count: u32,
    /// A file could not be read.
    pub is_partial: bool,
}

/// Who fills a part of a set. The parts are sets of their own in the kernel: what the resolver puts in must survive what
/// we do, and single addresses are found faster than networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// We do, from `entry` and `file`.
    Listed,
    /// The resolver does, for `domain`.
    Domains,
}

impl Part {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Listed, Self::Domains];
}

impl AddressSet {
    /// The entries of one family that are written in the configuration itself.
    #[must_use]
    pub fn entries(&self, family: Family) -> &IntervalSet {
        match family {
            Family::V4 => &self.entries4,
            Family::V6 => &self.entries6,
        }
    }

    /// What it lists in one family, in a nutshell.
    #[must_use]
    pub fn listed(&self, family: Family) -> Listed {
        let [v4, v6] = self.listed;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    /// Whether a part of it may hold addresses of a family, now or later.
    #[must_use]
    pub fn has(&self, part: Part, family: Family) -> bool {
        match part {
            Part::Listed => !self.files.is_empty() || !self.entries(family).is_empty(),
            Part::Domains => !self.domains.is_empty(),
        }
    }
}
