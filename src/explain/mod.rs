//! Why a packet goes where it goes: the configuration walked for one packet, without the compiler.

pub mod connection;
pub mod kernel;
mod matching;
pub mod question;
pub mod record;
pub mod running;
mod tunnels;
pub mod way;
pub mod words;

pub use crate::plan::tiers::{Outcome, outcome};

use crate::config::model::{
    Choice as Values, Config, Fallback, Family, LinkId, Mac, Matches, Rule, SetId, Spread, misses_last_port,
};
use crate::interval::{IntervalSet, from_ipv4, from_ipv6, ipv6_prefix};
use crate::network::Facts;
use crate::plan::jhash;
use crate::plan::path::{Choice, PathId, Paths};
use crate::plan::ruleset::SEED;
use crate::plan::{refusal, router, users};
use std::net::{IpAddr, Ipv6Addr};

/// The first packet of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Where it comes from.
    pub origin: From,
    /// The source address; a router-made packet may not have one yet.
    pub source: Option<IpAddr>,
    /// The destination address.
    pub destination: IpAddr,
    /// The protocol's number.
    pub protocol: u8,
    /// The source port, for protocols that have ports.
    pub source_port: Option<u16>,
    /// The destination port, for protocols that have ports.
    pub destination_port: Option<u16>,
    /// The DSCP value.
    pub dscp: u8,
    /// What else rules look at.
    pub details: Details,
}

/// What rules look at that most packets have nothing special of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// The type of ICMP or ICMPv6, if it is such a packet.
    pub icmp_type: Option<u8>,
    /// The mark that somebody else gave it.
    pub mark: u32,
    /// The user whose socket sends it, if that is known; only the router's own packets have one.
    pub user: Option<u32>,
    /// The sets that the source address is in now.
    pub source_in: Vec<SetId>,
    /// The sets that the destination address is in now.
    pub destination_in: Vec<SetId>,
}

/// Where a packet comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The router itself.
    Router,
    /// A device, with the sender's Ethernet address if it has one.
    Device(Option<String>, Option<Mac>),
}

impl Packet {
    /// The IP version.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.destination.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// What became of a packet, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What decided.
    pub reason: Reason,
    /// The paths it may be on, with the weights by which one is drawn; one if nothing is left to chance, none if it goes
    /// by the main table.
    pub paths: Vec<(PathId, u16)>,
    /// While its link is down, it is refused: no other link can carry what comes from its address, see
    /// [`refusal`](crate::plan::refusal), or may carry what comes from its user, see [`users`].
    pub refused: bool,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It came in by this link, so its answers go back by it.
    CameInBy(LinkId),
    /// A rule, by its index.
    Rule(usize),
    /// A rule, by its index, allowed the link that delegated the source's prefix.
    RuleAndPrefix(usize, LinkId),
    /// No rule matched; the source's prefix was delegated by this link.
    Prefix(LinkId),
    /// The router's socket is bound to an address of this link.
    BoundTo(LinkId),
    /// It is sent by a command that is bound to this link: `wansplit use`.
    Used(LinkId),
    /// It is one of those that this link, a tunnel, consists of.
    OwnPacket(LinkId),
    /// No rule matched.
    NoRule,
}

/// Why a rule did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It looks at packets of another origin.
    Origin,
    /// The other IP version.
    Family,
    /// Another protocol.
    Protocol,
    /// Another source address.
    Source,
    /// Another destination address.
    Destination,
    /// Another source port.
    SourcePort,
    /// Another destination port.
    DestinationPort,
    /// Another device, or none known.
    Device,
    /// Another Ethernet address, or none known.
    Mac,
    /// Another DSCP value.
    Dscp,
    /// Another type of ICMP.
    IcmpType,
    /// Another packet mark.
    Mark,
    /// Another user, or none known.
    User,
    /// Another time.
    Time,
}

impl Decision {
    fn new(reason: Reason, paths: Vec<(PathId, u16)>) -> Self {
        Self { reason, paths, refused: false }
    }

    fn one(reason: Reason, path: PathId) -> Self {
        Self::new(reason, vec![(path, 1)])
    }
}

