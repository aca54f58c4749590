//! What `explain` says is what packets do, and what the kernel's own lookup answers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, INTERNET, Lab, Setup, Wansplit, Way, client_address};
use packet_support::{TWO_LINKS, applied, configured, links, rule};
use serde_json::Value;
use std::net::SocketAddr;

/// The answer, after the kernel agreed with it.
fn explain(wansplit: &Wansplit, words: &[&str]) -> Value {
    let output = wansplit.run(&[&["explain", "--json"], words].concat());
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    for asked in answer["kernel"].as_array().unwrap() {
        assert_ne!(asked["agrees"], false, "{answer:#}");
    }
    answer
}

/// The one link it names.
fn link(answer: &Value) -> Way {
    match answer["paths"][0]["links"][0].as_str() {
        Some("EMB") => Way::Link(1),
        Some("OI") => Way::Link(2),
        other => panic!("{other:?}: {answer:#}"),
    }
}

#[test]
fn it_names_the_link_that_each_service_takes() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, TWO_LINKS);
        for carrier in [true, false] {
            lab.provider(1).carrier(carrier);
            for (to, from) in INTERNET.into_iter().zip(lab::LAN) {
                for port in [80, 443, 53, 25, 993] {
                    let to = SocketAddr::new(to, port);
                    let answer =
                        explain(&wansplit, &["tcp", &SocketAddr::new(from, 40000).to_string(), &to.to_string()]);
                    assert_eq!(answer["kernel"][0]["agrees"], true, "{answer:#}");
                    // The routes hear of a lost carrier a little later than explain does.
                    let mut ways = (0..200).map(|_| lab.tcp(&lab.lan, to.ip(), port));
                    assert!(ways.any(|way| way == link(&answer)), "{to}: {answer:#}");
                }
            }
        }
        let answer = explain(&wansplit, &["udp", "192.168.1.10:40000", "192.0.2.10:9999"]);
        assert_eq!((&answer["rule"], &answer["reason"]), (&Value::Null, &"no rule matches".into()));
    });
}

#[test]
fn it_knows_the_link_of_each_client_of_a_balanced_policy() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { clients: 20, ..Setup::default() });
        let policy = "config policy 'both'
                        list use 'EMB 2'
                        list use 'OI'
                        option mode 'balance'\n";
        let wansplit = applied(&lab, &(links("") + policy + &rule("all", "1-65535", "both")));
        for client in 0..20 {
            for (from, to) in client_address(client).into_iter().zip(INTERNET) {
                let to = SocketAddr::new(to, 443);
                let answer = explain(&wansplit, &["tcp", &SocketAddr::new(from, 40000).to_string(), &to.to_string()]);
                let way = lab.lan.run(move || Dial { from: Some(from), ..Dial::default() }.tcp(to));
                assert_eq!(way, link(&answer), "{from}: {answer:#}");
            }
        }
    });
}

#[test]
fn a_link_of_one_family_leaves_the_other_to_the_main_table() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let config = "config globals 'globals'
                        option enabled '1'
                      config link 'EMB'
                        option device 'eth1'
                        option gateway '198.51.100.1'\n";
        let wansplit = applied(&lab, &(config.to_owned() + &rule("all", "443", "EMB")));
        for (link, from, to) in [(1, lab::LAN[0], INTERNET[0]), (2, lab::LAN[1], INTERNET[1])] {
            let to = SocketAddr::new(to, 443);
            let answer = explain(&wansplit, &["tcp", &SocketAddr::new(from, 40000).to_string(), &to.to_string()]);
            assert_eq!(
                answer["paths"][0]["links"].as_array().map(Vec::len),
                Some(usize::from(link == 1)),
                "{answer:#}"
            );
            assert_eq!(lab.tcp(&lab.lan, to.ip(), 443), Way::Link(link));
        }
    });
}

