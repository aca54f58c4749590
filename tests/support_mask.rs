//! Of a text for strangers: no public address, no network card, no secret comes through, whatever is around it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wansplit::support::domains::Domains;
use wansplit::support::mask::Masker;
use wansplit::support::readable::is_readable;

fn mask(text: &str) -> String {
    Masker::default().mask(text)
}

fn public() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    let v6 = (any::<u128>(), 0..4).prop_map(|(bits, kind)| {
        let bits = bits & !(7 << 125) | 1 << 125;
        IpAddr::V6(Ipv6Addr::from_bits(match kind {
            0 => bits,
            // With runs of zeros, which are written short.
            1 => bits & !(u128::from(u64::MAX) << 16),
            2 => bits >> 64 << 64,
            // With an Ethernet address in it.
            _ => bits & !(0xffff << 24) | 0xfffe << 24,
        }))
    });
    prop_oneof![v4, v6].prop_filter("one that is somebody's", |address| !is_readable(*address, None))
}

/// The ways to write an address.
fn written(address: IpAddr, way: u8) -> String {
    match (address, way % 6) {
        (IpAddr::V6(address), 0) => address.segments().map(|group| format!("{group:04x}")).join(":"),
        (IpAddr::V6(address), 1) => address.segments().map(|group| format!("{group:x}")).join(":"),
        (IpAddr::V6(address), 2) => address.to_string().to_uppercase(),
        (IpAddr::V6(address), 3) => {
            let (low, [a, b, c, d, e, f, ..]) = (address.to_bits() as u32, address.segments());
            format!("{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{}", Ipv4Addr::from_bits(low))
        }
        (IpAddr::V4(address), 0) => address.octets().map(|octet| format!("{octet:03}")).join("."),
        (IpAddr::V4(address), 1) => format!("::ffff:{address}"),
        (IpAddr::V4(address), 2) => format!("64:ff9b::{address}"),
        (address, _) => address.to_string(),
    }
}

fn around() -> impl Strategy<Value = (String, String)> {
    let before = prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            " ", "'", "\"", "[", "(", "=", "via ", "from ", "{ ", "!", "-", "/", "@", "tcp ", "inet6:", "x", "é"
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
    ];
    let after = prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            " ",
            "'",
            "\"",
            "]:443",
            ":443",
            "/24",
            "/64",
            "/32",
            ",",
            ".",
            "-",
            "%eth0",
            ")",
            " dev eth1",
            "é",
            "\n"
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
    ];
    // With another digit it would be another address.
    let apart = |c: Option<char>| if c.is_some_and(|c| c.is_ascii_hexdigit() || c == '.') { " " } else { "" };
    (before, after).prop_map(move |(before, after)| {
        let (left, right) = (apart(before.chars().last()), apart(after.chars().next()));
        (format!(" {before}{left}"), format!("{right}{after}"))
    })
}

/// Every address that some piece of a text can be read as.
fn readings(text: &str) -> Vec<IpAddr> {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
    let mut found = Vec::new();
    for (n, start) in places.iter().enumerate() {
        for end in places.iter().skip(n + 2).take_while(|end| **end - start <= 45) {
            found.extend(text[*start..*end].parse::<IpAddr>().ok());
        }
    }
    found
}

