//! Links that are tunnels: the router itself makes the packets they consist of.

use super::{LinkId, PolicyId};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a tunnel's own packets go: one `endpoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The server's address; none is any, and then there is a port.
    pub address: Option<IpAddr>,
    /// Its port, UDP or TCP; none is any, and any other protocol.
    pub port: Option<u16>,
}

/// What carries a tunnel's own packets: `via`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Underlay {
    /// One link and its fallback.
    Link(LinkId),
    /// A policy.
    Policy(PolicyId),
    /// The main routing table.
    Main,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (Some(address), Some(port)) => SocketAddr::new(address, port).fmt(f),
            (Some(address), None) => address.fmt(f),
            (None, Some(port)) => write!(f, "*:{port}"),
            (None, None) => f.write_str("*"),
        }
    }
}
