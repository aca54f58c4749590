//! Applying again, the same or something else: flows stay where they are, and nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Monitor, Setup, Way, assert_same, snapshot};
use packet_support::{TWO_LINKS, applied, links, rule};
use std::time::Duration;

const FAST: Duration = Duration::from_millis(1);
const BULK: usize = 8192;

/// Port 5000 by one link and, on the way, whatever else a configuration may hold.
fn port_5000_by(target: &str, more: &str) -> String {
    links("") + &rule("moving", "5000", target) + &rule("unrelated", "2525", "mail") + more
}

#[test]
fn established_flows_stay_when_the_rules_change() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, &port_5000_by("EMB", ""));
        let flows = |link| {
            INTERNET.map(|to| {
                let udp = Flow::udp(&lab.lan, to, 5000, FAST);
                let tcp = Flow::tcp(&lab.lan, to, 5000, BULK, FAST);
                assert_eq!((udp.so_far().ways(), tcp.so_far().ways()), (vec![Way::Link(link)], vec![Way::Link(link)]));
                (udp, tcp)
            })
        };
        let old = flows(1);
        let old_tcp = lab.provider(1).count("tcp dport 5000");
        wansplit.apply_config(&port_5000_by("OI", ""));
        let new = flows(2);
        let before = old_tcp.packets();
        for (link, flows) in [(1, old), (2, new)] {
            for (udp, tcp) in flows {
                assert!(udp.goes_on(100) && tcp.goes_on(20), "the flows of link {link} go on");
                let (udp, tcp) = (udp.stop(), tcp.stop());
                udp.assert_whole(Way::Link(link));
                tcp.assert_whole(Way::Link(link));
            }
        }
        assert!(old_tcp.packets() >= before + 40, "the old connections still use link 1");
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn flows_that_no_rule_names_keep_their_link_when_mains_default_moves() {
    lab::isolated(|| {
        let lab = Lab::new();
        applied(&lab, TWO_LINKS);
        let flows = INTERNET.map(|to| (Flow::udp(&lab.lan, to, 9000, FAST), Flow::tcp(&lab.lan, to, 9000, BULK, FAST)));
        lab.move_main_default(2);
        for (to, (udp, tcp)) in INTERNET.into_iter().zip(flows) {
            assert_eq!(lab.tcp(&lab.lan, to, 9000), Way::Link(2), "a new connection follows main");
            assert!(udp.goes_on(100) && tcp.goes_on(20));
            let (udp, tcp) = (udp.stop(), tcp.stop());
            udp.assert_whole(Way::Link(1));
            tcp.assert_whole(Way::Link(1));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn applying_the_same_again_changes_nothing_and_loses_nothing() {
    lab::isolated(|| {
        for main_default in [1, 2] {
            let lab = Lab::with(&Setup { main_default: vec![main_default], ..Setup::default() });
            let wansplit = applied(&lab, &port_5000_by("EMB", ""));
            let before = snapshot(&lab.router);
            let streams = INTERNET.map(|to| (Flow::udp(&lab.lan, to, 5000, FAST), Flow::udp(&lab.lan, to, 2525, FAST)));
            let (ip, nft) = (Monitor::ip(&lab.router), Monitor::nft(&lab.router));
            for _ in 0..10 {
                wansplit.apply();
            }
            assert_eq!((ip.stop(), nft.stop()), (vec![], vec![]), "changes of ip, of nft");
            assert_same(&snapshot(&lab.router), &before, "after ten more");
            for (one, two) in streams {
                assert!(one.goes_on(100) && two.goes_on(100));
                let (one, two) = (one.stop(), two.stop());
                one.assert_whole(Way::Link(1));
                two.assert_whole(Way::Link(2));
            }
        }
    });
}

#[test]
fn flows_survive_new_numbers_for_their_link() {
    lab::isolated(|| {
        let lab = Lab::new();
        let old = port_5000_by("OI", "");
        let new = old.replace("mark '2'", "mark '7'").replace("table '200'", "table '207'");
        let wansplit = applied(&lab, &old);
        let flows = INTERNET.map(|to| (Flow::udp(&lab.lan, to, 5000, FAST), Flow::tcp(&lab.lan, to, 5000, BULK, FAST)));
        wansplit.apply_config(&new);
        for (udp, tcp) in flows {
            assert!(udp.goes_on(100) && tcp.goes_on(20));
            udp.stop().assert_whole(Way::Link(2));
            tcp.stop().assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn changing_back_and_forth_loses_nothing_of_other_rules() {
    lab::isolated(|| {
        let lab = Lab::new();
        // Unlike in everything a configuration can differ in: targets, addresses, ports, a policy, rules for the router.
        let wide = port_5000_by(
            "EMB",
            "config policy 'shared'
               list use 'EMB 2'
               list use 'OI'
               option mode 'balance'
             config rule 'places'
               list dest_ip '192.0.2.128/25'
               list dest_ip '2001:db8:ffff:8000::/49'
               list src_ip '!192.168.1.64/28'
               option use 'shared'
             config rule 'own'
               option from 'router'
               list dest_port '443'
               option use 'OI'\n",
        );
        let narrow = port_5000_by("OI", "config rule 'range'\n list dest_port '6000-6999'\n option use 'web'\n");
        let wansplit = applied(&lab, &narrow);
        let streams =
            INTERNET.map(|to| (Flow::udp(&lab.lan, to, 2525, FAST), Flow::tcp(&lab.lan, to, 2525, BULK, FAST)));
        for round in 0..50 {
            wansplit.apply_config(if round % 2 == 0 { &wide } else { &narrow });
            for to in INTERNET {
                assert_eq!(lab.udp(&lab.lan, to, 2525), Way::Link(2), "a new flow, round {round}");
            }
        }
        for (udp, tcp) in streams {
            assert!(udp.goes_on(50) && tcp.goes_on(10));
            let (udp, tcp) = (udp.stop(), tcp.stop());
            println!("{} packets, {} rounds of {BULK} bytes", udp.sent, tcp.sent);
            udp.assert_whole(Way::Link(2));
            tcp.assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
