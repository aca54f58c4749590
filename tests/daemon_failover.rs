//! Links that go and come, with the daemon: who moves, who stays, and what it costs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{
    BOTH, BOUND, MAIL, OnEmb, PATIENCE, STREAM, Unharmed, VOICE, WEB, hotplug, lab, new_connections_by, tracked,
    wait_until_well, with_devices, with_interfaces,
};
use lab::{Births, Direction, Flow, INTERNET, Lab, Trouble, Wan, Way, crowd, side};
use serde_json::json;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";
/// Marks of EMB and OI, as pinned in the configuration.
const EMB: u32 = 1;
const OI: u32 = 2;

#[test]
fn a_lost_carrier_resets_its_flows_and_starts_no_program() {
    lab::isolated(|| {
        let lab = lab();
        // Nobody probes: the kernel tells.
        let wansplit = with_devices(&lab, "");
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
        let (before, births) = (daemon.usage(), Births::watch(&lab.router));
        lab.provider(1).carrier(false);
        let (voice, web) = (flows.voice_comes_by(2), flows.web_is_reset());
        let after = daemon.usage();
        println!("UDP goes on after {voice:?}, TCP is reset {web:?} later");
        println!("{} ticks of processor time", after.ticks - before.ticks);
        assert_eq!(births.stop(), [].into(), "programs started");
        assert_eq!(after.child_faults, before.child_faults, "children waited for");
        assert!(voice.into_iter().all(|time| time < Duration::from_secs(2)), "{voice:?}");
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);

        lab.provider(1).carrier(true);
        new_connections_by(&lab, WEB, 1);
        wait_until_well(&daemon, PATIENCE);
        assert!(flows.voice.iter().all(|flow| flow.goes_on(20)));
        unharmed.assert();
    });
}

#[test]
fn flows_of_the_other_link_are_never_reset() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        for round in 0..3 {
            // New ones each time, some of which began on OI because EMB was away.
            let unharmed = Unharmed::watch(&lab);
            if round == 1 {
                lab.provider(1).carrier(false);
            } else {
                lab.provider(1).silence(Direction::Both);
            }
            new_connections_by(&lab, WEB, 2);
            let begun: Vec<Flow> = INTERNET.iter().map(|to| daemon_support::udp(&lab, *to, VOICE)).collect();
            lab.provider(1).carrier(true);
            lab.provider(1).speak();
            new_connections_by(&lab, WEB, 1);
            for flow in begun {
                assert!(flow.goes_on(20));
                flow.stop().assert_whole(Way::Link(2));
            }
            unharmed.assert();
        }
    });
}

#[test]
fn with_flush_on_recovery_flows_return_to_their_first_choice() {
    lab::isolated(|| {
        let lab = lab();
        let flush = "list flush_conntrack 'down'\n list flush_conntrack 'up'\n";
        let wansplit = with_devices(&lab, &tracked(&format!("{FAST}{flush}")));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
        lab.provider(1).silence(Direction::Both);
        flows.voice_comes_by(2);
        lab.provider(1).speak();
        println!("back after {:?}", flows.voice_comes_by(1));
        unharmed.assert();
    });
}

#[test]
fn both_links_die_and_return() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let leaks = lab.count_leaks(1, &format!("meta l4proto {{ tcp, udp }} th dport {BOUND}"));
        for carrier in [true, false] {
            for link in [1, 2] {
                if carrier {
                    lab.provider(link).carrier(false);
                } else {
                    lab.provider(link).silence(Direction::Both);
                }
            }
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            daemon.wait_for_state("OI", BOTH, "down", PATIENCE);
            assert!(INTERNET.iter().all(|to| !matches!(lab.udp(&lab.lan, *to, BOUND), Way::Link(_))));
            // OI is the first to return: EMB's traffic takes it.
            for link in [2, 1] {
                lab.provider(link).carrier(true);
                lab.provider(link).speak();
                new_connections_by(&lab, WEB, link);
            }
            new_connections_by(&lab, MAIL, 2);
            new_connections_by(&lab, BOUND, 1);
            wait_until_well(&daemon, Duration::from_secs(40));
        }
        assert_eq!((leaks.packets(), lab.spoofed()), (0, 0));
    });
}

#[test]
fn a_renewed_lease_is_followed() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        for _ in 0..3 {
            let flows = OnEmb::start(&lab);
            lab.renew(1, || {
                wansplit.report_network(&lab.network_dump(&[]));
                hotplug(&wansplit, "ifupdate", "wan");
            });
            let took = new_connections_by(&lab, WEB, 1);
            println!("new connections by the new lease after {took:?}");
            assert!(took < Duration::from_secs(5), "{took:?}");
            let lease = lab.provider(1).lease();
            daemon.wait_for_status("the new lease is known", PATIENCE, |status| {
                let known = |family: &str, gateway: IpAddr, address: IpAddr| {
                    let side = side(status, "EMB", family);
                    side["gateway"] == gateway.to_string() && side["addresses"] == json!([address.to_string()])
                };
                let ([gateway4, gateway6], [address4, address6]) = (lease.gateway(), lease.router());
                known("ipv4", gateway4, address4) && known("ipv6", gateway6, address6)
            });
            wait_until_well(&daemon, PATIENCE);
            // A flow whose address has gone begins anew, by whichever link is there at that moment; it never hangs.
            for flow in flows.voice {
                assert!(flow.goes_on(10), "{:?}", flow.so_far());
            }
        }
        println!("{} packets with an old address", lab.provider(1).stale());
        unharmed.assert_but_icmp_answers();
    });
}

