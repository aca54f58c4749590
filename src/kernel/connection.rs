//! One tracked connection, as conntrack has it. There are two ways to read them all: ctnetlink
//! ([`netlink::connection`](super::netlink::connection)), and the text under `/proc`, [`lines`].

pub mod lines;

use crate::config::model::Family;
use std::net::IpAddr;

/// Whether the kernel counts what new connections carry.
#[must_use]
pub fn are_counted() -> bool {
    std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_acct").is_ok_and(|value| value.trim() == "1")
}

/// A tracked connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The protocol's number.
    pub protocol: u8,
    /// Its first packet, as it arrived.
    pub original: Tuple,
    /// The answers to that, as they arrive: where addresses are translated, not just the other way round.
    pub reply: Tuple,
    /// Its mark, everybody's bits.
    pub mark: u32,
    /// Whether an answer was seen.
    pub answered: bool,
    /// In how many seconds it is forgotten, if no packet comes.
    pub expires: u32,
    /// Packets and bytes of both directions; none if the kernel does not count them (`nf_conntrack_acct`).
    pub count: Option<(u64, u64)>,
}

/// The ends of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuple {
    /// Who sends.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// The source port, for protocols that have ports.
    pub source_port: Option<u16>,
    /// The destination port, for protocols that have ports.
    pub destination_port: Option<u16>,
    /// The type of ICMP or ICMPv6, if it is such a packet.
    pub icmp_type: Option<u8>,
}

impl Connection {
    /// The IP version of its first packet.
    #[must_use]
    pub fn family(&self) -> Family {
        Family::of(self.original.destination)
    }
}