/// Decides for one packet.
#[must_use]
pub fn decide(config: &Config, paths: &Paths, facts: &Facts, packet: &Packet) -> Decision {
    let mut decision = match &packet.origin {
        From::Router => decide_for_router(config, paths, facts, packet),
        From::Device(device, _) => match device.as_deref().and_then(|device| wan(facts, device)) {
            Some(link) => Decision::one(Reason::CameInBy(link), paths.of_link(link)),
            None => decide_for_lan(config, paths, facts, packet),
        },
    };
    if let Reason::Prefix(link) | Reason::RuleAndPrefix(_, link) | Reason::BoundTo(link) = decision.reason {
        let own = decision.paths == [(paths.of_link(link), 1)];
        decision.refused = own && packet.family() == Family::V6 && refusal::refuses(config, facts, link);
        // The router's own leave by their link however it stands, as long as it has a way out.
        let down = outcome(&paths[paths.of_link(link)], facts, packet.family()) == Outcome::Fallback(Fallback::Main);
        if let (From::Router, true, Some(probes)) = (&packet.origin, decision.refused && down, paths.probe(link)) {
            decision.paths = vec![(probes, 1)];
        }
    }
    decision
}

fn decide_for_lan(config: &Config, paths: &Paths, facts: &Facts, packet: &Packet) -> Decision {
    let matched = first_match(config, facts, packet);
    let choice = matched.and_then(|(_, rule)| paths.of_target(rule.target));
    let prefix = prefix_owner(facts, packet);
    if let Some(link) = prefix
        && let Some(path) = paths.for_prefix(choice.as_ref(), link, facts)
    {
        let reason = matched.map_or(Reason::Prefix(link), |(index, _)| Reason::RuleAndPrefix(index, link));
        return Decision::one(reason, path);
    }
    if let Some((index, memory)) = matched.and_then(|(index, rule)| Some((index, paths.memory_of(rule)?))) {
        // Whoever was here lately is on the link he had, and whom the kernel remembers is not known here.
        let paths = memory.paths.iter().map(|(path, weight, _)| (*path, *weight)).collect();
        return Decision::new(Reason::Rule(index), paths);
    }
    let paths = match choice {
        None => Vec::new(),
        Some(Choice::One(path)) => vec![(path, 1)],
        Some(Choice::Spread(Spread::Connection, paths)) => paths,
        Some(Choice::Spread(Spread::Client, paths)) => {
            client_path(&paths, packet).map_or(paths, |path| vec![(path, 1)])
        }
    };
    Decision::new(matched.map_or(Reason::NoRule, |(index, _)| Reason::Rule(index)), paths)
}

fn decide_for_router(config: &Config, paths: &Paths, facts: &Facts, packet: &Packet) -> Decision {
    let used =
        packet.details.user.filter(|_| users::are_possible(facts)).and_then(|user| users::link_of(config, paths, user));
    if let Some(link) = used {
        return Decision { refused: true, ..Decision::one(Reason::Used(link), paths.of_link(link)) };
    }
    let bound = packet.source.map_or(Vec::new(), |source| owners(facts, source));
    if let [link] = bound.as_slice()
        && !router::holds_back(config, paths, facts)
        && !is_passed_over(config, paths, facts, packet.family(), *link)
    {
        return Decision::one(Reason::BoundTo(*link), paths.of_link(*link));
    }
    let matched = first_match(config, facts, packet);
    if let Some((link, path)) = tunnels::caught(config, paths, facts, packet, matched.map(|(index, _)| index)) {
        return Decision::new(Reason::OwnPacket(link), path.map(|path| (path, 1)).into_iter().collect());
    }
    if let Some((index, rule)) = matched {
        let path = paths.of_router_target(rule.target);
        return Decision::new(Reason::Rule(index), path.map(|path| (path, 1)).into_iter().collect());
    }
    match bound.first() {
        Some(link) => Decision::one(Reason::BoundTo(*link), paths.of_link(*link)),
        None => Decision::new(Reason::NoRule, Vec::new()),
    }
}

/// Whether the kernel finds nothing in a link's table, nor is told to refuse what is bound to the link: then it goes on to the
/// rules for services.
fn is_passed_over(config: &Config, paths: &Paths, facts: &Facts, family: Family, link: LinkId) -> bool {
    let empty = outcome(&paths[paths.of_link(link)], facts, family) == Outcome::Fallback(Fallback::Main);
    empty && !(family == Family::V6 && refusal::refuses(config, facts, link))
}

/// The first rule that matches, and its index.
#[must_use]
pub fn first_match<'a>(config: &'a Config, facts: &Facts, packet: &Packet) -> Option<(usize, &'a Rule)> {
    config.rules.iter().enumerate().find(|(_, rule)| miss(rule, facts, packet).is_none())
}

