//! What options mean: a rule's options on the left, what its packets must be like on the right.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use wansplit::config::describe::describe;
use wansplit::config::model::{Choice, Family, Matches, Origin};
use wansplit::config::{Reading, read};
use wansplit::interval::{Interval, IntervalSet};

fn rule(options: &str) -> Reading {
    let mut text = String::from("config rule 'r'\n\toption use 'main'\n");
    for option in options.split(';').filter(|option| !option.trim().is_empty()) {
        let (name, value) = option.trim().split_once(' ').unwrap();
        text += &format!("\toption {name} '{value}'\n");
    }
    read(text.as_bytes())
}

fn matches(options: &str) -> Matches {
    let reading = rule(options);
    let config = reading.config.unwrap();
    assert_eq!(config.rules.len(), 1, "{options}: {:?}", reading.diagnostics);
    config.rules.into_iter().next().unwrap().matches
}

#[test]
fn options_mean_what_they_say() {
    let cases = [
        ("", "everything"),
        ("proto any", "everything"),
        ("proto all; family any", "everything"),
        ("proto tcp", "tcp"),
        ("proto TCP 17", "tcp/udp"),
        ("proto icmp", "icmp"),
        ("proto icmpv6", "icmpv6"),
        ("proto ipv6-icmp 1", "icmp"),
        ("proto 1", "icmpv4"),
        ("proto icmpv4", "icmpv4"),
        ("proto !tcp", "!tcp"),
        ("proto !tcp !udp", "!tcp/!udp"),
        ("proto !icmp", "!icmp"),
        ("proto any !esp !ah", "!esp/!ah"),
        ("proto icmp !icmpv6", "icmpv4"),
        ("proto ipencap l2tp 200", "ipip/l2tp/protocol 200"),
        ("dest_port 53", "tcp/udp port 53"),
        ("dest_port 443 80", "tcp/udp ports 80, 443"),
        ("dest_port 8000-8080", "tcp/udp ports 8000-8080"),
        ("dest_port 8000:8080; proto sctp", "sctp ports 8000-8080"),
        ("dest_port !22", "tcp/udp port !22"),
        ("dest_port 1-100 !50", "tcp/udp ports 1-49, 51-100"),
        ("dest_port 1-65535", "tcp/udp ports 1-65535"),
        ("src_port 123; proto udp", "udp source port 123"),
        ("dest_port 80 81", "tcp/udp ports 80-81"),
        ("dest_port 1 3 5 7 9 11 13 15 17", "tcp/udp ports 1, 3, 5, 7, 9, 11, 13, 15, 17"),
        ("dest_port 1 3 5 7 9 11 13 15 17 19", "tcp/udp ports 1, 3, 5, 7, 9, 11, 13, 15 and 2 more"),
        ("src_ip 192.168.1.0/24", "from 192.168.1.0/24, IPv4"),
        ("src_ip 192.168.1.0/255.255.255.0", "from 192.168.1.0/24, IPv4"),
        ("src_ip 192.168.1.77/24", "from 192.168.1.0/24, IPv4"),
        ("src_ip 192.168.1.5", "from 192.168.1.5, IPv4"),
        ("src_ip 10.0.0.0-10.0.0.255", "from 10.0.0.0/24, IPv4"),
        ("src_ip 10.0.0.0-10.0.0.9", "from 10.0.0.0-10.0.0.9, IPv4"),
        ("src_ip 10.0.0.0/24 10.0.1.0/24", "from 10.0.0.0/23, IPv4"),
        ("src_ip 0.0.0.0/0", "everything, IPv4"),
        ("src_ip 0.0.0.0/0 ::/0", "everything"),
        ("src_ip 2001:db8::/32", "from 2001:db8::/32, IPv6"),
        ("dest_ip !10.0.0.0/8", "to !10.0.0.0/8, IPv4"),
        ("dest_ip !2001:db8::/32", "to !2001:db8::/32, IPv6"),
        ("dest_ip !10.0.0.0/8 !2001:db8::/32", "to !10.0.0.0/8, !2001:db8::/32"),
        ("dest_ip 10.0.0.0/8 !10.1.0.0/16", "to 10.0.0.0/16, 10.2.0.0-10.255.255.255, IPv4"),
        // With a plain address, a negated one of the other family has nothing to take away from.
        ("dest_ip 10.0.0.0/8 !2001:db8::1", "to 10.0.0.0/8, IPv4"),
        ("src_ip 10.0.0.0/8 fd00::/8", "from 10.0.0.0/8, fd00::/8"),
        ("src_ip 10.0.0.0/8 ::/0", "from 10.0.0.0/8, any IPv6"),
        ("src_ip 10.0.0.0/8 fd00::/8; dest_ip 192.0.2.1", "from 10.0.0.0/8 to 192.0.2.1, IPv4"),
        ("src_ip 10.0.0.0/8 fd00::/8; family inet6", "from fd00::/8, IPv6"),
        ("family 4", "everything, IPv4"),
        (
            "dest_port 53; src_ip 192.168.1.0/24; dest_ip !10.0.0.0/8",
            "tcp/udp port 53 from 192.168.1.0/24 to !10.0.0.0/8, IPv4",
        ),
        ("src_mac 52-54-00-AA-BB-CC", "from 52:54:00:aa:bb:cc"),
        ("src_mac !52:54:00:aa:bb:cc", "from !52:54:00:aa:bb:cc"),
        ("src_iface lan guest !guest", "in by lan"),
        ("src_iface !lan !guest", "in by !guest, !lan"),
        ("dscp ef 0x08 3", "dscp 3, cs1, ef"),
        ("dest_ip !0.0.0.0/8", "to !0.0.0.0/8, IPv4"),
        ("dscp !be", "dscp !be"),
        ("from router; uid 1000 65534", "user 1000, 65534"),
        ("from router; uid 1000-1999 !1500; dest_port 53", "tcp/udp port 53 user 1000-1499, 1501-1999"),
        ("from router; uid !0", "user !0"),
    ];
    let wrong: Vec<_> = cases
        .into_iter()
        .map(|(options, meaning)| (options, meaning, describe(&matches(options))))
        .filter(|(_, meaning, got)| meaning != got)
        .collect();
    assert!(wrong.is_empty(), "options, meaning, got: {wrong:#?}");
}

