//! What looks like an address, a network or a range of addresses: what the configuration's own reader takes for one.

use crate::config::entry;
use crate::config::model::Family;
use crate::interval::Interval;
use std::net::IpAddr;

/// The family of an address (`192.0.2.1`), a network (`192.0.2.0/24`, `192.0.2.0/255.255.255.0`) or a range; nothing if the
/// text is none of these.
pub fn family_of(text: &str) -> Option<Family> {
    entry(text).map(|(family, _)| family)
}

/// The addresses that a text of [`family_of`] names, as numbers.
pub fn interval(text: &str) -> Option<Interval> {
    entry(text).map(|(_, interval)| interval)
}

/// The family of an address.
pub fn family(address: IpAddr) -> Family {
    Family::of(address)
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
