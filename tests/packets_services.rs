//! Each service leaves by its link, and nothing else is touched.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, LAN, LAN_GATEWAY, LAN2, Lab, Setup, Way, assert_same, serve_tcp, snapshot};
use packet_support::{TWO_LINKS, applied};
use std::net::SocketAddr;

const WEB_TCP: [u16; 3] = [80, 443, 53];
const MAIL_TCP: [u16; 7] = [25, 110, 143, 465, 587, 993, 995];

/// Every port of the recipe by its link, from both LANs, in both families.
fn assert_services(lab: &Lab) {
    for to in INTERNET {
        for from in [&lab.lan, &lab.lan2] {
            for port in WEB_TCP {
                assert_eq!(lab.tcp(from, to, port), Way::Link(1), "tcp {port} to {to} from {}", from.name());
            }
            assert_eq!(lab.udp(from, to, 53), Way::Link(1), "udp 53 to {to} from {}", from.name());
            for port in MAIL_TCP {
                assert_eq!(lab.tcp(from, to, port), Way::Link(2), "tcp {port} to {to} from {}", from.name());
            }
        }
    }
}

/// What no rule names: other ports, the named ports of the other protocol, and ping.
fn assert_unmatched(lab: &Lab, link: u8) {
    let pings = lab.provider(link).count("meta l4proto { icmp, ipv6-icmp }");
    for to in INTERNET {
        for port in [22, 24, 26, 8080] {
            assert_eq!(lab.tcp(&lab.lan, to, port), Way::Link(link), "tcp {port} to {to}");
        }
        for port in [80, 443, 25, 123] {
            assert_eq!(lab.udp(&lab.lan, to, port), Way::Link(link), "udp {port} to {to}");
        }
        let before = pings.packets();
        assert!(lab.lan.ping(to, &[]), "ping {to}");
        assert!(pings.packets() > before, "ping {to} leaves by link {link}");
    }
}

fn services_go_by_their_links(main_default: &[u8]) {
    let lab = Lab::with(&Setup { main_default: main_default.to_vec(), ..Setup::default() });
    applied(&lab, TWO_LINKS);
    assert_services(&lab);
    match main_default {
        [link, ..] => assert_unmatched(&lab, *link),
        [] => assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, 123)), [Way::Refused; 2]),
    }
    assert_eq!(lab.spoofed(), 0);
}

#[test]
fn services_by_their_links_with_mains_default_on_link_1() {
    lab::isolated(|| services_go_by_their_links(&[1]));
}

#[test]
fn services_by_their_links_with_mains_default_on_link_2() {
    lab::isolated(|| services_go_by_their_links(&[2]));
}

#[test]
fn services_by_their_links_with_two_defaults_in_main() {
    lab::isolated(|| services_go_by_their_links(&[2, 1]));
}

#[test]
fn services_by_their_links_without_a_default_in_main() {
    lab::isolated(|| services_go_by_their_links(&[]));
}