/// Why a rule does not match a packet; nothing if it does.
#[must_use]
pub fn miss(rule: &Rule, facts: &Facts, packet: &Packet) -> Option<Miss> {
    let origin = match packet.origin {
        From::Router => rule.origin.includes_router(),
        From::Device(..) => rule.origin.includes_lan(),
    };
    if !origin {
        return Some(Miss::Origin);
    }
    let matches = &rule.matches;
    let family = packet.family();
    let holds = |set: Option<&IntervalSet>, value: Option<u128>| match (set, value) {
        (None, _) => true,
        (Some(set), Some(value)) => set.contains(value),
        (Some(_), None) => false,
    };
    let on_port = |set: Option<&IntervalSet>, port: Option<u16>| {
        let unsaid = set.is_some_and(misses_last_port) && packet.origin == From::Router && port == Some(u16::MAX);
        holds(set, port.map(u128::from)) && !unsaid
    };
    let tests = [
        (matches.allows(family), Miss::Family),
        (holds(matches.protocols.as_ref(), Some(packet.protocol.into())), Miss::Protocol),
        (source_allowed(matches, packet), Miss::Source),
        (
            matches.allows_destination(family, number(packet.destination), &packet.details.destination_in),
            Miss::Destination,
        ),
        (on_port(matches.source_ports.as_ref(), packet.source_port), Miss::SourcePort),
        (on_port(matches.destination_ports.as_ref(), packet.destination_port), Miss::DestinationPort),
        (device_allowed(matches, facts, packet), Miss::Device),
        (mac_allowed(matches, packet), Miss::Mac),
        (holds(matches.dscp.as_ref(), Some(packet.dscp.into())), Miss::Dscp),
        (holds(matches.icmp_types(family), packet.details.icmp_type.map(u128::from)), Miss::IcmpType),
        (matches.mark.is_none_or(|mark| mark.allows(packet.details.mark)), Miss::Mark),
        (holds(matches.users.as_ref(), packet.details.user.map(u128::from)), Miss::User),
        // The last: it is what only waiting helps against.
        (facts.is_time_for(rule), Miss::Time),
    ];
    tests.into_iter().find(|(holds, _)| !holds).map(|(_, miss)| miss)
}

fn source_allowed(matches: &Matches, packet: &Packet) -> bool {
    let family = packet.family();
    match packet.source {
        Some(source) => matches.allows_source(family, number(source), &packet.details.source_in),
        None => matches.source(family).is_none() && matches.source_sets.is_none(),
    }
}

fn device_allowed(matches: &Matches, facts: &Facts, packet: &Packet) -> bool {
    let Some(interfaces) = &matches.interfaces else { return true };
    let From::Device(Some(device), _) = &packet.origin else { return false };
    let named = |names: &crate::map::Set<String>| names.iter().any(|name| facts.device_of(name) == device);
    match interfaces {
        Values::OneOf(names) => named(names),
        Values::NoneOf(names) => !named(names),
    }
}

fn mac_allowed(matches: &Matches, packet: &Packet) -> bool {
    let Some(macs) = &matches.macs else { return true };
    let From::Device(_, Some(mac)) = &packet.origin else { return false };
    macs.allows(mac)
}

/// The path that a client's hash gives.
fn client_path(paths: &[(PathId, u16)], packet: &Packet) -> Option<PathId> {
    let bytes = match packet.source? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let weights = crate::plan::classify::buckets(paths);
    let bucket = jhash::bucket(&bytes, u32::try_from(weights.len()).ok()?, SEED);
    weights.get(usize::try_from(bucket).ok()?).copied()
}

/// The link whose device this is.
fn wan(facts: &Facts, device: &str) -> Option<LinkId> {
    let is = |side: &crate::network::Side| side.device.as_deref() == Some(device);
    facts.links.iter().position(|link| is(&link.v4) || is(&link.v6)).map(LinkId)
}

/// The link that delegated the prefix an IPv6 source is out of.
fn prefix_owner(facts: &Facts, packet: &Packet) -> Option<LinkId> {
    let Some(IpAddr::V6(source)) = packet.source else { return None };
    facts.links.iter().position(|link| link.prefixes.iter().any(|prefix| within(source, *prefix))).map(LinkId)
}

/// The links whose address or delegated prefix a source is out of.
fn owners(facts: &Facts, source: IpAddr) -> Vec<LinkId> {
    let owns = |link: &crate::network::LinkFacts| {
        let addressed = link.v4.addresses.contains(&source) || link.v6.addresses.contains(&source);
        addressed || matches!(source, IpAddr::V6(v6) if link.prefixes.iter().any(|prefix| within(v6, *prefix)))
    };
    (0..facts.links.len()).filter(|n| owns(&facts.links[*n])).map(LinkId).collect()
}

fn within(address: Ipv6Addr, prefix: (Ipv6Addr, u8)) -> bool {
    ipv6_prefix(prefix).contains(from_ipv6(address))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => from_ipv4(address),
        IpAddr::V6(address) => from_ipv6(address),
    }
}
