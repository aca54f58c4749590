//! What a rule matches, as a product of sets: one set for each thing a packet has.

use crate::config::model::{AddressSet, Choice, Family, ForeignMark, InSets, Mac, Matches, Part, SetId};
use crate::interval::{Interval, IntervalSet};
use crate::map::Set;
use crate::plan::ruleset::{Key, device_number, family_number, mac_number};
use crate::sort;
use std::borrow::Cow;

/// The packets for which every set holds. A dimension that is not limited is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region<'a> {
    /// The limited dimensions, sorted by key. Those of addresses and DSCP imply a family.
    sets: Vec<(Key, Cow<'a, IntervalSet>)>,
    /// What cannot be said as intervals of a key that nft has ranges for: "any device but these", "any sender but these".
    pub guard: Guard,
}

/// The negated parts of a rule that stay outside of map keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// Devices it must not have come in by.
    pub not_devices: Set<String>,
    /// Ethernet addresses it must not have; it must have one, though.
    pub not_macs: Set<Mac>,
    /// A packet mark of somebody else's.
    pub mark: Option<ForeignMark>,
    /// The set its source must be in.
    pub source: Option<Member>,
    /// The set its destination must be in.
    pub destination: Option<Member>,
}

/// What a packet's address must be in: one part of a set, in one family. What that holds is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The set.
    pub set: SetId,
    /// The part.
    pub part: Part,
    /// The family.
    pub family: Family,
}

impl<'a> Region<'a> {
    /// The regions of a rule: one, or one a family, and one for each set that it names. `device` gives the layer 3 device of
    /// an interface's name.
    #[must_use]
    pub fn of_rule(matches: &'a Matches, sets: &[AddressSet], device: &dyn Fn(&str) -> String) -> Vec<Self> {
        let by_family = matches.source4.is_some()
            || matches.source6.is_some()
            || matches.destination4.is_some()
            || matches.destination6.is_some()
            || matches.dscp.is_some()
            || matches.icmp_types.is_some()
            || matches.source_sets.is_some()
            || matches.destination_sets.is_some();
        if !by_family {
            return vec![Self::of_family(matches, None, None, None, device)];
        }
        let mut regions = Vec::new();
        for family in Family::BOTH.into_iter().filter(|family| matches.allows(*family)) {
            if matches.icmp_types(family).is_some_and(IntervalSet::is_empty) {
                continue;
            }
            for source in ways(matches.source(family), matches.source_sets.as_ref(), sets, family) {
                for destination in ways(matches.destination(family), matches.destination_sets.as_ref(), sets, family) {
                    let to = Some(&destination);
                    regions.push(Self::of_family(matches, Some(family), Some(&source), to, device));
                }
            }
        }
        regions
    }

