//! Software flow offload: packets of a known connection pass by everything, ours too, and still move when their link dies.
//!
//! It takes a kernel with flowtables, so it runs on the booted machine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod booted_support;
mod daemon_support;
mod packet_support;

use booted_support::booted;
use booted_support::router::{SLOW_MACHINE, configure, service, wait_for_state, wait_until_well};
use daemon_support::{
    BOUND, MAIL, OnEmb, PATIENCE, STREAM, Unharmed, VOICE, WEB, by_device, new_connections_by, tracked,
};
use lab::{Direction, Flow, INTERNET, Lab, Setup, Wan, Way};
use std::fs;
use std::time::{Duration, Instant};

/// Marks of EMB and OI, as pinned in the configuration.
const EMB: u32 = 1;
const OI: u32 = 2;

/// The port that is forwarded to the LAN host's ssh.
const SSH: u16 = 8022;

#[test]
#[ignore = "boots a machine in qemu; scripts/test --all runs it"]
fn offloaded_flows_move_when_their_link_dies() {
    let setup = Setup { main_default: vec![1, 2], offload: true, ..Setup::default() };
    booted("offloaded_flows_move_when_their_link_dies", &setup, &[offloaded]);
}

fn offloaded(lab: &Lab) {
    lab.router.command("opkg", &["install", "/root/wansplit.ipk"]);
    configure(&by_device(&tracked(SLOW_MACHINE)));
    service(lab, "restart");
    wait_until_well(lab);

    let unharmed = Unharmed::watch_every(lab, Duration::from_millis(50));
    let inbound = INTERNET.map(|internet| port_forward(lab, internet));
    wait_until_offloaded(lab, SSH, OI);
    packets_pass_by_our_chains(lab);
    for fault in [Fault::Carrier, Fault::Silence] {
        link_dies(lab, fault);
    }
    the_firewall_is_reloaded(lab);
    for (port, mark) in [(MAIL, OI), (STREAM, OI)] {
        wait_until_offloaded(lab, port, mark);
    }
    for (flow, internet) in inbound.into_iter().zip(INTERNET) {
        assert!(flow.goes_on(5), "{:?}", flow.so_far());
        flow.stop().assert_whole(Way::Direct(internet));
    }
    unharmed.assert();
    println!("flows of the other link have lost nothing, and no packet had the wrong address");
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The cable is out.
    Carrier,
    /// The provider forwards nothing.
    Silence,
}

impl Fault {
    fn begin(self, lab: &Lab) {
        match self {
            Self::Carrier => lab.provider(1).carrier(false),
            Self::Silence => lab.provider(1).silence(Direction::Both),
        }
    }

    fn end(self, lab: &Lab) {
        lab.provider(1).carrier(true);
        lab.provider(1).speak();
    }
}

/// EMB dies and comes back.
fn link_dies(lab: &Lab, fault: Fault) {
    let flows = OnEmb::start(lab);
    let bound = INTERNET.map(|to| Flow::udp(&lab.lan, to, BOUND, Duration::from_millis(50)));
    for port in [WEB, VOICE] {
        wait_until_offloaded(lab, port, EMB);
    }
    assert!(bound.iter().all(|flow| flow.goes_on(5)), "{bound:?}");
    fault.begin(lab);
    let (voice, web) = (flows.voice_comes_by(2), flows.web_is_reset());
    // IPv6's reset may take three seconds after a lost carrier, here and not on a router: a packet that had just been
    // offloaded waits for a neighbour that does not answer, and the LAN host, which runs on the same kernel, sends none
    // again that it knows to be in a queue still (TCPSpuriousRtxHostQueues).
    println!("{fault:?}: UDP goes on after {voice:?}, TCP is reset {web:?} later");
    new_connections_by(lab, WEB, 2);
    wait_for_state(lab, "EMB", "down");
    wait_until_offloaded(lab, VOICE, OI);
    fault.end(lab);
    wait_until_well(lab);
    new_connections_by(lab, WEB, 1);
    // What may use EMB alone has waited. That it left by no other link `Unharmed` has seen.
    for flow in bound {
        assert!(flow.comes_by(Way::Link(1), PATIENCE).is_some(), "{:?}", flow.so_far());
        assert_eq!(flow.stop().ways(), [Way::Link(1)]);
    }
    for flow in flows.voice {
        let before = flow.so_far().ways[&Way::Link(2)];
        assert!(flow.goes_on(20), "{:?}", flow.so_far());
        assert!(flow.stop().ways[&Way::Link(2)] >= before + 20, "what has moved stays");
    }
}

