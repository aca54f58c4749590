//! The words of a question: addresses with ports.

use crate::config::options::PROTOCOLS_WITH_PORTS;
use std::net::{IpAddr, SocketAddr};

/// Whether a protocol has ports.
#[must_use]
pub fn has_ports(protocol: u8) -> bool {
    PROTOCOLS_WITH_PORTS.iter().any(|(_, number)| *number == protocol)
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
