//! What a packet must be like for a rule to match.

use super::{Family, ForeignMark, SetId};
use crate::interval::{Interval, IntervalSet};
use crate::map::Set;
use std::fmt;
use std::str::FromStr;

/// The last user id: the kernel keeps the number behind it for "nobody at all".
pub const LAST_USER: u32 = u32::MAX - 1;

/// Whether a rule for the router's own packets misses port 65535: an ip rule can be about all ports, by naming none, but
/// this one it cannot name.
#[must_use]
pub fn misses_last_port(ports: &IntervalSet) -> bool {
    ports.contains(u16::MAX.into()) && !is_every_port(ports)
}

/// Whether these are all ports there are. 0 is none.
#[must_use]
pub fn is_every_port(ports: &IntervalSet) -> bool {
    ports.covers(&IntervalSet::from_iter([Interval::new(1, u16::MAX.into())]))
}

/// What a packet must be like for a rule to match. All parts must hold; a part that is `None` holds always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    /// `family`, or what the addresses decided: `None` is both.
    pub family: Option<Family>,
    /// Protocol numbers, 0 to 255. `icmp` is 1 and 58. Always set when ports are.
    pub protocols: Option<IntervalSet>,
    /// IPv4 source addresses; looked at for IPv4 packets only.
    pub source4: Option<IntervalSet>,
    /// IPv6 source addresses; looked at for IPv6 packets only.
    pub source6: Option<IntervalSet>,
    /// IPv4 destination addresses; looked at for IPv4 packets only.
    pub destination4: Option<IntervalSet>,
    /// IPv6 destination addresses; looked at for IPv6 packets only.
    pub destination6: Option<IntervalSet>,
    /// Source ports, 1 to 65535.
    pub source_ports: Option<IntervalSet>,
    /// Destination ports, 1 to 65535.
    pub destination_ports: Option<IntervalSet>,
    /// Interfaces the packet came in by: netifd names or device names.
    pub interfaces: Option<Choice<String>>,
    /// The sender's Ethernet address. A packet without one (a tunnel) matches neither form.
    pub macs: Option<Choice<Mac>>,
    /// DSCP values, 0 to 63.
    pub dscp: Option<IntervalSet>,
    /// Types of ICMP, and of ICMPv6: 0 to 255. Together with the protocols.
    pub icmp_types: Option<[IntervalSet; 2]>,
    /// A packet mark of somebody else's.
    pub mark: Option<ForeignMark>,
    /// The users whose sockets are meant, 0 to [`LAST_USER`]. Only the router's own packets have one.
    pub users: Option<IntervalSet>,
    /// Sets in one of which the source may be instead of among the source addresses.
    pub source_sets: Option<InSets>,
    /// Sets in one of which the destination may be instead of among the destination addresses.
    pub destination_sets: Option<InSets>,
}

/// Sets of addresses that a rule names. Any of them will do, and so will an address that the rule names itself: where
/// there are sets, no such address means that only the sets count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InSets {
    /// The sets, and how people call each: `set 'streams'`.
    pub sets: Vec<(SetId, String)>,
    /// IPv4 addresses that are not meant, in whatever set they are.
    pub except4: IntervalSet,
    /// IPv6 addresses that are not meant, in whatever set they are.
    pub except6: IntervalSet,
}

impl InSets {
    /// The addresses of one family that are not meant.
    #[must_use]
    pub fn except(&self, family: Family) -> &IntervalSet {
        match family {
            Family::V4 => &self.except4,
            Family::V6 => &self.except6,
        }
    }
}

impl Matches {
    /// The source addresses of one family.
    #[must_use]
    pub fn source(&self, family: Family) -> Option<&IntervalSet> {
        match family {
            Family::V4 => self.source4.as_ref(),
            Family::V6 => self.source6.as_ref(),
        }
    }

    /// The destination addresses of one family.
    #[must_use]
    pub fn destination(&self, family: Family) -> Option<&IntervalSet> {
        match family {
            Family::V4 => self.destination4.as_ref(),
            Family::V6 => self.destination6.as_ref(),
        }
    }

    /// The ICMP types of one family.
    #[must_use]
    pub fn icmp_types(&self, family: Family) -> Option<&IntervalSet> {
        let [v4, v6] = self.icmp_types.as_ref()?;
        Some(match family {
            Family::V4 => v4,
            Family::V6 => v6,
        })
    }

    /// Whether a source address, given as a number and by the sets it is in, is meant.
    #[must_use]
    pub fn allows_source(&self, family: Family, address: u128, within: &[SetId]) -> bool {
        allows(self.source(family), self.source_sets.as_ref(), family, address, within)
    }

    /// Whether a destination address, given as a number and by the sets it is in, is meant.
    #[must_use]
    pub fn allows_destination(&self, family: Family, address: u128, within: &[SetId]) -> bool {
        allows(self.destination(family), self.destination_sets.as_ref(), family, address, within)
    }

    /// Whether packets of this family can match at all.
    #[must_use]
    pub fn allows(&self, family: Family) -> bool {
        self.family.is_none_or(|only| only == family)
    }
}

fn allows(
    addresses: Option<&IntervalSet>,
    sets: Option<&InSets>,
    family: Family,
    address: u128,
    within: &[SetId],
) -> bool {
    let Some(named) = sets else { return addresses.is_none_or(|addresses| addresses.contains(address)) };
    let in_set = || named.sets.iter().any(|(set, _)| within.contains(set)) && !named.except(family).contains(address);
    addresses.is_some_and(|addresses| addresses.contains(address)) || in_set()
}

/// One of these, or none of these. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice<T: Ord> {
    /// One of these.
    OneOf(Set<T>),
    /// Anything else.
    NoneOf(Set<T>),
}

impl<T: Ord> Choice<T> {
    /// Whether a value is meant.
    #[must_use]
    pub fn allows(&self, value: &T) -> bool {
        match self {
            Self::OneOf(set) => set.contains(value),
            Self::NoneOf(set) => !set.contains(value),
        }
    }
}

/// An Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// A text is no Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMac;

impl FromStr for Mac {
    type Err = NotAMac;

    /// Six pairs of hexadecimal digits between colons, or between dashes.
    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut parts = text.split(separator);
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2 && part.bytes().all(|c| c.is_ascii_hexdigit()));
            *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or(NotAMac)?;
        }
        if parts.next().is_some() { Err(NotAMac) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
