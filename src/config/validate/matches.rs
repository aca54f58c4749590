//! What a packet must be like: a rule's match options together.

use super::address::{Addresses, addresses};
use super::section::{Complaint, Reported, Section};
use super::sets::{choice, numbers};
use super::{match_values, values};
use crate::config::describe;
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Family, Matches};
use crate::interval::{Interval, IntervalSet};

/// The largest protocol number.
const MAX_PROTOCOL: u128 = 255;

/// Reads all match options of a rule; one wrong value makes the whole wrong.
pub fn matches(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Matches, Reported> {
    let (protocol, port, code) = (Interval::new(0, MAX_PROTOCOL), Interval::new(1, 65535), Interval::new(0, 63));
    let family = family(section, diagnostics);
    let source = addresses(section, "src_ip", diagnostics);
    let destination = addresses(section, "dest_ip", diagnostics);
    let protocols = numbers(section, "proto", protocol, match_values::protocol, diagnostics);
    let source_ports = numbers(section, "src_port", port, match_values::port, diagnostics);
    let destination_ports = numbers(section, "dest_port", port, match_values::port, diagnostics);
    let interfaces = choice(section, "src_iface", values::interface_name, diagnostics);
    let macs = choice(section, "src_mac", match_values::mac, diagnostics);
    let dscp = numbers(section, "dscp", code, match_values::dscp, diagnostics);

    // Everything is read before the first error counts, so that every fault is reported.
    let protocols = protocols.and_then(|protocols| protocols_of(section, protocols, diagnostics));
    let (source, destination) = (source?, destination?);
    let families = families(section, family?, source.as_ref(), destination.as_ref(), diagnostics)?;
    let [source4, source6] = source.map_or([None, None], |source| source.wanted(families));
    let [destination4, destination6] = destination.map_or([None, None], |destination| destination.wanted(families));
    Ok(Matches {
        family: families,
        protocols: protocols?,
        source4,
        source6,
        destination4,
        destination6,
        source_ports: source_ports?,
        destination_ports: destination_ports?,
        interfaces: interfaces?,
        macs: macs?,
        dscp: dscp?.filter(|dscp| !dscp.is_full(code.last())),
    })
}

fn family(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<Family>, Reported> {
    Ok(match section.word("family", diagnostics)? {
        Some("ipv4" | "4" | "inet") => Some(Family::V4),
        Some("ipv6" | "6" | "inet6") => Some(Family::V6),
        _ => None,
    })
}

/// The protocols that are left when ports are wanted too.
fn protocols_of(
    section: &Section,
    protocols: Option<IntervalSet>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<IntervalSet>, Reported> {
    let Some(port_option) = ["dest_port", "src_port"].into_iter().find(|option| section.place(option).is_some()) else {
        return Ok(protocols.filter(|protocols| !protocols.is_full(MAX_PROTOCOL)));
    };
    let Some(protocols) = protocols else {
        return Ok(Some([6, 17].into_iter().map(Interval::single).collect()));
    };
    let with_ports = match_values::protocols_with_ports();
    if with_ports.covers(&protocols) {
        return Ok(Some(protocols));
    }
    let surplus = protocols.subtract(&with_ports, MAX_PROTOCOL);
    let which = if surplus.interval_count() <= 3 && !protocols.is_full(MAX_PROTOCOL) {
        format!("{}, which has none", describe::protocols(&surplus))
    } else {
        "protocols that have none".into()
    };
    let message = format!("{port_option} needs a protocol with ports, but this allows {which}");
    let help = "tcp, udp, dccp, sctp and udplite have ports; without proto, ports mean tcp and udp";
    let at = section.values("proto").first().map_or(section.at, |value| value.at);
    diagnostics.push(section.complain("proto", at, Complaint::new(message, help)));
    Err(Reported)
}

/// The only family whose packets can match, if `family` or the addresses leave just one.
fn families(
    section: &Section,
    written: Option<Family>,
    source: Option<&Addresses>,
    destination: Option<&Addresses>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Family>, Reported> {
    let only = |addresses: &Addresses| match (addresses.v4.is_empty(), addresses.v6.is_empty()) {
        (false, true) => Some(Family::V4),
        (true, false) => Some(Family::V6),
        _ => None,
    };
    let family_at = section.values("family").first().map_or(section.at, |value| value.at);
    let mut decided = [
        written.map(|family| ("family", family_at, family)),
        source.and_then(|source| Some(("src_ip", source.at, only(source)?))),
        destination.and_then(|destination| Some(("dest_ip", destination.at, only(destination)?))),
    ]
    .into_iter()
    .flatten();
    let Some((first, _, family)) = decided.next() else { return Ok(None) };
    match decided.find(|(_, _, other)| *other != family) {
        None => Ok(Some(family)),
        Some((option, at, other)) => {
            let message = format!("no packet can match: {first} allows only {family}, {option} only {other}");
            let help = "a packet has one IP version; write two rules if both are meant";
            diagnostics.push(section.complain(option, at, Complaint::new(message, help)));
            Err(Reported)
        }
    }
}
