//! Rules that count: each connection once, whatever else changes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, Flow, Host, INTERNET, LAN_GATEWAY, Lab, Way, assert_same, snapshot};
use packet_support::{applied, links, rule};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use wansplit::kernel::Kernel;

/// The first packets of a connection in IPv4 and IPv6: TCP with the options Linux sends, and UDP with "hello".
const SYN: [u64; 2] = [60, 80];
const HELLO: [u64; 2] = [33, 53];

fn counting(name: &str, ports: &str, target: &str) -> String {
    rule(name, ports, target) + "  option counter '1'\n"
}

fn counts(router: &Host) -> BTreeMap<String, (u64, u64)> {
    router.run(|| Kernel::new().nft_counters("wansplit").unwrap().into_iter().collect())
}

fn packets(router: &Host) -> Vec<(String, u64)> {
    counts(router).into_iter().map(|(name, (packets, _))| (name, packets)).collect()
}

fn assert_packets(router: &Host, expected: &[(&str, u64)]) {
    let expected: Vec<(String, u64)> = expected.iter().map(|(name, n)| ((*name).to_string(), *n)).collect();
    assert_eq!(packets(router), expected);
}

#[test]
fn each_connection_is_counted_once_by_the_rule_that_takes_it() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = links("")
            + &counting("https", "443", "web")
            + &counting("post", "25", "mail")
            + &counting("dark", "5000", "unreachable")
            + &counting("hidden", "25", "web")
            + &rule("plain", "2525", "mail")
            + &counting("here", "7777", "main")
            + &counting("both", "53", "OI")
            + "  option from 'any'\n";
        let wansplit = applied(&lab, &config);
        assert_eq!(counts(&lab.router).len(), 6);
        assert!(counts(&lab.router).values().all(|count| *count == (0, 0)));
        for to in INTERNET {
            for _ in 0..3 {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
            }
            assert_eq!(lab.udp(&lab.lan2, to, 443), Way::Link(1));
            assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(2));
            assert_eq!(lab.tcp(&lab.lan, to, 2525), Way::Link(2), "not counted");
            assert_eq!(lab.tcp(&lab.lan, to, 8080), Way::Link(1), "no rule's");
            assert_eq!(lab.udp(&lab.lan, to, 5000), Way::Refused);
            assert_eq!(lab.udp(&lab.lan, to, 53), Way::Link(2));
            assert_eq!(lab.udp(&lab.router, to, 53), Way::Link(2), "ip rules steer it, and those count nothing");
        }
        // Nothing stamps these, and no answer makes them established: each packet is classified, one begins a connection.
        for to in LAN_GATEWAY {
            lab.lan.run(|| {
                let socket = Dial::default().connect_udp(SocketAddr::new(to, 7777)).unwrap();
                for _ in 0..5 {
                    socket.send(b"hello").unwrap();
                    socket.recv(&mut [0; 16]).expect_err("nobody listens, and the router says so");
                }
            });
        }
        let sum = |n: u64, bytes: [u64; 2]| (2 * n, n * (bytes[0] + bytes[1]));
        let both = |a: (u64, u64), b: (u64, u64)| (a.0 + b.0, a.1 + b.1);
        let expected = [
            ("count_both", sum(1, HELLO)),
            ("count_dark", sum(1, HELLO)),
            ("count_here", sum(1, HELLO)),
            ("count_hidden", (0, 0)),
            ("count_https", both(sum(3, SYN), sum(1, HELLO))),
            ("count_post", sum(1, SYN)),
        ];
        assert_eq!(counts(&lab.router), expected.map(|(name, count)| (name.to_string(), count)).into());
        let status = wansplit.run(&["status", "--json"]).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        for rule in status["rules"].as_array().unwrap() {
            let name = format!("count_{}", rule["name"].as_str().unwrap());
            let count = expected.iter().find(|(own, _)| *own == name).map(|(_, count)| *count);
            let said = (rule["packets"].as_u64(), rule["bytes"].as_u64());
            assert_eq!(said, (count.map(|count| count.0), count.map(|count| count.1)), "{name}");
        }
        let text = wansplit.run(&["status"]).stdout;
        assert!(text.contains("CONNECTIONS"), "{text}");
    });
}

#[test]
fn counts_go_on_when_other_rules_change() {
    lab::isolated(|| {
        let lab = Lab::new();
        let before = snapshot(&lab.router);
        let https = counting("https", "443", "web");
        let wansplit = applied(&lab, &(links("") + &https + &counting("post", "25", "mail")));
        let flow = Flow::tcp(&lab.lan, INTERNET[0], 443, 4096, Duration::from_millis(1));
        assert!(flow.goes_on(20));
        let dial = || {
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
                assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(2));
            }
        };
        dial();
        assert_packets(&lab.router, &[("count_https", 3), ("count_post", 2)]);
        wansplit.apply();
        // Another target, another place, another shape, and rules around it that come and go.
        let range = "config rule 'range'\n list dest_port '6000-6999'\n option use 'OI'\n option counter '1'\n";
        wansplit.apply_config(&(links("") + range + &counting("post", "25", "OI") + &https));
        dial();
        assert_packets(&lab.router, &[("count_https", 5), ("count_post", 4), ("count_range", 0)]);
        let said = wansplit.apply_config(&(links("") + &https + &rule("post", "25", "OI")));
        assert!(said.contains("- nft maps and counters in table inet wansplit"), "{said}");
        dial();
        assert_packets(&lab.router, &[("count_https", 7)]);
        wansplit.apply_config(&(links("") + &https + &counting("post", "25", "OI")));
        dial();
        assert_packets(&lab.router, &[("count_https", 9), ("count_post", 2)]);
        assert!(flow.goes_on(20));
        assert_eq!(flow.stop().error, None);
        assert_packets(&lab.router, &[("count_https", 9), ("count_post", 2)]);
        wansplit.stop();
        assert_same(&snapshot(&lab.router), &before, "after stop");
    });
}

#[test]
fn what_is_not_counted_is_said() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = links("")
            + &counting("lan", "80", "web")
            + &(counting("any", "81", "web") + "  option from 'any'\n")
            + &(counting("own", "82", "web") + "  option from 'router'\n");
        let wansplit = applied(&lab, &config);
        assert_packets(&lab.router, &[("count_any", 0), ("count_lan", 0)]);
        let check = wansplit.run(&["check", "--json"]);
        assert_eq!(check.code, 0, "{check:?}");
        let findings: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
        let notes: Vec<_> = findings.as_array().unwrap().iter().filter(|one| one["severity"] == "note").collect();
        let said: Vec<_> = notes.iter().map(|one| (one["section"].as_str(), one["message"].as_str())).collect();
        let any = "the router's own connections are not counted";
        let own = "the router's own connections are not counted, so this counter stays empty";
        assert_eq!(said, [(Some("rule 'any'"), Some(any)), (Some("rule 'own'"), Some(own))]);
    });
}