#[test]
fn a_device_that_returns_with_another_index_is_taken_up() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        for _ in 0..3 {
            let flows = OnEmb::start(&lab);
            lab.unplug(1);
            println!("UDP goes on after {:?}", flows.voice_comes_by(2));
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            lab.plug(1);
            println!("used again after {:?}", new_connections_by(&lab, WEB, 1));
            daemon.wait_for_status("the kernel holds what is wanted", PATIENCE, |status| status["in_sync"] == true);
        }
        wait_until_well(&daemon, Duration::from_secs(60));
        unharmed.assert_but_icmp_answers();
    });
}

#[test]
fn an_interface_that_goes_down_and_comes_up_is_followed() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
        lab.interface_down(1);
        wansplit.report_network(&lab.network_dump(&[1]));
        hotplug(&wansplit, "ifdown", "wan");
        flows.voice_comes_by(2);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        lab.interface_up(1);
        wansplit.report_network(&lab.network_dump(&[]));
        hotplug(&wansplit, "ifup", "wan");
        println!("used again after {:?}", new_connections_by(&lab, WEB, 1));
        wait_until_well(&daemon, PATIENCE);
        unharmed.assert();
    });
}

/// How many of both links' connections there are in IPv4.
fn crowds(lab: &Lab) -> (usize, usize) {
    let connections = lab.router.connections(false);
    let of = |mark| connections.get(&mark).copied().unwrap_or(0);
    (of(EMB), of(OI))
}

#[test]
fn ten_thousand_flows_of_a_dead_link_go_and_ten_thousand_of_the_other_stay() {
    const SIZE: u16 = 10_000;
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, "");
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        for port in [VOICE, STREAM] {
            crowd(&lab.lan, INTERNET[0], port, 20_000..20_000 + SIZE);
        }
        let (emb, oi) = crowds(&lab);
        assert!(emb >= usize::from(SIZE) && oi >= usize::from(SIZE), "{emb}, {oi}");
        let flow = Flow::udp(&lab.lan, INTERNET[0], STREAM, Duration::from_millis(2));
        let (oi, before) = (crowds(&lab).1, daemon.usage());
        let died = Instant::now();
        lab.provider(1).carrier(false);
        while crowds(&lab).0 > 0 {
            assert!(died.elapsed() < PATIENCE, "{:?} of the dead link's are left", crowds(&lab));
        }
        let took = died.elapsed();
        let after = daemon.usage();
        println!("{emb} flows gone {took:?} after the carrier, {} ticks of processor time", after.ticks - before.ticks);
        println!("resident memory {} KiB before, {} KiB after", before.rss_kib, after.rss_kib);
        assert_eq!(crowds(&lab).1, oi, "the other link's stay, every one");
        assert!(took < Duration::from_secs(5), "{took:?}");
        flow.stop().assert_whole(Way::Link(2));
        let line = daemon.wait_for_line(died, &["EMB", "down"], PATIENCE).expect("a line in the log");
        println!("{}", line.text);
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_kill_switch_holds_through_every_death() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let unharmed = Unharmed::watch(&lab);
        let bound = INTERNET.map(|to| daemon_support::udp(&lab, to, BOUND));
        for death in [Trouble::Silence(Direction::Both), Trouble::Carrier, Trouble::InterfaceDown] {
            death.begin(&lab, 1);
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            for to in INTERNET {
                assert!(!matches!(lab.udp(&lab.lan, to, BOUND), Way::Link(_)));
            }
            death.end(&lab, 1);
            new_connections_by(&lab, BOUND, 1);
        }
        for flow in bound {
            assert!(flow.goes_on(10), "it goes on when its link is back");
            assert_eq!(flow.stop().ways(), [Way::Link(1)]);
        }
        unharmed.assert();
    });
}

#[test]
fn connections_from_outside_keep_their_link() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        for (to, from) in Wan(2).router().into_iter().zip(INTERNET) {
            let inbound = Flow::tcp(&lab.internet, to, 8022, 512, Duration::from_millis(5));
            lab.provider(1).silence(Direction::Both);
            daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
            // Even while a link is dead, who comes in by it is answered by it.
            lab.provider(1).speak();
            assert_eq!(lab.tcp(&lab.internet, Wan(1).router()[usize::from(to.is_ipv6())], 22), Way::Direct(from));
            new_connections_by(&lab, WEB, 1);
            assert!(inbound.goes_on(10));
            inbound.stop().assert_whole(Way::Direct(from));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
