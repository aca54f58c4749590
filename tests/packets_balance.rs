//! Balanced policies: shares, what stays together, and what happens when a link dies.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Setup, Way, client_address};
use packet_support::applied;
use packet_support::shares::{assert_shares, count, links_of_clients, tcp_from, udp_from, wait_until};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Three links of weights 3, 2 and 1; everything to TCP and UDP is spread.
fn config(balance_by: &str) -> String {
    format!(
        "config globals 'globals'
           option enabled '1'
         config link 'one'
           option device 'eth1'
           option gateway '198.51.100.1'
           option gateway6 '2001:db8:1::1'
         config link 'two'
           option device 'eth2'
           option gateway '203.0.113.1'
           option gateway6 '2001:db8:2::1'
         config link 'three'
           option device 'eth4'
           option gateway '198.18.3.1'
           option gateway6 '2001:db8:3::1'
         config policy 'all'
           list use 'one 3'
           list use 'two 2'
           list use 'three 1'
           option mode 'balance'
           option balance_by '{balance_by}'
         config rule 'everything'
           list proto 'tcp'
           list proto 'udp'
           option use 'all'\n"
    )
}

const WEIGHTS: [(u8, u32); 3] = [(1, 3), (2, 2), (3, 1)];
const CLIENTS: u8 = 200;

fn three_links() -> Lab {
    Lab::with(&Setup { links: 3, clients: CLIENTS, ..Setup::default() })
}

/// Other ports, protocols and destinations of the same clients go the same ways.
fn assert_all_of_a_client_together(lab: &Lab, family: usize, ways: &[Way]) {
    let other: IpAddr = if family == 0 { "192.0.2.77" } else { "2001:db8:ffff::77" }.parse().unwrap();
    for (number, way) in (0..CLIENTS).zip(ways) {
        let from = client_address(number)[family];
        assert_eq!(tcp_from(lab, from, SocketAddr::new(other, 8080)), *way, "client {from}");
        assert_eq!(udp_from(lab, from, SocketAddr::new(other, 53)), *way, "client {from}");
    }
}

#[test]
fn clients_are_spread_by_weight_and_each_keeps_its_link() {
    lab::isolated(|| {
        let lab = three_links();
        applied(&lab, &config("client"));
        for family in [0, 1] {
            let ways = links_of_clients(&lab, CLIENTS, family);
            assert_all_of_a_client_together(&lab, family, &ways);
            assert_shares(&count(ways), &WEIGHTS);
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_dead_link_moves_its_own_clients_only_and_they_come_back() {
    lab::isolated(|| {
        let lab = three_links();
        applied(&lab, &config("client"));
        for family in [0, 1] {
            let before = links_of_clients(&lab, CLIENTS, family);
            lab.provider(2).carrier(false);
            wait_until(|| !links_seen(&lab, family, &before).contains(&Way::Silence));
            let during = links_of_clients(&lab, CLIENTS, family);
            for (client, (before, during)) in before.iter().zip(&during).enumerate() {
                assert_ne!(*during, Way::Link(2), "client {client}");
                assert!(*before == Way::Link(2) || before == during, "client {client} moved for nothing");
            }
            lab.provider(2).carrier(true);
            wait_until(|| links_seen(&lab, family, &before) == links_expected(&before));
            assert_eq!(links_of_clients(&lab, CLIENTS, family), before);
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

/// The ways of the first client of each link.
fn links_seen(lab: &Lab, family: usize, ways: &[Way]) -> Vec<Way> {
    let first = |way| ways.iter().position(|other| other == way).unwrap_or(0);
    let firsts = links_expected(ways).iter().map(first).collect::<Vec<_>>();
    let from = |number: usize| client_address(u8::try_from(number).unwrap())[family];
    firsts.into_iter().map(|number| tcp_from(lab, from(number), SocketAddr::new(INTERNET[family], 443))).collect()
}

fn links_expected(ways: &[Way]) -> Vec<Way> {
    count(ways.iter().copied()).into_keys().collect()
}

#[test]
fn connections_are_spread_by_weight_and_each_is_whole() {
    lab::isolated(|| {
        let lab = three_links();
        applied(&lab, &config("connection"));
        for to in INTERNET {
            let ways = count((0..600).map(|_| lab.tcp(&lab.lan, to, 443)));
            assert_shares(&ways, &WEIGHTS);
        }
        // A connection has a port of its own here, so its packets can be told apart at the providers.
        for (port, to) in (7000..).zip(INTERNET.into_iter().cycle().take(12)) {
            let counters: Vec<_> = (1..=3).map(|link| lab.provider(link).count(&format!("tcp dport {port}"))).collect();
            let flow = Flow::tcp(&lab.lan, to, port, 8192, Duration::ZERO);
            assert!(flow.goes_on(20));
            let report = flow.stop();
            let used: Vec<Way> =
                (1..).zip(&counters).filter(|(_, c)| c.packets() > 0).map(|(link, _)| Way::Link(link)).collect();
            assert_eq!((report.error, used), (None, report.ways.into_keys().collect()), "port {port}");
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
