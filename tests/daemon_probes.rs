//! A link that looks alive and is not: the daemon's probes find out, and what they find is acted on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{
    BOTH, OnEmb, PATIENCE, Unharmed, WEB, lab, new_connections_by, tracked, wait_until_well, with_devices,
};
use lab::{Direction, Families, INTERNET, Wan, Way, side};
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

/// A silent death of EMB in both directions, and its return.
fn silent_death(options: &str, bound: Duration) {
    let lab = lab();
    let wansplit = with_devices(&lab, &tracked(options));
    let daemon = wansplit.daemon(&[]);
    wait_until_well(&daemon, PATIENCE);
    let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
    let died = Instant::now();
    lab.provider(1).silence(Direction::Both);
    let moved = flows.voice_comes_by(2);
    println!("UDP goes on by the other link after {moved:?}");
    let line = daemon.wait_for_line(died, &["EMB", "down"], PATIENCE).expect("a line in the log");
    println!("logged after {:?}: {}", line.at - died, line.text);
    println!("TCP is reset {:?} later", flows.web_is_reset());
    assert!(moved.into_iter().all(|time| time <= bound), "{moved:?}");
    daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
    let status = daemon.status();
    assert!(side(&status, "EMB", "ipv4")["why"].is_string(), "it says why");
    assert_eq!(side(&status, "OI", "ipv4")["state"], "up");
    assert!(side(&status, "OI", "ipv4")["rtt_ms"].as_f64().is_some_and(|rtt| rtt < 1000.0));
    assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, WEB)), [Way::Link(2); 2]);

    lab.provider(1).speak();
    println!("used again after {:?}", new_connections_by(&lab, WEB, 1));
    wait_until_well(&daemon, PATIENCE);
    // What moved to OI stays there.
    assert!(flows.voice.iter().all(|flow| flow.goes_on(10)));
    for flow in flows.voice {
        let ways = flow.stop().ways();
        assert_eq!(ways, [Way::Link(1), Way::Link(2)]);
    }
    unharmed.assert();
}

#[test]
fn a_silent_death_is_found_within_3_s_by_default() {
    lab::isolated(|| silent_death("", Duration::from_millis(4500)));
}

#[test]
fn a_silent_death_is_found_within_half_a_second_when_asked_ten_times_a_second() {
    lab::isolated(|| silent_death("option interval '100ms'\n", Duration::from_millis(1000)));
}

#[test]
fn a_link_that_only_sends_or_only_receives_is_dead() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        let unharmed = Unharmed::watch(&lab);
        for direction in [Direction::Outgoing, Direction::Incoming] {
            wait_until_well(&daemon, PATIENCE);
            lab.provider(1).silence(direction);
            let took = daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            println!("{direction:?}: down after {took:?}");
            new_connections_by(&lab, WEB, 2);
            lab.provider(1).speak();
            new_connections_by(&lab, WEB, 1);
        }
        unharmed.assert();
    });
}

#[test]
fn ipv6_alone_dies_and_moves() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
        lab.provider(1).silence_families(Families::V6, Direction::Both);
        daemon.wait_for_state("EMB", &["ipv6"], "down", PATIENCE);
        assert!(flows.voice[1].comes_by(Way::Link(2), PATIENCE).is_some());
        assert_eq!(side(&daemon.status(), "EMB", "ipv4")["state"], "up");
        assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, WEB)), [Way::Link(1), Way::Link(2)]);
        assert!(flows.voice[0].goes_on(20) && flows.web[0].goes_on(5));
        let [ipv4, _] = flows.voice;
        ipv4.stop().assert_whole(Way::Link(1));
        let [ipv4, _] = flows.web;
        ipv4.stop().assert_whole(Way::Link(1));
        unharmed.assert();
    });
}

/// New connections go by OI, those on EMB go on, until EMB is well again.
fn degraded(options: &str, worsen: impl FnOnce(&lab::Lab) -> Box<dyn FnOnce() + '_>) {
    let lab = lab();
    let wansplit = with_devices(&lab, &tracked(&format!("{FAST}{options}")));
    let daemon = wansplit.daemon(&[]);
    wait_until_well(&daemon, PATIENCE);
    let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
    let mend = worsen(&lab);
    let took = daemon.wait_for_state("EMB", BOTH, "degraded", PATIENCE);
    println!("degraded after {took:?}");
    let status = daemon.status();
    println!("{:#}", side(&status, "EMB", "ipv4"));
    assert!(side(&status, "EMB", "ipv4")["why"].is_string(), "it says why");
    assert_eq!(side(&status, "OI", "ipv4")["state"], "up");
    new_connections_by(&lab, WEB, 2);
    assert!(flows.voice.iter().chain(&flows.web).all(|flow| flow.goes_on(5)), "running flows stay");
    mend();
    new_connections_by(&lab, WEB, 1);
    wait_until_well(&daemon, PATIENCE);
    for flow in flows.voice.into_iter().chain(flows.web) {
        let report = flow.stop();
        assert_eq!((report.ways(), report.error), (vec![Way::Link(1)], None));
    }
    unharmed.assert();
}

