//! Gateways asked by ARP and NDP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod probe_support;

use lab::{INTERNET, LAN, Lab, Wan};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use probe_support::{Bench, Heard, PATIENCE, SILENCE, host, lab, way};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use wansplit::config::model::Method::{self, Arp};
use wansplit::config::model::TrackedHost;
use wansplit::probe::{Failure, Way};

fn gateways(link: u8) -> [TrackedHost; 2] {
    Wan(link).gateway().map(host)
}

/// Counts the solicitations of both families that a provider hears, and drops them while `deaf`.
fn hear(lab: &Lab, link: u8, deaf: bool) {
    let verdict = if deaf { "drop" } else { "accept" };
    lab.provider(link).host.nft(&format!(
        "table arp heard
         delete table arp heard
         table inet heard
         delete table inet heard
         table arp heard {{
           counter v4 {{}}
           chain input {{ type filter hook input priority 0; policy accept; arp operation request counter name v4 {verdict}; }}
         }}
         table inet heard {{
           counter v6 {{}}
           chain input {{ type filter hook input priority 0; policy accept;
             icmpv6 type nd-neighbor-solicit counter name v6 {verdict}; }}
         }}"
    ));
}

fn heard(lab: &Lab, link: u8) -> [u64; 2] {
    let host = &lab.provider(link).host;
    let text = host.command("nft", &["list", "counter", "arp", "heard", "v4"]);
    let mut words = text.split_whitespace().skip_while(|word| *word != "packets").skip(1);
    [words.next().unwrap().parse().unwrap(), host.counted("heard", "v6")]
}

fn entries(lab: &Lab) -> String {
    lab.router.command("ip", &["neigh"])
}

#[test]
fn each_probe_of_a_living_gateway_is_a_question_of_its_own() {
    lab::isolated(|| {
        let lab = lab();
        hear(&lab, 2, false);
        lab.router.run(|| {
            let mut bench = Bench::new();
            for known in [false, true] {
                for (family, gateway) in gateways(2).into_iter().enumerate() {
                    if !known {
                        lab.router.ip(&format!("neigh flush dev eth2 to {}", gateway.address));
                    }
                    let before = heard(&lab, 2)[family];
                    for _ in 0..10 {
                        bench.is_answered(&way(2), Arp, gateway);
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    let asked = heard(&lab, 2)[family] - before;
                    assert!((10..=11).contains(&asked), "{asked} solicitations of {gateway:?} for 10 probes");
                }
            }
            // As fast as it goes.
            for (family, gateway) in gateways(2).into_iter().enumerate() {
                let before = heard(&lab, 2)[family];
                for _ in 0..100 {
                    bench.is_answered(&way(2), Arp, gateway);
                }
                assert!(heard(&lab, 2)[family] - before >= 100, "{gateway:?}");
            }
        });
    });
}

#[test]
fn a_gateway_that_falls_silent_fails_and_is_found_again() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            for gateway in gateways(2) {
                let mut bench = Bench::new();
                hear(&lab, 2, false);
                bench.is_answered(&way(2), Arp, gateway);
                hear(&lab, 2, true);
                // Whatever the interval: none of these is answered, and all fail when the kernel gives up after 3 s.
                let mut asked = Vec::new();
                for _ in 0..10 {
                    asked.push(bench.send(&way(2), Arp, gateway));
                    assert_eq!(bench.hear_all(Duration::from_millis(100), 1), []);
                }
                bench.is_answered(&way(1), Arp, gateways(1)[0]);
                let failed = bench.hear_all(2 * PATIENCE, 10);
                assert!(failed.iter().all(|answer| answer.outcome == Err(Failure::NoNeighbour)), "{failed:?}");
                assert_eq!(failed.iter().map(|answer| answer.token).collect::<Vec<_>>(), asked);
                assert!(entries(&lab).contains("FAILED"), "{}", entries(&lab));
                // It is looked for again, and not found.
                asked = vec![bench.send(&way(2), Arp, gateway), bench.send(&way(2), Arp, gateway)];
                assert_eq!(bench.hear_all(SILENCE, 1), []);
                // It is back. Those that still wait are answered with the next that is asked.
                hear(&lab, 2, false);
                asked.push(bench.send(&way(2), Arp, gateway));
                let found = bench.hear_all(PATIENCE, 3);
                assert_eq!(found.iter().map(|answer| answer.token).collect::<Vec<_>>(), asked);
                assert!(found.iter().all(|answer| answer.outcome.is_ok()), "{found:?}");
            }
        });
    });
}

