//! The syntax of single values. Each function reads one text, and says what is wrong with it and what would be right.

use super::section::Complaint;
use crate::config::diagnostics::quote;
use crate::config::model::{Mac, Mark, Mask};
use crate::config::options::{PRIORITY, PROTOCOLS_WITH_PORTS, ValueKind};
use crate::config::suggest::nearest;
use crate::interval::{Interval, IntervalSet};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name the kernel gives a device: IFNAMSIZ is 16 with the closing NUL.
const DEVICE_NAME_BYTES: usize = 15;
/// netifd's interface names may be longer; this is ample.
const INTERFACE_NAME_BYTES: usize = 64;

/// The words OpenWrt's own scripts take for true and false.
pub const TRUE: [&str; 5] = ["1", "on", "true", "yes", "enabled"];
/// The other half.
pub const FALSE: [&str; 5] = ["0", "off", "false", "no", "disabled"];

/// `1` or `0`, or a word for it.
pub fn boolean(text: &str) -> Result<bool, Complaint> {
    if TRUE.contains(&text) {
        Ok(true)
    } else if FALSE.contains(&text) {
        Ok(false)
    } else {
        let message = format!("{} is neither yes nor no", quote(text));
        Err(Complaint::new(message, "write 1 or 0 (on, off, true, false, yes, no, enabled and disabled will do too)"))
    }
}

/// A decimal number; no sign, no blanks.
fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A number in decimal, or in hexadecimal with `0x`.
fn bits(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => decimal(text),
    }
}

/// `globals mask`.
pub fn mask(text: &str) -> Result<Mask, Complaint> {
    let example = "the default is 0xff000000, which leaves room for 255 marks";
    let Some(bits) = bits(text) else {
        return Err(Complaint::new(format!("{} is not a number of 32 bits", quote(text)), example));
    };
    Mask::new(bits).ok_or_else(|| {
        let message = format!("{} is not one unbroken run of at least two bits", quote(text));
        Complaint::new(message, format!("a mask looks like 0xff, 0x3f00 or 0xff0000; {example}"))
    })
}

/// A pinned mark, which must lie inside the mask.
pub fn mark(text: &str, mask: Mask) -> Result<Mark, Complaint> {
    let step = mask.bits() & mask.bits().wrapping_neg();
    let room = format!("{step:#x}, {:#x}, ... {mask}", step.wrapping_mul(2));
    let Some(bits) = bits(text) else {
        let message = format!("{} is not a number of 32 bits", quote(text));
        return Err(Complaint::new(message, format!("a mark is one of {room}")));
    };
    mask.mark_from_bits(bits).ok_or_else(|| {
        if bits == 0 {
            return Complaint::new("mark 0 means 'no mark'", format!("pin one of {room}"));
        }
        let message = format!("mark {bits:#x} lies outside mask {mask}");
        Complaint::new(message, format!("set globals mask '{:#x}', or pin one of {room}", bytes_round(bits)))
    })
}

/// The whole bytes that hold these bits, and all between: the mask a person would choose for them.
fn bytes_round(bits: u32) -> u32 {
    let low = bits.trailing_zeros() / 8 * 8;
    let unused = bits.leading_zeros() / 8 * 8;
    u32::MAX.checked_shl(low).unwrap_or(0) & u32::MAX.checked_shr(unused).unwrap_or(0)
}

/// The number of a routing table that is not the kernel's own.
pub fn table(text: &str) -> Result<u32, Complaint> {
    let help = "choose a number from 1 to 4294967295 that nobody else uses, for example 100; not 253 to 255";
    let own = match decimal(text) {
        Some(0) => "0 means 'unspecified'",
        Some(253) => "table 253 is the kernel's 'default'",
        Some(254) => "table 254 is 'main', the one everybody uses",
        Some(255) => "table 255 is the kernel's 'local'",
        Some(table) => return Ok(table),
        None => {
            return Err(Complaint::new(format!("{} is not the number of a routing table", quote(text)), help));
        }
    };
    Err(Complaint::new(own, help))
}

/// The priority of an ip rule.
pub fn priority(text: &str) -> Result<u32, Complaint> {
    let ValueKind::Number(least, most) = PRIORITY else {
        return Err(Complaint::new("no priority is possible", ""));
    };
    decimal(text).filter(|priority| (least..=most).contains(priority)).ok_or_else(|| {
        let message = format!("{} is not a priority from {least} to {most}", quote(text));
        Complaint::new(
            message,
            "a lower number comes first; main is looked up at 32766, and two rules of wansplit come before the lowest",
        )
    })
}

/// The name of a Linux device.
pub fn device_name(text: &str) -> Result<String, Complaint> {
    name(text, DEVICE_NAME_BYTES, "a device", "eth1")
}