#[test]
fn the_typed_values_are_those_that_were_meant() {
    let set = |intervals: &[(u128, u128)]| -> Option<IntervalSet> {
        Some(intervals.iter().map(|(a, b)| Interval::new(*a, *b)).collect())
    };
    let all = matches("src_ip 10.0.0.0/8 fd00::/8; dest_port 53; src_iface !lan; dscp cs1");
    assert_eq!(all.family, None);
    assert_eq!(all.protocols, set(&[(6, 6), (17, 17)]));
    assert_eq!(all.source4, set(&[(0x0a00_0000, 0x0aff_ffff)]));
    assert_eq!(all.source6, set(&[(0xfd << 120, (0xfe << 120) - 1)]));
    assert_eq!((all.destination4, all.destination6), (None, None));
    assert_eq!((all.source_ports, all.destination_ports), (None, set(&[(53, 53)])));
    assert_eq!(all.interfaces, Some(Choice::NoneOf(["lan".to_owned()].into())));
    assert_eq!(all.dscp, set(&[(8, 8)]));
    assert_eq!(matches("proto icmp").protocols, set(&[(1, 1), (58, 58)]));
    assert_eq!(matches("dest_ip !0.0.0.0/1").destination4, set(&[(0x8000_0000, 0xffff_ffff)]));
    assert_eq!(matches("dest_ip !0.0.0.0/1").family, Some(Family::V4));
    assert_eq!(matches("dest_ip ::ffff:192.0.2.1").family, Some(Family::V6));
}

