//! The syntax of the values that packets are matched by: protocols, ports, Ethernet addresses, DSCP, types of ICMP,
//! marks, domains. (Addresses have a file of their own.)

use super::section::Complaint;
use super::values::{bits, decimal};
use crate::config::diagnostics::quote;
use crate::config::model::{ForeignMark, LAST_USER, Mac, Mask, NotAMac};
use crate::config::options::PROTOCOLS_WITH_PORTS;
use crate::config::suggest::nearest;
use crate::interval::{Interval, IntervalSet};

/// Protocols by name; the first name of a number is the one we print.
pub const PROTOCOL_NAMES: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("icmpv4", ICMP),
    ("icmp", ICMP),
    ("icmpv6", ICMPV6),
    ("ipv6-icmp", ICMPV6),
    ("igmp", 2),
    ("ipip", 4),
    ("ipencap", 4),
    ("dccp", 33),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ospf", 89),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// The number of one protocol, by its name or as a number; `icmp` is IPv4's.
#[must_use]
pub fn protocol_number(text: &str) -> Option<u8> {
    let named = PROTOCOL_NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    named.map(|(_, number)| *number).or_else(|| decimal(text)?.try_into().ok())
}

/// A protocol's name or number, `any` or `all`.
pub fn protocol(text: &str) -> Result<IntervalSet, Complaint> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("any") || is("all") {
        return Ok(IntervalSet::full(u128::from(u8::MAX)));
    }
    // A rule that names ICMP must also work for IPv6, where it is another protocol.
    if is("icmp") {
        return Ok([ICMP, ICMPV6].into_iter().map(|number| Interval::single(number.into())).collect());
    }
    match protocol_number(text) {
        Some(number) => Ok(IntervalSet::single(number.into())),
        None => {
            let names = || PROTOCOL_NAMES.iter().map(|(name, _)| *name);
            let help = match nearest(text, names()) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => {
                    let names: Vec<_> = names().collect();
                    format!("write one of {}, any, or a number from 0 to 255", names.join(", "))
                }
            };
            Err(Complaint::new(format!("{} is not a protocol", quote(text)), help))
        }
    }
}

/// The numbers of all protocols that have ports.
pub fn protocols_with_ports() -> IntervalSet {
    PROTOCOLS_WITH_PORTS.iter().map(|(_, number)| Interval::single(u128::from(*number))).collect()
}

/// A port, or a range `a-b` or `a:b`.
pub fn port(text: &str) -> Result<IntervalSet, Complaint> {
    let Some((first, last)) = text.split_once(['-', ':']) else {
        return Ok(IntervalSet::single(one_port(text, text)?));
    };
    let (a, b) = (one_port(first, text)?, one_port(last, text)?);
    if a > b {
        return Err(Complaint::new(format!("the range {} runs backwards", quote(text)), format!("write {b}-{a}")));
    }
    Ok([Interval::new(a, b)].into_iter().collect())
}

fn one_port(text: &str, whole: &str) -> Result<u128, Complaint> {
    match decimal(text) {
        Some(port @ 1..=65535) => Ok(u128::from(port)),
        Some(_) => {
            let message = format!("{} is outside the range of ports", quote(text));
            Err(Complaint::new(message, "ports go from 1 to 65535"))
        }
        None if text == whole => {
            let message = format!("{} is not a port number", quote(text));
            let help = if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
                "names of services are not known here: write the number, as 443 for https"
            } else {
                "write a number from 1 to 65535, as 443, or a range, as 8000-8080"
            };
            Err(Complaint::new(message, help))
        }
        None => {
            let message = format!("{} is not a range of ports", quote(whole));
            Err(Complaint::new(message, "write the first and the last port, as 8000-8080"))
        }
    }
}

/// A user id, or a range `a-b`.
pub fn user(text: &str) -> Result<IntervalSet, Complaint> {
    let ends = text.split_once('-').unwrap_or((text, text));
    match (decimal(ends.0), decimal(ends.1)) {
        (Some(a), Some(b)) if a > b => {
            Err(Complaint::new(format!("the range {} runs backwards", quote(text)), format!("write {b}-{a}")))
        }
        (Some(a), Some(b)) if b <= LAST_USER => Ok([Interval::new(u128::from(a), u128::from(b))].into_iter().collect()),
        (Some(_), Some(_)) => {
            let message = format!("{} is outside the range of user ids", quote(text));
            Err(Complaint::new(message, format!("user ids go from 0 to {LAST_USER}")))
        }
        _ => {
            let help = if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
                "names of users are not known here: write the number, as `id -u NAME` prints it"
            } else {
                "write a number, as 1000, or a range, as 1000-1999"
            };
            Err(Complaint::new(format!("{} is not a user id", quote(text)), help))
        }
    }
}

/// An Ethernet address, with colons or dashes.
pub fn mac(text: &str) -> Result<Mac, Complaint> {
    text.parse().map_err(|NotAMac| {
        let message = format!("{} is not an Ethernet address", quote(text));
        Complaint::new(message, "write six pairs of hexadecimal digits, as 52:54:00:12:34:56")
    })
}

