//! A configuration on a machine: the router's own packets come to the table that `explain` names, by the ip rules.
//!
//! Input: decisions about the machine up to the first line end, then a configuration.

use super::choices::Choices;
use super::world::{Dice, Near, facts};
use std::net::IpAddr;
use wansplit::config::model::{Family, LinkId};
use wansplit::config::read;
use wansplit::explain::{Packet, decide};
use wansplit::network::{Facts, State};
use wansplit::plan::iproute::add_rule;
use wansplit::plan::state::{IpRule, Route, RouteKind, RuleAction, TABLE_MAIN};
use wansplit::plan::{Plan, plan};

/// Packets that are followed for each input.
const PACKETS: usize = 24;

/// Takes one input.
pub fn run(input: &[u8]) {
    let (mut choices, text) = Choices::and_text(input);
    let Some(config) = read(text).config else { return };
    let facts = facts(&config, &mut choices);
    let Ok(planned) = plan(&config, &facts) else { return };
    let (near, mut dice) = (Near::new(&config, &facts), Dice::new(input));
    for _ in 0..PACKETS {
        let packet = near.leaving(&mut dice);
        // A kernel without IPv6 has no rules for it, and no such packets.
        if !facts.speaks(packet.family()) {
            continue;
        }
        let decision = decide(&config, &planned.paths, &facts, &packet);
        let named = decision.paths.first().map_or(TABLE_MAIN, |(path, _)| planned.paths[*path].table);
        let said = match end(&planned, &facts, named, packet.family()) {
            Some(end) => end,
            // None of the path's links works.
            None if decision.refused => End::Refused,
            None => End::Table(TABLE_MAIN),
        };
        assert_eq!(walk(&planned, &facts, &packet), said, "{decision:?} for {packet:?}\n{}", listed(&planned));
    }
}

/// Where a packet ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It goes by the routes of this table.
    Table(u32),
    /// Nowhere.
    Refused,
}

/// What a table has for a packet; none if nothing: then the kernel looks at the next rule. It passes over routes whose
/// devices have no carrier.
fn end(plan: &Plan, facts: &Facts, table: u32, family: Family) -> Option<End> {
    if table == TABLE_MAIN {
        return Some(End::Table(table));
    }
    let is_down = |device: &str| {
        let mut sides = (0..facts.links.len()).filter_map(|n| facts.side(LinkId(n), family));
        sides.any(|side| matches!(&side.state, State::NoCarrier(hop) if hop.device == device))
    };
    let works = |route: &&Route| match &route.kind {
        RouteKind::Via(hops) => hops.iter().any(|hop| !is_down(&hop.device)),
        _ => true,
    };
    let own = plan.routes.iter().filter(|route| (route.family, route.table) == (family, table));
    let first = own.filter(works).min_by_key(|route| route.metric)?;
    Some(if first.is_via() { End::Table(table) } else { End::Refused })
}

fn listed(plan: &Plan) -> String {
    plan.ip_rules.iter().map(add_rule).collect::<Vec<_>>().join("\n")
}

/// Where the kernel sends an unmarked packet of a socket that is bound to no device.
fn walk(plan: &Plan, facts: &Facts, packet: &Packet) -> End {
    let within = |prefix: Option<(IpAddr, u8)>, address: Option<IpAddr>| {
        prefix.is_none_or(|(network, length)| match (network, address) {
            (_, _) if length == 0 => true,
            (IpAddr::V4(a), Some(IpAddr::V4(b))) => (a.to_bits() ^ b.to_bits()) >> (32 - length) == 0,
            (IpAddr::V6(a), Some(IpAddr::V6(b))) => (a.to_bits() ^ b.to_bits()) >> (128 - length) == 0,
            (_, None) => false,
            _ => panic!("{prefix:?} is of the other family"),
        })
    };
    let holds = |range: Option<(u16, u16)>, port: Option<u16>| {
        range.is_none_or(|(first, last)| port.is_some_and(|port| (first..=last).contains(&port)))
    };
    let matches = |rule: &&IpRule| {
        if rule.family != packet.family() {
            return false;
        }
        let users = rule
            .users
            .is_none_or(|(first, last)| packet.details.user.is_some_and(|user| (first..=last).contains(&user)));
        let selected = rule.mark.is_none_or(|(value, _)| value == 0)
            && rule.oif.is_none()
            && rule.iif.as_ref().is_none_or(|name| name == "lo")
            && users
            && within(rule.from, packet.source)
            && within(rule.to, Some(packet.destination))
            && rule.protocol.is_none_or(|protocol| protocol == packet.protocol)
            && holds(rule.source_ports, packet.source_port)
            && holds(rule.destination_ports, packet.destination_port);
        // No route of main but the default one leads to the Internet.
        rule.suppress_prefixlength.is_none() && selected != rule.invert
    };
    let mut rules: Vec<&IpRule> = plan.ip_rules.iter().filter(matches).collect();
    rules.sort_by_key(|rule| rule.priority);
    let ends = |rule: &IpRule| match rule.action {
        RuleAction::Unreachable => Some(End::Refused),
        RuleAction::Lookup => end(plan, facts, rule.table, packet.family()),
    };
    rules.into_iter().find_map(ends).unwrap_or(End::Table(TABLE_MAIN))
}
