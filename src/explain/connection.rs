//! Which link a running connection is on, and which rule put it there, as far as its entry in conntrack tells.
//!
//! The link is a fact: the connection's mark says it. The rule is worked out, by what the rules are now, and is told only where
//! it can have led to that link: nothing remembers what the rules were when the connection began.

use super::{Decision, Details, From, Outcome, Packet, Reason, decide, number, outcome, within};
use crate::config::model::{Config, Fallback, Family, LinkId, Mac, SetId};
use crate::interval::{Interval, IntervalSet};
use crate::kernel::connection::Connection;
use crate::map::{Map, Set};
use crate::network::Facts;
use crate::plan::path::Paths;
use std::net::IpAddr;

/// All that connections are judged by.
pub struct Ground<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Its paths.
    pub paths: &'a Paths,
    /// The facts.
    pub facts: &'a Facts,
    /// Who is around.
    pub around: Around,
    /// Whose connections carry a mark.
    marks: Map<u32, Owner>,
}

/// Who is around, besides the links.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// The router's own addresses.
    pub own: Set<IpAddr>,
    /// The networks it is in, those of the links left out.
    pub networks: Vec<Network>,
    /// Ethernet addresses of neighbours.
    pub macs: Map<IpAddr, Mac>,
    /// What the sets hold now.
    pub sets: Vec<(SetId, Family, IntervalSet)>,
}

/// A network that the router is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its family.
    pub family: Family,
    /// Its addresses.
    pub addresses: Interval,
    /// The device it is on.
    pub device: String,
}

/// Whose connections carry a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Link(LinkId),
    Probes,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution {
    /// Its link; none if it has no mark of ours: the main table sent it.
    pub link: Option<LinkId>,
    /// It came in by that link.
    pub inbound: bool,
    /// It is by no link because it does not leave the house: it goes to the router itself, or from one network of its own to
    /// another.
    pub local: bool,
    /// The rule, by its place in [`Config::rules`], if one says that it goes where it is.
    pub rule: Option<usize>,
}

impl<'a> Ground<'a> {
    /// Prepares to judge connections.
    #[must_use]
    pub fn new(config: &'a Config, paths: &'a Paths, facts: &'a Facts, around: Around) -> Self {
        let links = || (0..config.links.len()).map(LinkId);
        let own = links()
            .flat_map(|link| paths.marks_of_link(link).into_iter().map(move |mark| (mark.bits(), Owner::Link(link))));
        let probes = links().filter_map(|link| Some((paths[paths.probe(link)?].mark.bits(), Owner::Probes)));
        Self { config, paths, facts, around, marks: own.chain(probes).collect() }
    }

    /// Judges a connection; none if it is nobody's concern: within the router, or one of our own probes.
    #[must_use]
    pub fn judge(&self, connection: &Connection) -> Option<Attribution> {
        let (source, destination) = (connection.original.source, connection.original.destination);
        if source.is_loopback() || destination.is_loopback() {
            return None;
        }
        let bits = connection.mark & self.config.globals.mask.bits();
        let link = match self.marks.get(&bits) {
            Some(Owner::Probes) => return None,
            Some(Owner::Link(link)) => Some(*link),
            None => None,
        };
        let inbound = link.is_some_and(|link| self.is_inbound(connection, link, bits));
        let rule =
            if inbound || self.around.own.contains(&destination) { None } else { self.rule(connection, link, bits) };
        let local = link.is_none() && self.is_local(connection.reply.source);
        Some(Attribution { link, inbound, local, rule })
    }

    /// Whether what is sent to an address stays in the house.
    fn is_local(&self, address: IpAddr) -> bool {
        let to_all = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        // A neighbour's IPv6 address of its own making: nothing routes that.
        let on_link = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        self.around.own.contains(&address)
            || self.network_of(address).is_some()
            || address.is_multicast()
            || to_all
            || on_link
    }

