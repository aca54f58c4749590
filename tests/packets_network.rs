//! Links found by their netifd interface, with the facts from a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, Flow, INTERNET, Lab, Setup, Wan, Wansplit, Way, assert_same, snapshot};
use packet_support::{configured, rule};
use std::net::SocketAddr;
use std::time::Duration;

fn config() -> String {
    "config globals 'globals'
       option enabled '1'
     config link 'fibre'
       option interface 'wan'
     config link 'cable'
       option interface 'wanb'
     config policy 'web'
       list use 'fibre'
       list use 'cable'
     config policy 'mail'
       list use 'cable'
       list use 'fibre'\n"
        .to_owned()
        + &rule("navegacao", "443", "web")
        + &rule("correio", "25", "mail")
}

fn by_interface(lab: &Lab) -> Wansplit<'_> {
    configured(lab, &config()).with_network(&lab.network_dump(&[]))
}

#[test]
fn interfaces_are_links_in_both_families() {
    lab::isolated(|| {
        for main_default in [1, 2] {
            let lab = Lab::with(&Setup { main_default: vec![main_default], ..Setup::default() });
            by_interface(&lab).apply();
            for (family, to) in INTERNET.into_iter().enumerate() {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
                assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(2));
                assert_eq!(lab.tcp(&lab.lan, to, 22), Way::Link(main_default));
                for link in [1, 2] {
                    assert_eq!(lab.tcp(&lab.internet, Wan(link).router()[family], 8022), Way::Direct(to));
                }
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

/// Routes and ip rules changed, and nothing in nftables.
fn routing_only(changes: &str) {
    assert!(changes.lines().count() > 1, "{changes}");
    assert!(!changes.contains(" nft "), "{changes}");
}

#[test]
fn an_interface_that_goes_down_and_comes_up_is_followed_by_apply() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let wansplit = by_interface(&lab);
        wansplit.apply();
        let streams = INTERNET.map(|to| Flow::udp(&lab.lan, to, 25, Duration::from_millis(1)));
        for _ in 0..3 {
            lab.interface_down(1);
            wansplit.report_network(&lab.network_dump(&[1]));
            routing_only(&wansplit.apply());
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(2));
            }
            lab.interface_up(1);
            wansplit.report_network(&lab.network_dump(&[]));
            routing_only(&wansplit.apply());
            for to in INTERNET {
                assert!((0..20).any(|_| lab.tcp(&lab.lan, to, 443) == Way::Link(1)), "the link is used again");
            }
        }
        for stream in streams {
            let report = stream.stop();
            report.assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn hosts_with_an_address_out_of_a_delegated_prefix_leave_by_its_link() {
    lab::isolated(|| {
        for main_default in [1, 2] {
            let lab = Lab::with(&Setup { main_default: vec![main_default], prefixes: true, ..Setup::default() });
            by_interface(&lab).apply();
            let to = INTERNET[1];
            for link in [1, 2] {
                let dial = Dial { from: Some(Wan(link).lan_host()), ..Dial::default() };
                // Whatever the rules say: the other provider would drop it.
                for port in [443, 25, 22] {
                    let target = SocketAddr::new(to, port);
                    assert_eq!(lab.lan.run(|| dial.tcp(target)), Way::Link(link), "tcp {port} by link {link}");
                    assert_eq!(lab.lan.run(|| dial.udp(target)), Way::Link(link), "udp {port} by link {link}");
                }
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

#[test]
fn a_link_whose_interface_does_not_exist_is_down() {
    lab::isolated(|| {
        let lab = Lab::new();
        let wansplit = configured(&lab, &config().replace("'wanb'", "'nosuch'")).with_network(&lab.network_dump(&[]));
        wansplit.apply();
        for to in INTERNET {
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
            assert_eq!(lab.tcp(&lab.lan, to, 25), Way::Link(1), "the policy's other link");
        }
    });
}

#[test]
fn a_kill_switch_holds_when_no_link_is_known() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = "config globals 'globals'
               option enabled '1'
             config link 'vpn'
               option interface 'wg0'
               option fallback 'unreachable'\n"
            .to_owned()
            + &rule("cameras", "6000", "vpn");
        configured(&lab, &config).with_network(&lab.network_dump(&[])).apply();
        for to in INTERNET {
            assert_eq!(lab.udp(&lab.lan, to, 6000), Way::Refused);
            assert_eq!(lab.udp(&lab.lan, to, 53), Way::Link(1), "no rule names it");
        }
    });
}

#[test]
fn without_facts_the_old_state_stays() {
    lab::isolated(|| {
        let lab = Lab::new();
        by_interface(&lab).apply();
        let before = snapshot(&lab.router);
        let output = configured(&lab, &config()).run(&["apply"]);
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert_same(&snapshot(&lab.router), &before, "after an apply that knew nothing of the interfaces");
    });
}
