//! What a packet must be like: a rule's match options together.

use super::address::{Addresses, addresses};
use super::address_set::Sets;
use super::section::{Complaint, Reported, Section};
use super::sets::{choice, numbers, signed};
use super::{match_values, values};
use crate::config::describe;
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Family, InSets, LAST_USER, Mask, Matches, SetId};
use crate::interval::{Interval, IntervalSet};

/// The largest protocol number.
const MAX_PROTOCOL: u128 = 255;

/// Reads all match options of a rule; one wrong value makes the whole wrong.
/// The domains it names are still to be put into a set, for which there is room already.
pub fn matches(
    section: &Section,
    ours: Mask,
    sets: &Sets<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(Matches, Vec<String>), Reported> {
    let (protocol, port, code) = (Interval::new(0, MAX_PROTOCOL), Interval::new(1, 65535), Interval::new(0, 63));
    let family = family(section, diagnostics);
    let source_sets = sets.named(section, "src_set", diagnostics);
    let destination_sets = sets.named(section, "dest_set", diagnostics);
    let written = |option| section.place(option).is_some();
    let (from_sets, to_sets) = (written("src_set"), written("dest_set") || written("dest_domain"));
    let domains = signed(section, "dest_domain", match_values::domain, diagnostics);
    let source = addresses(section, "src_ip", from_sets, diagnostics);
    let destination = addresses(section, "dest_ip", to_sets, diagnostics);
    let protocols = numbers(section, "proto", protocol, match_values::protocol, diagnostics);
    let source_ports = numbers(section, "src_port", port, match_values::port, diagnostics);
    let destination_ports = numbers(section, "dest_port", port, match_values::port, diagnostics);
    let interfaces = choice(section, "src_iface", values::interface_name, diagnostics);
    let macs = choice(section, "src_mac", match_values::mac, diagnostics);
    let dscp = numbers(section, "dscp", code, match_values::dscp, diagnostics);
    let mark = section.single("mark", |text| match_values::foreign_mark(text, ours), diagnostics);
    let icmp_types = icmp_types(section, diagnostics);
    let users = numbers(section, "uid", Interval::new(0, LAST_USER.into()), match_values::user, diagnostics);

    // Everything is read before the first error counts, so that every fault is reported.
    let protocols = protocols.and_then(|protocols| protocols_of(section, protocols, diagnostics));
    let (source, destination) = (source?, destination?);
    let domains = plain_domains(section, domains?, diagnostics)?;
    // A set holds addresses of both families, or will, so an address beside it does not decide.
    let deciding = (source.as_ref().filter(|_| !from_sets), destination.as_ref().filter(|_| !to_sets));
    let families = families(section, family?, deciding.0, deciding.1, diagnostics)?;
    let icmp_types = icmp_types?;
    let protocols = with_icmp(section, protocols?, icmp_types.is_some(), diagnostics)?;
    let (source, source_sets) = beside(source, source_sets?, from_sets, families);
    let (destination, destination_sets) = beside(destination, destination_sets?, to_sets, families);
    let ([source4, source6], [destination4, destination6]) = (source, destination);
    let matches = Matches {
        family: families,
        protocols,
        source4,
        source6,
        destination4,
        destination6,
        source_ports: source_ports?,
        destination_ports: destination_ports?,
        interfaces: interfaces?,
        macs: macs?,
        dscp: dscp?.filter(|dscp| !dscp.is_full(code.last())),
        users: users?,
        icmp_types,
        mark: mark?.map(|mark| mark.value),
        source_sets,
        destination_sets,
    };
    Ok((matches, domains))
}

/// The addresses of either family, and the sets beside them.
fn beside(
    addresses: Option<Addresses>,
    sets: Vec<(SetId, String)>,
    with_sets: bool,
    only: Option<Family>,
) -> ([Option<IntervalSet>; 2], Option<InSets>) {
    if !with_sets {
        return (addresses.map_or([None, None], |addresses| addresses.wanted(only)), None);
    }
    let Some(Addresses { v4, v6, except: [except4, except6], .. }) = addresses else {
        let (except4, except6) = Default::default();
        return ([None, None], Some(InSets { sets, except4, except6 }));
    };
    let some = |set: IntervalSet| (!set.is_empty()).then_some(set);
    ([some(v4), some(v6)], Some(InSets { sets, except4, except6 }))
}

fn plain_domains(
    section: &Section,
    domains: Vec<super::sets::Signed<String>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<String>, Reported> {
    if let Some(negated) = domains.iter().find(|domain| domain.negated) {
        let help = "write a rule for that domain before this one, with use 'main'";
        let complaint = Complaint::new("a domain cannot be negated", help);
        diagnostics.push(section.complain("dest_domain", negated.at, complaint));
        return Err(Reported);
    }
    let mut plain: Vec<String> = Vec::with_capacity(domains.len());
    for domain in domains {
        if !plain.contains(&domain.value) {
            plain.push(domain.value);
        }
    }
    Ok(plain)
}

/// The types of ICMP and ICMPv6. `None` if none was written.
fn icmp_types(section: &Section, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<[IntervalSet; 2]>, Reported> {
    let values = signed(section, "icmp_type", match_values::icmp_type, diagnostics)?;
    let Some(first) = values.first() else { return Ok(None) };
    let only_negated = values.iter().all(|value| value.negated);
    let of = |place: usize| {
        let union = |negated| -> IntervalSet {
            let types = values.iter().filter(|value| value.negated == negated).filter_map(|value| value.value[place]);
            types.map(|number| Interval::single(number.into())).collect()
        };
        let plain = if only_negated { IntervalSet::full(255) } else { union(false) };
        plain.without(&union(true), 255)
    };
    let types = [of(0), of(1)];
    if types.iter().all(IntervalSet::is_empty) {
        return Err(super::sets::nothing_left(section, "icmp_type", first.at, diagnostics));
    }
    Ok(Some(types))
}

/// The protocols of a rule that may name types of ICMP.
fn with_icmp(
    section: &Section,
    protocols: Option<IntervalSet>,
    typed: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<IntervalSet>, Reported> {
    if !typed {
        return Ok(protocols);
    }
    let icmp: IntervalSet = [1, 58].into_iter().map(Interval::single).collect();
    match protocols {
        None => Ok(Some(icmp)),
        Some(protocols) if icmp.covers(&protocols) => Ok(Some(protocols)),
        Some(_) => {
            let help = "write proto 'icmp' alone, and another rule for the other protocols";
            let complaint = Complaint::new("only ICMP has types, but the rule allows other protocols too", help);
            let at = section.place("icmp_type").unwrap_or(section.at);
            diagnostics.push(section.complain("icmp_type", at, complaint));
            Err(Reported)
        }
    }
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
