//! Which addresses tell a reader something and a stranger nothing: they stay as they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Resolvers that half the world asks: who sees one knows what was meant.
const RESOLVERS: [&str; 26] = [
    // Cloudflare
    "1.1.1.1",
    "1.0.0.1",
    "1.1.1.2",
    "1.0.0.2",
    "1.1.1.3",
    "1.0.0.3",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    // Google
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    // Quad9
    "9.9.9.9",
    "9.9.9.10",
    "149.112.112.112",
    "149.112.112.10",
    "2620:fe::fe",
    "2620:fe::9",
    // OpenDNS
    "208.67.222.222",
    "208.67.220.220",
    "2620:119:35::35",
    "2620:119:53::53",
    // AdGuard
    "94.140.14.14",
    "94.140.15.15",
    "2a10:50c0::ad1:ff",
    "2a10:50c0::ad2:ff",
];

/// Networks that are nobody's own: private, shared, link-local, loopback, documentation, benchmarks, multicast, reserved.
const NETWORKS4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same for IPv6: unspecified and loopback, unique local, link-local, multicast, documentation.
const NETWORKS6: [(Ipv6Addr, u8); 6] = [
    (Ipv6Addr::UNSPECIFIED, 127),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// `64:ff9b::/96`: IPv4 addresses in IPv6's clothes (NAT64).
const NAT64: u128 = 0x0064_ff9b << 96;

/// Whether an address, or a network of this length, may be shown.
#[must_use]
pub fn is_readable(address: IpAddr, length: Option<u8>) -> bool {
    let resolvers = || RESOLVERS.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    is_large(address, length) || resolvers().any(|own| own == address) || is_nobodys(address)
}

fn is_nobodys(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => NETWORKS4.iter().any(|(network, length)| {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - u32::from(*length)) == Some(0)
        }),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let within = |(network, length): &(Ipv6Addr, u8)| {
                (bits ^ network.to_bits()).checked_shr(128 - u32::from(*length)) == Some(0)
            };
            NETWORKS6.iter().any(within) || inner(address).is_some_and(|inner| is_readable(IpAddr::V4(inner), None))
        }
    }
}

/// The IPv4 address that an IPv6 address says.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = || {
        let low = u32::try_from(address.to_bits() ^ NAT64).ok()?;
        Some(Ipv4Addr::from_bits(low))
    };
    address.to_ipv4_mapped().or_else(nat64)
}

/// A network of a good part of the Internet, written as such: `128.0.0.0/1`, `2000::/3`.
fn is_large(address: IpAddr, length: Option<u8>) -> bool {
    match (address, length) {
        (IpAddr::V4(address), Some(length @ 0..=8)) => address.to_bits().checked_shl(length.into()).unwrap_or(0) == 0,
        (IpAddr::V6(address), Some(length @ 0..=12)) => address.to_bits().checked_shl(length.into()).unwrap_or(0) == 0,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_addresses() {
        assert!(RESOLVERS.iter().all(|text| text.parse::<IpAddr>().is_ok()));
    }

    #[test]
    fn each_network_has_its_edges() {
        let shown = |text: &str| {
            let (address, length) = text.split_once('/').map_or((text, None), |(a, b)| (a, b.parse().ok()));
            is_readable(address.parse().unwrap(), length)
        };
        for text in [
            "0.0.0.0",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.0",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.0",
            "255.255.255.255",
            "1.1.1.1",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "64.0.0.0/2",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "2001:db8:ffff::",
            "2606:4700:4700::1111",
            "::ffff:10.0.0.1",
            "64:ff9b::192.168.1.1",
            "64:ff9b::8.8.8.8",
            "2000::/3",
            "8000::/1",
            "::/0",
        ] {
            assert!(shown(text), "{text}");
        }
        for text in [
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.1.1.1",
            "128.0.0.0",
            "172.15.1.1",
            "172.32.0.0",
            "192.167.1.1",
            "192.169.0.0",
            "198.50.1.1",
            "198.52.1.1",
            "203.0.112.1",
            "223.255.255.255",
            "93.184.216.34/8",
            "93.0.0.0/16",
            "2a02::1",
            "2001:db7::1",
            "2001:db9::1",
            "fec0::1",
            "::2",
            "2002::1",
            "::ffff:93.184.216.34",
            "64:ff9b::5db8:d822",
            "2a02::/16",
            "2606:4700:4700::1112",
        ] {
            assert!(!shown(text), "{text}");
        }
    }
}
