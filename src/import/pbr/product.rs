//! A policy is one list of sources and one of destinations, of several kinds each; a rule of ours has one kind of
//! source. So a policy is the product of its kinds, as rules.

use super::entries::{Entry, Kind};
use crate::config::model::Family;
use crate::import::Section;

/// The entries of one side, without those that cannot be said.
#[derive(Clone)]
pub struct Side<'a> {
    /// The entries. Those of kind [`Kind::Url`] have the names of sets for texts.
    pub entries: Vec<Entry<'a>>,
    /// The options for addresses, sets and domains.
    pub options: [&'static str; 3],
}

/// The options of the source.
pub const SOURCE: [&str; 3] = ["src_ip", "src_set", ""];
/// Those of the destination.
pub const DESTINATION: [&str; 3] = ["dest_ip", "dest_set", "dest_domain"];

/// Kinds of entries that are alternatives within one rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// No entry without a `!`.
    Any,
    /// Addresses, sets, domains.
    Addresses,
    /// Ethernet addresses.
    Macs,
    /// Devices.
    Devices,
}

fn group_of(kind: Kind) -> Group {
    match kind {
        Kind::Mac => Group::Macs,
        Kind::Device => Group::Devices,
        _ => Group::Addresses,
    }
}

impl<'a> Side<'a> {
    /// Takes out what cannot be an exception within a rule: sets and domains. They come back as what a rule of their own
    /// must match.
    pub fn take_exceptions(&mut self) -> Option<Self> {
        let apart = |entry: &Entry| entry.negated && matches!(entry.kind, Kind::Url | Kind::Name);
        let taken = self.entries.iter().filter(|entry| apart(entry)).map(|entry| Entry { negated: false, ..*entry });
        let taken: Vec<Entry> = taken.collect();
        self.entries.retain(|entry| !apart(entry));
        (!taken.is_empty()).then_some(Self { entries: taken, options: self.options })
    }

    fn has(&self, group: Group) -> bool {
        self.entries.iter().any(|entry| !entry.negated && group_of(entry.kind) == group)
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups = vec![Group::Addresses, Group::Macs, Group::Devices];
        groups.retain(|group| self.has(*group));
        if groups.is_empty() { vec![Group::Any] } else { groups }
    }

    /// The addresses of a family that are or are not negated.
    fn addresses(&self, family: Family, negated: bool) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(move |entry| entry.kind == Kind::Address(family) && entry.negated == negated)
    }

    /// Whether packets of a family can match a group.
    fn allows(&self, group: Group, family: Family) -> bool {
        let named = |negated| self.addresses(family, negated).next().is_some();
        // Sets and domains have addresses of both families.
        let open = |negated| {
            let both = |entry: &Entry| entry.negated == negated && matches!(entry.kind, Kind::Url | Kind::Name);
            self.entries.iter().any(both)
        };
        match group {
            Group::Addresses => named(false) || open(false),
            // "All but these" holds within its own family.
            Group::Any => {
                let others = Family::BOTH.into_iter().any(|other| self.addresses(other, true).next().is_some());
                named(true) || open(true) || !others
            }
            Group::Macs | Group::Devices => true,
        }
    }

    /// Whether a rule for both families would say something else than one for each: a negated address alone would
    /// decide the family for all others.
    fn is_lopsided(&self) -> bool {
        let has = |negated| Family::BOTH.map(|family| self.addresses(family, negated).next().is_some());
        has(true)[0] != has(true)[1] && has(false) != [true; 2]
    }

    /// Writes what a group wants of packets of these families. Says whether an address decides the family.
    fn write(&self, rule: &mut Section, group: Group, families: &[Family]) -> bool {
        let [addresses, sets, domains] = self.options;
        let (mut decided, mut open) = (false, false);
        for entry in &self.entries {
            if !entry.negated && group_of(entry.kind) != group {
                continue;
            }
            let option = match entry.kind {
                Kind::Address(family) if families.contains(&family) => addresses,
                Kind::Url => sets,
                Kind::Name => domains,
                Kind::Mac => "src_mac",
                Kind::Device => "src_iface",
                Kind::Address(_) | Kind::Unknown => continue,
            };
            decided |= !entry.negated && option == addresses;
            open |= option == sets || option == domains;
            let sign = if entry.negated { "!" } else { "" };
            rule.list(option, format!("{sign}{}", entry.text));
        }
        // Addresses beside sets and domains are alternatives, and those have addresses of both families.
        decided && !open
    }
}

/// The rules of a policy: `begin` makes each, then what it wants of source and destination is added. None if no packet
/// can match.
pub fn rules(source: &Side, destination: &Side, ipv6: bool, mut begin: impl FnMut() -> Section) -> Vec<Section> {
    let wanted: &[Family] = if ipv6 { &Family::BOTH } else { &Family::BOTH[..1] };
    let mut rules = Vec::new();
    for from in source.groups() {
        for to in destination.groups() {
            let possible = |family: &Family| source.allows(from, *family) && destination.allows(to, *family);
            let families: Vec<Family> = wanted.iter().copied().filter(possible).collect();
            let apart = families.len() == 2 && (source.is_lopsided() || destination.is_lopsided());
            let parts = families.chunks(if apart { 1 } else { 2 });
            for families in parts {
                let mut rule = begin();
                let by_source = source.write(&mut rule, from, families);
                let by_destination = destination.write(&mut rule, to, families);
                if let [family] = families
                    && !by_source
                    && !by_destination
                {
                    rule.option("family", if *family == Family::V4 { "ipv4" } else { "ipv6" });
                }
                rules.push(rule);
            }
        }
    }
    rules
}
