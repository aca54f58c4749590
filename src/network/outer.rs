//! What a tunnel's own packets look like: the ones that the router makes of those that go into the tunnel.

use crate::config::model::{Config, Endpoint, Family, LinkId};
use crate::network::Facts;
use std::net::IpAddr;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A tunnel's own packets, by what an ip rule can see of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Outer {
    /// The other end's address, if it is known and does not change.
    pub destination: Option<IpAddr>,
    /// Their protocol.
    pub protocol: Option<u8>,
    /// Their source port; only with a protocol.
    pub source_port: Option<u16>,
    /// Their destination port; only with a protocol.
    pub destination_port: Option<u16>,
}

impl Outer {
    /// What a program sends from the UDP port it listens on, wherever to: WireGuard. Its peers may change their address
    /// at any time, and nobody says so.
    #[must_use]
    pub fn from_port(port: u16) -> Self {
        Self { protocol: Some(UDP), source_port: Some(port), ..Self::default() }
    }

    /// What goes to a UDP port: VXLAN, Geneve.
    #[must_use]
    pub fn to_port(destination: Option<IpAddr>, port: u16) -> Self {
        Self { destination, protocol: Some(UDP), destination_port: Some(port), ..Self::default() }
    }

    /// Whether such packets are of a family, as far as can be told.
    #[must_use]
    pub fn allows(&self, family: Family) -> bool {
        self.destination.is_none_or(|address| Family::of(address) == family)
    }

    /// What an `endpoint` of the configuration says.
    fn of(endpoint: Endpoint) -> Vec<Self> {
        let Endpoint { address: destination, port } = endpoint;
        match port {
            None => vec![Self { destination, ..Self::default() }],
            Some(port) => {
                [UDP, TCP].map(|protocol| Self { protocol: Some(protocol), ..Self::to_port(destination, port) }).into()
            }
        }
    }
}

/// What is known of a link's own packets, by the configuration and by the machine; nothing if it is no tunnel.
#[must_use]
pub fn of_link(config: &Config, facts: &Facts, link: LinkId) -> Vec<Outer> {
    let told = config[link].endpoints.iter().copied().flat_map(Outer::of);
    let seen = facts.links.get(link.0).map_or(&[][..], |own| &own.outer);
    let mut all: Vec<Outer> = Vec::new();
    for outer in told.chain(seen.iter().copied()) {
        if !all.contains(&outer) {
            all.push(outer);
        }
    }
    all
}
