#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::model::{Fallback, Flush, Globals};
use crate::config::source::Position;
use crate::network::netifd::parse;

/// No device with IPv6 switched off.
static NONE: Set<String> = Set::new();
/// No memory of earlier times.
static NOTHING: Known = Known::nothing();
/// No zone that translates.
static SILENT: Firewall = Firewall::silent();

const RECORDED: &str = include_str!("../../../tests/fixtures/network/network.interface-dump.json");
const SYNTHETIC: &str = include_str!("../../../tests/fixtures/network/network.interface-dump-synthetic.json");

fn link(name: &str, attachment: Attachment) -> Link {
    let at = Position::default();
    let (mark, table, priority, tracking) = (None, None, None, None);
    let (fallback, masq6, flush) = (Fallback::Main, None, Flush::default());
    Link {
        name: name.into(),
        at,
        attachment,
        mark,
        table,
        priority,
        fallback,
        masq6,
        tracking,
        flush,
        speed: None,
        quota: None,
        endpoints: Vec::new(),
        via: None,
    }
}

fn config(links: Vec<Link>) -> Config {
    Config { globals: Globals::default(), links, policies: Vec::new(), sets: Vec::new(), rules: Vec::new() }
}

fn interface_link(name: &str) -> Config {
    config(vec![link("L", Attachment::Interface(name.into()))])
}

fn device_link(device: &str, gateway: Option<&str>, gateway6: Option<&str>) -> Config {
    let gateway = gateway.map(|text| text.parse().unwrap());
    let gateway6 = gateway6.map(|text| text.parse().unwrap());
    config(vec![link("L", Attachment::Device { device: device.into(), gateway, gateway6 })])
}

fn device(index: u32, name: &str) -> Device {
    Device {
        index,
        name: name.into(),
        up: true,
        carrier: true,
        operational: true,
        loopback: false,
        gatewayless: false,
        tunnel: None,
        mtu: 1500,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    }
}

fn address(index: u32, text: &str) -> Address {
    Address { index, address: text.parse().unwrap(), prefix: 24, tentative: false, deprecated: false }
}

/// A dump on another machine: the kernel there is not asked.
fn elsewhere(interfaces: &[Interface]) -> Sources<'_> {
    Sources {
        netifd: Some(interfaces),
        devices: &[],
        addresses: &[],
        ipv6: true,
        without_ipv6: &NONE,
        absent: Absent::Believed,
        known: &NOTHING,
        firewall: &SILENT,
    }
}

fn here<'a>(interfaces: &'a [Interface], devices: &'a [Device], addresses: &'a [Address]) -> Sources<'a> {
    let (without_ipv6, known, firewall, absent) = (&NONE, &NOTHING, &SILENT, Absent::Missing);
    Sources { netifd: Some(interfaces), devices, addresses, ipv6: true, without_ipv6, absent, known, firewall }
}

