//! What comes out of `import mwan3` sends packets where mwan3's text says: by `explain` and by the compiled table.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mwan3_support;
mod support;

use mwan3_support::ways;
use std::collections::BTreeSet;
use std::net::IpAddr;
use support::world::facts;
use wansplit::config::model::Config;
use wansplit::config::read;
use wansplit::explain::{Details, From, Packet};
use wansplit::import::{Context, Format};
use wansplit::network::{Down, Facts, State};

/// The configuration a golden case becomes.
fn imported(case: &str) -> Config {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/import/mwan3/");
    let text = std::fs::read_to_string(format!("{folder}{case}.uci")).unwrap();
    let context = Context { file: case, interfaces: None, more: &[] };
    let written = Format::Mwan3.import(&text, &context).unwrap().draft.to_string();
    read(written.as_bytes()).config.unwrap()
}

/// A packet: `tcp 192.168.1.10 192.0.2.1 443`, from the LAN; with `router` for the source it is the router's own.
fn packet(words: &str) -> Packet {
    let words: Vec<&str> = words.split(' ').collect();
    let [protocol, from, to, rest @ ..] = words.as_slice() else { panic!("{words:?}") };
    let port = rest.first().map(|port| port.parse().unwrap());
    let origin = if *from == "router" { From::Router } else { From::Device(Some("br-lan".into()), None) };
    Packet {
        origin,
        source: from.parse::<IpAddr>().ok(),
        destination: to.parse().unwrap(),
        protocol: wansplit::config::protocol_number(protocol).unwrap(),
        source_port: port.map(|_| 40000),
        destination_port: port,
        dscp: 0,
        details: Details::default(),
    }
}

fn without(config: &Config, links: &str) -> Facts {
    let mut facts = facts(config, false);
    for (link, own) in config.links.iter().zip(&mut facts.links) {
        if links.split(' ').any(|name| name == link.name) {
            own.v4.state = State::Down(Down::InterfaceDown);
            own.v6.state = State::Down(Down::InterfaceDown);
        }
    }
    facts
}

