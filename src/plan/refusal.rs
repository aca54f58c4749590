//! IPv6 senders that only one link can carry, while it cannot.
//!
//! A provider takes no other provider's addresses. What a host sends from one of its prefixes while that link is down would
//! go by main to another provider, who drops it; and what goes on sending would be stamped with that other link, and stay
//! there when its own is back. So it is refused: the host learns at once that this address is of no use now and takes
//! another, or IPv4, and there is no connection that could be stamped.
//!
//! The same holds for what the router itself sends from such an address. But some of that answers what came in by the link,
//! whatever its probes say: as long as it has a way out, it leaves by the link, in the table of its probes.
//!
//! The link's own table stays as its owner wants it, open at its end (`fallback 'main'`): others use it too, senders that
//! are translated and the router's services. Behind it, ip rules catch what has fallen through and has such an address. No
//! packet of a host that finds its way before pays for them.

use super::path::{Paths, Purpose};
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
    let (family, nowhere) = (Family::V6, table(paths));
    let mut rules = Vec::new();
    for (source, links) in sources {
        // One that two links share can leave by either.
        let [link] = links else { continue };
        if !source.0.is_ipv6() || !refuses(config, facts, *link) {
            continue;
        }
        let rule = |priority, table| IpRule { from: Some(source), ..IpRule::lookup(family, priority, table) };
        if source.1 < family.width() {
            let mark = (paths[paths.of_link(*link)].mark.bits(), config.globals.mask.bits());
            rules.push(IpRule { mark: Some(mark), ..rule(of_hosts, nowhere) });
        }
        let however_it_stands = paths.probe(*link).map_or(nowhere, |path| paths[path].table);
        rules.push(IpRule { iif: Some("lo".into()), ..rule(of_router, however_it_stands) });
    }
    rules
}

/// The routes that refuse, at the end of each table that these rules lead to.
pub fn routes(paths: &Paths, rules: &[IpRule]) -> impl Iterator<Item = Route> {
    let probes = paths.iter().filter(|(_, path)| path.course.purpose == Purpose::Probes).map(|(_, path)| path.table);
    let used = |table: &u32| rules.iter().any(|rule| rule.from.is_some() && rule.table == *table);
    let tables = probes.chain([table(paths)]).filter(used);
    tables.map(|table| Route { family: Family::V6, table, metric: FALLBACK_METRIC, kind: RouteKind::Prohibit })
}

/// A table that no path has.
fn table(paths: &Paths) -> u32 {
    let free = |table: &u32| paths.iter().all(|(_, path)| path.table != *table);
    (1..=TABLE).rev().find(free).unwrap_or(TABLE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::plan::sample::{config, facts, links};

    /// Two links, of which the first has an address and a delegated prefix; `change` makes the case.
    fn refused(options: &str, change: fn(&mut Facts)) -> Vec<String> {
        let config =
            config(&(links(2, options) + "config rule 'own'\n option from 'router'\n option use 'B'\n"), false);
        let mut facts = facts("GG");
        facts.links[0].v6.addresses.push("2001:db8::1".parse().unwrap());
        facts.links[0].prefixes.push(("2001:db8:0:100::".parse().unwrap(), 56));
        change(&mut facts);
        let plan = plan(&config, &facts).unwrap();
        let of_paths = |table: u32| [0, 254].contains(&table) || plan.paths.iter().any(|(_, path)| path.table == table);
        let table = plan.ip_rules.iter().map(|rule| rule.table).find(|table| !of_paths(*table));
        let leads = plan.routes.iter().filter(|route| Some(route.table) == table).count();
        assert_eq!(leads, usize::from(table.is_some()), "the route is there if and only if it is needed");
        let last = plan.ip_rules.iter().filter(|rule| rule.family == Family::V6 && !Some(rule.table).eq(&table));
        let last = last.filter(|rule| rule.iif.is_none()).map(|rule| rule.priority).max();
        let mut words = Vec::new();
        for rule in plan.ip_rules.iter().filter(|rule| Some(rule.table) == table) {
            assert!(rule.iif.is_some() || Some(rule.priority) > last, "behind all lookups of paths");
            let (address, length) = rule.from.unwrap();
            let who = rule.iif.as_ref().map_or("host", |_| "router");
            words.push(format!("{who} {address}/{length}"));
        }
        words
    }

    #[test]
    fn what_only_one_link_can_carry_is_refused_behind_its_table() {
        let own = ["router 2001:db8::1/128", "router 2001:db8:0:100::/56", "host 2001:db8:0:100::/56"];
        assert_eq!(refused("", |_| {}), own);
        assert_eq!(refused("", |facts| facts.links[0].translates6 = true), own, "the others are what counts");
        assert_eq!(refused("", |facts| facts.links[1].translates6 = true), [""; 0]);
        assert_eq!(refused(" option fallback 'unreachable'", |_| {}), [""; 0]);
        assert_eq!(refused("", |facts| facts.ipv6 = false), [""; 0]);
        let shared = refused("", |facts| facts.links[1].prefixes = facts.links[0].prefixes.clone());
        assert_eq!(shared, ["router 2001:db8::1/128"], "it can leave by either");
    }

    #[test]
    fn what_the_router_answers_leaves_by_a_link_that_is_watched_however_it_stands() {
        let config = config(&links(2, ""), true);
        let mut facts = facts("DG");
        facts.links[0].v6.addresses.push("2001:db8::1".parse().unwrap());
        let plan = plan(&config, &facts).unwrap();
        let probes = plan.paths[plan.paths.probe(LinkId(0)).unwrap()].table;
        let rule = plan.ip_rules.iter().rfind(|rule| rule.from.is_some() && rule.family == Family::V6).unwrap();
        assert_eq!(rule.table, probes);
        let routes = plan.routes.iter().filter(|route| (route.family, route.table) == (Family::V6, probes));
        let kinds: Vec<&RouteKind> = routes.map(|route| &route.kind).collect();
        assert!(matches!(kinds[..], [RouteKind::Via(_), RouteKind::Prohibit]), "{kinds:?}");
    }

    #[test]
    fn it_takes_no_path_its_table() {
        let text = links(1, " option table '19999'\n") + &links(2, "").split_off(links(1, "").len());
        let config = config(&text, false);
        assert_eq!(table(&Paths::new(&config).unwrap()), 19_998);
    }
}
