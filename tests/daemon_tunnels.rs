//! A VPN as a link, watched by the daemon: the kill switch of one device, and what carries the tunnel.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;
mod tunnel_support;

use lab::{
    Daemon, Direction, Flow, INTERNET, Knocker, LAN2, Lab, Setup, TUNNEL, VPN, Vpn, Way, Wireguard, masquerade,
    openvpn, tunnel_addresses, wait_for,
};
use packet_support::{configured, links};
use std::time::{Duration, Instant};
use tunnel_support::{TUNNEL_WAY, carries, link, router_end};

const PATIENCE: Duration = Duration::from_secs(20);
const BOTH: &[&str] = &["ipv4", "ipv6"];
const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

/// What the television asks for.
const PORT: u16 = 6000;

/// What the other LAN's host asks for.
const OTHERS: u16 = 7000;

/// The host in the second LAN is the television: it leaves by the VPN or not at all. The tunnel itself goes by EMB, or
/// else by OI. All three links are watched.
fn config(options: &str) -> String {
    let watched = |hosts: [std::net::IpAddr; 2]| {
        hosts.iter().map(|host| format!("list track_ip '{host}'\n")).collect::<String>() + FAST
    };
    let vpn = watched(TUNNEL.gateway()) + "option fallback 'unreachable'\n option via 'web'\n" + options;
    links(&watched(INTERNET))
        + &link("wg0", &vpn)
        + &format!(
            "config rule 'television'\n list src_ip '{}'\n list src_ip '{}'\n option use 'vpn'\n",
            LAN2[0], LAN2[1]
        )
}

fn lab() -> Lab {
    Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() })
}

fn by_tunnel<'a>(lab: &'a Lab, server: &Wireguard<'_>) -> Wireguard<'a> {
    router_end(lab, server, VPN[0], &tunnel_addresses("wg0", TUNNEL.router()))
}

/// The television goes nowhere, for longer than it takes to notice; the others do.
fn held(lab: &Lab, knocker: &Knocker) {
    for _ in 0..2 {
        for to in INTERNET {
            let way = lab.udp(&lab.lan2, to, PORT + 1);
            assert!(matches!(way, Way::Refused | Way::Silence), "{to}: {way:?}");
            wait_for("the others' way", || matches!(lab.udp(&lab.lan, to, OTHERS), Way::Link(1 | 2)));
        }
        knocker.wait_for(20);
    }
}

/// Whether what was silent, switched off or gone, all is well again.
fn well(lab: &Lab, daemon: &Daemon<'_>) {
    daemon.wait_for_state("vpn", BOTH, "up", PATIENCE);
    carries(lab, &lab.lan2, PORT);
}

#[test]
fn not_one_packet_of_the_television_leaves_by_a_wan() {
    lab::isolated(|| {
        let lab = lab();
        let vpn = Vpn::new(&lab);
        let server = vpn.wireguard();
        let leaks = lab.count_leaks(TUNNEL.0, &format!("meta l4proto {{ tcp, udp }} th dport {PORT}-{}", PORT + 1));
        let others = lab.count_leaks(TUNNEL.0, &format!("meta l4proto {{ tcp, udp }} th dport {OTHERS}"));
        // At boot there is no tunnel yet.
        let wansplit = configured(&lab, &config(""));
        let daemon = wansplit.daemon(&[]);
        let knocker = Knocker::start(&lab.lan2, INTERNET.map(|to| (None, to, PORT)).to_vec());
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        held(&lab, &knocker);

        let own = by_tunnel(&lab, &server);
        well(&lab, &daemon);
        // The far end is silent.
        vpn.host
            .nft("table inet silence { chain input { type filter hook input priority 0; udp dport 51820 drop; }; }");
        daemon.wait_for_state("vpn", BOTH, "down", PATIENCE);
        held(&lab, &knocker);
        vpn.host.nft("delete table inet silence");
        well(&lab, &daemon);
        // Switched off, and on again.
        lab.router.ip("link set wg0 down");
        daemon.wait_for_state("vpn", BOTH, "down", PATIENCE);
        held(&lab, &knocker);
        lab.router.ip("addr flush dev wg0");
        lab.router.ip(&tunnel_addresses("wg0", TUNNEL.router()));
        well(&lab, &daemon);
        // Gone, and made anew: another device of the same name.
        for _ in 0..2 {
            let wireguard_end = lab.router.command("ip", &["link", "show", "wg0"]);
            lab.router.ip("link del wg0");
            daemon.wait_for_state("vpn", BOTH, "down", PATIENCE);
            held(&lab, &knocker);
            let again = by_tunnel(&lab, &server);
            assert_ne!(lab.router.command("ip", &["link", "show", "wg0"]), wireguard_end, "another device");
            well(&lab, &daemon);
            std::mem::forget(again);
        }
        drop(own);
        assert!(knocker.stop() > 100);
        assert_eq!(leaks.packets(), 0, "the television's packets by a WAN");
        assert!(others.packets() > 0, "the counter counts");
    });
}

