//! Our nftables table as typed values, small enough to be written as JSON, as text, and to be interpreted by a test.
//!
//! Nearly every map and set is named after its content and never changed: a new content is a new map. So a change is
//! always "add the new maps, swap the rules, delete the old maps", the one order that loses no packet on any kernel, and
//! whether the kernel holds a map is answered by its name. Only sets of addresses that come and go while the rules stay
//! ([`Fill`]) keep their names.

pub mod digest;
pub mod json;
pub mod kept;
mod key;
mod map;
mod names;
pub mod text;

pub use key::{Key, device_name, device_number, family_number, mac, mac_number};
pub use map::{Entries, Fill, List, MOST_LEARNED, Map};

use crate::config::model::{Choice, Family, ForeignMark, Mac, Mask};
use std::rc::Rc;

/// The name of our table, family inet.
pub const TABLE: &str = "wansplit";

/// The whole table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// The bits of marks that are ours.
    pub mask: Mask,
    /// Verdict maps and sets.
    pub maps: Vec<Map>,
    /// Base chains and the chains that verdicts lead to.
    pub chains: Vec<Chain>,
    /// The counters, in the order of the rules they belong to.
    pub counters: Vec<Counter>,
    /// The sets among `maps` that list addresses, and where those are written.
    pub lists: Vec<List>,
    /// A digest of all of it. It stands in the comment of every rule, so that the kernel itself says which ruleset it
    /// holds; what `nft` prints cannot be compared, it is another text than the one written.
    pub digest: String,
}

impl Ruleset {
    /// A table with its digest.
    #[must_use]
    pub fn new(mask: Mask, maps: Vec<Map>, chains: Vec<Chain>, counters: Vec<Counter>, lists: Vec<List>) -> Self {
        let mut ruleset = Self { mask, maps, chains, counters, lists, digest: String::new() };
        ruleset.digest = json::digest(&ruleset);
        ruleset
    }
}

/// A counter: an object of its own in the table, so that its count outlives the nft rules that are written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Its name.
    pub name: String,
    /// The rule it counts for, as its place in [`Config::rules`](crate::config::model::Config::rules).
    pub rule: usize,
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where it hooks in, if it is a base chain.
    pub hook: Option<Hook>,
    /// Its rules in order.
    pub rules: Vec<Rule>,
}

/// The three places where we hook in, all at priority mangle + 1: behind fw4's own mangle chains, whose place among
/// hooks of one priority would depend on who registered last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// What arrives: restores and classifies.
    Prerouting,
    /// What the router sends: restores. Of type `route`: only there does a new mark make the kernel route again.
    Output,
    /// What leaves: stamps the connection with the link it really took.
    Postrouting,
}

/// The priority of our base chains: mangle (-150) + 1.
pub const PRIORITY: i32 = -149;

/// A rule: if all matches hold, the actions are taken in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What must hold.
    pub matches: Vec<Match>,
    /// What is done.
    pub actions: Vec<Action>,
}

impl Rule {
    /// A rule that always does one thing.
    #[must_use]
    pub fn always(action: Action) -> Self {
        Self { matches: Vec::new(), actions: vec![action] }
    }
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// `ct state new`.
    New,
    /// `ct state established,related`. What is neither that nor new (invalid, untracked) belongs to no connection; it is
    /// classified packet by packet, so that it cannot slip past a kill switch unmarked.
    Running,
    /// The packet begins a connection: conntrack has not confirmed it yet, which it does when its first packet leaves.
    /// `New` also holds for all that follows until an answer comes, and never is a packet without a connection the first.
    First,
    /// The connection carries none of our bits.
    Unstamped,
    /// There are bytes where its ports would be.
    HasPort,
    /// The device it came in by.
    Input(Choice<String>),
    /// The sender's Ethernet address.
    Sender(Choice<Mac>),
    /// The IP version.
    Family(Family),
    /// A packet mark that somebody else sets.
    Mark(ForeignMark),
    /// The keys are in a set that rules fill.
    Remembered(Vec<Key>, String),
    /// The key is in a named set.
    InSet(Key, String),
    /// The DSCP value is one of these.
    Dscp(Family, Vec<u8>),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Looks the keys up in a verdict map and follows the verdict; without an entry, goes on.
    Lookup(Vec<Key>, String),
    /// Hands out by weight: `buckets[n]` is the verdict for the hash or random number `n`.
    Spread(Dice, Vec<Verdict>),
    /// Sets our bits of the packet's mark.
    SetMark(u32),
    /// Sets our bits of the connection's mark.
    SetConnectionMark(u32),
    /// Puts the packet's keys into a set that rules fill, or makes it remember them anew. For packets of the keys' family.
    Remember(Vec<Key>, String),
    /// Adds the packet to a counter.
    Count(String),
    /// Writes the packet to the kernel's log, behind this prefix.
    Log(String),
    /// Ends with a verdict.
    Verdict(Verdict),
}

/// How a number is thrown for [`Action::Spread`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dice {
    /// By a hash of the source address: one client, one number.
    Client(Family),
    /// At random for each connection.
    Random,
}

/// The seed of the client hash. One for all policies: a client then has the same link for all its services, as far as
/// the policies' weights agree.
pub const SEED: u32 = 0x7761_6e73;

/// Where a packet goes next.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// To a chain, for good. Thousands of map entries share a few names.
    Goto(Rc<str>),
    /// Done here.
    Accept,
}

impl Verdict {
    /// The chain it leads to, if to one.
    #[must_use]
    pub fn chain(&self) -> Option<&str> {
        match self {
            Self::Goto(chain) => Some(chain),
            Self::Accept => None,
        }
    }
}

impl Hook {
    /// The name of the base chain at this hook, which is nftables' name of the hook.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        }
    }

    /// The kernel's number of the hook (`enum nf_inet_hooks`).
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Prerouting => 0,
            Self::Output => 3,
            Self::Postrouting => 4,
        }
    }

    /// The type of the base chain.
    #[must_use]
    pub fn chain_type(self) -> &'static str {
        match self {
            Self::Output => "route",
            Self::Prerouting | Self::Postrouting => "filter",
        }
    }
}