/// An address, or the one that it carries.
fn bare(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_public_address_survives(
        parts in prop::collection::vec((public(), 0..6_u8, around()), 1..6),
    ) {
        let text: String =
            parts.iter().map(|(address, way, (before, after))| format!("{before}{}{after}", written(*address, *way))).collect();
        let masked = mask(&text);
        let seen = readings(&masked);
        for (address, way, _) in &parts {
            prop_assert!(!seen.iter().any(|seen| bare(*seen) == *address), "{} in {} of {}", address, masked, text);
            prop_assert!(!masked.contains(&written(*address, *way)), "{} in {} of {}", address, masked, text);
        }
    }

    #[test]
    fn the_same_address_has_one_name_and_others_have_others(
        addresses in prop::collection::vec(public(), 1..20),
    ) {
        let mut masker = Masker::default();
        let mut names: BTreeMap<IpAddr, String> = BTreeMap::new();
        for (n, address) in addresses.iter().chain(&addresses).enumerate() {
            // However it is written.
            let way = if address.is_ipv6() { u8::try_from(n % 6).unwrap() } else { 5 };
            let name = masker.mask(&written(*address, way));
            prop_assert!(name.starts_with("public"), "{} is {}", address, name);
            let first = names.entry(*address).or_insert_with(|| name.clone());
            prop_assert_eq!(&*first, &name);
        }
        let mut different: Vec<&String> = names.values().collect();
        different.sort();
        different.dedup();
        prop_assert_eq!(different.len(), names.len());
    }

    #[test]
    fn addresses_of_one_network_are_known_as_such(network in any::<u32>(), hosts in prop::collection::vec(1..=255_u8, 2..6)) {
        let address = |host: u8| Ipv4Addr::from_bits(network & !255 | u32::from(host));
        prop_assume!(!is_readable(address(1).into(), None) && !hosts.iter().any(|host| is_readable(address(*host).into(), None)));
        let mut masker = Masker::default();
        prop_assert_eq!(masker.mask(&format!("{}/24", address(0))), "public-1.0/24");
        for host in hosts {
            prop_assert!(masker.mask(&address(host).to_string()).starts_with("public-1."));
        }
        let stranger = Ipv4Addr::from_bits(network ^ 1 << 8 | 1).to_string();
        prop_assert!(!masker.mask(&stranger).starts_with("public-1."));
    }

    #[test]
    fn what_may_be_read_stays(bits in any::<u128>(), short in any::<u32>(), kind in 0..8) {
        let address: IpAddr = match kind {
            0 => Ipv4Addr::from_bits(short >> 8 | 10 << 24).into(),
            1 => Ipv4Addr::from_bits(short >> 16 | 0xc0a8 << 16).into(),
            2 => Ipv4Addr::from_bits(short >> 8 | 127 << 24).into(),
            3 => Ipv4Addr::from_bits(short >> 4 | 0xe << 28).into(),
            4 => Ipv6Addr::from_bits(bits >> 16 | 0xfe80 << 112).into(),
            5 => Ipv6Addr::from_bits(bits >> 32 | 0x2001_0db8 << 96).into(),
            6 => Ipv6Addr::from_bits(bits >> 8 | 0xfd << 120).into(),
            _ => Ipv6Addr::from_bits(bits >> 8 | 0xff << 120).into(),
        };
        // One made of an Ethernet address says that; see the next test.
        let of_a_card = matches!(address, IpAddr::V6(v6) if v6.octets()[11..13] == [0xff, 0xfe]);
        prop_assume!(!of_a_card);
        for text in [format!("via {address} dev eth1"), format!("[{address}]:443"), format!("'{address}/64'"), format!("{address},")] {
            prop_assert_eq!(mask(&text), text);
        }
    }

    #[test]
    fn no_network_card_survives(card in any::<[u8; 6]>(), (before, after) in around()) {
        prop_assume!(card != [0; 6] && card != [255; 6]);
        let [a, b, c, d, e, f] = card;
        let colons = card.map(|byte| format!("{byte:02x}")).join(":");
        let dashes = card.map(|byte| format!("{byte:02X}")).join("-");
        // A pair of digits directly before or behind makes it something longer.
        let (before, after) = (before + " ", format!(" {after}"));
        let local = Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        let text = format!("{before}{colons}{after}{before}{dashes}{after}{before}{local}{after}");
        let masked = mask(&text).to_lowercase();
        let tail = format!("{d:02x}:{e:02x}:{f:02x}");
        for form in [colons.clone(), dashes.to_lowercase(), local.to_string(), format!("fe{d:02x}:{e:02x}{f:02x}")] {
            prop_assert!(!masked.contains(&form), "{} in {}", form, masked);
        }
        prop_assert!(!masked.contains(&tail), "{} in {}", tail, masked);
        prop_assert_eq!(mask(&format!("{colons} {dashes} {local}")), "mac-1 mac-1 fe80::mac-1");
    }

    #[test]
    fn no_secret_survives(
        secret in "Zq[ -&(-~]{4,20}Zq",
        name in prop::sample::select(vec!["password", "username", "psk", "private_key", "apn", "pincode", "wpa_psk", "secret"]),
        before in "[ -Y]{0,10}",
    ) {
        let plain = secret.replace([' ', ',', '}', '"'], "x");
        for text in [
            format!("\toption {name} '{secret}'\n\toption use 'A'"),
            format!("\tlist {name} {secret}\n\toption use 'A'"),
            format!("{{\"up\":true,{}:{}}}", serde_json::json!(name), serde_json::json!(secret)),
            format!("{before}\n{name}={plain} rest"),
            format!("{before}\n{name}: {plain}\nrest"),
        ] {
            let masked = mask(&text);
            prop_assert!(!masked.contains("Zq"), "{} in {}", masked, text);
        }
    }

    #[test]
    fn nothing_is_too_odd(text in prop_oneof![any::<String>(), "[0-9a-f:.\\-/% ]{0,200}", "[:.]{0,300}"]) {
        let _ = mask(&text);
        let domains = Domains::of(&text);
        let _ = Masker::new(domains).mask(&text);
    }
}

#[test]
fn the_words_of_routers_are_masked_as_one_expects() {
    let mut masker = Masker::default();
    for (text, expected) in [
        ("default via 93.184.216.1 dev eth1 src 93.184.216.34", "default via public-1.1 dev eth1 src public-1.2"),
        ("93.184.216.0/24 dev eth1", "public-1.0/24 dev eth1"),
        ("0.0.0.0/1 via 10.8.0.1, 128.0.0.0/1", "0.0.0.0/1 via 10.8.0.1, 128.0.0.0/1"),
        (
            "ip daddr { 5.9.0.0/16, 1.1.1.1, 77.0.0.1-77.0.0.9 }",
            "ip daddr { public-2.0/16, 1.1.1.1, public-3.1-public-3.2 }",
        ),
        ("inet6 2a02:8071:1:100:21e:6ff:fe33:aabb/64", "inet6 public6-1.1.1/64"),
        ("2a02:8071:1:100::/56 2a02:8071:1::/48", "public6-1.1.0/56 public6-1.0.0/48"),
        ("fe80::21e:6ff:fe33:aabb lladdr 00:1e:06:33:aa:bb", "fe80::mac-1 lladdr mac-1"),
        ("at 22:35:45 on 2026-11-22, nft 1.0.6, kernel 6.6.73", "at 22:35:45 on 2026-11-22, nft 1.0.6, kernel 6.6.73"),
        ("mark 0x5d, 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff", "mark 0x5d, 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff"),
        ("[2a02:8071:1:100::1]:443 93.184.216.34:80", "[public6-1.1.2]:443 public-1.2:80"),
        ("client-id 01:00:1e:06:33:aa:bb", "client-id mac-2"),
    ] {
        assert_eq!(masker.mask(text), expected);
    }
}
