//! What the lab can do to a link, proved without wansplit: each fault does what it says and nothing else.

use lab::{Births, Dial, Direction, Families, Flow, Host, INTERNET, Lab, Setup, Trouble, Wan, Way, crowd};
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(5);

fn gateway_answers(lab: &Lab) -> bool {
    Wan(1).gateway().into_iter().all(|gateway| lab.router.ping(gateway, &[]))
}

/// Whether a packet gets to the Internet and its answer back.
fn is_answered(lab: &Lab) -> [bool; 2] {
    let dial = Dial { patience: Duration::from_millis(200), ..Dial::default() };
    INTERNET.map(|to| lab.lan.run(|| dial.udp(SocketAddr::new(to, 53))) == Way::Link(1))
}

#[test]
fn a_silent_provider_forwards_nothing_and_looks_alive() {
    lab::isolated(|| {
        let lab = Lab::new();
        let provider = lab.provider(1);
        for direction in [Direction::Both, Direction::Outgoing, Direction::Incoming] {
            let arrived = || lab.internet.counted("arrivals", "arrived");
            lab.internet.nft(
                "table inet arrivals {
                   counter arrived {}
                   chain in { type filter hook prerouting priority raw; udp dport 53 counter name arrived; }
                 }",
            );
            provider.silence(direction);
            assert_eq!(is_answered(&lab), [false, false], "{direction:?}");
            assert_eq!(arrived() > 0, direction == Direction::Incoming, "{direction:?}: packets at the Internet");
            assert!(gateway_answers(&lab));
            lab.internet.nft("delete table inet arrivals");
            provider.speak();
            assert_eq!(is_answered(&lab), [true, true]);
        }
        provider.silence_families(Families::V6, Direction::Both);
        assert_eq!(is_answered(&lab), [true, false]);
        provider.silence_families(Families::V4, Direction::Both);
        assert_eq!(is_answered(&lab), [false, false]);
        provider.speak();
        provider.drop_forwarded("ip daddr 192.0.2.11");
        assert_eq!(is_answered(&lab), [true, true]);
        assert_eq!(lab.udp(&lab.lan, "192.0.2.11".parse().unwrap(), 53), Way::Silence);
    });
}

#[test]
fn loss_takes_its_share() {
    lab::isolated(|| {
        let lab = Lab::new();
        lab.provider(1).lose(30);
        for to in INTERNET {
            let flow = Flow::udp(&lab.lan, to, 53, Duration::from_millis(1));
            assert!(flow.goes_on(250));
            let report = flow.stop();
            let percent = 100 * report.lost() / report.sent;
            println!("{percent} % of {} lost", report.sent);
            assert!((18..=42).contains(&percent), "{report:?}");
        }
    });
}

#[test]
fn a_late_answer_is_late_on_its_link_only() {
    lab::isolated(|| {
        let lab = Lab::new();
        let latency = lab.answer_late();
        let round_trip = |device: &str, to| {
            let since = Instant::now();
            assert!(lab.router.ping(to, &["-I", device]), "{to} by {device}");
            since.elapsed()
        };
        // By the gateway of the device, wherever main's default is.
        for (family, gateway) in Wan(2).gateway().into_iter().enumerate() {
            let rule = ["rule add oif eth2 lookup 200", "-6 rule add oif eth2 lookup 200"][family];
            lab.router.command("ip", &rule.split(' ').collect::<Vec<_>>());
            lab.router.ip(&format!("route add default via {gateway} dev eth2 table 200"));
        }
        latency.set(Wan(2), Duration::from_millis(300));
        for to in INTERNET {
            let (one, two) = (round_trip("eth1", to), round_trip("eth2", to));
            println!("{to}: {one:?}, {two:?}");
            assert!(one < two && two >= Duration::from_millis(300));
        }
        latency.set(Wan(2), Duration::ZERO);
        assert!(INTERNET.into_iter().any(|to| round_trip("eth2", to) < Duration::from_millis(300)));
    });
}

#[test]
fn a_renewed_lease_works_and_the_old_one_does_not() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() });
        let old = lab.provider(1).lease();
        let before = lab.network_dump(&[]).to_string();
        for _ in 0..3 {
            lab.renew(1, || {});
            assert_eq!(is_answered(&lab), [true, true]);
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.router, to, 443), Way::Link(1));
            }
        }
        let new = lab.provider(1).lease();
        assert_ne!(new.router(), old.router());
        let dump = lab.network_dump(&[]).to_string();
        for address in new.router().into_iter().chain(new.gateway()) {
            assert!(
                dump.contains(&format!("\"{address}\"")) && !before.contains(&format!("\"{address}\"")),
                "{address}"
            );
        }
        assert_eq!((lab.spoofed(), lab.provider(1).stale()), (0, 0));
        // Nothing may hide it behind the new address.
        lab.router.nft("flush ruleset");
        let [v4, v6] = old.router();
        lab.router.ip(&format!("addr add {v4}/32 dev lo\naddr add {v6}/128 dev lo"));
        for (from, to) in old.router().into_iter().zip(INTERNET) {
            let dial = Dial { from: Some(from), patience: Duration::from_millis(200), ..Dial::default() };
            assert_eq!(lab.router.run(|| dial.udp(SocketAddr::new(to, 53))), Way::Silence);
        }
        assert_eq!((lab.spoofed(), lab.provider(1).stale()), (0, 2));
    });
}

