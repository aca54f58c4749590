//! How a link is watched: whom to ask, how, how often, and what to make of the answers.

use super::Family;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How one link is watched. Every value here makes sense together with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// How its hosts are asked.
    pub method: Method,
    /// Whom to ask. Empty only with [`Method::Arp`], which asks the gateway.
    pub hosts: Vec<TrackedHost>,
    /// The time between two rounds; in a round every host is asked once. At least a [`Tracking::MOST_ROUNDS`]th of the
    /// timeout.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How many failed rounds in a row take the link down.
    pub down: u32,
    /// How many good rounds in a row bring it back.
    pub up: u32,
    /// How many hosts of one family must answer for a good round; never more than there are.
    pub reliability: u32,
    /// The loss in percent above which the link is degraded.
    pub max_loss: Option<u8>,
    /// The mean round-trip time above which the link is degraded.
    pub max_latency: Option<Duration>,
}

/// A host that is asked whether a link works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackedHost {
    /// Its address; it tests the link in the address's family.
    pub address: IpAddr,
    /// The port for methods that have one, if it is not the usual one.
    pub port: Option<u16>,
}

/// How a host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// ICMP or ICMPv6 echo.
    Ping,
    /// A TCP connection that is made and closed again. Port 443, if no other is given.
    Tcp,
    /// A DNS query over UDP; any answer to it counts. Port 53, if no other is given.
    Dns,
    /// HTTP GET; a status of 200 to 399 counts. Port 80, if no other is given.
    Http,
    /// ARP or NDP for the gateway: tests the first hop only.
    Arp,
}

impl Tracking {
    /// The most hosts of one family.
    pub const MOST_HOSTS: usize = 32;
    /// How many regular rounds there may be within one timeout, since each needs memory.
    pub const MOST_ROUNDS: u32 = 32;

    /// The hosts that test the link in one family.
    pub fn hosts_of(&self, family: Family) -> impl Iterator<Item = &TrackedHost> {
        self.hosts.iter().filter(move |host| Family::of(host.address) == family)
    }
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ping, Self::Tcp, Self::Dns, Self::Http, Self::Arp];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Tcp => "tcp",
            Self::Dns => "dns",
            Self::Http => "http",
            Self::Arp => "arp",
        }
    }

    /// The port that is asked if a host has none; none for methods without ports.
    #[must_use]
    pub fn usual_port(self) -> Option<u16> {
        match self {
            Self::Ping | Self::Arp => None,
            Self::Tcp => Some(443),
            Self::Dns => Some(53),
            Self::Http => Some(80),
        }
    }
}

impl fmt::Display for TrackedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}