#[test]
fn nothing_is_widened_by_an_error() {
    for options in [
        "dest_port 80; dest_ip nonsense",
        "dest_port 80x",
        "proto nonsense",
        "src_mac nonsense",
        "src_iface a/b",
        "dscp 64",
        "family 5",
        "from nowhere",
        "enabled perhaps",
        "sticky always",
        "dest_prot 80",
        "dest_ip 10.0.0.0/8 ! 10.1.0.0/16",
        "dest_port 0",
        "proto tcp icmp; dest_port 80",
        "from any; src_iface lan",
        "uid 1000",
        "from any; uid 1000",
        "from router; uid root",
        "from router; uid 4294967295",
        "from router; gid 100",
    ] {
        let reading = rule(options);
        assert!(reading.config.unwrap().rules.is_empty(), "{options}");
        assert!(!reading.diagnostics.is_empty(), "{options}");
    }
}

#[test]
fn the_words_for_yes_and_no() {
    for (word, rules) in [
        ("1", 1),
        ("on", 1),
        ("true", 1),
        ("yes", 1),
        ("enabled", 1),
        ("0", 0),
        ("off", 0),
        ("false", 0),
        ("no", 0),
        ("disabled", 0),
    ] {
        let reading = rule(&format!("enabled {word}"));
        assert!(reading.diagnostics.is_empty(), "{word}");
        assert_eq!(reading.config.unwrap().rules.len(), rules, "{word}");
    }
    for (number, enabled) in [("true", true), ("false", false), ("1", true), ("0", false)] {
        let reading = read(format!("{{\"globals\": {{\"enabled\": {number}}}}}").as_bytes());
        assert_eq!(reading.config.unwrap().globals.enabled, enabled, "{number}");
    }
}

#[test]
fn an_empty_file_is_the_inert_default() {
    for text in ["", "\n", "# nothing\n", "{}", " \n{ }\n"] {
        let reading = read(text.as_bytes());
        let config = reading.config.unwrap();
        assert!(reading.diagnostics.is_empty() && !config.globals.enabled, "{text}");
        assert!(config.links.is_empty() && config.policies.is_empty() && config.rules.is_empty(), "{text}");
        assert!(reading.is_blank, "{text}");
    }
    for text in ["config globals\n option enabled 0\n", "{\"globals\": {}}", "config link 'a'\n"] {
        assert!(!read(text.as_bytes()).is_blank, "somebody has written something: {text}");
    }
}

#[test]
fn origins_and_names() {
    let text = "config rule\n\toption use main\n\toption from router\nconfig rule 'b'\n\toption name 'Äpfel & Birnen'\n\toption use blackhole\nconfig rule\n\toption use main\n\toption from any\n";
    let config = read(text.as_bytes()).config.unwrap();
    let rules: Vec<_> = config.rules.iter().map(|rule| (rule.name.as_str(), rule.origin, rule.at.line)).collect();
    assert_eq!(rules, [("rule 1", Origin::Router, 1), ("Äpfel & Birnen", Origin::Lan, 4), ("rule 3", Origin::Any, 7)]);
}

#[test]
fn rules_are_found_again_by_what_uci_calls_them() {
    let text = "config rule 'b'\n\toption name 'Äpfel & Birnen'\n\toption use blackhole\nconfig rule\n\toption enabled 0\n\toption use main\n\
                config link 'A'\n\toption interface wan\nconfig rule\n\toption use nowhere\nconfig rule\n\toption use main\n";
    let config = read(text.as_bytes()).config.unwrap();
    let rules: Vec<_> = config.rules.iter().map(|rule| (rule.section.as_str(), rule.name.as_str())).collect();
    assert_eq!(rules, [("b", "Äpfel & Birnen"), ("@rule[3]", "rule 4")], "also those count that are left out");
    let json = r#"{ "rules": [{ "enabled": false, "use": "main" }, { "name": "web", "use": "main" }] }"#;
    assert_eq!(read(json.as_bytes()).config.unwrap().rules[0].section, "@rule[1]");
}
