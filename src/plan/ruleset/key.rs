//! What maps and sets are looked up by, and the numbers that stand for devices, senders and IP versions there.

use crate::config::model::{Family, Mac};

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

impl Key {
    /// Whether maps and named sets can be looked up by it. nft before 1.0.8 shifts the DSCP bits of IPv6, which lie
    /// across two bytes, in the wrong byte order; where the values stand in the rule it shifts those instead, rightly.
    #[must_use]
    pub fn has_maps(self) -> bool {
        self != Self::Dscp(Family::V6)
    }
}
