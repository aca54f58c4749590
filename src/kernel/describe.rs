//! Routes and ip rules in the words of iproute2, for messages.

use crate::config::model::Family;
use crate::plan::state::{IpRule, NextHop, Route, RouteKind};
use std::fmt::Write;

/// "IPv6 unreachable default table 100 metric 7".
#[must_use]
pub fn route(route: &Route) -> String {
    let mut text = format!("{} ", route.family);
    text.push_str(match &route.kind {
        RouteKind::Via(_) => "default",
        RouteKind::Unreachable => "unreachable default",
        RouteKind::Blackhole => "blackhole default",
    });
    if let RouteKind::Via(hops) = &route.kind {
        let several = hops.len() > 1;
        for hop in hops {
            next_hop(&mut text, hop, several);
        }
    }
    let _ = write!(text, " table {} metric {}", route.table, route.metric);
    text
}

fn next_hop(text: &mut String, hop: &NextHop, several: bool) {
    if several {
        text.push_str(" nexthop");
    }
    if let Some(gateway) = hop.gateway {
        let _ = write!(text, " via {gateway}");
    }
    let _ = write!(text, " dev {}", hop.device);
    if several {
        let _ = write!(text, " weight {}", hop.weight);
    }
}

/// "IPv4 priority 810 fwmark 0x1000000/0xff000000 lookup 100".
#[must_use]
pub fn rule(rule: &IpRule) -> String {
    let mut text = format!("{} priority {}", rule.family, rule.priority);
    if rule.invert {
        text.push_str(" not");
    }
    for (word, prefix) in [("from", rule.from), ("to", rule.to)] {
        if let Some((address, length)) = prefix {
            let _ = write!(text, " {word} {address}/{length}");
        }
    }
    if let Some((value, mask)) = rule.mark {
        let _ = write!(text, " fwmark {value:#x}/{mask:#x}");
    }
    for (word, device) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(device) = device {
            let _ = write!(text, " {word} {device}");
        }
    }
    if let Some(protocol) = rule.protocol {
        let _ = write!(text, " ipproto {protocol}");
    }
    for (word, ports) in [("sport", rule.source_ports), ("dport", rule.destination_ports)] {
        if let Some((first, last)) = ports {
            let _ = write!(text, " {word} {first}");
            if last != first {
                let _ = write!(text, "-{last}");
            }
        }
    }
    let _ = write!(text, " lookup {}", rule.table);
    if let Some(length) = rule.suppress_prefixlength {
        let _ = write!(text, " suppress_prefixlength {length}");
    }
    text
}

/// "IPv4 table 100 metric 7", for what is not of a form of ours.
#[must_use]
pub fn place(family: Family, table: u32, metric: u32) -> String {
    format!("{family} table {table} metric {metric}")
}
