//! What `connections` answers: the largest connections that fit a filter, and the sums of all. Pure.
//!
//! Connections come one by one, and there may be tens of thousands of them: only as many are kept as are wanted.

use crate::config::describe;
use crate::config::model::{Config, Family, LinkId, Rule, Target};
use crate::explain::connection::Attribution;
use crate::interval::IntervalSet;
use crate::json::{self, object};
use crate::kernel::connection::Connection;
use crate::sort;
use serde_json::Value;
use std::cmp::Reverse;
use std::net::IpAddr;

/// Which connections are wanted, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<'a> {
    /// On this link, or by `main`.
    pub link: Option<&'a str>,
    /// Taken by this rule, by its name or its section's.
    pub rule: Option<&'a str>,
    /// Only those that stay in the house, or none of them.
    pub local: Option<bool>,
    /// With this in an address of theirs, or with this port.
    pub text: Option<&'a str>,
    /// As many of them at most.
    pub limit: usize,
}

/// Connections that are being looked through.
pub struct Connections<'a> {
    config: &'a Config,
    filter: Filter<'a>,
    total: u64,
    matching: u64,
    /// The largest so far, and some that may turn out not to be.
    kept: Vec<(Connection, Attribution)>,
    links: Vec<Sum>,
    /// Those by no link that leave the house, and those that do not.
    main: Sum,
    local: Sum,
    rules: Vec<Sum>,
}

/// What connections have carried together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    connections: u64,
    /// Packets and bytes, of those that are counted.
    count: Option<(u64, u64)>,
}

impl Sum {
    fn add(&mut self, count: Option<(u64, u64)>) {
        self.connections += 1;
        if let Some((packets, bytes)) = count {
            let (before_packets, before_bytes) = self.count.unwrap_or_default();
            self.count = Some((before_packets.saturating_add(packets), before_bytes.saturating_add(bytes)));
        }
    }

    /// Behind what it is the sum of.
    fn json(self, of: Vec<(&str, Value)>) -> Value {
        let (packets, bytes) = self.count.unzip();
        let sum: [(&str, Value); 3] =
            [("connections", self.connections.into()), ("packets", packets.into()), ("bytes", bytes.into())];
        json::from_fields(of.into_iter().chain(sum).collect())
    }
}

impl<'a> Connections<'a> {
    /// None yet.
    #[must_use]
    pub fn new(config: &'a Config, filter: Filter<'a>) -> Self {
        let (links, rules) = (vec![Sum::default(); config.links.len()], vec![Sum::default(); config.rules.len()]);
        let (main, local) = Default::default();
        Self { config, filter, total: 0, matching: 0, kept: Vec::new(), links, main, local, rules }
    }

    /// One more.
    pub fn add(&mut self, connection: Connection, attribution: Attribution) {
        self.total += 1;
        let by = match attribution.link {
            Some(link) => self.links.get_mut(link.0),
            None if attribution.local => Some(&mut self.local),
            None => Some(&mut self.main),
        };
        if let Some(sum) = by {
            sum.add(connection.count);
        }
        if let Some(sum) = attribution.rule.and_then(|rule| self.rules.get_mut(rule)) {
            sum.add(connection.count);
        }
        if self.is_wanted(&connection, attribution) {
            self.matching += 1;
            self.kept.push((connection, attribution));
            if self.kept.len() > 2 * self.filter.limit {
                self.settle();
            }
        }
    }

    /// The answer. `accounting` is whether the kernel counts what new connections carry.
    #[must_use]
    pub fn json(mut self, accounting: bool) -> Value {
        self.settle();
        let rules = self.config.rules.iter().zip(&self.rules);
        let links = self.config.links.iter().zip(&self.links);
        object! {
            "total": self.total, "matching": self.matching, "accounting": accounting,
            "connections": self.kept.iter().map(|(connection, attribution)| self.one(connection, *attribution)).collect::<Vec<_>>(),
            "rules": rules.map(|(rule, sum)| {
                sum.json(vec![("name", rule.name.as_str().into()), ("section", rule.section.as_str().into())])
            }).collect::<Vec<_>>(),
            "links": links.map(|(link, sum)| sum.json(vec![("name", link.name.as_str().into())])).collect::<Vec<_>>(),
            "main": self.main.json(Vec::new()), "local": self.local.json(Vec::new()),
        }
    }

    fn one(&self, connection: &Connection, Attribution { link, inbound, local, rule }: Attribution) -> Value {
        let original = &connection.original;
        let rule = rule.and_then(|rule| self.config.rules.get(rule));
        object! {
            "family": match connection.family() {
                Family::V4 => "ipv4",
                Family::V6 => "ipv6",
            },
            "protocol": protocol(connection.protocol),
            "source": original.source.to_string(), "source_port": original.source_port,
            "destination": original.destination.to_string(), "destination_port": original.destination_port,
            "link": link.map(|link: LinkId| self.config[link].name.as_str()), "inbound": inbound, "local": local,
            "rule": rule.map(|rule| rule.name.as_str()), "policy": rule.and_then(|rule| self.policy(rule)),
            "packets": connection.count.map(|count| count.0), "bytes": connection.count.map(|count| count.1),
            "expires": connection.expires, "answered": connection.answered,
        }
    }

    fn policy(&self, rule: &Rule) -> Option<&str> {
        match rule.target {
            Target::Policy(policy) => Some(self.config[policy].name.as_str()),
            _ => None,
        }
    }

    /// Leaves the largest; of those that are not counted, the ones that last longest.
    fn settle(&mut self) {
        let size = |connection: &Connection| (connection.count.map(|(_, bytes)| bytes), connection.expires);
        sort::by_key(&mut self.kept, |(connection, _)| Reverse(size(connection)));
        self.kept.truncate(self.filter.limit);
    }

    fn is_wanted(&self, connection: &Connection, attribution: Attribution) -> bool {
        let Filter { link, rule, local, text, .. } = self.filter;
        let on = |name: &str| match attribution.link {
            Some(link) => self.config[link].name == name,
            None => name == "main",
        };
        let by = |name: &str| {
            let rule = attribution.rule.and_then(|rule| self.config.rules.get(rule));
            rule.is_some_and(|rule| rule.name == name || rule.section == name)
        };
        let here = |local: bool| attribution.local == local;
        link.is_none_or(on)
            && local.is_none_or(here)
            && rule.is_none_or(by)
            && text.is_none_or(|text| has(connection, text))
    }
}

/// Whether an address has this text in it, or a port is this number.
fn has(connection: &Connection, text: &str) -> bool {
    let original = &connection.original;
    let text = text.trim().to_ascii_lowercase();
    let in_address = |address: IpAddr| address.to_string().contains(&text);
    let port = text.parse::<u16>().ok();
    in_address(original.source)
        || in_address(original.destination)
        || (port.is_some() && (port == original.source_port || port == original.destination_port))
}

fn protocol(number: u8) -> String {
    match number {
        // Both names mean the same to who looks at connections of one family.
        1 => "icmp".into(),
        _ => describe::protocols(&IntervalSet::single(number.into())),
    }
}
