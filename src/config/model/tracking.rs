//! How a link is watched: whom to ask, how, how often, and what to make of the answers.

use std::net::IpAddr;
use std::time::Duration;

/// How one link is watched. Every value here makes sense together with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// How its hosts are asked.
    pub method: Method,
    /// Whom to ask. Empty only with [`Method::Arp`], which asks the gateway.
    pub hosts: Vec<TrackedHost>,
    /// The time between two rounds; in a round every host is asked once.
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