#[test]
fn a_link_that_loses_too_much_is_second_choice() {
    lab::isolated(|| {
        // The single loss is chance: three in a row would be, too.
        degraded("option max_loss '20'\n option down '10'\n", |lab| {
            lab.provider(1).lose(35);
            Box::new(|| lab.provider(1).speak())
        });
    });
}

#[test]
fn a_link_that_is_too_slow_is_second_choice() {
    lab::isolated(|| {
        degraded("option max_latency '60ms'\n option down '5'\n", |lab| {
            let latency = lab.answer_late();
            latency.set(Wan(1), Duration::from_millis(120));
            Box::new(move || latency.set(Wan(1), Duration::ZERO))
        });
    });
}

#[test]
fn so_many_hosts_must_answer_as_reliability_says() {
    lab::isolated(|| {
        let lab = lab();
        let two = "list track_ip '192.0.2.11'\n list track_ip '2001:db8:ffff::11'\n";
        let wansplit = with_devices(&lab, &tracked(&format!("{two}{FAST}")));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        // One of two is dead, and one is enough.
        let since = Instant::now();
        lab.provider(1).drop_forwarded("ip daddr 192.0.2.11");
        lab.provider(1).drop_forwarded("ip6 daddr 2001:db8:ffff::11");
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, WEB)), [Way::Link(1); 2]);
        assert!(daemon.wait_for_line(since, &["EMB", "down"], Duration::ZERO).is_none(), "{}", daemon.log_text());
        // Both must answer.
        wansplit.configure(&daemon_support::by_device(&tracked(&format!("{two}{FAST}option reliability '2'\n"))));
        daemon.hangup();
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
    });
}

#[test]
fn a_link_is_asked_by_tcp() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(&format!("{FAST}option track_method 'tcp'\n")));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        lab.provider(1).silence(Direction::Both);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
        unharmed.assert();
    });
}

#[test]
fn probes_wait_until_ipv6_knows_that_the_links_address_is_unique() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked("option interval '200ms'\n option down '10'\n"));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        lab.interface_down(1);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        for (key, value) in [("accept_dad", "1"), ("dad_transmits", "3")] {
            lab.router.sysctl(&format!("net/ipv6/conf/eth1/{key}"), value);
        }
        let back = Instant::now();
        let [v4, v6] = Wan(1).router();
        lab.router.ip(&format!("addr add {v4}/24 dev eth1\naddr add {v6}/64 dev eth1\nlink set eth1 up"));
        // Until then the kernel would give them OI's address.
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        println!("well after {:?}", back.elapsed());
        let fallen = daemon
            .log()
            .into_iter()
            .filter(|line| line.at > back && line.text.contains("EMB") && line.text.contains("down"));
        assert_eq!(fallen.map(|line| line.text).collect::<Vec<_>>(), [""; 0]);
        unharmed.assert();
    });
}

#[test]
fn what_is_dead_for_every_link_takes_none_down_for_long_and_leaks_nothing() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let leaks = lab.count_leaks(1, "meta l4proto { tcp, udp } th dport 6000");
        for link in [1, 2] {
            lab.provider(link).silence(Direction::Both);
        }
        daemon.wait_for_status("both are down", PATIENCE, |status| {
            ["EMB", "OI"].iter().all(|link| BOTH.iter().all(|family| side(status, link, family)["state"] == "down"))
        });
        for to in INTERNET {
            assert!(!matches!(lab.udp(&lab.lan, to, daemon_support::BOUND), Way::Link(_)));
        }
        for link in [1, 2] {
            lab.provider(link).speak();
        }
        new_connections_by(&lab, WEB, 1);
        new_connections_by(&lab, daemon_support::MAIL, 2);
        wait_until_well(&daemon, PATIENCE);
        assert_eq!((leaks.packets(), lab.spoofed()), (0, 0));
    });
}