#[test]
fn a_vpn_of_one_family_holds_the_other_back() {
    lab::isolated(|| {
        let lab = lab();
        let vpn = Vpn::new(&lab);
        let server = vpn.wireguard();
        let leaks = lab.count_leaks(TUNNEL.0, &format!("meta l4proto {{ tcp, udp }} th dport {PORT}"));
        let wansplit = configured(&lab, &config(""));
        let daemon = wansplit.daemon(&[]);
        let address = TUNNEL.router()[0];
        let _own = router_end(&lab, &server, VPN[0], &format!("addr add {address}/24 dev wg0\nlink set wg0 up"));
        daemon.wait_for_state("vpn", &["ipv4"], "up", PATIENCE);
        wait_for("IPv4 by the tunnel", || lab.udp(&lab.lan2, INTERNET[0], PORT) == TUNNEL_WAY);
        for _ in 0..3 {
            assert_eq!(lab.udp(&lab.lan2, INTERNET[1], PORT), Way::Refused);
            assert_eq!(lab.udp(&lab.lan, INTERNET[1], PORT + 1), Way::Link(1));
        }
        assert_eq!(leaks.packets(), 0);
    });
}

/// The tunnel's own flow moves, the connections in it stay: they are the VPN's, not the WAN's.
#[test]
fn a_tunnel_outlives_the_link_that_carries_it() {
    lab::isolated(|| {
        for family in [0, 1] {
            let lab = lab();
            let vpn = Vpn::new(&lab);
            let wansplit =
                configured(&lab, &config("option down '50'\n list endpoint '*:1194'").replace("'wg0'", "'tun0'"));
            let daemon = wansplit.daemon(&[]);
            let (ends, protocol) = ([TUNNEL.gateway(), TUNNEL.router()], ["udp", "udp6"][family]);
            let _server = openvpn(&vpn.host, "tuns", ends, &format!("--proto {protocol} --port 1194 --float"));
            let client = format!("--proto {protocol} --remote {} 1194 --nobind", VPN[family]);
            let _client = openvpn(&lab.router, "tun0", [ends[1], ends[0]], &client);
            masquerade(&lab.router, "tun0");
            outlives(&lab, &daemon, 1194);
        }
    });
}

fn outlives(lab: &Lab, daemon: &Daemon<'_>, port: u16) {
    well(lab, daemon);
    let pause = Duration::from_millis(20);
    let flows = |to| [Flow::udp(&lab.lan2, to, PORT, pause), Flow::tcp(&lab.lan2, to, PORT, 512, pause)];
    let inside: Vec<Flow> = INTERNET.into_iter().flat_map(flows).collect();
    let outer = [1, 2].map(|link| lab.provider(link).count(&format!("udp dport {port}")));
    wait_for("the tunnel by EMB", || outer[0].packets() > 10);
    assert_eq!(outer[1].packets(), 0);
    for silent in [true, false] {
        let before = outer[1].packets();
        let since = Instant::now();
        if silent {
            lab.provider(1).silence(Direction::Both);
        } else {
            lab.provider(1).carrier(false);
        }
        wait_longer("the tunnel by OI", || outer[1].packets() > before + 10);
        println!("silent {silent}: by OI after {:?}", since.elapsed());
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        for flow in &inside {
            wait_longer("the flows inside", || flow.goes_on(20));
        }
        lab.provider(1).speak();
        lab.provider(1).carrier(true);
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        // What has moved stays; another conversation begins on EMB again.
        let before = outer[0].packets();
        wait_longer("the tunnel by EMB again", || {
            lab.router.forget_connections();
            outer[0].packets() > before + 10
        });
    }
    for flow in inside {
        let report = flow.stop();
        assert_eq!(report.ways(), [TUNNEL_WAY], "{report:?}");
        assert!(report.answered > 50, "{report:?}");
    }
    let log = daemon.log_text();
    assert!(
        !["link vpn down", "link vpn (IPv4) down"].iter().any(|line| log.lines().skip(2).any(|own| own.contains(line))),
        "{log}"
    );
    assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
}

fn wait_longer(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < 3 * PATIENCE, "not within {:?}: {what}", 3 * PATIENCE);
        std::thread::sleep(Duration::from_millis(50));
    }
}