/// Established packets are seen by no chain of prerouting, where ours is.
fn packets_pass_by_our_chains(lab: &Lab) {
    lab.router.nft(&format!(
        "table inet onlooker {{
           counter seen {{}}
           chain prerouting {{ type filter hook prerouting priority mangle + 1; th dport {VOICE} counter name seen; th sport {VOICE} counter name seen; }}
         }}"
    ));
    let flows = INTERNET.map(|to| Flow::udp(&lab.lan, to, VOICE, Duration::from_millis(10)));
    wait_until_offloaded(lab, VOICE, EMB);
    let (seen, passed) = (lab.router.counted("onlooker", "seen"), flows.each_ref().map(|flow| flow.so_far().answered));
    for _ in 0..4 {
        assert!(flows.iter().all(|flow| flow.goes_on(50)), "{flows:?}");
    }
    let passed: u32 = flows.iter().zip(passed).map(|(flow, before)| 2 * (flow.so_far().answered - before)).sum();
    let seen = lab.router.counted("onlooker", "seen") - seen;
    println!("of {passed} packets {seen} came by our chains");
    assert!(passed >= 800 && seen <= 20, "{seen} of {passed} packets are not offloaded");
    for flow in flows {
        flow.stop().assert_whole(Way::Link(1));
    }
    lab.router.nft("delete table inet onlooker");
}

/// The flowtable goes and comes with the firewall; flows fall back meanwhile, and stay on their links.
fn the_firewall_is_reloaded(lab: &Lab) {
    let flows = INTERNET.map(|to| Flow::udp(&lab.lan, to, VOICE, Duration::from_millis(10)));
    wait_until_offloaded(lab, VOICE, EMB);
    lab.reload_firewall();
    wait_until_offloaded(lab, VOICE, EMB);
    for flow in flows {
        assert!(flow.goes_on(20), "{:?}", flow.so_far());
        flow.stop().assert_whole(Way::Link(1));
    }
}

/// A connection from outside by OI to the LAN host's ssh: its answers leave by OI, though `main` prefers EMB.
fn port_forward(lab: &Lab, internet: std::net::IpAddr) -> Flow {
    let address = Wan(2).router()[usize::from(internet.is_ipv6())];
    let flow = Flow::tcp(&lab.internet, address, SSH, 1024, Duration::from_millis(20));
    assert_eq!(flow.so_far().ways(), [Way::Direct(internet)]);
    flow
}

/// Waits until a connection to a port with this mark is offloaded, in both families.
fn wait_until_offloaded(lab: &Lab, port: u16, mark: u32) {
    let since = Instant::now();
    let (port, mark) = (format!(" dport={port} "), format!(" mark={mark} "));
    loop {
        let table = lab.router.run(|| fs::read_to_string("/proc/net/nf_conntrack")).expect("the list of connections");
        let lines: Vec<&str> = table.lines().filter(|line| line.contains(&port)).collect();
        let done = ["ipv4 ", "ipv6 "].iter().all(|family| {
            let mut lines = lines.iter().filter(|line| line.starts_with(family));
            lines.any(|line| line.contains(" [OFFLOAD] ") && line.contains(&mark))
        });
        if done {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "connections to{port}with{mark}are not offloaded: {lines:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
