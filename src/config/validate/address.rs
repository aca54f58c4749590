//! Lists of addresses: `192.0.2.1`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1-10.0.0.9`, each also with a `!`.

use super::section::{Complaint, Reported, Section};
use super::sets::{nothing_left, signed};
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::Family;
use crate::config::source::Position;
use crate::interval::{Interval, IntervalSet, from_ipv4, from_ipv6, to_ipv4, to_ipv6};
use std::net::{IpAddr, Ipv4Addr};

const EXAMPLES: &str =
    "write an address, a network as 192.168.1.0/24 or 2001:db8::/32, or a range as 192.168.1.10-192.168.1.20";

/// The addresses of one option, by family. A family that was not mentioned has none.
pub struct Addresses {
    pub v4: IntervalSet,
    pub v6: IntervalSet,
    /// Addresses that are not meant, IPv4 and IPv6, where sets are named beside them; else they are taken out already.
    pub except: [IntervalSet; 2],
    /// Where they were written.
    pub at: Position,
}

impl Addresses {
    /// The addresses of either family that packets must have, if packets of `only` can match: `None` if the family is
    /// out of the question, or all of its addresses will do.
    pub fn wanted(self, only: Option<Family>) -> [Option<IntervalSet>; 2] {
        [(Family::V4, self.v4), (Family::V6, self.v6)].map(|(family, set)| {
            let limits = only.is_none_or(|only| only == family) && !set.is_full(family.max_address());
            limits.then_some(set)
        })
    }
}

/// Reads an option with addresses. `None` if it was not written. With `sets`, the rule names sets of addresses as well:
/// then negated addresses alone do not mean "all others", but "those sets without these".
pub fn addresses(
    section: &Section,
    option: &str,
    sets: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Addresses>, Reported> {
    let parse = |text: &str| {
        parse(text).map_err(|complaint| match elsewhere(option, text) {
            Some(help) => Complaint::new(complaint.message, help),
            None => complaint,
        })
    };
    let values = signed(section, option, parse, diagnostics)?;
    let Some(at) = values.first().map(|first| first.at) else { return Ok(None) };
    for value in &values {
        if let Some(network) = &value.value.network {
            let message = format!("the address has bits beyond the length of its network, which is {network}");
            let complaint =
                Complaint::new(message, format!("write '{network}', or the address alone if you mean one host"));
            diagnostics.push(section.remark(Severity::Warning, option, value.at, complaint));
        }
    }
    let union = |family, negated| -> IntervalSet {
        let wanted = values.iter().filter(|value| value.negated == negated && value.value.family == family);
        wanted.map(|value| value.value.interval).collect()
    };
    let only_negated = !sets && values.iter().all(|value| value.negated);
    let set = |family: Family| {
        let without = union(family, true);
        let all = IntervalSet::full(family.max_address());
        // "An address decides the family", also a negated one: what was not mentioned is not meant.
        let plain = if only_negated && !without.is_empty() { all } else { union(family, false) };
        plain.without(&without, family.max_address())
    };
    let except = if sets { Family::BOTH.map(|family| union(family, true)) } else { Default::default() };
    let addresses = Addresses { v4: set(Family::V4), v6: set(Family::V6), except, at };
    if !sets && addresses.v4.is_empty() && addresses.v6.is_empty() {
        return Err(nothing_left(section, option, at, diagnostics));
    }
    Ok(Some(addresses))
}

/// One entry of a list.
#[derive(Debug)]
pub struct Entry {
    pub family: Family,
    pub interval: Interval,
    /// The network that was meant, if the address written for it is not its first.
    pub network: Option<String>,
}

/// An address, a network or a range.
pub fn parse(text: &str) -> Result<Entry, Complaint> {
    if let Some((address, length)) = text.split_once('/') {
        network(text, address, length)
    } else if let Some((first, last)) = text.split_once('-').filter(|_| !looks_like_a_name(text)) {
        range(text, first, last)
    } else {
        let (family, address) = number(text).ok_or_else(|| no_address(text))?;
        Ok(Entry { family, interval: Interval::single(address), network: None })
    }
}

fn number(text: &str) -> Option<(Family, u128)> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => (Family::V4, from_ipv4(address)),
        IpAddr::V6(address) => (Family::V6, from_ipv6(address)),
    })
}

fn looks_like_a_name(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic()) && !text.contains(':')
}

/// Where a text belongs that is no address, if there is such an option.
fn elsewhere(option: &str, text: &str) -> Option<&'static str> {
    match option {
        "src_ip" if text.starts_with('@') => Some("write the interface into src_iface, without the @"),
        "src_ip" if is_ethernet(text) => Some("write Ethernet addresses into src_mac"),
        "dest_ip" if looks_like_a_name(text) && text.contains('.') => Some("write domains into dest_domain"),
        _ => None,
    }
}

fn is_ethernet(text: &str) -> bool {
    let octets = || text.split([':', '-']);
    octets().count() == 6 && octets().all(|octet| octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn no_address(text: &str) -> Complaint {
    let help =
        if looks_like_a_name(text) { "names of hosts are not looked up here: write the address" } else { EXAMPLES };
    Complaint::new(format!("{} is not an address", quote(text)), help)
}

fn network(text: &str, address: &str, length: &str) -> Result<Entry, Complaint> {
    let (family, number) = number(address).ok_or_else(|| no_address(address))?;
    let width = u32::from(family.width());
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = if digits { length.parse().ok() } else { netmask_length(length).filter(|_| family == Family::V4) };
    let Some(length) = length.filter(|length| *length <= width) else {
        let message = format!("{} has no valid length behind the slash", quote(text));
        let netmask = if family == Family::V4 { ", or a netmask without gaps as 255.255.255.0" } else { "" };
        return Err(Complaint::new(message, format!("it is a number from 0 to {width} for {family}{netmask}")));
    };
    let host_bits = family.max_address().checked_shr(length).filter(|_| length < width).unwrap_or(0);
    let first = number & !host_bits;
    let network = (first != number).then(|| match family {
        Family::V4 => format!("{}/{length}", to_ipv4(first)),
        Family::V6 => format!("{}/{length}", to_ipv6(first)),
    });
    Ok(Entry { family, interval: Interval::new(first, first | host_bits), network })
}

/// The length of a netmask such as 255.255.255.0, if its bits have no gap.
fn netmask_length(text: &str) -> Option<u32> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() == mask.count_ones()).then(|| mask.count_ones())
}

fn range(text: &str, first: &str, last: &str) -> Result<Entry, Complaint> {
    let (family, a) = number(first).ok_or_else(|| no_address(first))?;
    let (other, b) = number(last).ok_or_else(|| no_address(last))?;
    if family != other {
        let message = format!("the range {} begins in {family} and ends in {other}", quote(text));
        return Err(Complaint::new(message, EXAMPLES));
    }
    if a > b {
        let message = format!("the range {} runs backwards", quote(text));
        return Err(Complaint::new(message, format!("write {last}-{first}")));
    }
    Ok(Entry { family, interval: Interval::new(a, b), network: None })
}
