//! What others do to the daemon and to its state, and what it costs when nothing happens.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{
    BOTH, MAIL, OnEmb, PATIENCE, Unharmed, WEB, by_device, lab, new_connections_by, tracked, wait_until_well,
    with_devices,
};
use lab::{Dice, Direction, INTERNET, Lab, Trouble, Way, assert_same, side, snapshot};
use std::thread;
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

#[test]
fn killed_at_any_moment_it_ends_in_the_right_state() {
    lab::isolated(|| {
        let times: u32 = std::env::var("WANSPLIT_KILLS").map_or(10, |text| text.parse().unwrap());
        let mut dice = Dice::seeded("WANSPLIT_SEED");
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let troubles = [
            Trouble::Carrier,
            Trouble::Silence(Direction::Both),
            Trouble::InterfaceDown,
            Trouble::Replug,
            Trouble::TableDeleted,
            Trouble::RulesFlushed,
        ];
        for round in 0..times {
            let trouble = *dice.choose(&troubles);
            let wait = Duration::from_millis(dice.below(600));
            println!("round {round}: {trouble:?}, killed {wait:?} later");
            let watch = (!trouble.is_vandalism()).then(|| Unharmed::watch(&lab));
            trouble.begin(&lab, 1);
            thread::sleep(wait);
            daemon.kill9();
            let ends_dead = !trouble.is_vandalism() && dice.below(2) == 0;
            if !ends_dead {
                trouble.end(&lab, 1);
            }
            thread::sleep(Duration::from_millis(dice.below(200)));
            daemon.start_again();
            daemon.wait_until_ready();
            if ends_dead {
                daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
                new_connections_by(&lab, WEB, 2);
                trouble.end(&lab, 1);
            }
            wait_until_well(&daemon, PATIENCE);
            new_connections_by(&lab, WEB, 1);
            new_connections_by(&lab, MAIL, 2);
            if let Some(unharmed) = watch {
                unharmed.assert_but_icmp_answers();
            }
        }
    });
}

#[test]
fn a_restart_loses_no_packet_and_trusts_no_dead_link() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
        for kill in [true, false] {
            if kill {
                daemon.kill9();
            } else {
                assert_eq!(daemon.terminate().code(), Some(0), "SIGTERM is no error");
            }
            let before = snapshot(&lab.router);
            assert!(flows.voice.iter().all(|flow| flow.goes_on(10)), "its state works without it");
            assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, MAIL)), [Way::Link(2); 2]);
            daemon.start_again();
            daemon.wait_until_ready();
            assert_same(&snapshot(&lab.router), &before, "a start changes nothing that is right");
        }
        for flow in flows.voice.into_iter().chain(flows.web) {
            flow.stop().assert_whole(Way::Link(1));
        }
        lab.provider(1).silence(Direction::Both);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        daemon.kill9();
        daemon.start_again();
        daemon.wait_until_ready();
        for _ in 0..20 {
            assert_eq!(lab.udp(&lab.lan, INTERNET[0], WEB), Way::Link(2), "a link that was dead is not used unasked");
        }
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
        unharmed.assert();
    });
}

/// Each kind of vandalism, so often; how long it took to be put right each time.
fn vandalism(trouble: Trouble, times: u32) {
    let lab = lab();
    // The kernel's own ip rules look different once somebody has put them back.
    trouble.begin(&lab, 1);
    let wansplit = with_devices(&lab, "");
    let daemon = wansplit.daemon(&[]);
    wait_until_well(&daemon, PATIENCE);
    let right = snapshot(&lab.router).in_any_order();
    let mut slowest = Duration::ZERO;
    for round in 0..times {
        let since = Instant::now();
        trouble.begin(&lab, 1);
        while snapshot(&lab.router).in_any_order() != right {
            assert!(
                since.elapsed() < PATIENCE,
                "round {round}: {:?}\n{}",
                snapshot(&lab.router).in_any_order().since(&right),
                daemon.log_text()
            );
        }
        slowest = slowest.max(since.elapsed());
    }
    println!("{trouble:?}, {times} times: put right within {slowest:?}");
    assert!(slowest < Duration::from_millis(2500), "{slowest:?}");
    assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, MAIL)), [Way::Link(2); 2]);
    assert!(daemon.log().len() < 20 + 5 * usize::try_from(times).unwrap(), "{}", daemon.log_text());
}