/// Each line: the links that are down, a packet, and where it may go.
fn assert_ways(case: &str, lines: &[(&str, &str, &str)]) {
    let config = imported(case);
    let mut wrong = Vec::new();
    for (down, words, expected) in lines {
        let expected: BTreeSet<String> = expected.split(' ').map(str::to_owned).collect();
        let got = ways(&config, &without(&config, down), &packet(words));
        if got != expected {
            wrong.push(format!("without {down:?}: {words}: {got:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{case}:\n{}", wrong.join("\n"));
}

const LAN4: &str = "192.168.1.10";

fn lan(rest: &str) -> String {
    let (protocol, rest) = rest.split_once(' ').unwrap();
    let from = if rest.contains("::") { "fd00::10" } else { LAN4 };
    format!("{protocol} {from} {rest}")
}

#[test]
fn the_shipped_configuration_uses_its_only_link_and_refuses_without_it() {
    let (web, other, six) = (lan("tcp 198.51.100.9 443"), lan("udp 198.51.100.9 53"), lan("tcp 2001:db8:9::1 443"));
    assert_ways(
        "default",
        &[
            ("", &web, "wan"),
            ("", &other, "wan"),
            ("", &six, "wan"),
            ("", "udp router 198.51.100.9 123", "wan"),
            ("wan", &web, "unreachable"),
            ("wan", &other, "unreachable"),
            ("wan", &six, "unreachable"),
            ("wan", "udp router 198.51.100.9 123", "unreachable"),
        ],
    );
}

#[test]
fn with_all_its_links_on_the_shipped_configuration_balances() {
    let (web, other, six) = (lan("tcp 198.51.100.9 443"), lan("udp 198.51.100.9 53"), lan("icmpv6 2001:db8:9::1"));
    assert_ways(
        "default_on",
        &[
            ("", &web, "wan wanb"),
            ("", &other, "wan wanb"),
            ("", &six, "wan wanb"),
            ("wan", &web, "wanb"),
            ("wan", &six, "wanb"),
            ("wanb", &other, "wan"),
            ("wan wanb", &web, "unreachable"),
            ("wan wanb", &six, "unreachable"),
        ],
    );
}

#[test]
fn members_without_a_link_are_as_if_they_were_not_there() {
    assert_ways(
        "disabled",
        &[
            ("", &lan("tcp 198.51.100.9 80"), "wan"),
            ("wan", &lan("tcp 198.51.100.9 80"), "main"),
            // A policy without any online member: its last resort, and no later rule.
            ("", &lan("tcp 192.0.2.7 80"), "blackhole"),
            ("", "tcp router 192.0.2.7 80", "blackhole"),
        ],
    );
}

#[test]
fn the_lowest_metric_that_is_online_is_used() {
    let packet = lan("tcp 198.51.100.9 80");
    assert_ways(
        "tiers",
        &[
            ("", &packet, "a b"),
            ("a", &packet, "b"),
            ("a b", &packet, "c"),
            ("a b c", &packet, "d e"),
            ("a b c d", &packet, "e"),
            ("a b c d e", &packet, "unreachable"),
            ("", "tcp router 198.51.100.9 80", "a"),
        ],
    );
}

#[test]
fn what_is_passed_over_there_leaves_the_packets_to_the_next_rule() {
    assert_ways(
        "long_names",
        &[
            ("", &lan("tcp 192.0.2.1 80"), "wan"),
            ("", &lan("tcp 192.0.2.2 80"), "main"),
            ("", &lan("tcp 192.0.2.3 80"), "main"),
        ],
    );
}

#[test]
fn each_ip_version_has_its_own_order() {
    assert_ways(
        "families",
        &[
            ("", &lan("udp 192.0.2.1 53"), "wan"),
            ("", &lan("udp 2001:db8:1::1 53"), "lte"),
            ("", &lan("udp 2a00::1 53"), "lte"),
            ("lte", &lan("udp 2a00::1 53"), "wan"),
            ("wan", &lan("udp 192.0.2.1 53"), "lte"),
            ("wan lte", &lan("udp 192.0.2.1 53"), "unreachable"),
            ("", &lan("tcp 192.0.2.1 80"), "wan"),
            ("", &lan("tcp 2a00::1 80"), "tunnel"),
        ],
    );
}

#[test]
fn rules_match_what_they_match_there() {
    assert_ways(
        "rules",
        &[
            ("", &lan("tcp 198.18.0.1 80"), "main"),
            // Ports count with tcp and udp only: rule noproto takes all of this host.
            ("", "udp 192.168.1.5 198.18.0.1 9", "wan lte"),
            ("", &lan("icmp 198.18.0.1"), "wan lte"),
            // Rule icmp is IPv4's; icmp6 is ICMPv6's here.
            ("", &lan("icmpv6 2a00::1"), "wan lte"),
            ("", &lan("esp 198.18.0.1"), "main"),
            ("", "tcp 192.168.1.77 198.51.100.3 22", "unreachable"),
            ("", "tcp 192.168.2.2 198.51.100.3 22", "main"),
        ],
    );
    let config = imported("rules");
    let mut from_port = packet(&lan("tcp 198.18.0.1 8042"));
    from_port.source_port = Some(2048);
    let both: BTreeSet<String> = ["wan", "lte"].map(str::to_owned).into();
    assert_eq!(ways(&config, &facts(&config, false), &from_port), both);
    from_port.source_port = Some(2049);
    assert_eq!(ways(&config, &facts(&config, false), &from_port), ["main".to_owned()].into());
}

#[test]
fn the_port_to_nftables_knows_marks_and_bypassed_networks() {
    let config = imported("nftables");
    let facts = facts(&config, false);
    let mut marked = packet(&lan("tcp 198.18.0.1 80"));
    assert_eq!(ways(&config, &facts, &marked), ["main".to_owned()].into());
    marked.details.mark = 0x1_0000;
    assert_eq!(ways(&config, &facts, &marked), ["wan".to_owned()].into());
    marked.destination = "10.1.2.3".parse().unwrap();
    assert_eq!(ways(&config, &facts, &marked), ["main".to_owned()].into());
}
