//! The ip rules: which packet looks up which table.
//!
//! The order, lowest priority first, and why:
//!
//! 1. `not fwmark 0/mask lookup main suppress_prefixlength 0`, and the same for `iif lo`: connected, static and VPN
//!    routes win over every policy; only default routes are ours. Without it every forwarded reply would be looked up in
//!    a WAN's table, which does not know the LAN.
//! 2. `fwmark`: the links first, which carry all established packets, then the other paths, last those of probes.
//! 3. `uidrange`: commands that were bound to a link, see [`users`]. Before everything else that could lead an unmarked
//!    packet of the router away from that link.
//! 4. `oif` for sockets bound to a device. Behind the fwmark rules: a bound socket's marked packets lead to the same
//!    link anyway, and so an established packet does not pay for these.
//! 5. `from ADDRESS iif lo` for sockets bound to a WAN's address, and for the second lookup that a TCP connect makes
//!    once it has its address; so they stand before the next ones. Right behind them those that refuse what no other link
//!    can carry (IPv6): see [`refusal`].
//! 6. `iif lo ipproto P dport D`: the router's own services. They choose the right source address in both families,
//!    where a mark comes too late. If one of them holds traffic back, they stand before all `from` rules: see
//!    [`router::holds_back`]. Among them, what keeps tunnels' own packets out of their tunnels: see [`super::underlay`].
//! 7. `from` again, for an address that two links share: there it could only be a guess.
//! 8. `fwmark` with `from`: the same refusals for hosts.

use super::path::{Paths, Purpose};
use super::state::{IpRule, TABLE_MAIN};
use super::{refusal, router, users};
use crate::config::model::{Config, Family, LinkId};
use crate::map::Map;
use crate::network::Facts;
use crate::network::known::Known;
use crate::sort;
use std::net::IpAddr;

/// The priorities of each kind of rule.
struct Ladder {
    suppress: u32,
    fwmark_link: u32,
    fwmark_path: u32,
    fwmark_probes: u32,
    /// And the next one.
    users: u32,
    oif: u32,
    from: u32,
    router: u32,
}

impl Ladder {
    fn new(config: &Config) -> Self {
        let first = config.globals.rule_priority;
        let pins = || config.links.iter().filter_map(|link| link.priority);
        // The two suppress rules come before the lowest pin, the unmarked lookups after the highest.
        let suppress = pins().min().map_or(first, |lowest| first.min(lowest.saturating_sub(2)));
        let last = pins().max().map_or(first + 3, |highest| highest.max(first + 3));
        // Where no link is watched, no place is kept for probes.
        let probes = u32::from(config.links.iter().any(|link| link.tracking.is_some()));
        Self {
            suppress,
            fwmark_link: first + 2,
            fwmark_path: first + 3,
            fwmark_probes: last + 1,
            users: last + 1 + probes,
            oif: last + 3 + probes,
            from: last + 4 + probes,
            router: last + 10,
        }
    }
}

/// All ip rules, in the order of their priorities.
#[must_use]
pub fn ip_rules(config: &Config, paths: &Paths, facts: &Facts) -> Vec<IpRule> {
    let ladder = Ladder::new(config);
    let families = Family::BOTH.into_iter().filter(|family| facts.speaks(*family));
    families.flat_map(|family| of_family(config, paths, facts, family, &ladder)).collect()
}