#[test]
fn flushed_rules_are_put_back() {
    lab::isolated(|| vandalism(Trouble::RulesFlushed, 20));
}

#[test]
fn a_deleted_table_is_put_back() {
    lab::isolated(|| vandalism(Trouble::TableDeleted, 20));
}

#[test]
fn flushed_routes_are_put_back() {
    lab::isolated(|| vandalism(Trouble::RoutesFlushed, 20));
}

#[test]
fn a_flushed_ruleset_is_put_back() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        // As when the firewall is stopped: its own rules go too.
        let firewall = lab.router.command("nft", &["list", "table", "inet", "fw4"]);
        for _ in 0..3 {
            let since = Instant::now();
            lab.router.nft("flush ruleset");
            while lab.router.output("nft", &["list", "chain", "inet", "wansplit", "prerouting"]).code != 0 {
                assert!(since.elapsed() < PATIENCE, "{}", daemon.log_text());
            }
            println!("back after {:?}", since.elapsed());
            assert!(since.elapsed() < Duration::from_millis(2500));
            lab.router.nft(&firewall);
            wait_until_well(&daemon, PATIENCE);
            new_connections_by(&lab, MAIL, 2);
        }
    });
}

#[test]
fn a_second_daemon_says_so_and_ends() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, "");
        let mut daemon = wansplit.daemon(&[]);
        let before = snapshot(&lab.router);
        let since = Instant::now();
        let second = wansplit.run(&["run"]);
        println!("{}: {}", second.code, second.stderr);
        assert!(second.code > 0, "{second:?}");
        assert!(second.stderr.contains("already"), "{second:?}");
        assert!(since.elapsed() < Duration::from_secs(10));
        assert!(daemon.is_running(), "the first goes on");
        assert_same(&snapshot(&lab.router), &before, "after the second");
        assert_eq!(daemon.status()["daemon"], daemon.id());
        // Neither a lock nor a socket that is left behind keeps the next one out.
        daemon.kill9();
        daemon.start_again();
        daemon.wait_until_ready();
    });
}

#[test]
fn a_reload_takes_the_new_configuration() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        let other = by_device(&tracked(FAST))
            .replace("list dest_port '443'\n  option use 'web'", "list dest_port '443'\n  option use 'mail'");
        assert_ne!(other, by_device(&tracked(FAST)));
        for (config, link) in [(&other, 2), (&by_device(&tracked(FAST)), 1)] {
            wansplit.configure(config);
            daemon.hangup();
            new_connections_by(&lab, WEB, link);
        }
        // What cannot be understood changes nothing, and the daemon lives on.
        wansplit.configure("nonsense\n");
        daemon.hangup();
        thread::sleep(Duration::from_millis(500));
        assert!(daemon.is_running());
        assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, WEB)), [Way::Link(1); 2]);
        println!("{}", daemon.log_text());
        wansplit.configure(&other);
        daemon.hangup();
        new_connections_by(&lab, WEB, 2);
        unharmed.assert();
    });
}

#[test]
fn at_rest_it_costs_next_to_nothing() {
    lab::isolated(|| {
        let lab: Lab = lab();
        let wansplit = with_devices(&lab, &tracked(""));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        thread::sleep(Duration::from_secs(1));
        const SECONDS: u64 = 5;
        let before = daemon.usage();
        thread::sleep(Duration::from_secs(SECONDS));
        let after = daemon.usage();
        let wakeups = (after.wakeups - before.wakeups) as f64 / SECONDS as f64;
        println!(
            "{wakeups} wake-ups a second for 2 links of 2 families, {} ticks of processor time in {SECONDS} s",
            after.ticks - before.ticks
        );
        println!("resident memory: {} KiB, {} KiB of it no file's", after.rss_kib, after.anonymous_kib);
        // Two links, both families: each is asked once a second.
        assert!(wakeups <= 4.0 * 5.0, "{wakeups} wake-ups a second");
        // A build for tests is large, and its pages count as resident while the machine has room for them.
        assert!(after.anonymous_kib <= 1536, "{} KiB", after.anonymous_kib);
        assert_eq!(after.child_faults, before.child_faults);
        assert_eq!(side(&daemon.status(), "EMB", "ipv4")["loss_percent"], 0);
    });
}