    fn of_family(
        matches: &'a Matches,
        family: Option<Family>,
        source: Option<&Way<'a>>,
        destination: Option<&Way<'a>>,
        device: &dyn Fn(&str) -> String,
    ) -> Self {
        let mut sets = Vec::new();
        let member = |way: Option<&Way>| way.and_then(|way| way.member);
        let (from, to) = (member(source), member(destination));
        let mut guard = Guard { mark: matches.mark, source: from, destination: to, ..Guard::default() };
        if let Some(family) = family {
            let mut limit = |key, way: Option<&Way<'a>>| {
                sets.extend(way.and_then(|way| way.addresses.clone()).map(|addresses| (key, addresses)));
            };
            limit(Key::Source(family), source);
            limit(Key::Destination(family), destination);
        }
        let mut limit = |key, set: Option<&'a IntervalSet>| sets.extend(set.map(|set| (key, Cow::Borrowed(set))));
        if let Some(family) = family {
            limit(Key::Dscp(family), matches.dscp.as_ref());
            limit(Key::IcmpType(family), matches.icmp_types(family).filter(|types| !types.is_full(255)));
        }
        limit(Key::Protocol, matches.protocols.as_ref());
        limit(Key::SourcePort, matches.source_ports.as_ref());
        limit(Key::DestinationPort, matches.destination_ports.as_ref());
        match &matches.interfaces {
            Some(Choice::OneOf(names)) => {
                let numbers = names.iter().map(|name| Interval::single(device_number(&device(name))));
                sets.push((Key::Input, Cow::Owned(numbers.collect())));
            }
            Some(Choice::NoneOf(names)) => {
                guard.not_devices = Set::from_iter(names.iter().map(|name| device(name)));
            }
            None => {}
        }
        match &matches.macs {
            Some(Choice::OneOf(macs)) => {
                let numbers = macs.iter().map(|mac| Interval::single(mac_number(*mac)));
                sets.push((Key::Sender, Cow::Owned(numbers.collect())));
            }
            Some(Choice::NoneOf(macs)) => guard.not_macs.clone_from(macs),
            None => {}
        }
        // A family that no address or DSCP key implies is a key of its own.
        let implied = sets.iter().any(|(key, _)| implied_family(*key).is_some()) || guard.family().is_some();
        if let Some(only) = matches.family.or(family).filter(|_| !implied) {
            sets.push((Key::Family, Cow::Owned(IntervalSet::single(family_number(only)))));
        }
        sort::by_key(&mut sets, |(key, _)| order(*key));
        Self { sets, guard }
    }

    /// The limited dimensions.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.sets.iter().map(|(key, _)| *key)
    }

    /// The limited dimensions and their sets.
    #[must_use]
    pub fn sets(&self) -> &[(Key, Cow<'a, IntervalSet>)] {
        &self.sets
    }

    /// Whether it holds every packet there is.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.sets.is_empty() && self.guard == Guard::default()
    }

    /// Whether some packet is in both. May say yes where the truth is no, never the reverse.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.family(), other.family())
            && a != b
        {
            return false;
        }
        let apart = |a: &Self, b: &Self| a.sets.iter().any(|(key, set)| b.excludes(*key, set));
        !apart(self, other) && !apart(other, self)
    }

    /// Whether no value of `set` is in this region's dimension `key`.
    fn excludes(&self, key: Key, set: &IntervalSet) -> bool {
        let forbidden = match key {
            Key::Input => self.guard.not_devices.iter().map(|name| Interval::single(device_number(name))).collect(),
            Key::Sender => self.guard.not_macs.iter().map(|mac| Interval::single(mac_number(*mac))).collect(),
            _ => IntervalSet::empty(),
        };
        let outside = self.set(key).is_some_and(|own| !own.overlaps(set));
        outside || (!forbidden.is_empty() && forbidden.covers(set))
    }

    /// Whether every packet of `other` is in it. May say no where the truth is yes, never the reverse.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let guard = &self.guard;
        let guarded = guard.not_devices.is_subset(&other.guard.not_devices)
            && guard.not_macs.is_subset(&other.guard.not_macs)
            && (guard.not_macs.is_empty() || !other.guard.not_macs.is_empty())
            && (guard.mark.is_none() || guard.mark == other.guard.mark)
            && (guard.source.is_none() || guard.source == other.guard.source)
            && (guard.destination.is_none() || guard.destination == other.guard.destination);
        let within = |key: Key, set: &IntervalSet| match other.set(key) {
            Some(theirs) => set.covers(theirs),
            None => key == Key::Family && other.family().is_some_and(|f| set.contains(family_number(f))),
        };
        guarded && self.sets.iter().all(|(key, set)| within(*key, set))
    }

    /// What it has of a key, if it looks at it.
    #[must_use]
    pub fn set(&self, key: Key) -> Option<&IntervalSet> {
        self.sets.iter().find(|(own, _)| *own == key).map(|(_, set)| set.as_ref())
    }

    /// The values of a key of devices or senders that it names, as those it wants or those it does not.
    #[must_use]
    pub fn named(&self, key: Key) -> Vec<u128> {
        let mut values: Vec<u128> =
            self.set(key).into_iter().flat_map(IntervalSet::iter).map(Interval::first).collect();
        match key {
            Key::Input => values.extend(self.guard.not_devices.iter().map(|name| device_number(name))),
            Key::Sender => values.extend(self.guard.not_macs.iter().map(|mac| mac_number(*mac))),
            _ => {}
        }
        values
    }

    /// Whether it may hold packets with this value of a key of devices or senders.
    #[must_use]
    pub fn holds(&self, key: Key, value: u128) -> bool {
        !self.excludes(key, &IntervalSet::single(value))
    }

    /// The same for packets of which it is known that they have a value of the key that it [holds](Self::holds).
    #[must_use]
    pub fn without(&self, key: Key) -> Self {
        let mut region = self.clone();
        region.sets.retain(|(own, _)| *own != key);
        match key {
            Key::Input => region.guard.not_devices = Set::new(),
            Key::Sender => region.guard.not_macs = Set::new(),
            _ => {}
        }
        region
    }

    /// The same for packets that have none of the values that regions name. Each comes in by some device, but not each
    /// has a sender's address.
    #[must_use]
    pub fn elsewhere(&self, key: Key) -> Self {
        if key == Key::Input { self.without(key) } else { self.clone() }
    }

    /// The only family its packets can have, if there is one.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        let named = self.set(Key::Family).and_then(|set| {
            Family::BOTH.into_iter().find(|family| *set == IntervalSet::single(family_number(*family)))
        });
        named.or_else(|| self.keys().find_map(implied_family)).or_else(|| self.guard.family())
    }
}

