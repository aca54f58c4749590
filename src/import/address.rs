//! What looks like an address, a network or a range of addresses.

use crate::config::model::Family;
use crate::interval::{Interval, from_ipv4, from_ipv6};
use std::net::{IpAddr, Ipv4Addr};

/// The family of an address (`192.0.2.1`), a network (`192.0.2.0/24`, `192.0.2.0/255.255.255.0`) or a range (`a-b`);
/// nothing if the text is none of these.
pub fn family_of(text: &str) -> Option<Family> {
    let (first, rest) = match text.split_once('/') {
        Some((network, length)) => (network, Some(length)),
        None => (text, None),
    };
    if let Some(length) = rest {
        let family = single(first)?;
        return is_length(length, family).then_some(family);
    }
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
            (first.is_ipv4() == last.is_ipv4() && first <= last).then(|| family(first))
        }
        None => single(text),
    }
}

/// The addresses that a text of [`family_of`] names, as numbers.
pub fn interval(text: &str) -> Option<Interval> {
    let family = family_of(text)?;
    let number = |text: &str| {
        text.parse().ok().map(|address| match address {
            IpAddr::V4(address) => from_ipv4(address),
            IpAddr::V6(address) => from_ipv6(address),
        })
    };
    if let Some((network, length)) = text.split_once('/') {
        let mask = || length.parse().map(|mask: Ipv4Addr| u32::from(mask).count_ones());
        let length = length.parse().or_else(|_| mask()).ok()?;
        let host = family.max_address().checked_shr(length).filter(|_| length < u32::from(family.width())).unwrap_or(0);
        let first = number(network)? & !host;
        return Some(Interval::new(first, first | host));
    }
    match text.split_once('-') {
        Some((first, last)) => Some(Interval::new(number(first)?, number(last)?)),
        None => number(text).map(Interval::single),
    }
}

fn single(text: &str) -> Option<Family> {
    text.parse().ok().map(family)
}

/// The family of an address.
pub fn family(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// Whether this may stand behind a slash: a number of bits, or a netmask without gaps.
fn is_length(text: &str, family: Family) -> bool {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().is_ok_and(|length: u8| length <= family.width());
    }
    match (family, text.parse()) {
        (Family::V4, Ok(IpAddr::V4(mask))) => u32::from(mask).leading_ones() == u32::from(mask).count_ones(),
        _ => false,
    }
}

/// Whether a network is all addresses there are.
pub fn is_everything(text: &str) -> bool {
    text.split_once('/').is_some_and(|(_, length)| matches!(length, "0" | "0.0.0.0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address() {
        for text in ["1.2.3.4", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9"] {
            assert_eq!(family_of(text), Some(Family::V4), "{text}");
        }
        for text in ["::1", "2001:db8::/32", "2001:db8::1-2001:db8::2"] {
            assert_eq!(family_of(text), Some(Family::V6), "{text}");
        }
        for text in
            ["", "1.2.3", "1.2.3.256", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "::/129", "9.9.9.9-1.1.1.1", "a.b"]
        {
            assert_eq!(family_of(text), None, "{text}");
        }
        let size = |text| interval(text).map(|all| all.last() - all.first());
        let sizes = ["10.0.0.0/255.0.0.0", "10.9.0.0/8", "10.0.0.1-10.0.0.9", "::1/128", "::/0"].map(size);
        assert_eq!(sizes, [Some((1 << 24) - 1), Some((1 << 24) - 1), Some(8), Some(0), Some(u128::MAX)]);
        assert!(is_everything("0.0.0.0/0") && is_everything("::/0") && !is_everything("10.0.0.0/8"));
    }
}
