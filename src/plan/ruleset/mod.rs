//! Our nftables table as typed values, small enough to be written as JSON, as text, and to be interpreted by a test.
//!
//! Nearly every map and set is named after its content and never changed: a new content is a new map. So a change is
//! always "add the new maps, swap the rules, delete the old maps", the one order that loses no packet on any kernel, and
//! whether the kernel holds a map is answered by its name. Only sets of addresses that come and go while the rules stay
//! ([`Fill`]) keep their names.

pub mod digest;
pub mod json;
pub mod kept;
mod names;
pub mod text;

use digest::Digest;

use crate::config::model::{AddressSet, Choice, Family, ForeignMark, Listed, Mac, Mask, Part, SetId};
use crate::interval::{Interval, IntervalSet};
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

impl Key {
    /// Whether maps and named sets can be looked up by it. nft before 1.0.8 shifts the DSCP bits of IPv6, which lie
    /// across two bytes, in the wrong byte order; where the values stand in the rule it shifts those instead, rightly.
    #[must_use]
    pub fn has_maps(self) -> bool {
        self != Self::Dscp(Family::V6)
    }
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

/// What a map is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Our bits of the connection's mark.
    ConnectionMark,
    /// Our bits of the packet's mark.
    PacketMark,
    /// The device it came in by.
    Input,
    /// The device it leaves by.
    Output,
    /// The IP version.
    Family,
    /// The protocol's number.
    Protocol,
    /// The source address; matches this family only.
    Source(Family),
    /// The destination address; matches this family only.
    Destination(Family),
    /// The source port.
    SourcePort,
    /// The destination port.
    DestinationPort,
    /// The sender's Ethernet address.
    Sender,
    /// The DSCP value; matches this family only.
    Dscp(Family),
    /// The type of ICMP or ICMPv6; matches packets of this family's protocol only.
    IcmpType(Family),
}

/// The numbers nftables has for the two families in `meta nfproto`.
#[must_use]
pub fn family_number(family: Family) -> u128 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

/// A device's name as a number, so that it fits an [`Interval`]; names have at most 15 bytes.
#[must_use]
pub fn device_number(name: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

/// The inverse of [`device_number`].
#[must_use]
pub fn device_name(number: u128) -> String {
    let bytes = number.to_be_bytes();
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_string()
}

/// An Ethernet address as an even number, so that two neighbours never melt into one interval: maps of addresses stay
/// hash tables.
#[must_use]
pub fn mac_number(mac: Mac) -> u128 {
    mac.0.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)) << 1
}

/// The inverse of [`mac_number`].
#[must_use]
pub fn mac(number: u128) -> Mac {
    let [.., a, b, c, d, e, f] = (number >> 1).to_be_bytes();
    Mac([a, b, c, d, e, f])
}

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
