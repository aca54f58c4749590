//! Routes and ip rules in the words of iproute2: what `show ip` prints, what errors and differences are named by.

use super::state::{IpRule, NextHop, PROTOCOL, Route, RouteKind, TABLE_MAIN};
use crate::config::model::Family;
use std::fmt;

/// `ip` or `ip -6`.
#[must_use]
pub fn ip(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip -6",
    }
}

/// The command that makes a route.
#[must_use]
pub fn add_route(route: &Route) -> String {
    format!("{} route add {}", ip(route.family), words(route, &format!(" proto {PROTOCOL}")))
}

/// The command that makes an ip rule.
#[must_use]
pub fn add_rule(rule: &IpRule) -> String {
    format!("{} rule add {rule} protocol {PROTOCOL}", ip(rule.family))
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(self, ""))
    }
}

/// A route, with `more` where iproute2 wants options of the whole route: before the next hops, if there are several.
fn words(route: &Route, more: &str) -> String {
    let Route { table, metric, kind, .. } = route;
    let place = format!("table {table} metric {metric}{more}");
    let onlink = |hop: &NextHop| if hop.gateway.is_some() { " onlink" } else { "" };
    match kind {
        RouteKind::Unreachable => format!("unreachable default {place}"),
        RouteKind::Blackhole => format!("blackhole default {place}"),
        RouteKind::Prohibit => format!("prohibit default {place}"),
        RouteKind::Via(hops) => match hops.as_slice() {
            [only] => format!("default {} {place}{}", hop(only), onlink(only)),
            several => {
                let hops =
                    several.iter().map(|next| format!(" nexthop {} weight {}{}", hop(next), next.weight, onlink(next)));
                format!("default {place}{}", hops.collect::<String>())
            }
        },
    }
}

fn hop(hop: &NextHop) -> String {
    match hop.gateway {
        Some(gateway) => format!("via {gateway} dev {}", hop.device),
        None => format!("dev {}", hop.device),
    }
}

impl fmt::Display for IpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {}", self.priority)?;
        if self.invert {
            f.write_str(" not")?;
        }
        if let Some((address, length)) = self.from {
            write!(f, " from {address}/{length}")?;
        }
        if let Some((address, length)) = self.to {
            write!(f, " to {address}/{length}")?;
        }
        if let Some((value, mask)) = self.mark {
            write!(f, " fwmark {value:#x}/{mask:#x}")?;
        }
        if let Some(device) = &self.iif {
            write!(f, " iif {device}")?;
        }
        if let Some(device) = &self.oif {
            write!(f, " oif {device}")?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " ipproto {protocol}")?;
        }
        ports(f, "sport", self.source_ports)?;
        ports(f, "dport", self.destination_ports)?;
        match self.table {
            TABLE_MAIN => f.write_str(" lookup main")?,
            IpRule::REFUSES => f.write_str(" unreachable")?,
            table => write!(f, " lookup {table}")?,
        }
        match self.suppress_prefixlength {
            Some(length) => write!(f, " suppress_prefixlength {length}"),
            None => Ok(()),
        }
    }
}

fn ports(f: &mut fmt::Formatter<'_>, name: &str, ports: Option<(u16, u16)>) -> fmt::Result {
    match ports {
        Some((first, last)) if first == last => write!(f, " {name} {first}"),
        Some((first, last)) => write!(f, " {name} {first}-{last}"),
        None => Ok(()),
    }
}
