//! Addresses and protocols as rules there have them.

use crate::config::model::Family;
use crate::config::{entry, protocol_number};
use std::net::Ipv4Addr;

/// 0 if a text is an IPv4 address, network or range, 1 if it is one of IPv6; nothing if it is neither.
pub fn family(text: &str) -> Option<usize> {
    entry(text).map(|(family, _)| usize::from(family == Family::V6))
}

/// Whether a text is an IPv4 network whose netmask has gaps, as `0.0.0.1/0.0.0.1`: every other address, for iptables.
pub fn has_gaps(text: &str) -> bool {
    let is_address = |text: &str| text.parse::<Ipv4Addr>().is_ok();
    family(text).is_none()
        && text.split_once('/').is_some_and(|(network, mask)| is_address(network) && is_address(mask))
}

/// Whether a protocol is known here by this name or number.
pub fn is_protocol(text: &str) -> bool {
    protocol_number(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_their_family() {
        let cases = [
            ("192.0.2.1", Some(0)),
            ("0.0.0.0/0", Some(0)),
            ("192.0.2.0/255.255.255.0", Some(0)),
            ("::/0", Some(1)),
            ("2001:db8::1", Some(1)),
            ("192.0.2.0/33", None),
            ("192.0.2.0/255.0.255.0", None),
            ("::/129", None),
            ("::/255.0.0.0", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/+8", None),
            ("example.org", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(family(text), expected, "{text:?}");
        }
    }

    #[test]
    fn netmasks_with_gaps_are_known() {
        let cases =
            ["0.0.0.1/0.0.0.1", "192.0.2.0/255.0.255.0", "192.0.2.0/255.255.255.0", "192.0.2.0/33", "192.0.2.1"];
        assert_eq!(cases.map(has_gaps), [true, true, false, false, false]);
    }
}