fn hop(device: &str, gateway: &str) -> Hop {
    Hop { device: device.into(), gateway: (!gateway.is_empty()).then(|| gateway.parse().unwrap()) }
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn only(facts: Facts) -> LinkFacts {
    assert_eq!(facts.links.len(), 1);
    facts.links.into_iter().next().unwrap()
}

#[test]
fn a_link_joins_an_interface_and_its_ipv6_twin() {
    let interfaces = parse(RECORDED).unwrap().interfaces;
    let facts = gather(&interface_link("wan"), &elsewhere(&interfaces));
    assert_eq!(facts.interfaces.get("wanb6").map(String::as_str), Some("wanb"));
    let wan = only(facts);
    assert_eq!(wan.v4.state, State::Up(hop("wan", "10.11.0.1")));
    assert_eq!(wan.v4.addresses, ips(&["10.11.0.2"]));
    assert_eq!(wan.v6.state, State::Up(hop("wan", "2001:db8:a::1")));
    assert_eq!(wan.v6.addresses, ips(&["2001:db8:a::2"]));
    assert_eq!(wan.prefixes, [("2001:db8:aa::".parse().unwrap(), 48)]);
    // The twin may be the one that is named.
    assert_eq!(only(gather(&interface_link("wan6"), &elsewhere(&interfaces))).v4.state, wan.v4.state);
}

#[test]
fn a_twin_that_is_a_link_of_its_own_is_left_to_it() {
    let interfaces = parse(RECORDED).unwrap().interfaces;
    let links = ["wan", "wan6"].map(|name| link(name, Attachment::Interface(name.into())));
    let facts = gather(&config(links.to_vec()), &elsewhere(&interfaces));
    assert_eq!(facts.links[0].v6.state, State::Down(Down::NotOffered));
    assert!(facts.links[0].prefixes.is_empty());
    assert_eq!(facts.links[1].v4.state, State::Down(Down::NotOffered));
    assert_eq!(facts.links[1].v6.state, State::Up(hop("wan", "2001:db8:a::1")));
}

#[test]
fn pppoe_carries_both_families() {
    let interfaces = parse(SYNTHETIC).unwrap().interfaces;
    let wan = only(gather(&interface_link("wan"), &elsewhere(&interfaces)));
    assert_eq!(wan.v4.state, State::Up(hop("pppoe-wan", "203.0.113.1")));
    assert_eq!(wan.v6.state, State::Up(hop("pppoe-wan", "fe80::1")));
    assert_eq!(wan.v6.addresses, ips(&["2001:db8::2"]));
}

#[test]
fn the_kernel_has_the_last_word_on_devices() {
    let interfaces = parse(RECORDED).unwrap().interfaces;
    let addresses = [address(3, "10.11.0.2"), address(3, "10.11.0.9"), address(4, "10.12.0.2")];
    let state = |devices: &[Device]| only(gather(&interface_link("wan"), &here(&interfaces, devices, &addresses))).v4;
    assert_eq!(state(&[]).state, State::Down(Down::NoSuchDevice));
    assert_eq!(state(&[]).device.as_deref(), Some("wan"));
    let up = state(&[device(3, "wan"), device(4, "wanb")]);
    assert_eq!(up.state, State::Up(hop("wan", "10.11.0.1")));
    assert_eq!(up.addresses, ips(&["10.11.0.2", "10.11.0.9"]));
    let dead = Device { carrier: false, operational: false, ..device(3, "wan") };
    assert_eq!(state(&[dead]).state, State::NoCarrier(hop("wan", "10.11.0.1")));
    let off = Device { up: false, carrier: false, ..device(3, "wan") };
    assert_eq!(state(&[off]).state, State::Down(Down::DeviceDown));
}

#[test]
fn an_interface_that_is_down_keeps_its_device() {
    let text = r#"{"interface": [
        {"interface": "wan", "up": false, "device": "eth1", "proto": "dhcp"},
        {"interface": "wan6", "up": false, "device": "@wan", "proto": "dhcpv6"},
        {"interface": "dsl", "up": false, "device": "eth2", "proto": "pppoe"},
        {"interface": "modem", "up": true, "device": "eth2", "l3_device": "eth2", "proto": "static",
            "ipv4-address": [{"address": "192.168.100.2", "mask": 24}]}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let devices = [device(1, "eth1"), device(2, "eth2")];
    let wan = only(gather(&interface_link("wan"), &here(&interfaces, &devices, &[])));
    assert_eq!(wan.v4, Side { device: Some("eth1".into()), ..side(Down::InterfaceDown) });
    assert_eq!(wan.v6, Side { device: Some("eth1".into()), ..side(Down::InterfaceDown) });
    let dsl = only(gather(&interface_link("dsl"), &here(&interfaces, &devices, &[])));
    assert_eq!(dsl.v4, side(Down::InterfaceDown), "its device has not been made yet, and eth2 is the modem's");
    let absent = only(gather(&interface_link("nope"), &here(&interfaces, &devices, &[])));
    assert_eq!([absent.v4, absent.v6], [side(Down::NoSuchInterface), side(Down::NoSuchInterface)]);
    let nobody = Sources { netifd: None, ..here(&[], &devices, &[]) };
    assert_eq!(only(gather(&interface_link("wan"), &nobody)).v4, side(Down::NoSuchInterface));
}

#[test]
fn one_family_may_stay_while_the_other_is_down() {
    let text = r#"{"interface": [
        {"interface": "wan", "up": false, "device": "eth1", "proto": "dhcp"},
        {"interface": "wan6", "up": true, "device": "eth1", "l3_device": "eth1", "proto": "dhcpv6",
            "ipv6-prefix": [{"address": "2001:db8::", "mask": 56}],
            "route": [{"target": "::", "mask": 0, "nexthop": "fe80::1", "source": "2001:db8::/56"}]}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let wan = only(gather(&interface_link("wan"), &elsewhere(&interfaces)));
    assert_eq!(wan.v4.state, State::Down(Down::InterfaceDown));
    assert_eq!(wan.v6.state, State::Up(hop("eth1", "fe80::1")));
    assert_eq!(wan.prefixes.len(), 1);
}

#[test]
fn children_made_by_a_protocol_belong_to_the_link() {
    let text = r#"{"interface": [
        {"interface": "wan", "up": true, "device": "wwan0", "l3_device": "wwan0", "proto": "qmi"},
        {"interface": "wan_6", "up": true, "dynamic": true, "device": "wwan0", "l3_device": "wwan0", "proto": "static",
            "ipv6-address": [{"address": "2001:db8::5", "mask": 64}],
            "route": [{"target": "::", "mask": 0, "nexthop": "::"}]},
        {"interface": "wan_6_4", "up": true, "dynamic": true, "device": "wan_6", "l3_device": "464-wan_6_4",
            "proto": "464xlat", "ipv4-address": [{"address": "192.0.0.1", "mask": 32}],
            "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "0.0.0.0"}]},
        {"interface": "wan_4", "up": true, "device": "br-x", "l3_device": "br-x", "proto": "static",
            "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "10.0.0.1"}]}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let wan = only(gather(&interface_link("wan"), &elsewhere(&interfaces)));
    assert_eq!(wan.v6.state, State::Up(hop("wwan0", "")));
    assert_eq!(wan.v4.state, State::Up(hop("464-wan_6_4", "")), "wan_4 only looks like a child");
}

#[test]
fn a_default_route_netifd_keeps_to_itself_counts() {
    let text = r#"{"interface": [{"interface": "wan", "up": true, "device": "eth1", "l3_device": "eth1",
        "proto": "dhcp", "ipv4-address": [{"address": "10.0.0.2", "mask": 24}],
        "inactive": {"route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "10.0.0.1"}]}}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let wan = only(gather(&interface_link("wan"), &elsewhere(&interfaces)));
    assert_eq!(wan.v4.state, State::Up(hop("eth1", "10.0.0.1")));
}

#[test]
fn an_address_is_enough_where_there_are_no_gateways() {
    let text = r#"{"interface": [
        {"interface": "wg", "up": true, "device": "wg0", "l3_device": "wg0", "proto": "wireguard",
            "ipv4-address": [{"address": "10.9.0.2", "mask": 32}],
            "ipv6-address": [{"address": "fe80::9", "mask": 64}]},
        {"interface": "lan", "up": true, "device": "br-lan", "l3_device": "br-lan", "proto": "static",
            "ipv4-address": [{"address": "192.168.1.1", "mask": 24}]}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let wg0 = Device { gatewayless: true, ..device(7, "wg0") };
    let addresses = [address(7, "10.9.0.2")];
    let kernels = [elsewhere(&interfaces), here(&interfaces, std::slice::from_ref(&wg0), &addresses)];
    for sources in kernels {
        let wg = only(gather(&interface_link("wg"), &sources));
        assert_eq!(wg.v4.state, State::Up(hop("wg0", "")));
        assert_eq!(wg.v4.addresses, ips(&["10.9.0.2"]));
        assert_eq!(wg.v6.state, State::Down(Down::NotOffered), "link-local only");
    }
    let lan = only(gather(&interface_link("lan"), &elsewhere(&interfaces)));
    assert_eq!(lan.v4.state, State::Down(Down::NotOffered));
}

/// OpenVPN's device as netifd knows it with `proto 'none'`: it is there, and somebody else gives it addresses.
#[test]
fn a_tunnel_whose_addresses_netifd_does_not_know_is_a_link() {
    let text = r#"{"interface": [
        {"interface": "vpn", "up": true, "device": "tun0", "l3_device": "tun0", "proto": "none"}]}"#;
    let interfaces = parse(text).unwrap().interfaces;
    let tun0 = Device { gatewayless: true, ..device(7, "tun0") };
    let addresses = [address(7, "10.8.0.6")];
    let vpn = only(gather(&interface_link("vpn"), &here(&interfaces, std::slice::from_ref(&tun0), &addresses)));
    assert_eq!(vpn.v4.state, State::Up(hop("tun0", "")));
    assert_eq!(vpn.v4.addresses, ips(&["10.8.0.6"]));
    assert_eq!(vpn.v6.state, State::Down(Down::NotOffered));
}

#[test]
fn devices_by_hand() {
    let ppp = Device { gatewayless: true, ..device(2, "ppp0") };
    let devices = [device(1, "eth1"), ppp, Device { up: false, carrier: false, ..device(3, "eth3") }];
    let addresses = [address(1, "10.0.0.2"), address(1, "2001:db8::2"), address(2, "10.9.0.2")];
    let sides = |config: Config, absent| {
        let sources = Sources { netifd: None, absent, ..here(&[], &devices, &addresses) };
        let facts = only(gather(&config, &sources));
        (facts.v4.state, facts.v6.state)
    };
    let strict = |config| sides(config, Absent::Missing);
    let up = |gateway| State::Up(hop("eth1", gateway));
    let down = State::Down;

    assert_eq!(strict(device_link("eth1", Some("10.0.0.1"), Some("fe80::1"))), (up("10.0.0.1"), up("fe80::1")));
    assert_eq!(strict(device_link("eth1", Some("10.0.0.1"), None)), (up("10.0.0.1"), down(Down::NotOffered)));
    assert_eq!(strict(device_link("eth1", None, Some("fe80::1"))), (down(Down::NotOffered), up("fe80::1")));
    assert_eq!(strict(device_link("eth1", None, None)), (down(Down::NotOffered), down(Down::NotOffered)));
    assert_eq!(strict(device_link("ppp0", None, None)), (State::Up(hop("ppp0", "")), down(Down::NotOffered)));
    assert_eq!(strict(device_link("eth3", None, None)), (down(Down::DeviceDown), down(Down::DeviceDown)));
    assert_eq!(strict(device_link("eth9", Some("10.0.0.1"), None)), (down(Down::NoSuchDevice), down(Down::NotOffered)));
    assert_eq!(strict(device_link("eth9", None, None)), (down(Down::NoSuchDevice), down(Down::NoSuchDevice)));
    let believed = sides(device_link("eth9", Some("10.0.0.1"), None), Absent::Believed);
    assert_eq!(believed, (State::Up(hop("eth9", "10.0.0.1")), down(Down::NotOffered)));

    // Without IPv6 in the kernel there is no IPv6 side, whatever is configured.
    let sources = Sources { ipv6: false, ..here(&[], &devices, &addresses) };
    let facts = gather(&device_link("eth1", Some("10.0.0.1"), Some("fe80::1")), &sources);
    assert!(!facts.ipv6);
    assert_eq!(facts.links[0].v6.state, down(Down::NotOffered));
    let unusable = config(vec![link("L", Attachment::Unusable)]);
    assert_eq!(strict(unusable), (down(Down::Misconfigured), down(Down::Misconfigured)));
}

#[test]
fn a_device_that_cannot_send_is_down() {
    let devices = [device(1, "eth1"), device(2, "eth2")];
    let addresses = [address(1, "10.0.0.2"), address(1, "2001:db8::2")];
    let off = Set::from(["eth1".to_string()]);
    let sources = Sources { without_ipv6: &off, ..here(&[], &devices, &addresses) };
    let facts = only(gather(&device_link("eth1", Some("10.0.0.1"), Some("fe80::1")), &sources));
    assert_eq!((facts.v4.state, facts.v6.state), (State::Up(hop("eth1", "10.0.0.1")), State::Down(Down::Ipv6Off)));

    let sources = here(&[], &devices, &addresses);
    let own = only(gather(&device_link("eth1", Some("10.0.0.2"), Some("2001:db8::2")), &sources));
    assert_eq!((own.v4.state, own.v6.state), (State::Down(Down::OwnGateway), State::Down(Down::OwnGateway)));

    let waiting = only(gather(&device_link("eth2", Some("10.0.0.1"), Some("fe80::1")), &sources));
    assert_eq!((waiting.v4.state, waiting.v6.state), (State::Down(Down::NoAddress), State::Up(hop("eth2", "fe80::1"))));
}

#[test]
fn a_device_without_ipv6_address_carries_ipv6_only_for_hosts_with_global_ones() {
    let devices = [device(1, "eth1"), device(2, "eth2"), device(3, "br-lan")];
    let mut config = device_link("eth2", None, Some("fe80::1"));
    config.links.extend(device_link("eth1", None, Some("fe80::1")).links);
    for (lan, state) in [
        ("fd00::1", State::Down(Down::NoAddress)),
        ("192.168.1.1", State::Down(Down::NoAddress)),
        ("2001:db8:9::1", State::Up(hop("eth2", "fe80::1"))),
    ] {
        let addresses = [address(1, "2001:db8:1::2"), address(3, lan)];
        let facts = gather(&config, &here(&[], &devices, &addresses));
        assert_eq!(facts.links[0].v6.state, state, "{lan}");
        assert_eq!(facts.links[1].v6.state, State::Up(hop("eth1", "fe80::1")));
    }
}

#[test]
fn a_link_translates_as_its_zone_or_its_owner_says() {
    let dump = parse(RECORDED).unwrap().interfaces;
    let zone =
        |options: &str| Firewall::read("firewall", format!("config zone\n {options}\n option masq6 '1'\n").as_bytes());
    let of_link = |config: &Config, options: &str| {
        only(gather(config, &Sources { firewall: &zone(options), ..elsewhere(&dump) })).translates6
    };
    let wan = interface_link("wan");
    for (options, translates) in [
        ("list network 'wan'", true),
        ("list network 'wan6'", true),
        ("option network 'lan wanb6'", false),
        ("list device 'wan'", true),
        ("list device 'wanb'", false),
    ] {
        assert_eq!(of_link(&wan, options), translates, "{options}");
    }
    let silent = gather(&wan, &Sources { netifd: None, firewall: &zone("list network 'wan'"), ..elsewhere(&dump) });
    assert!(only(silent).translates6, "netifd need not be asked for that");
    assert!(of_link(&device_link("eth7", None, None), "list device 'eth+'"));
    for (owner, options) in [(true, ""), (false, "list network 'wan'")] {
        let mut config = interface_link("wan");
        config.links[0].masq6 = Some(owner);
        assert_eq!(of_link(&config, options), owner);
    }
}
