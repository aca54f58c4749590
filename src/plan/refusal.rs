//! IPv6 senders that only one link can carry, while it cannot.
//!
//! A provider takes no other provider's addresses. What a host sends from one of its prefixes while that link is down would
//! go by main to another provider, who drops it; and what goes on sending would be stamped with that other link, and stay
//! there when its own is back. So it is refused: the host learns at once that this address is of no use now and takes
//! another, or IPv4, and there is no connection that could be stamped. The same holds for the router's own sockets that are
//! bound to such an address.
//!
//! The link's table stays as its owner wants it, open at its end (`fallback 'main'`): others use it too, senders that are
//! translated and the router's services. Behind all lookups of ours, ip rules catch what has fallen through and has such
//! an address. No packet that finds its way before pays for them.

use super::path::Paths;
use super::routes::FALLBACK_METRIC;
use super::state::{IpRule, Route, RouteKind};
use crate::config::model::{Config, Fallback, Family, LinkId};
use crate::network::Facts;
use std::net::IpAddr;

/// The first choice for the table, right before those of the paths.
const TABLE: u32 = 19_999;

/// Whether senders that belong to a link are refused in IPv6 while it cannot carry them: no other link translates them,
/// and its owner has not said what shall happen.
#[must_use]
pub fn refuses(config: &Config, facts: &Facts, link: LinkId) -> bool {
    let mut others = facts.links.iter().enumerate().filter(|(n, _)| *n != link.0);
    facts.ipv6 && config[link].fallback == Fallback::Main && !others.any(|(_, other)| other.translates6)
}

/// The rules for the `sources` of links, each with the links that have it: the router's own addresses and the prefixes that
/// its hosts have theirs from. They have two priorities: those for what the router sends come behind its bound sockets'
/// lookups, those for hosts behind all others.
#[must_use]
pub fn rules<'a>(
    config: &Config,
    paths: &Paths,
    facts: &Facts,
    sources: impl Iterator<Item = ((IpAddr, u8), &'a [LinkId])>,
    [of_router, of_hosts]: [u32; 2],
) -> Vec<IpRule> {
    let (family, table) = (Family::V6, table(paths));
    let mut rules = Vec::new();
    for (source, links) in sources {
        // One that two links share can leave by either.
        let [link] = links else { continue };
        if !source.0.is_ipv6() || !refuses(config, facts, *link) {
            continue;
        }
        let rule = |priority| IpRule { from: Some(source), ..IpRule::lookup(family, priority, table) };
        if source.1 < family.width() {
            let mark = (paths[paths.of_link(*link)].mark.bits(), config.globals.mask.bits());
            rules.push(IpRule { mark: Some(mark), ..rule(of_hosts) });
        }
        rules.push(IpRule { iif: Some("lo".into()), ..rule(of_router) });
    }
    rules
}

/// The table's route, if any of these rules leads there.
#[must_use]
pub fn route(paths: &Paths, rules: &[IpRule]) -> Option<Route> {
    let table = table(paths);
    let used = rules.iter().any(|rule| rule.table == table);
    used.then_some(Route { family: Family::V6, table, metric: FALLBACK_METRIC, kind: RouteKind::Prohibit })
}

/// A table that no path has.
fn table(paths: &Paths) -> u32 {
    let free = |table: &u32| paths.iter().all(|(_, path)| path.table != *table);
    (1..=TABLE).rev().find(free).unwrap_or(TABLE)
}