/// The name of a netifd interface, or of a device.
pub fn interface_name(text: &str) -> Result<String, Complaint> {
    name(text, INTERFACE_NAME_BYTES, "an interface", "wan")
}

fn name(text: &str, longest: usize, what: &str, example: &str) -> Result<String, Complaint> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':');
    if text.is_empty() || text.len() > longest || text.contains(odd) || matches!(text, "." | "..") {
        let message = format!("{} cannot be the name of {what}", quote(text));
        let help = format!("it has 1 to {longest} bytes and no blanks, slashes or colons, as {example}");
        return Err(Complaint::new(message, help));
    }
    Ok(text.to_owned())
}

/// An IPv4 gateway.
pub fn gateway(text: &str) -> Result<Ipv4Addr, Complaint> {
    match text.parse::<Ipv4Addr>() {
        Ok(address)
            if address.is_unspecified()
                || address.is_multicast()
                || address.is_loopback()
                || address.is_broadcast() =>
        {
            Err(no_gateway(text, "192.0.2.1"))
        }
        Ok(address) => Ok(address),
        Err(_) if text.parse::<Ipv6Addr>().is_ok() => {
            let message = format!("{} is an IPv6 address", quote(text));
            Err(Complaint::new(message, format!("write: option gateway6 '{text}'")))
        }
        Err(_) => Err(bad_gateway(text, "IPv4", "192.0.2.1")),
    }
}

/// An IPv6 gateway; a link-local one is usual.
pub fn gateway6(text: &str) -> Result<Ipv6Addr, Complaint> {
    match text.parse::<Ipv6Addr>() {
        Ok(address) if address.is_unspecified() || address.is_multicast() || address.is_loopback() => {
            Err(no_gateway(text, "fe80::1"))
        }
        Ok(address) => Ok(address),
        Err(_) if text.parse::<Ipv4Addr>().is_ok() => {
            let message = format!("{} is an IPv4 address", quote(text));
            Err(Complaint::new(message, format!("write: option gateway '{text}'")))
        }
        Err(_) => Err(bad_gateway(text, "IPv6", "fe80::1")),
    }
}

fn no_gateway(text: &str, example: &str) -> Complaint {
    let help =
        format!("it is the address of the provider's router, as {example}; leave it out on a point-to-point device");
    Complaint::new(format!("{} cannot be a gateway", quote(text)), help)
}

fn bad_gateway(text: &str, family: &str, example: &str) -> Complaint {
    let help = format!("a gateway is a single address without a length or zone, as {example}");
    Complaint::new(format!("{} is not an {family} address", quote(text)), help)
}

/// Protocols by name; the first name of a number is the one we print.
pub const PROTOCOL_NAMES: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
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

/// A protocol's name or number, `any` or `all`.
pub fn protocol(text: &str) -> Result<IntervalSet, Complaint> {
    let numbers = |numbers: &[u8]| numbers.iter().map(|n| Interval::single(u128::from(*n))).collect();
    let word = text.to_ascii_lowercase();
    let named = PROTOCOL_NAMES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    match (word.as_str(), named.or_else(|| decimal(text)?.try_into().ok())) {
        ("any" | "all", _) => Ok(IntervalSet::full(u128::from(u8::MAX))),
        // A rule that names ICMP must also work for IPv6, where it is another protocol.
        ("icmp", _) => Ok(numbers(&[ICMP, ICMPV6])),
        (_, Some(number)) => Ok(numbers(&[number])),
        (_, None) => {
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

/// An Ethernet address, with colons or dashes.
pub fn mac(text: &str) -> Result<Mac, Complaint> {
    let complaint = || {
        let message = format!("{} is not an Ethernet address", quote(text));
        Complaint::new(message, "write six pairs of hexadecimal digits, as 52:54:00:12:34:56")
    };
    let separator = if text.contains('-') { '-' } else { ':' };
    let mut bytes = [0; 6];
    let mut parts = text.split(separator);
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2 && part.bytes().all(|c| c.is_ascii_hexdigit()));
        *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or_else(complaint)?;
    }
    if parts.next().is_some() { Err(complaint()) } else { Ok(Mac(bytes)) }
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
    let word = text.to_ascii_lowercase();
    let named = DSCP_NAMES.iter().find(|(name, _)| *name == word).map(|(_, value)| u32::from(*value));
    match named.or_else(|| bits(text)) {
        Some(value @ 0..=63) => Ok(IntervalSet::single(u128::from(value))),
        _ => {
            let message = format!("{} is not a DSCP value", quote(text));
            Err(Complaint::new(message, "write a number from 0 to 63, or a name: be, le, ef, cs0 to cs7, af11 to af43"))
        }
    }
}
