//! Events, as many as there may be, and other programs that do the daemon's work.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{
    BOTH, MAIL, PATIENCE, Unharmed, WEB, by_interface, hotplug, lab, new_connections_by, tracked, wait_until_well,
    with_devices, with_interfaces,
};
use lab::{INTERNET, Way, assert_same, snapshot};
use std::thread;
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

#[test]
fn hotplug_returns_at_once_and_is_followed() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, "");
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        // The device and its addresses stay: only netifd's account says it.
        wansplit.report_network(&lab.network_dump(&[1]));
        let since = Instant::now();
        hotplug(&wansplit, "ifdown", "wan");
        println!("hotplug took {:?}", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(2));
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        wansplit.report_network(&lab.network_dump(&[]));
        hotplug(&wansplit, "ifup", "wan");
        new_connections_by(&lab, WEB, 1);
        wait_until_well(&daemon, PATIENCE);
    });
}

#[test]
fn a_storm_of_events_ends_in_the_right_state() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        let before = daemon.usage();
        let since = Instant::now();
        let mut children = Vec::new();
        for round in 0..200 {
            // What was reported last is what counts.
            let down: &[u8] = if round % 2 == 0 { &[1] } else { &[] };
            wansplit.report_network(&lab.network_dump(down));
            let mut command = wansplit.prepare(&["hotplug"]);
            command.env("ACTION", if down.is_empty() { "ifup" } else { "ifdown" }).env("INTERFACE", "wan");
            children.push(lab.router.start(&mut command));
        }
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let took = since.elapsed();
        wait_until_well(&daemon, Duration::from_secs(90));
        new_connections_by(&lab, WEB, 1);
        let after = daemon.usage();
        println!("200 events in {took:?}, {} ticks of the daemon's, {} KiB", after.ticks - before.ticks, after.rss_kib);
        unharmed.assert();
    });
}

#[test]
fn apply_and_stop_work_beside_the_daemon() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        let right = snapshot(&lab.router);
        for _ in 0..5 {
            wansplit.apply();
        }
        assert_same(&snapshot(&lab.router), &right, "after five applies");
        // A link that is dead stays out of use, whoever applies.
        lab.provider(1).silence(lab::Direction::Both);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        wansplit.apply();
        assert_eq!(INTERNET.map(|to| lab.udp(&lab.lan, to, WEB)), [Way::Link(2); 2]);
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
        unharmed.assert();
        wansplit.stop();
        daemon.wait_for_status("it rests", PATIENCE, |status| status["resting"] == true);
        let said = wansplit.run(&["status"]).stdout;
        assert!(said.contains(": stopped until `wansplit apply`; watched by process"), "{said}");
        wansplit.apply();
        daemon
            .wait_for_status("it goes on", PATIENCE, |status| status["resting"] == false && status["in_sync"] == true);
        assert_eq!(daemon.terminate().code(), Some(0));
        let before = snapshot(&lab.router);
        wansplit.apply();
        assert_same(&snapshot(&lab.router), &before, "SIGTERM leaves the state in place");
        wansplit.stop();
        assert_eq!(lab.router.output("nft", &["list", "table", "inet", "wansplit"]).code, 1, "nothing is left");
        assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, MAIL)), [Way::Link(1); 2], "as without us");
    });
}

#[test]
fn hotplug_without_a_daemon_does_no_harm() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, "");
        wansplit.apply();
        let before = snapshot(&lab.router);
        let mut command = wansplit.prepare(&["hotplug"]);
        command.env("ACTION", "ifup").env("INTERFACE", "wan");
        let output: lab::Output = lab.router.start(&mut command).wait_with_output().unwrap().into();
        println!("{output:?}");
        assert_same(&snapshot(&lab.router), &before, "nothing had changed");
    });
}

#[test]
fn switched_off_in_its_configuration_it_leaves_nothing() {
    lab::isolated(|| {
        let lab = lab();
        let before = snapshot(&lab.router);
        let wansplit = with_interfaces(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        wansplit.configure(&by_interface(&tracked(FAST)).replace("enabled '1'", "enabled '0'"));
        daemon.hangup();
        let since = Instant::now();
        while snapshot(&lab.router) != before {
            assert!(since.elapsed() < PATIENCE, "{:?}", snapshot(&lab.router).since(&before));
            thread::sleep(Duration::from_millis(20));
        }
        wansplit.configure(&by_interface(&tracked(FAST)));
        daemon.hangup();
        new_connections_by(&lab, MAIL, 2);
        wait_until_well(&daemon, PATIENCE);
    });
}
