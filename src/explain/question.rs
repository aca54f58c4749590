//! The words of a question: protocols, addresses with ports, Ethernet addresses.

use crate::config::model::Mac;
use std::net::{IpAddr, SocketAddr};

/// A protocol's number by its name or number.
#[must_use]
pub fn protocol_number(word: &str) -> Option<u8> {
    let known = match word.to_ascii_lowercase().as_str() {
        "icmpv6" | "ipv6-icmp" => 58,
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "dccp" => 33,
        "sctp" => 132,
        "udplite" => 136,
        number => return number.parse().ok(),
    };
    Some(known)
}

/// Whether a protocol has ports.
#[must_use]
pub fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}

/// An address, perhaps with a port: `1.1.1.1`, `1.1.1.1:53`, `2001:db8::1`, `[2001:db8::1]:53`.
///
/// # Errors
/// A sentence that says what would be right.
pub fn endpoint(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok((address, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(end) => Ok((end.ip(), Some(end.port()))),
        Err(_) => Err(format!(
            "'{text}' is no address: write 192.168.1.10, 192.168.1.10:443, 2001:db8::1 or [2001:db8::1]:443"
        )),
    }
}

/// An address with a port, as [`endpoint`] reads it.
#[must_use]
pub fn with_port(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}

/// An Ethernet address.
///
/// # Errors
/// A sentence that says what would be right.
pub fn mac(text: &str) -> Result<Mac, String> {
    let complaint = || format!("'{text}' is no Ethernet address: write 02:00:00:00:00:01");
    let bytes: Option<Vec<u8>> =
        text.split([':', '-']).map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() <= 2)).collect();
    bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok()).map(Mac).ok_or_else(complaint)
}
