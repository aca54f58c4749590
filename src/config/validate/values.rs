//! The syntax of values of links and globals. Each function reads one text, and says what is wrong with it and what would be right.

use super::section::Complaint;
use crate::config::diagnostics::quote;
use crate::config::model::{INTERFACE_NAME_BYTES, Mark, Mask, is_device_name};
use crate::config::options::{PRIORITY, ValueKind};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name the kernel gives a device: IFNAMSIZ is 16 with the closing NUL.
const DEVICE_NAME_BYTES: usize = 15;

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
pub fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A number with one of these units, each with what it stands for: `500ms`, `2.5G`. An empty unit is for a number alone.
/// The whole must come out whole.
pub fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) = units.iter().find_map(|(unit, factor)| {
        let digits = text.strip_suffix(unit)?;
        digits.ends_with(|c: char| c.is_ascii_digit()).then_some((digits, *factor))
    })?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 3 {
        return None;
    }
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let thousandths = number(&format!("{fraction:0<3}"))?.checked_mul(factor)?;
    let whole = number(whole)?.checked_mul(factor)?;
    whole.checked_add(thousandths / 1000).filter(|_| thousandths % 1000 == 0)
}

/// A number in decimal, or in hexadecimal with `0x`.
pub fn bits(text: &str) -> Option<u32> {
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
    if text.len() <= longest && is_device_name(text) {
        return Ok(text.to_owned());
    }
    let message = format!("{} cannot be the name of {what}", quote(text));
    let help = if text.contains('*') {
        format!("wildcards are not supported: name each, as {example}")
    } else {
        format!("it has 1 to {longest} letters, digits and . _ - + ~ =, as {example}")
    };
    Err(Complaint::new(message, help))
}

/// A directory of dnsmasq's; one slash at the end more or less is the same.
pub fn directory(text: &str) -> Result<String, Complaint> {
    let good = |byte: u8| !byte.is_ascii_control() && byte != b',';
    if text.starts_with('/') && text.bytes().all(good) {
        let plain = text.trim_end_matches('/');
        return Ok(if plain.is_empty() { "/" } else { plain }.to_owned());
    }
    let message = format!("{} is not the absolute path of a directory", quote(text));
    Err(Complaint::new(message, "write the one in dnsmasq's own line `conf-dir=`, as /etc/dnsmasq.d"))
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
