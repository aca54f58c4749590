//! Links that translate IPv6 senders (`masq6`, prefix translation): policies, balance and failover are for IPv6 as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, Flow, INTERNET, LAN, Lab, Setup, Wan, Wansplit, Way};
use packet_support::{configured, interfaces, rule};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const INTERNET6: IpAddr = INTERNET[1];
const PATIENCE: Duration = Duration::from_secs(20);

/// A LAN whose host has an address of each provider, and a ULA; both links have a default route in `main`. What leaves by
/// these links is translated: all of it, not only ULA.
fn lab(masquerading: &[u8]) -> Lab {
    let lab = Lab::with(&Setup { main_default: vec![1, 2], prefixes: true, ..Setup::default() });
    lab.router.nft("flush chain inet fw4 srcnat\nadd rule inet fw4 srcnat meta nfproto ipv4 masquerade");
    for link in masquerading {
        let device = Wan(*link).device();
        lab.router.nft(&format!("add rule inet fw4 srcnat oifname {device} meta nfproto ipv6 masquerade"));
    }
    lab
}

/// fw4's configuration with these zones: their networks, and whether they have `masq6`.
fn zones(zones: &[(&str, bool)]) -> String {
    let zone = |(networks, masq6): &(&str, bool)| {
        let networks: String = networks.split(' ').map(|name| format!("\tlist network '{name}'\n")).collect();
        format!(
            "config zone\n\toption name 'z'\n{networks}\toption masq '1'\n\toption masq6 '{}'\n\n",
            u8::from(*masq6)
        )
    };
    "config defaults\n\toption input 'REJECT'\n\nconfig zone\n\toption name 'lan'\n\tlist network 'lan'\n\n".to_owned()
        + &zones.iter().map(zone).collect::<String>()
}

fn rules() -> String {
    rule("to_web", "443", "web")
        + &rule("to_mail", "25", "mail")
        + &rule("to_shared", "8080", "shared")
        + &rule("to_emb", "5001", "EMB")
        + &rule("to_oi", "5002", "OI")
}

fn with_zones<'a>(lab: &'a Lab, all: &[(&str, bool)]) -> Wansplit<'a> {
    let wansplit = configured(lab, &(interfaces("") + &rules())).with_network(&lab.network_dump(&[]));
    wansplit.report_firewall(&zones(all));
    wansplit.apply();
    wansplit
}

fn to(port: u16) -> SocketAddr {
    SocketAddr::new(INTERNET6, port)
}

/// The ways of TCP and UDP from an address.
fn ways(lab: &Lab, from: IpAddr, port: u16) -> [Way; 2] {
    let dial = Dial { from: Some(from), ..Dial::default() };
    lab.lan.run(|| [dial.tcp(to(port)), dial.udp(to(port))])
}

/// The host's addresses: one of each provider, and one of nobody's.
fn senders() -> [IpAddr; 3] {
    [Wan(1).lan_host(), Wan(2).lan_host(), LAN[1]]
}

/// How many of 40 connections from an address leave by each link.
fn shares(lab: &Lab, from: IpAddr, port: u16) -> [usize; 2] {
    let all: Vec<Way> = (0..20).flat_map(|_| ways(lab, from, port)).collect();
    [1, 2].map(|link| all.iter().filter(|way| **way == Way::Link(link)).count())
}

/// Policies, balance and failover are the same for every sender.
fn assert_like_ipv4(lab: &Lab) {
    for from in senders() {
        assert_eq!(ways(lab, from, 443), [Way::Link(1); 2], "web from {from}");
        assert_eq!(ways(lab, from, 25), [Way::Link(2); 2], "mail from {from}");
        assert_eq!(ways(lab, from, 5001), [Way::Link(1); 2], "to EMB from {from}");
        assert_eq!(ways(lab, from, 5002), [Way::Link(2); 2], "to OI from {from}");
        assert_eq!(ways(lab, from, 22), [Way::Link(1); 2], "main from {from}");
        let [by_emb, by_oi] = shares(lab, from, 8080);
        assert!(by_emb + by_oi == 40 && by_emb > 5 && by_oi > 5, "{from} is balanced: {by_emb} and {by_oi}");
    }
}

