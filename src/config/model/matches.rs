//! What a packet must be like for a rule to match.

use super::Family;
use crate::interval::IntervalSet;
use crate::map::Set;
use std::fmt;
use std::str::FromStr;

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

    /// Whether packets of this family can match at all.
    #[must_use]
    pub fn allows(&self, family: Family) -> bool {
        self.family.is_none_or(|only| only == family)
    }
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
