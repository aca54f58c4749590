//! The router's own connections, steered by ip rules: `iif lo ipproto tcp dport 443 lookup TABLE`.
//!
//! A mark set in the output hook comes after the kernel chose the source address; an ip rule comes before. An ip rule
//! knows one prefix, one protocol and one port range, so a configured rule becomes as many as it takes, in the order of
//! the configuration; the first match wins there too. The packets that tunnels consist of are taken out before they
//! could get into their own tunnel: see [`underlay`].

use super::path::Paths;
use super::state::{IpRule, TABLE_MAIN};
use super::underlay::{self, Own};
use crate::config::model::{Config, Fallback, Family, LAST_USER, Matches, Rule, is_every_port};
use crate::interval::{Interval, IntervalSet, to_ipv4, to_ipv6, to_prefixes};
use crate::network::Facts;
use std::net::IpAddr;

/// ICMP and its IPv6 twin: a rule that names `icmp` holds both numbers, and each family has use for one.
const ICMP: u128 = 1;
const ICMPV6: u128 = 58;

/// The ip rules of all rules that look at the router's own packets, from `priority` upwards.
#[must_use]
pub fn rules(config: &Config, paths: &Paths, facts: &Facts, family: Family, priority: u32) -> Vec<IpRule> {
    let own = underlay::own_packets(config, facts, family);
    let mut rules: Vec<IpRule> = Vec::new();
    for own in &own {
        if let Some(path) = own.path(paths) {
            let table = path.map_or(TABLE_MAIN, |path| paths[path].table);
            let led = IpRule::lookup(family, next(&rules, priority), table);
            catch(&mut rules, [own].into_iter(), led);
        }
    }
    let selected: Vec<Selected> = of_router(config, facts)
        .map(|(n, rule)| {
            let path = paths.of_router_target(rule.target);
            Selected {
                rule: n,
                table: path.map_or(TABLE_MAIN, |path| paths[path].table),
                may_be_empty: path.is_some_and(|path| paths[path].course.fallback == Fallback::Main),
                selectors: selectors(&rule.matches, family, &facts.absent_users),
            }
        })
        .collect();
    for (place, Selected { rule: n, table, may_be_empty, selectors }) in selected.iter().enumerate() {
        let endangered = || own.iter().filter(|own| own.before == Some(*n));
        let to_main = IpRule::lookup(family, next(&rules, priority), TABLE_MAIN);
        catch(&mut rules, endangered(), to_main);
        let refused = IpRule::unreachable(family, next(&rules, priority));
        catch(&mut rules, endangered(), refused);
        let lead = |rules: &mut Vec<IpRule>, table| {
            let priority = next(rules, priority);
            // The pieces of one rule exclude each other and lead to the same table: they may share a priority.
            let led = |selector: &IpRule| IpRule { iif: Some("lo".into()), table, priority, ..selector.clone() };
            rules.extend(selectors.iter().map(led));
        };
        lead(&mut rules, *table);
        // Where a table has nothing the kernel goes on to the next rule; but this one has decided: then it is main.
        let later = selected.get(place + 1..).unwrap_or_default();
        let others = || later.iter().filter(|other| other.table != *table).flat_map(|other| &other.selectors);
        if *may_be_empty && selectors.iter().any(|own| others().any(|other| meet(own, other))) {
            lead(&mut rules, TABLE_MAIN);
        }
    }
    rules
}

/// A rule that looks at the router's own packets.
struct Selected {
    /// Its place in the configuration.
    rule: usize,
    /// Where it leads.
    table: u32,
    /// Whether that has nothing while no link works: `fallback 'main'`.
    may_be_empty: bool,
    /// Which packets it means, in one family.
    selectors: Vec<IpRule>,
}

/// Whether a packet can be meant by both. Marks are not compared: it may.
fn meet(one: &IpRule, other: &IpRule) -> bool {
    fn share<T: PartialOrd>(one: Option<(T, T)>, other: Option<(T, T)>) -> bool {
        one.zip(other).is_none_or(|((first, last), (begin, end))| first <= end && begin <= last)
    }
    let networks = |one: Option<(IpAddr, u8)>, other: Option<(IpAddr, u8)>| {
        one.zip(other).is_none_or(|((one, length), (other, limit))| starts_alike(one, other, length.min(limit)))
    };
    one.protocol.zip(other.protocol).is_none_or(|(one, other)| one == other)
        && share(one.source_ports, other.source_ports)
        && share(one.destination_ports, other.destination_ports)
        && share(one.users, other.users)
        && networks(one.from, other.from)
        && networks(one.to, other.to)
}