fn of_family(config: &Config, paths: &Paths, facts: &Facts, family: Family, ladder: &Ladder) -> Vec<IpRule> {
    let mask = config.globals.mask.bits();
    let main = |priority| IpRule { suppress_prefixlength: Some(0), ..IpRule::lookup(family, priority, TABLE_MAIN) };
    let mut rules = vec![
        IpRule { invert: true, mark: Some((0, mask)), ..main(ladder.suppress) },
        IpRule { iif: Some("lo".into()), ..main(ladder.suppress + 1) },
    ];
    for (id, path) in paths.iter() {
        let is_link = (0..config.links.len()).any(|n| paths.of_link(LinkId(n)) == id);
        let usual = match path.course.purpose {
            Purpose::Probes => ladder.fwmark_probes,
            Purpose::Service | Purpose::Kept | Purpose::Displaced(_) if is_link => ladder.fwmark_link,
            Purpose::Service | Purpose::Kept | Purpose::Displaced(_) | Purpose::Sticky(_) => ladder.fwmark_path,
        };
        let priority = path.priority.unwrap_or(usual);
        rules.push(IpRule { mark: Some((path.mark.bits(), mask)), ..IpRule::lookup(family, priority, path.table) });
    }
    rules.extend(users::rules(config, paths, facts, family, ladder.users));
    let mut devices: Map<&str, u32> = Map::new();
    for n in 0..config.links.len() {
        if let Some(device) = facts.side(LinkId(n), family).and_then(|side| side.device.as_deref()) {
            // Two links on one device: the first has it.
            devices.or_insert_with(device, || paths[paths.of_link(LinkId(n))].table);
        }
    }
    rules.extend(
        devices
            .into_iter()
            .map(|(device, table)| IpRule { oif: Some(device.into()), ..IpRule::lookup(family, ladder.oif, table) }),
    );
    let from = |priority, (address, length), table| IpRule {
        from: Some((address, length)),
        iif: Some("lo".into()),
        ..IpRule::lookup(family, priority, table)
    };
    let router = router::rules(config, paths, facts, family, ladder.router);
    let behind = router.last().map_or(ladder.router, |rule| rule.priority + 1);
    let bound = if router::holds_back(config, paths, facts) { behind } else { ladder.from };
    let sources = sources(config, facts, family);
    for (source, links) in sources.iter() {
        let table = |link: &LinkId| paths[paths.of_link(*link)].table;
        match links.as_slice() {
            [link] => rules.push(from(bound, *source, table(link))),
            [link, ..] => rules.push(from(behind, *source, table(link))),
            [] => {}
        }
    }
    rules.extend(router);
    let owned = sources.iter().map(|(source, links)| (*source, links.as_slice()));
    rules.extend(refusal::rules(config, paths, facts, owned, [bound + 1, behind + 1]));
    sort::by_key(&mut rules, |rule| rule.priority);
    rules
}

/// The sources that belong to links, each with the links that have it: the router's addresses on a WAN and the prefixes a
/// provider delegated.
fn sources(config: &Config, facts: &Facts, family: Family) -> Map<(IpAddr, u8), Vec<LinkId>> {
    let mut sources: Map<(IpAddr, u8), Vec<LinkId>> = Map::new();
    for link in (0..config.links.len()).map(LinkId) {
        let Some(side) = facts.side(link, family) else { continue };
        let addresses = side.addresses.iter().map(|address| (*address, family.width()));
        let prefixes = facts.links.get(link.0).map_or(&[][..], |link| &link.prefixes);
        let prefixes = prefixes.iter().filter(|_| family == Family::V6).map(|(a, len)| (IpAddr::V6(*a), *len));
        for source in addresses.chain(prefixes) {
            let links = sources.or_insert_with(source, Default::default);
            if !links.contains(&link) {
                links.push(link);
            }
        }
    }
    sources
}

/// What rules of our own, as they stand in the kernel, tell of the links: the devices they last had, and the prefixes
/// they were delegated. So a run of the program knows what the one before knew.
#[must_use]
pub fn remembered(config: &Config, paths: &Paths, ours: &[IpRule]) -> Known {
    let mut known = Known::nothing();
    for rule in ours {
        let own = |n: &usize| paths[paths.of_link(LinkId(*n))].table == rule.table;
        let Some(link) = (0..config.links.len()).find(own).and_then(|n| config.links.get(n)) else { continue };
        if let Some(device) = &rule.oif {
            known.device(&link.name, rule.family, device);
        }
        if let Some((IpAddr::V6(prefix), length)) = rule.from
            && length < Family::V6.width()
        {
            known.prefix(&link.name, (prefix, length));
        }
    }
    known
}
