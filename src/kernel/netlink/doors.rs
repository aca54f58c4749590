//! A door for `fuzz/` and its tests: the kernel's messages as bytes, without a kernel.

use super::link::Link;
use super::message::{Malformed, Message, Messages, Request};
use super::news::{Memory, News, hear_nftables};
use super::socket::Failure;
use super::{
    address, connection, conntrack, counters, elements, link, lookup, neighbour, nftables, route, route_reader, rule,
    socket, tunnel, wireguard,
};
use crate::config::model::Family;
use crate::interval::Interval;
use crate::plan::ruleset::TABLE;
use crate::plan::state::{IpRule, PROTOCOL, Route};

/// What was read that can be written again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// The ip rules that count as ours.
    pub rules: Vec<IpRule>,
    /// The routes that count as ours.
    pub routes: Vec<Route>,
    /// The elements of a set of IPv4 addresses, and of one of IPv6 addresses.
    pub elements: [Vec<Interval>; 2],
}

/// Gives each message of a datagram to every reader there is, whatever it was asked for.
///
/// # Errors
/// The datagram does not consist of messages.
pub fn read(datagram: &[u8], devices: &[Link]) -> Result<Read, Malformed> {
    let mut read = Read::default();
    let mut edges = [Vec::new(), Vec::new()];
    for message in Messages(datagram) {
        let message = &message?;
        let ours = rule::decode(message).ok().flatten().filter(rule::Found::is_ours);
        read.rules.extend(ours.map(|found| found.rule));
        let found = route_reader::decode(message, devices).ok().flatten();
        let ours = found.filter(|found| found.protocol == PROTOCOL).and_then(|found| found.as_ours());
        read.routes.extend(ours);
        for (edges, family) in edges.iter_mut().zip(Family::BOTH) {
            edges.extend(elements::edges(message, family).ok().flatten().unwrap_or_default());
        }
        others(message, devices);
    }
    let [v4, v6] = edges;
    read.elements = [elements::intervals(v4, Family::V4), elements::intervals(v6, Family::V6)];
    Ok(read)
}

/// The readers whose results are looked at elsewhere.
fn others(message: &Message, devices: &[Link]) {
    let _ = (link::decode(message), address::decode(message), connection::decode(message));
    let _ = (neighbour::decode(message), neighbour::decode_ethernet(message));
    let _ = (conntrack::decode(message), conntrack::decode_total(message));
    let _ = (nftables::chain(message, TABLE), nftables::rule(message, TABLE), nftables::set(message, TABLE));
    let _ = (nftables::elements(message), counters::counter(message, TABLE), wireguard::part(message));
    let _ = socket::verdict(message).map_err(|failure| failure.to_string());
    for family in Family::BOTH {
        let _ = lookup::decode(message, family, devices);
    }
    if let Ok((_, attributes)) = message.split::<16>() {
        let _ = attributes.flatten().map(|attribute| tunnel::decode(&attribute)).all(|tunnel| tunnel.is_ok());
    }
}

/// What a listener to the kernel makes of these announcements, one datagram after the other.
#[must_use]
pub fn hear(datagrams: &[&[u8]], devices: &[Link]) -> Vec<News> {
    let mut memory = Memory::default();
    memory.read(devices);
    let mut heard = Vec::new();
    for datagram in datagrams {
        let mut news = News::default();
        let mut all = Messages(datagram).map(|message| {
            let message = message?;
            memory.hear(&message, &mut news)?;
            hear_nftables(&message, &mut news)
        });
        if all.any(|outcome| outcome.is_err()) {
            memory.clear();
            news.lost = true;
        }
        heard.push(news);
    }
    heard
}

/// The message that adds an ip rule.
///
/// # Errors
/// It does not fit into a message.
pub fn rule_message(rule: &IpRule) -> Result<Vec<u8>, Failure> {
    sealed(rule::encode(32, 0, rule))
}

/// The message that adds a route.
///
/// # Errors
/// The kernel does not know its device, or it does not fit into a message.
pub fn route_message(route: &Route) -> Result<Vec<u8>, Failure> {
    sealed(route::encode(24, 0, route)?)
}

fn sealed(mut request: Request) -> Result<Vec<u8>, Failure> {
    Ok(request.seal(0)?.to_vec())
}