#[test]
fn what_a_set_lists_is_known_before_it_is_applied() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = links("")
            + "config set 'streams'
                 list entry '192.0.2.0/25'
                 list entry '2001:db8:ffff::/64'
               config rule 'films'
                 list dest_set 'streams'
                 option use 'OI'\n";
        let wansplit = configured(&lab, &config);
        for applied in [false, true] {
            for (from, to, rule) in [
                ("192.168.1.10:4000", "192.0.2.10:443", "films"),
                ("192.168.1.10:4000", "192.0.2.200:443", ""),
                ("[fd00:1::10]:4000", "[2001:db8:ffff::10]:443", "films"),
            ] {
                let output = wansplit.run(&["explain", "--json", "tcp", from, to]);
                let answer: Value = serde_json::from_str(&output.stdout).unwrap();
                assert_eq!(answer["rule"]["name"].as_str().unwrap_or(""), rule, "{to}, applied: {applied}: {answer:#}");
            }
            wansplit.apply();
        }
    });
}

#[test]
fn a_last_resort_that_answers_for_a_link_that_is_up_is_a_difference() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, &(links("option fallback 'unreachable'") + &rule("vpn", "443", "EMB")));
        let words = ["tcp", "192.168.1.10:40000", "192.0.2.10:443"];
        assert_eq!(explain(&wansplit, &words)["kernel"][0]["agrees"], true);
        // The link's route goes, and what is left of its table refuses.
        lab.router.command("ip", &["route", "del", "table", "100", "default", "via", "198.51.100.1"]);
        assert_eq!(lab.udp(&lab.lan, INTERNET[0], 443), Way::Refused);
        let output = wansplit.run(&["explain", words[0], words[1], words[2]]);
        assert!(output.stdout.contains("unreachable: differs"), "{}", output.stdout);
        wansplit.apply();
        assert_eq!(explain(&wansplit, &words)["kernel"][0]["agrees"], true);
    });
}

#[test]
fn it_knows_the_router_its_bound_sockets_and_the_kill_switch() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let config = links("")
            + "config rule 'own'
                 option from 'router'
                 list proto 'tcp'
                 list dest_port '443'
                 option use 'mail'\n"
            + &rule("no", "23", "unreachable");
        let wansplit = applied(&lab, &config);
        for to in INTERNET {
            let to = SocketAddr::new(to, 443).to_string();
            assert_eq!(link(&explain(&wansplit, &["tcp", "router", &to])), Way::Link(2));
        }
        let local = explain(&wansplit, &["tcp", "192.168.1.10:4000", "192.168.1.1:23"]);
        assert_eq!(local["kernel"][0]["agrees"], Value::Null, "the router itself: {local:#}");
        let neighbour = explain(&wansplit, &["tcp", "192.168.1.10:4000", "192.168.2.10:23"]);
        assert_eq!(neighbour["kernel"][0]["agrees"], Value::Null, "the other LAN: {neighbour:#}");
        let bound = explain(&wansplit, &["udp", "203.0.113.2:5000", "192.0.2.10:53"]);
        assert_eq!((link(&bound), &bound["kernel"][0]["agrees"]), (Way::Link(2), &true.into()));
        wansplit.stop();
        let output = wansplit.run(&["explain", "tcp", "192.168.1.10:4000", "192.0.2.10:23"]);
        assert!(output.stdout.contains("differs: `wansplit apply` is due"), "{}", output.stdout);
        wansplit.apply();
        let refused = explain(&wansplit, &["tcp", "192.168.1.10:4000", "192.0.2.10:23"]);
        assert_eq!(refused["paths"][0]["fallback"], "unreachable");
        assert_eq!(refused["kernel"][0]["agrees"], true, "{refused:#}");
    });
}

#[test]
fn without_carrier_a_link_leaves_its_connections_to_the_main_table() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let wansplit = applied(&lab, &(links("") + &rule("all", "443", "EMB")));
        lab.provider(1).carrier(false);
        for (from, to) in lab::LAN.into_iter().zip(INTERNET) {
            let (from, to) = (SocketAddr::new(from, 40000), SocketAddr::new(to, 443));
            // The routes hear of a lost carrier a little later than explain does.
            let mut ways = (0..200).map(|_| lab.tcp(&lab.lan, to.ip(), 443));
            assert!(ways.any(|way| way == Way::Link(2)), "{to}");
            let answer = explain(&wansplit, &["tcp", &from.to_string(), &to.to_string()]);
            assert_eq!(answer["paths"][0]["order"], Value::Array(Vec::new()), "{answer:#}");
            assert_eq!(answer["kernel"][0]["compared"], "main", "{answer:#}");
        }
    });
}