#[test]
fn links_are_kept_apart_and_what_happens_in_the_lan_is_not_heard() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            hear(&lab, 2, true);
            for (mine, other) in gateways(2).into_iter().zip(gateways(1)) {
                let lost = bench.send(&way(2), Arp, mine);
                bench.is_answered(&way(1), Arp, other);
                // An address of the wrong link is nobody's.
                bench.send(&way(1), Arp, mine);
                assert_eq!(bench.hear_all(SILENCE, 1), [], "neither {lost:?}");
            }
            bench.prober.expire(Duration::MAX);
            // Nothing waits, and nothing wakes.
            lab.router.ip("neigh flush all");
            assert!(lab.router.ping(LAN[0], &[]));
            assert_eq!(poll(&mut [PollFd::new(bench.prober.as_fd(), PollFlags::POLLIN)], 100u16).unwrap(), 0);
            bench.is_answered(&way(1), Arp, gateways(1)[0]);
        });
    });
}

#[test]
fn announcements_that_do_not_fit_are_made_up_for() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.ip("addr add 10.99.0.1/16 dev eth0");
        lab.router.run(|| {
            let mut bench = Bench::new();
            for (family, gateway) in gateways(2).into_iter().enumerate() {
                hear(&lab, 2, true);
                let token = bench.send(&way(2), Arp, gateway);
                // A few hundred fit; once one does not, the kernel announces nothing until all that fitted is read.
                let lines = (0..2000).map(|n| {
                    let (last, n) = (n % 200 + 2, n / 200);
                    format!("neigh replace 10.99.0.{last} lladdr 02:00:00:00:00:0{n} nud permanent dev eth0\n")
                });
                lab.router.ip(&lines.collect::<String>());
                hear(&lab, 2, false);
                let found = format!("{} dev eth2 lladdr ", gateway.address);
                let reachable = |line: &str| line.starts_with(&found) && line.ends_with("REACHABLE ");
                let patience = Instant::now() + PATIENCE;
                while !entries(&lab).lines().any(reachable) {
                    assert!(Instant::now() < patience, "the kernel asks once a second: {}", entries(&lab));
                    std::thread::sleep(Duration::from_millis(50));
                }
                let heard = bench.hear(PATIENCE).unwrap_or_else(|| panic!("family {family}"));
                assert!(heard.token == token && heard.outcome.is_ok(), "{heard:?}");
            }
        });
    });
}

#[test]
fn an_entry_the_administrator_has_set_stays_his() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            for gateway in gateways(2) {
                let set = format!("{} dev eth2 lladdr 02:00:00:00:00:07", gateway.address);
                lab.router.ip(&format!("neigh replace {set} nud permanent"));
                let unsent = bench.ask(&way(2), Arp, gateway).unwrap_err();
                assert_eq!(unsent.errno, Errno::EOPNOTSUPP, "{unsent}");
                assert!(entries(&lab).contains(&format!("{set} PERMANENT")), "{}", entries(&lab));
            }
        });
    });
}

#[test]
fn devices_that_cannot_be_asked() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            let gone = Way { device: "nosuch".into(), ..way(2) };
            let unsent = bench.ask(&gone, Arp, gateways(2)[0]).unwrap_err();
            assert_eq!(unsent.errno, Errno::ENODEV, "{unsent}");
            lab.router.ip("link set eth2 arp off");
            for gateway in gateways(2) {
                let unsent = bench.ask(&way(2), Arp, gateway).unwrap_err();
                assert_eq!(unsent.errno, Errno::EOPNOTSUPP, "{unsent}");
            }
            lab.router.ip("link set eth2 arp on");
            lab.router.ip("neigh flush dev eth2");
            for gateway in gateways(2) {
                bench.is_answered(&way(2), Arp, gateway);
            }
            lab.interface_down(2);
            for gateway in gateways(2) {
                let heard = bench.probe(&way(2), Arp, gateway, SILENCE);
                assert!(matches!(heard, Heard::Unsent(_) | Heard::Nothing), "{heard:?}");
                bench.prober.expire(Duration::MAX);
            }
            lab.interface_up(2);
            for gateway in gateways(2) {
                bench.is_answered(&way(2), Arp, gateway);
            }
            bench.is_answered(&way(1), Method::Ping, host(INTERNET[0]));
        });
    });
}

#[test]
fn a_cable_that_is_pulled_during_a_probe() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            for gateway in gateways(2) {
                hear(&lab, 2, true);
                bench.send(&way(2), Arp, gateway);
                lab.provider(2).carrier(false);
                let heard = bench.hear_all(SILENCE, 1);
                assert!(heard.iter().all(|answer| answer.outcome == Err(Failure::NoNeighbour)), "{heard:?}");
                bench.prober.expire(Duration::MAX);
                hear(&lab, 2, false);
                lab.provider(2).carrier(true);
                // Linkwatch may tell the device of its carrier a little later.
                let back = (0..50).any(|_| {
                    bench.probe(&way(2), Arp, gateway, SILENCE) == Heard::Answer || {
                        bench.prober.expire(Duration::MAX);
                        false
                    }
                });
                assert!(back, "{gateway:?}");
            }
        });
    });
}