impl Guard {
    /// The family that its sets imply.
    fn family(&self) -> Option<Family> {
        self.source.or(self.destination).map(|member| member.family)
    }
}

/// One way in which an address may be right: by what it is, or by the set it is in.
struct Way<'a> {
    addresses: Option<Cow<'a, IntervalSet>>,
    member: Option<Member>,
}

/// The ways in which an address of a family may be right.
fn ways<'a>(
    addresses: Option<&'a IntervalSet>,
    named: Option<&InSets>,
    sets: &[AddressSet],
    family: Family,
) -> Vec<Way<'a>> {
    let plain = || Way { addresses: addresses.map(Cow::Borrowed), member: None };
    let Some(named) = named else { return vec![plain()] };
    let mut ways: Vec<Way> = addresses.is_some().then(plain).into_iter().collect();
    let except = named.except(family);
    let rest =
        (!except.is_empty()).then(|| IntervalSet::full(family.max_address()).without(except, family.max_address()));
    for (set, _) in &named.sets {
        for part in Part::BOTH {
            if sets.get(set.0).is_some_and(|own| own.has(part, family)) {
                let member = Some(Member { set: *set, part, family });
                ways.push(Way { addresses: rest.clone().map(Cow::Owned), member });
            }
        }
    }
    ways
}

fn implied_family(key: Key) -> Option<Family> {
    match key {
        Key::Source(family) | Key::Destination(family) | Key::Dscp(family) | Key::IcmpType(family) => Some(family),
        _ => None,
    }
}

/// The order of keys in a concatenation. Addresses first: nft then checks the family by `meta nfproto`; after an
/// Ethernet address it would check the EtherType instead.
pub(super) fn order(key: Key) -> u8 {
    match key {
        Key::Family => 0,
        Key::Source(_) => 1,
        Key::Destination(_) => 2,
        Key::Dscp(_) => 3,
        Key::Protocol => 4,
        Key::IcmpType(_) => 5,
        Key::SourcePort => 6,
        Key::DestinationPort => 7,
        Key::Input => 8,
        Key::Sender => 9,
        Key::Output | Key::ConnectionMark | Key::PacketMark => 10,
    }
}