    /// Whether it came in by the link whose mark it has. Those that go out have the same mark: the ends tell.
    fn is_inbound(&self, connection: &Connection, link: LinkId, bits: u32) -> bool {
        let (original, reply) = (&connection.original, &connection.reply);
        let ours = |address: IpAddr| {
            let of_link = |link: &crate::network::LinkFacts| is_delegated(&link.prefixes, address);
            self.around.own.contains(&address)
                || self.network_of(address).is_some()
                || self.facts.links.iter().any(of_link)
        };
        let prefixes = self.facts.links.get(link.0).map_or(&[][..], |link| &link.prefixes);
        // A port forward translates the receiver alone; what goes out by a link has its sender translated, if anything.
        let forwarded = original.destination != reply.source && original.source == reply.destination;
        bits == self.paths[self.paths.of_link(link)].mark.bits()
            && (forwarded
                || self.around.own.contains(&original.destination)
                || is_delegated(prefixes, original.destination))
            && !ours(original.source)
    }

    /// The rule that says that it goes where it is.
    fn rule(&self, connection: &Connection, link: Option<LinkId>, bits: u32) -> Option<usize> {
        let packet = self.packet(connection);
        let decision = decide(self.config, self.paths, self.facts, &packet);
        let (Reason::Rule(rule) | Reason::RuleAndPrefix(rule, _)) = decision.reason else { return None };
        self.can_be(&packet, &decision, link, bits).then_some(rule)
    }

    /// Whether a connection of which this was decided can be on this link, with this mark.
    fn can_be(&self, packet: &Packet, decision: &Decision, link: Option<LinkId>, bits: u32) -> bool {
        let Some(link) = link else { return decision.paths.is_empty() };
        let own = bits == self.paths[self.paths.of_link(link)].mark.bits();
        // What main sends by a link is stamped with the link's own mark.
        if decision.paths.is_empty() {
            return own;
        }
        decision.paths.iter().any(|(id, _)| {
            let path = &self.paths[*id];
            let leads = path.links().any(|own| own == link)
                || outcome(path, self.facts, packet.family()) == Outcome::Fallback(Fallback::Main);
            // ip rules steer the router's own: those packets have no mark yet that could say by which path they come.
            let stays = bits == self.paths[self.paths.stays_on(*id, link)].mark.bits();
            leads && (stays || own && packet.origin == From::Router)
        })
    }

    /// Its first packet, as far as it is known. Its DSCP is not.
    fn packet(&self, connection: &Connection) -> Packet {
        let original = &connection.original;
        let own = self.around.own.contains(&original.source);
        let origin = if own {
            From::Router
        } else {
            let device = self.network_of(original.source).map(|network| network.device.clone());
            From::Device(device, self.around.macs.get(&original.source).copied())
        };
        let details = Details {
            icmp_type: original.icmp_type,
            // Who marks packets by connections keeps the mark here.
            mark: connection.mark & !self.config.globals.mask.bits(),
            user: None,
            source_in: self.sets_with(original.source),
            destination_in: self.sets_with(original.destination),
        };
        Packet {
            origin,
            // The router chooses its address by the link, not the other way round.
            source: Some(original.source).filter(|_| !own),
            destination: original.destination,
            protocol: connection.protocol,
            source_port: original.source_port,
            destination_port: original.destination_port,
            dscp: 0,
            details,
        }
    }

    /// The narrowest network that an address is in.
    fn network_of(&self, address: IpAddr) -> Option<&Network> {
        let (family, number) = (Family::of(address), number(address));
        let has = |network: &&Network| network.family == family && network.addresses.contains(number);
        self.around
            .networks
            .iter()
            .filter(has)
            .min_by_key(|network| network.addresses.last() - network.addresses.first())
    }

    fn sets_with(&self, address: IpAddr) -> Vec<SetId> {
        let (family, number) = (Family::of(address), number(address));
        let has = |(_, own, addresses): &&(SetId, Family, IntervalSet)| *own == family && addresses.contains(number);
        self.around.sets.iter().filter(has).map(|(set, ..)| *set).collect()
    }
}

fn is_delegated(prefixes: &[(std::net::Ipv6Addr, u8)], address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if prefixes.iter().any(|prefix| within(v6, *prefix)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