/// EMB loses its carrier and gets it back: who was on it moves with its next connection, nobody else notices.
fn assert_failover(lab: &Lab) {
    let unharmed = senders().map(|from| Flow::udp_from(&lab.lan, Some(from), INTERNET6, 25, Duration::from_millis(5)));
    for carrier in [false, true] {
        lab.provider(1).carrier(carrier);
        let link = if carrier { 1 } else { 2 };
        for from in senders() {
            for port in [443, 5001, 22] {
                let since = Instant::now();
                // A SYN that is lost with the carrier would be sent again as what it was, and come to the wrong provider.
                while udp_twice(lab, from, port) != [Way::Link(link); 2] {
                    assert!(since.elapsed() < PATIENCE, "{from} to {port}, carrier {carrier}");
                }
                assert_eq!(ways(lab, from, port), [Way::Link(link); 2], "{from} to {port}, carrier {carrier}");
            }
            let [by_emb, by_oi] = shares(lab, from, 8080);
            assert_eq!((by_emb + by_oi, by_emb > 0), (40, carrier), "{from}, carrier {carrier}");
        }
    }
    for flow in unharmed {
        flow.stop().assert_whole(Way::Link(2));
    }
}

#[test]
fn a_zone_with_masq6_is_balanced_and_failed_over() {
    lab::isolated(|| {
        let lab = lab(&[1, 2]);
        with_zones(&lab, &[("wan wan6 wanb wanb6", true)]);
        assert_like_ipv4(&lab);
        assert_failover(&lab);
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

#[test]
fn prefixes_that_are_translated_into_each_other_are_balanced_and_failed_over() {
    lab::isolated(|| {
        let lab = lab(&[]);
        for link in [1, 2] {
            let (own, other, device) = (Wan(link).prefix(), Wan(3 - link).prefix(), Wan(link).device());
            let ula = "fd00:1::/56";
            lab.router.nft(&format!(
                "add rule inet fw4 srcnat oifname {device} ip6 saddr {{ {other}, {ula} }} snat ip6 prefix to ip6 saddr map {{ {other} : {own}, {ula} : {own} }}"
            ));
        }
        // Nothing of this is in the firewall's configuration.
        let config = interfaces("  option masq6 '1'") + &rules();
        configured(&lab, &config).with_network(&lab.network_dump(&[])).apply();
        assert_like_ipv4(&lab);
        assert_failover(&lab);
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

#[test]
fn where_one_link_translates_only_its_own_hosts_cannot_go_elsewhere() {
    lab::isolated(|| {
        let lab = lab(&[2]);
        with_zones(&lab, &[("wan wan6", false), ("wanb wanb6", true)]);
        let [of_emb, of_oi, _] = senders();
        // EMB's hosts may use OI, which translates; OI's may not use EMB.
        for (port, link) in [(443, 1), (25, 2), (5001, 1), (5002, 2), (22, 1)] {
            assert_eq!(ways(&lab, of_emb, port), [Way::Link(link); 2], "{port}");
            assert_eq!(ways(&lab, of_oi, port), [Way::Link(2); 2], "{port}");
        }
        let [by_emb, by_oi] = shares(&lab, of_emb, 8080);
        assert!(by_emb + by_oi == 40 && by_emb > 5 && by_oi > 5, "{by_emb} and {by_oi}");
        assert_eq!(shares(&lab, of_oi, 8080), [0, 40]);
        // Without EMB its hosts go by OI; without OI its own are refused, also by rules that would lead them to EMB.
        for (gone, ports) in [(1, [443, 25, 22]), (2, [443, 25, 22])] {
            lab.provider(gone).carrier(false);
            let since = Instant::now();
            let wanted = |from| match (gone, from == of_oi) {
                (1, _) => [Way::Link(2); 2],
                (_, true) => [Way::Refused; 2],
                (_, false) => [Way::Link(1); 2],
            };
            for from in [of_emb, of_oi] {
                for port in ports {
                    while udp_twice(&lab, from, port) != wanted(from) {
                        assert!(since.elapsed() < PATIENCE, "{from} to {port} without {gone}");
                    }
                }
            }
            lab.provider(gone).carrier(true);
            while ways(&lab, of_emb, 443) != [Way::Link(1); 2] || ways(&lab, of_oi, 25) != [Way::Link(2); 2] {
                assert!(since.elapsed() < PATIENCE);
            }
        }
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

fn udp_twice(lab: &Lab, from: IpAddr, port: u16) -> [Way; 2] {
    let dial = Dial { from: Some(from), ..Dial::default() };
    lab.lan.run(|| [dial.udp(to(port)), dial.udp(to(port))])
}

#[test]
fn what_the_owner_says_counts_more_than_the_zone() {
    lab::isolated(|| {
        let lab = lab(&[]);
        let config = interfaces("  option masq6 '0'") + &rules();
        let wansplit = configured(&lab, &config).with_network(&lab.network_dump(&[]));
        wansplit.report_firewall(&zones(&[("wan wan6 wanb wanb6", true)]));
        wansplit.apply();
        for link in [1, 2] {
            for port in [443, 25, 8080, 5001, 5002, 22] {
                assert_eq!(ways(&lab, Wan(link).lan_host(), port), [Way::Link(link); 2]);
            }
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_host_with_nobodys_address_goes_where_rules_say_or_main() {
    lab::isolated(|| {
        let ula = LAN[1];
        // Without translation: no rule, no prefix. Main decides as for everybody, and a provider takes no ULA.
        let lab = lab(&[]);
        let wansplit = with_zones(&lab, &[("wan wan6 wanb wanb6", false)]);
        let seen = [1, 2].map(|link| lab.provider(link).count(&format!("ip6 saddr {ula} udp dport 22")));
        let dial = Dial { from: Some(ula), patience: Duration::from_millis(200), ..Dial::default() };
        assert_eq!(lab.lan.run(|| dial.udp(to(22))), Way::Silence);
        assert_eq!(seen.each_ref().map(lab::Counter::packets), [1, 0]);
        // Where main has no route for it, as netifd's have none, it is told so.
        lab.router.ip6("route del default dev eth1\nroute del default dev eth2");
        for link in [1, 2] {
            let [_, gateway] = Wan(link).gateway();
            let (prefix, device) = (Wan(link).prefix(), Wan(link).device());
            lab.router.ip6(&format!("route add default from {prefix} via {gateway} dev {device}"));
        }
        assert_eq!(lab.lan.run(|| dial.udp(to(22))), Way::Refused);
        assert_eq!(ways(&lab, Wan(1).lan_host(), 22), [Way::Link(1); 2], "others go on");
        // With it, rules decide; where none does, still main.
        for link in [1, 2] {
            let device = Wan(link).device();
            lab.router.nft(&format!("add rule inet fw4 srcnat oifname {device} meta nfproto ipv6 masquerade"));
        }
        wansplit.report_firewall(&zones(&[("wan wan6 wanb wanb6", true)]));
        wansplit.apply();
        for (port, link) in [(443, 1), (25, 2), (5001, 1), (5002, 2)] {
            assert_eq!(ways(&lab, ula, port), [Way::Link(link); 2], "{port}");
        }
        assert_eq!(lab.lan.run(|| dial.udp(to(22))), Way::Refused);
    });
}

#[test]
fn the_daemon_sees_that_a_zone_begins_to_translate() {
    lab::isolated(|| {
        let lab = lab(&[1, 2]);
        let config = interfaces("") + &rules();
        let wansplit = configured(&lab, &config).with_network(&lab.network_dump(&[]));
        wansplit.report_firewall("config zone\n\toption unfinished 'quote\n");
        let daemon = wansplit.daemon(&[]);
        let warning = "/run/firewall, line 2";
        assert!(daemon.wait_for_line(start(), &[warning], PATIENCE).is_some(), "{}", daemon.log_text());
        let [of_emb, ..] = senders();
        assert_eq!(ways(&lab, of_emb, 25), [Way::Link(1); 2]);
        for (masq6, link) in [(true, 2), (false, 1), (true, 2)] {
            wansplit.report_firewall(&zones(&[("wan wan6 wanb wanb6", masq6)]));
            daemon.hangup();
            let since = Instant::now();
            while ways(&lab, of_emb, 25) != [Way::Link(link); 2] {
                assert!(since.elapsed() < PATIENCE, "masq6 {masq6}\n{}", daemon.log_text());
            }
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

/// Before anything was logged.
fn start() -> Instant {
    Instant::now().checked_sub(PATIENCE).unwrap()
}
