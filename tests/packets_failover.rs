//! A link loses its carrier: the kernel alone takes the next one, and nobody else notices.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Setup, Way};
use packet_support::{TWO_LINKS, applied, links, rule};
use std::net::IpAddr;
use std::time::{Duration, Instant};

fn config() -> String {
    TWO_LINKS.to_owned() + &rule("voice", "5060", "web") + &rule("stream", "2525", "mail")
}

/// Seconds may pass until the kernel's link watch reports a carrier that comes and goes often.
fn wait_for_link_1(lab: &Lab, to: IpAddr) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut ways = Vec::new();
    while ways.last() != Some(&Way::Link(1)) {
        assert!(Instant::now() < deadline, "link 1 is not used again: {ways:?}");
        ways.push(lab.tcp(&lab.lan, to, 443));
    }
}

fn new_connections_move(main_default: &[u8]) {
    let lab = Lab::with(&Setup { main_default: main_default.to_vec(), ..Setup::default() });
    applied(&lab, &config());
    for to in INTERNET {
        let stream = Flow::udp(&lab.lan, to, 2525, Duration::from_millis(1));
        let bulk = Flow::tcp(&lab.lan, to, 25, 8192, Duration::from_millis(1));
        let mut took = Vec::new();
        for _ in 0..5 {
            assert_eq!(lab.router.processes(), vec![], "nobody but the kernel");
            let since = Instant::now();
            lab.provider(1).carrier(false);
            let (time, way) = lab.time_to_connect(since, &lab.lan, to, 443).expect("a connection");
            assert_eq!(way, Way::Link(2));
            took.push(time);
            assert_eq!(lab.udp(&lab.lan, to, 53), Way::Link(2));
            lab.provider(1).carrier(true);
            wait_for_link_1(&lab, to);
        }
        println!("{to}: new connections after {took:?}");
        assert!(took.iter().min() < Some(&Duration::from_millis(100)), "{took:?}");
        assert!(stream.goes_on(100) && bulk.goes_on(20));
        let (stream, bulk) = (stream.stop(), bulk.stop());
        stream.assert_whole(Way::Link(2));
        bulk.assert_whole(Way::Link(2));
    }
    assert_eq!(lab.spoofed(), 0);
}

#[test]
fn carrier_loss_moves_new_connections_within_100_ms_with_mains_default_on_link_1() {
    lab::isolated(|| new_connections_move(&[1]));
}

#[test]
fn carrier_loss_moves_new_connections_within_100_ms_with_mains_default_on_link_2() {
    lab::isolated(|| new_connections_move(&[2]));
}

#[test]
fn flows_that_began_on_the_other_link_stay_there_when_the_carrier_returns() {
    lab::isolated(|| {
        let lab = Lab::new();
        applied(&lab, &config());
        for to in INTERNET {
            lab.provider(1).carrier(false);
            lab.time_to_connect(Instant::now(), &lab.lan, to, 443).expect("a connection");
            let voice = Flow::udp(&lab.lan, to, 5060, Duration::from_millis(1));
            let page = Flow::tcp(&lab.lan, to, 443, 8192, Duration::from_millis(1));
            lab.provider(1).carrier(true);
            wait_for_link_1(&lab, to);
            assert!(voice.goes_on(100) && page.goes_on(20));
            let (voice, page) = (voice.stop(), page.stop());
            voice.assert_whole(Way::Link(2));
            page.assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_device_that_is_switched_off_is_routed_round_and_its_return_is_taken_up_by_apply() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let wansplit = applied(&lab, &config());
        let streams = INTERNET.map(|to| Flow::udp(&lab.lan, to, 2525, Duration::from_millis(1)));
        lab.interface_down(1);
        for to in INTERNET {
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(2), "by the kernel alone");
        }
        wansplit.apply();
        for to in INTERNET {
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(2), "after apply");
        }
        lab.interface_up(1);
        wansplit.apply();
        for to in INTERNET {
            wait_for_link_1(&lab, to);
        }
        for stream in streams {
            let report = stream.stop();
            report.assert_whole(Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_lone_link_falls_back_to_main_when_its_fallback_says_so() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        applied(&lab, &(links("") + &rule("alone", "6000", "EMB")));
        for to in INTERNET {
            assert_eq!(lab.tcp(&lab.lan, to, 6000), Way::Link(1));
        }
        lab.provider(1).carrier(false);
        for to in INTERNET {
            let (_, way) = lab.time_to_connect(Instant::now(), &lab.lan, to, 6000).expect("a connection");
            assert_eq!(way, Way::Link(2));
        }
    });
}
