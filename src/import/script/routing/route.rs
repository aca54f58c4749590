//! One route, as `ip route` writes it.

use crate::config::model::Family;
use crate::import::address::{family, family_of, is_everything};
use crate::import::script::shell::is_unknown;
use std::net::IpAddr;

/// One way of a route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hop {
    pub gateway: Option<IpAddr>,
    pub device: Option<String>,
    pub weight: u32,
    /// Something of it is only known while the script runs.
    pub unknown: bool,
}

/// A route as it is written.
pub struct ParsedRoute<'w> {
    pub is_default: bool,
    pub kind: &'static str,
    pub family: Family,
    pub table: &'w str,
    pub hops: Vec<Hop>,
    pub source: Option<IpAddr>,
    /// Whether it leads over a gateway.
    pub via: bool,
}

/// Reads the words behind `ip route add`.
///
/// # Errors
/// It cannot be said; the text says why.
pub fn parse_route<'w>(words: &[&'w str], written: Option<Family>) -> Result<ParsedRoute<'w>, String> {
    let mut words = words.iter().copied().peekable();
    let kind = match words.peek() {
        Some(&("unreachable" | "prohibit")) => "unreachable",
        Some(&"blackhole") => "blackhole",
        _ => "unicast",
    };
    words.next_if(|word| matches!(*word, "unreachable" | "prohibit" | "blackhole" | "unicast"));
    words.next_if_eq(&"to");
    let destination = words.next().unwrap_or_default();
    let network = family_of(destination);
    let is_default =
        matches!(destination, "default" | "0/0" | "all") || network.is_some() && is_everything(destination);
    if !is_default && network.is_none() {
        return Err(format!("where {destination} is, is not known here"));
    }
    let mut hops = Vec::new();
    let (mut hop, mut table, mut source) = (Hop { weight: 1, ..Hop::default() }, "main", None);
    while let Some(word) = words.next() {
        match word {
            "via" => {
                words.next_if(|word| matches!(*word, "inet" | "inet6"));
                let text = words.next().unwrap_or_default();
                hop.gateway = text.parse().ok();
                hop.unknown |= hop.gateway.is_none();
            }
            "dev" => {
                let text = words.next().unwrap_or_default();
                hop.unknown |= is_unknown(text);
                hop.device = Some(text.to_owned()).filter(|text| !is_unknown(text));
            }
            "weight" => hop.weight = words.next().and_then(|text| text.parse().ok()).unwrap_or(1),
            "nexthop" => {
                if hop.gateway.is_some() || hop.device.is_some() {
                    hops.push(std::mem::replace(&mut hop, Hop { weight: 1, ..Hop::default() }));
                }
            }
            "table" => table = words.next().unwrap_or_default(),
            "src" => source = words.next().and_then(|text| text.parse().ok()),
            "onlink" | "pervasive" => {}
            // All others have one value: metric, proto, scope, mtu ...
            _ => drop(words.next()),
        }
    }
    hops.push(hop);
    if is_unknown(table) {
        return Err(format!("what table {table} is, is not known here"));
    }
    let via = hops.iter().any(|hop| hop.gateway.is_some() || hop.unknown);
    let by_gateway = hops.iter().find_map(|hop| hop.gateway).map(family);
    let family = written.or(network).or(by_gateway).unwrap_or(Family::V4);
    Ok(ParsedRoute { is_default, kind, family, table, hops, source, via })
}