/// Whether two addresses of one family have their first bits in common.
fn starts_alike(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

/// Adds rules that do with tunnels' own packets what `fate` does.
fn catch<'a>(rules: &mut Vec<IpRule>, own: impl Iterator<Item = &'a Own>, fate: IpRule) {
    for own in own {
        let IpRule { family, priority, table, action, .. } = fate;
        let rule = IpRule { table, action, priority, ..own.selector(family) };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
}

fn next(rules: &[IpRule], first: u32) -> u32 {
    rules.last().map_or(first, |last| last.priority + 1)
}

/// Whether a rule for the router's own traffic holds some of it back. Then these rules come before those for bound
/// sockets: refused without a source address, the kernel picks one for an IPv6 packet and asks again, and the answer
/// for that address must not be another link.
#[must_use]
pub fn holds_back(config: &Config, paths: &Paths, facts: &Facts) -> bool {
    let mut targets = of_router(config, facts).filter_map(|(_, rule)| paths.of_router_target(rule.target));
    targets.any(|path| paths[path].course.fallback != Fallback::Main)
}

/// The rules that look at the router's own packets at this time.
fn of_router<'a>(config: &'a Config, facts: &'a Facts) -> impl Iterator<Item = (usize, &'a Rule)> {
    facts.rules_of(config).filter(|(_, rule)| rule.origin.includes_router())
}

/// The ports that an ip rule may name. The kernel refuses others (`fib_rule_port_range_valid`: a range begins after 0 and
/// ends before 65535), and all that comes with them.
fn nameable() -> IntervalSet {
    IntervalSet::from_iter([Interval::new(1, u128::from(u16::MAX) - 1)])
}

/// How many ip rules it takes to say `matches` in both families.
#[must_use]
pub fn cost(matches: &Matches) -> usize {
    let nobody = IntervalSet::empty();
    Family::BOTH.into_iter().map(|family| selectors(matches, family, &nobody).len()).sum()
}

/// `absent` are the users that cannot exist here: the kernel refuses rules for them.
fn selectors(matches: &Matches, family: Family, absent: &IntervalSet) -> Vec<IpRule> {
    if !matches.allows(family) {
        return Vec::new();
    }
    let mark = matches.mark.map(|mark| (mark.value, mark.mask));
    let mut rules = vec![IpRule { mark, ..IpRule::lookup(family, 0, 0) }];
    if let Some(set) = &matches.protocols {
        rules = each(&rules, &protocols(set, family), |rule, protocol| rule.protocol = Some(*protocol));
    }
    if let Some(set) = matches.source(family) {
        rules = each(&rules, &prefixes(set, family), |rule, prefix| rule.from = Some(*prefix));
    }
    if let Some(set) = matches.destination(family) {
        rules = each(&rules, &prefixes(set, family), |rule, prefix| rule.to = Some(*prefix));
    }
    if let Some(set) = &matches.source_ports {
        rules = each(&rules, &ports(set), |rule, range| rule.source_ports = *range);
    }
    if let Some(set) = &matches.destination_ports {
        rules = each(&rules, &ports(set), |rule, range| rule.destination_ports = *range);
    }
    if let Some(set) = &matches.users {
        let users = users(&set.subtract(absent, LAST_USER.into()));
        rules = each(&rules, &users, |rule, range| rule.users = Some(*range));
    }
    rules
}

fn each<T>(rules: &[IpRule], values: &[T], set: impl Fn(&mut IpRule, &T)) -> Vec<IpRule> {
    let mut product = Vec::with_capacity(rules.len() * values.len());
    for rule in rules {
        for value in values {
            let mut rule = rule.clone();
            set(&mut rule, value);
            product.push(rule);
        }
    }
    product
}

fn protocols(set: &IntervalSet, family: Family) -> Vec<u8> {
    let foreign = match family {
        Family::V4 => ICMPV6,
        Family::V6 => ICMP,
    };
    // 0 means "any" in an ip rule; as a protocol (IPv6 hop-by-hop) no socket sends it.
    let known = set.intersect(&IntervalSet::full(255)).subtract(&IntervalSet::single(0), 255);
    let known = known.subtract(&IntervalSet::single(foreign), 255);
    known.iter().flat_map(|i| i.first()..=i.last()).filter_map(|n| u8::try_from(n).ok()).collect()
}

fn prefixes(set: &IntervalSet, family: Family) -> Vec<(IpAddr, u8)> {
    let address = |value| match family {
        Family::V4 => IpAddr::V4(to_ipv4(value)),
        Family::V6 => IpAddr::V6(to_ipv6(value)),
    };
    set.iter().flat_map(|i| to_prefixes(i, family.width())).map(|(value, len)| (address(value), len)).collect()
}

fn users(set: &IntervalSet) -> Vec<(u32, u32)> {
    set.iter().filter_map(|i| Some((u32::try_from(i.first()).ok()?, u32::try_from(i.last()).ok()?))).collect()
}

/// None is every port.
fn ports(set: &IntervalSet) -> Vec<Option<(u16, u16)>> {
    if is_every_port(set) {
        return vec![None];
    }
    let range = |i: Interval| Some((u16::try_from(i.first()).ok()?, u16::try_from(i.last()).ok()?));
    set.intersect(&nameable()).iter().filter_map(range).map(Some).collect()
}
