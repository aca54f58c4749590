//! nft's names of things, the same in JSON and in text.

use super::Key;
use crate::config::model::Family;

/// nft's name of the data type of a key.
pub(super) fn kind(key: Key) -> &'static str {
    match key {
        Key::ConnectionMark | Key::PacketMark => "mark",
        Key::Input | Key::Output => "ifname",
        Key::Family => "nf_proto",
        Key::Protocol => "inet_proto",
        Key::Source(Family::V4) | Key::Destination(Family::V4) => "ipv4_addr",
        Key::Source(Family::V6) | Key::Destination(Family::V6) => "ipv6_addr",
        Key::SourcePort | Key::DestinationPort => "inet_service",
        Key::Sender => "ether_addr",
        Key::Dscp(_) => "dscp",
        Key::IcmpType(Family::V4) => "icmp_type",
        Key::IcmpType(Family::V6) => "icmpv6_type",
    }
}

/// nft's name of the ICMP of a family.
pub(super) fn icmp(family: Family) -> &'static str {
    match family {
        Family::V4 => "icmp",
        Family::V6 => "icmpv6",
    }
}

/// nft's name of the header of a family.
pub(super) fn ip(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// nft's name of a family in `meta nfproto`.
pub(super) fn nfproto(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}
