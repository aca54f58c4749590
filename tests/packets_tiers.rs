//! Tiers: two links that share the work, and others that wait until neither works.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, Flow, INTERNET, Lab, Setup, Wan, Wansplit, Way, client_address};
use packet_support::applied;
use packet_support::shares::{assert_shares, count, links_of_clients, tcp_from, udp_from, wait_until};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const CLIENTS: u8 = 200;
/// By their numbers in the lab.
const NAMES: [&str; 4] = ["EMB", "OI", "LTE", "SAT"];
const FIRST: [(u8, u32); 2] = [(1, 3), (2, 2)];
const SECOND: [(u8, u32); 2] = [(3, 3), (4, 1)];

/// Four links in two tiers, with these options of the links and of the policy; everything to TCP and UDP is spread, the
/// router's own connections too.
fn config(of_links: &str, of_policy: &str) -> String {
    let link = |(number, name): (u8, &str)| {
        let ([gateway, gateway6], device) = (Wan(number).gateway(), Wan(number).device());
        format!(
            "config link '{name}'
               option device '{device}'
               option gateway '{gateway}'
               option gateway6 '{gateway6}'
               {of_links}\n"
        )
    };
    let links: String = (1..).zip(NAMES).map(link).collect();
    format!(
        "config globals 'globals'
           option enabled '1'
         {links}
         config policy 'tiers'
           option mode 'balance'
           list use 'LTE 3 tier 20'
           list use 'EMB 3'
           list use 'SAT tier 20'
           list use 'OI 2'
           {of_policy}
         config rule 'everything'
           list proto 'tcp'
           list proto 'udp'
           option from 'any'
           option use 'tiers'\n"
    )
}

fn four_links() -> Lab {
    Lab::with(&Setup { links: 4, clients: CLIENTS, ..Setup::default() })
}

fn carriers(lab: &Lab, links: &[u8], on: bool) {
    links.iter().for_each(|link| lab.provider(*link).carrier(on));
}

/// Waits until new connections of a client go by one of these links: the kernel hears of a carrier a little later.
fn wait_for_links(lab: &Lab, links: &[u8]) {
    for family in [0, 1] {
        let by = |number| match tcp_from(lab, client_address(number)[family], SocketAddr::new(INTERNET[family], 443)) {
            Way::Link(link) => links.contains(&link),
            _ => false,
        };
        wait_until(|| (0..20).all(by));
    }
}