#[test]
fn a_device_goes_and_returns_with_another_index() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let index = lab.device_index(1).unwrap();
        lab.unplug(1);
        assert_eq!(lab.device_index(1), None);
        lab.plug(1);
        assert!(lab.device_index(1).is_some_and(|new| new != index));
        let since = Instant::now();
        while !gateway_answers(&lab) {
            assert!(since.elapsed() < PATIENCE);
        }
        lab.move_main_default(1);
        assert_eq!(is_answered(&lab), [true, true]);
    });
}

#[test]
fn a_flapping_cable_ends_in_place() {
    lab::isolated(|| {
        let lab = Lab::new();
        let times = lab.provider(1).flap(Duration::from_millis(100), Duration::from_secs(1));
        assert!((2..=5).contains(&times), "{times}");
        let since = Instant::now();
        while is_answered(&lab) != [true, true] {
            assert!(since.elapsed() < Duration::from_secs(20));
        }
    });
}

#[test]
fn a_crowd_is_as_many_connections() {
    lab::isolated(|| {
        let lab = Lab::new();
        // Not everything that a lab does by itself has ended.
        let before = [false, true].map(|ipv6| lab.router.connections(ipv6).get(&0).copied().unwrap_or(0));
        for to in INTERNET {
            crowd(&lab.lan, to, 9000, 20_000..21_000);
        }
        for (ipv6, before) in [false, true].into_iter().zip(before) {
            let now = lab.router.connections(ipv6)[&0];
            assert!((1_000 + before - 5..=1_010 + before).contains(&now), "{before}, then {now}");
        }
        lab.router.nft("add table inet t; add chain inet t c { type filter hook postrouting priority 300; }; add rule inet t c ct mark set 7");
        crowd(&lab.lan, INTERNET[0], 9001, 20_000..20_500);
        assert_eq!(lab.router.connections(false)[&7], 500);
        assert_eq!(lab.router.connections_marked(&[7]), 500);
    });
}

#[test]
fn births_are_seen() {
    lab::isolated(|| {
        let lab = Lab::new();
        let births = Births::watch(&lab.router);
        lab.lan.command("true", &[]);
        std::thread::sleep(Duration::from_millis(20));
        assert!(births.stop().is_empty(), "another host's");
        let births = Births::watch(&lab.router);
        let mut sleep = lab.router.start(Command::new("sleep").arg("0.05"));
        sleep.wait().unwrap();
        let born = births.stop();
        assert!(born.len() == 1 && born.iter().all(|name| name.ends_with("sleep")), "{born:?}");
    });
}

#[test]
fn leaks_are_counted_on_every_other_link() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { links: 3, main_default: vec![3], ..Setup::default() });
        let (leaks, none) = (lab.count_leaks(1, "udp dport 6000"), lab.count_leaks(3, "udp dport 6000"));
        assert_eq!(lab.udp(&lab.lan, INTERNET[0], 6000), Way::Link(3));
        assert_eq!((leaks.packets(), none.packets()), (1, 0));
    });
}

#[test]
fn every_trouble_troubles_and_ends() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut lease = lab.provider(1).lease();
        for trouble in Trouble::ALL {
            if trouble.is_vandalism() {
                for rules in [Host::ip, Host::ip6] {
                    rules(&lab.router, "rule add pref 7 fwmark 7 lookup 77\nroute add unreachable default table 77");
                }
                lab.router.nft("add table inet wansplit");
            }
            let well = lab::snapshot(&lab.router).without_parameters().in_any_order();
            trouble.begin(&lab, 1);
            let troubled = is_answered(&lab) != [true, true];
            if trouble.is_vandalism() {
                let changed = lab::snapshot(&lab.router).without_parameters().in_any_order() != well;
                assert!(changed, "{trouble:?}");
                let _ = lab.router.output("ip", &["route", "flush", "table", "77"]);
                let _ = lab.router.output("ip", &["-6", "route", "flush", "table", "77"]);
                let _ = lab.router.output("ip", &["rule", "del", "pref", "7"]);
                let _ = lab.router.output("ip", &["-6", "rule", "del", "pref", "7"]);
            } else if trouble == Trouble::Renewal {
                assert_ne!(lab.provider(1).lease(), lease);
                lease = lab.provider(1).lease();
            } else if !matches!(trouble, Trouble::Loss(_) | Trouble::Flapping) {
                assert!(troubled, "{trouble:?}");
            }
            trouble.end(&lab, 1);
            let since = Instant::now();
            while is_answered(&lab) != [true, true] {
                assert!(since.elapsed() < Duration::from_secs(20), "{trouble:?} does not end");
            }
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