#[test]
fn the_json_form_of_the_recipe_does_the_same() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        applied(&lab, include_str!("../examples/two-links.json"));
        assert_services(&lab);
        assert_unmatched(&lab, 2);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn local_traffic_is_untouched() {
    lab::isolated(|| {
        let lab = Lab::new();
        for address in LAN2 {
            serve_tcp(&lab.lan2, SocketAddr::new(address, 443));
        }
        // What stays inside must have no conntrack mark: neither what the router takes in nor what it sends on.
        lab.router.nft(
            "table inet watch {
               counter marked {}
               counter local {}
               chain input {
                 type filter hook input priority 300; policy accept;
                 ct direction original iifname { eth0, eth3 } jump look
               }
               chain postrouting {
                 type filter hook postrouting priority 300; policy accept;
                 ct direction original oifname { eth0, eth3, lo } jump look
               }
               chain look {
                 counter name local
                 ct mark != 0 counter name marked
               }
             }",
        );
        applied(&lab, TWO_LINKS);
        let left = || lab.provider(1).passed() + lab.provider(2).passed() + lab.spoofed();
        let before = left();
        for family in [0, 1] {
            let (lan, lan2, gateway) = (LAN[family], LAN2[family], LAN_GATEWAY[family]);
            assert_eq!(lab.tcp(&lab.lan, lan2, 443), Way::Direct(lan), "LAN to LAN");
            assert_eq!(lab.udp(&lab.lan, lan2, 53), Way::Direct(lan), "LAN to LAN");
            assert_eq!(lab.tcp(&lab.lan, gateway, 80), Way::Direct(lan), "LAN to router");
            assert_eq!(lab.udp(&lab.lan, gateway, 53), Way::Direct(lan), "LAN to router");
            assert_eq!(lab.tcp(&lab.router, lan, 22), Way::Direct(gateway), "router to LAN");
            assert_eq!(lab.udp(&lab.router, lan, 53), Way::Direct(gateway), "router to LAN");
            assert!(lab.lan.ping(lan2, &[]) && lab.lan.ping(gateway, &[]) && lab.router.ping(lan, &[]));
        }
        assert!(lab.router.counted("watch", "local") > 20);
        assert_eq!(lab.router.counted("watch", "marked"), 0);
        assert_eq!(left(), before, "nothing left the house");
    });
}

/// Two other programs set their bits of both marks, before us and in hooks of the same priority as fw4's; behind us all
/// bits must still be there, on the first packet and on later ones, both directions.
fn foreign_bits_survive(config: &str, mask: u32) {
    let lab = Lab::new();
    let (packet, conntrack) = (0x00a5_5a00 & !mask, 0x005a_a500 & !mask);
    lab.router.nft(&format!(
        "table inet other {{
           counter kept {{}}
           counter lost {{}}
           chain prerouting {{
             type filter hook prerouting priority mangle; policy accept;
             iifname {{ eth0, eth1, eth2, eth3 }} meta mark set meta mark | {packet:#x} ct mark set ct mark | {conntrack:#x}
           }}
           chain output {{
             type route hook output priority mangle; policy accept;
             oifname {{ eth1, eth2 }} meta mark set meta mark | {packet:#x} ct mark set ct mark | {conntrack:#x}
           }}
           chain postrouting {{
             type filter hook postrouting priority 300; policy accept;
             oifname {{ eth0, eth1, eth2, eth3 }} meta l4proto {{ tcp, udp }} jump look
           }}
           chain look {{
             meta mark & {others:#x} == {packet:#x} ct mark & {others:#x} == {conntrack:#x} counter name kept return
             counter name lost
           }}
         }}",
        others = !mask,
    ));
    applied(&lab, config);
    assert_services(&lab);
    for to in INTERNET {
        assert_eq!(lab.tcp(&lab.router, to, 443), Way::Link(1));
    }
    assert_eq!(lab.router.counted("other", "lost"), 0);
    assert!(lab.router.counted("other", "kept") > 100);
    assert_eq!(lab.spoofed(), 0);
}

#[test]
fn marks_of_others_survive_outside_a_low_mask() {
    lab::isolated(|| foreign_bits_survive(TWO_LINKS, 0xff));
}

#[test]
fn marks_of_others_survive_outside_the_default_mask() {
    lab::isolated(|| {
        let config = TWO_LINKS.replace("option mask '0xff'", "").replace("option mark ", "#option mark ");
        foreign_bits_survive(&config, 0xff00_0000);
    });
}

#[test]
fn a_fresh_configuration_that_is_not_enabled_touches_nothing() {
    lab::isolated(|| {
        let lab = Lab::new();
        let before = snapshot(&lab.router);
        let wansplit = packet_support::configured(&lab, &TWO_LINKS.replace("enabled '1'", "enabled '0'"));
        let output = wansplit.run(&["apply"]);
        assert!([0, 4].contains(&output.code), "{output:?}");
        assert_same(&snapshot(&lab.router), &before, "after apply");
    });
}