/// DSCP values by name: RFC 2474 (cs), RFC 2597 (af), RFC 3246 (ef), RFC 8622 (le).
pub const DSCP_NAMES: &[(&str, u8)] = &[
    ("be", 0),
    ("le", 1),
    ("cs0", 0),
    ("cs1", 8),
    ("cs2", 16),
    ("cs3", 24),
    ("cs4", 32),
    ("cs5", 40),
    ("cs6", 48),
    ("cs7", 56),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("ef", 46),
];

/// A DSCP value: a number or a name.
pub fn dscp(text: &str) -> Result<IntervalSet, Complaint> {
    let named = DSCP_NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, value)| u32::from(*value));
    match named.or_else(|| bits(text)) {
        Some(value @ 0..=63) => Ok(IntervalSet::single(u128::from(value))),
        _ => {
            let message = format!("{} is not a DSCP value", quote(text));
            Err(Complaint::new(message, "write a number from 0 to 63, or a name: be, le, ef, cs0 to cs7, af11 to af43"))
        }
    }
}

/// Types of ICMP by name, with their numbers in ICMP and ICMPv6: those that can begin a connection, or that people write.
pub const ICMP_TYPES: &[(&str, Option<u8>, Option<u8>)] = &[
    ("echo-request", Some(8), Some(128)),
    ("echo-reply", Some(0), Some(129)),
    ("destination-unreachable", Some(3), Some(1)),
    ("packet-too-big", None, Some(2)),
    ("time-exceeded", Some(11), Some(3)),
    ("parameter-problem", Some(12), Some(4)),
    ("redirect", Some(5), Some(137)),
    ("router-solicitation", Some(10), Some(133)),
    ("router-advertisement", Some(9), Some(134)),
    ("timestamp-request", Some(13), None),
    ("timestamp-reply", Some(14), None),
];

/// A type of ICMP: its numbers in ICMP and ICMPv6.
pub fn icmp_type(text: &str) -> Result<[Option<u8>; 2], Complaint> {
    let text = if text.eq_ignore_ascii_case("ping") { "echo-request" } else { text };
    if let Some((_, v4, v6)) = ICMP_TYPES.iter().find(|(name, ..)| text.eq_ignore_ascii_case(name)) {
        return Ok([*v4, *v6]);
    }
    if let Some(number) = decimal(text).and_then(|number| u8::try_from(number).ok()) {
        return Ok([Some(number); 2]);
    }
    let help = match nearest(text, ICMP_TYPES.iter().map(|(name, ..)| *name)) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => "write a name, as echo-request (a ping), or a number from 0 to 255".into(),
    };
    Err(Complaint::new(format!("{} is not a type of ICMP", quote(text)), help))
}

/// A mark of somebody else's, `VALUE/MASK` or `VALUE`, perhaps with a `!`. `ours` are the bits it may not look at.
pub fn foreign_mark(text: &str, ours: Mask) -> Result<ForeignMark, Complaint> {
    let (negated, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let (value, mask) = rest.split_once('/').unwrap_or((rest, ""));
    let mask = if rest.contains('/') { bits(mask) } else { Some(!ours.bits()) };
    let (Some(value), Some(mask)) = (bits(value), mask) else {
        let message = format!("{} is not a mark", quote(text));
        return Err(Complaint::new(message, "write a value and a mask, as 0x10000/0xff0000"));
    };
    if mask & ours.bits() != 0 || value & ours.bits() != 0 {
        let message = format!("{} looks at bits that are wansplit's own, which are {ours}", quote(text));
        return Err(Complaint::new(message, "write a mask without those bits, as 0x10000/0xff0000"));
    }
    if mask == 0 || value & !mask != 0 {
        let message = format!("no packet has the mark {}: its value has bits outside of its mask", quote(text));
        return Err(Complaint::new(message, "the mask must hold all bits of the value, as 0x10000/0xff0000"));
    }
    Ok(ForeignMark { value, mask, negated })
}

/// Whether a text looks like a name in the DNS, written without a dot at its end.
pub fn is_domain_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let good = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    name.len() <= 253 && name.split('.').all(good)
}

/// A domain in small letters: `example.com`; `*.example.com` and `.example.com` are the same, since subdomains always are
/// meant too.
pub fn domain(text: &str) -> Result<String, Complaint> {
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let complain = |help: &str| Err(Complaint::new(format!("{} is not a domain", quote(text)), help));
    if text.parse::<std::net::IpAddr>().is_ok() {
        return complain("it is an address: write it as dest_ip, or as an entry of a set");
    }
    if !name.is_ascii() {
        return complain("write letters beyond ASCII in the form the DNS has, which begins with xn--");
    }
    if !is_domain_name(name) {
        return complain("write a name alone, as example.com, without http:// and without a path");
    }
    Ok(name.to_ascii_lowercase())
}