/// What `explain` says of a client's connection, after the kernel agreed with it.
fn explained(wansplit: &Wansplit, from: IpAddr, to: IpAddr) -> Vec<Way> {
    let words = [SocketAddr::new(from, 40000), SocketAddr::new(to, 443)].map(|end| end.to_string());
    let output = wansplit.run(&["explain", "--json", "tcp", &words[0], &words[1]]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(answer["kernel"][0]["agrees"], true, "{answer:#}");
    assert_eq!(answer["paths"].as_array().unwrap().len(), 1, "a client has one path: {answer:#}");
    let links = answer["paths"][0]["links"].as_array().unwrap();
    let number = |name: &Value| 1 + NAMES.iter().position(|own| name == own).unwrap();
    links.iter().map(|name| Way::Link(u8::try_from(number(name)).unwrap())).collect()
}

fn assert_explained(wansplit: &Wansplit, family: usize, ways: &[Way]) {
    for (number, way) in (0..CLIENTS).zip(ways) {
        let from = client_address(number)[family];
        assert_eq!(explained(wansplit, from, INTERNET[family]), [*way], "{from}");
    }
}

fn assert_router_takes(lab: &Lab, link: u8) {
    for to in INTERNET {
        let ways = (0..20).map(|_| lab.router.run(|| Dial::default().tcp(SocketAddr::new(to, 443))));
        assert_eq!(count(ways).into_keys().collect::<Vec<_>>(), [Way::Link(link)]);
    }
}

#[test]
fn the_second_tier_waits_for_the_whole_first_one() {
    lab::isolated(|| {
        let lab = four_links();
        let wansplit = applied(&lab, &config("", ""));
        println!("{}", wansplit.run(&["status"]).stdout);
        let links = |family| links_of_clients(&lab, CLIENTS, family);
        let well = [links(0), links(1)];
        for (family, ways) in well.iter().enumerate() {
            assert_shares(&count(ways.iter().copied()), &FIRST);
            assert_explained(&wansplit, family, ways);
        }
        assert_router_takes(&lab, 1);

        carriers(&lab, &[2], false);
        wait_for_links(&lab, &[1]);
        assert_eq!([links(0), links(1)], [vec![Way::Link(1); 200], vec![Way::Link(1); 200]], "the other one takes all");
        assert_explained(&wansplit, 0, &links(0));

        carriers(&lab, &[1], false);
        wait_for_links(&lab, &[3, 4]);
        for family in [0, 1] {
            assert_shares(&count(links(family)), &SECOND);
            let from = client_address(7)[family];
            assert_eq!(explained(&wansplit, from, INTERNET[family]), [Way::Link(3), Way::Link(4)]);
        }
        assert_eq!(links(0), links(0), "sender and receiver together decide");
        assert_router_takes(&lab, 3);

        carriers(&lab, &[3], false);
        wait_for_links(&lab, &[4]);
        assert_shares(&count(links(1)), &[(4, 1)]);
        carriers(&lab, &[3], true);
        wait_for_links(&lab, &[3, 4]);

        carriers(&lab, &[2], true);
        wait_for_links(&lab, &[2]);
        assert_shares(&count(links(0)), &[(2, 1)]);
        carriers(&lab, &[1], true);
        wait_until(|| [links(0), links(1)] == well);
        assert_router_takes(&lab, 1);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn clients_keep_their_links_when_other_things_change() {
    lab::isolated(|| {
        let lab = four_links();
        let wansplit = applied(&lab, &config("", ""));
        let links = || [0, 1].map(|family| links_of_clients(&lab, CLIENTS, family));
        let before = links();
        let rule = "config rule 'before'
                      list proto 'tcp'
                      list dest_port '25'
                      option use 'LTE'\n";
        let text = config("", "");
        let (head, tail) = text.split_once("config rule").unwrap();
        wansplit.apply_config(&format!("{head}{rule}config rule{tail}"));
        assert_eq!(links(), before);
        for (family, to) in INTERNET.into_iter().enumerate() {
            assert_eq!(tcp_from(&lab, client_address(0)[family], SocketAddr::new(to, 25)), Way::Link(3));
            // All of a client goes the same way.
            for (number, way) in (0..CLIENTS).zip(&before[family]) {
                assert_eq!(udp_from(&lab, client_address(number)[family], SocketAddr::new(to, 8080)), *way);
            }
        }
        // The same weights in other numbers.
        wansplit.apply_config(&text.replace("EMB 3", "EMB 150").replace("OI 2", "OI 100"));
        assert_eq!(links(), before);
        // Another backup.
        wansplit.apply_config(&text.replace("list use 'SAT tier 20'", ""));
        assert_eq!(links(), before);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn connections_are_spread_over_the_first_tier_by_the_links_speeds() {
    lab::isolated(|| {
        let lab = four_links();
        let text = config("", "option balance_by 'connection'")
            .replace("'EMB 3'", "'EMB auto'")
            .replace("'OI 2'", "'OI auto'")
            .replace("config link 'EMB'", "config link 'EMB'\n option speed '300M'")
            .replace("config link 'OI'", "config link 'OI'\n option speed '100'");
        applied(&lab, &text);
        for to in INTERNET {
            let ways = || count((0..800).map(|_| lab.tcp(&lab.lan, to, 443)));
            assert_shares(&ways(), &[(1, 3), (2, 1)]);
        }
        carriers(&lab, &[1, 2], false);
        wait_for_links(&lab, &[3, 4]);
        // The kernel does not look at ports, so it takes many clients to see the weights.
        assert_shares(&count(links_of_clients(&lab, CLIENTS, 0)), &SECOND);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_kill_switch_holds_behind_the_last_tier() {
    lab::isolated(|| {
        // SAT works all the time, and main leads out by it; but the policy does not.
        let lab = Lab::with(&Setup { links: 4, clients: CLIENTS, main_default: vec![4], ..Setup::default() });
        applied(&lab, &config("", "option fallback 'unreachable'").replace("list use 'SAT tier 20'", ""));
        let flows = INTERNET.map(|to| Flow::udp(&lab.lan, to, 7000, Duration::from_millis(20)));
        let leaks = lab.provider(4).count("meta l4proto { tcp, udp }");
        carriers(&lab, &[1, 2], false);
        wait_for_links(&lab, &[3]);
        carriers(&lab, &[3], false);
        for (family, to) in INTERNET.into_iter().enumerate() {
            let to = SocketAddr::new(to, 443);
            wait_until(|| udp_from(&lab, client_address(3)[family], to) == Way::Refused);
            // The kernel does not tell everybody, if there are many.
            let ways = (4..14).map(|number| udp_from(&lab, client_address(number)[family], to));
            assert!(count(ways).into_keys().all(|way| matches!(way, Way::Refused | Way::Silence)));
        }
        carriers(&lab, &[3], true);
        wait_for_links(&lab, &[3]);
        carriers(&lab, &[1, 2], true);
        wait_for_links(&lab, &[1, 2]);
        for flow in flows {
            assert!(flow.goes_on(20));
            drop(flow.stop());
        }
        assert_eq!((leaks.packets(), lab.spoofed()), (0, 0));
    });
}
