//! Tunnels that the kernel makes, on the booted machine: WireGuard, GRE, IP in IP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod booted_support;
mod daemon_support;
mod packet_support;
mod tunnel_support;

use booted_support::booted;
use booted_support::router::{SLOW_MACHINE, configure, service, status, wait_for_state, wait_for_status};
use daemon_support::tracked;
use lab::{
    Direction, Flow, INTERNET, Lab, Setup, TUNNEL, VPN, Vpn, WIREGUARD_PORT, Wan, Way, Wireguard, masquerade, side,
    tunnel_addresses, wait_for,
};
use packet_support::links;
use std::time::{Duration, Instant};
use tunnel_support::{EVERYTHING, TUNNEL_WAY, carries, from_router, link};

const BOTH: [&str; 2] = ["ipv4", "ipv6"];

#[test]
#[ignore = "boots a machine in qemu; scripts/test --all runs it"]
fn tunnels_of_the_kernel_are_links() {
    let setup = Setup { main_default: vec![1, 2], ..Setup::default() };
    booted("tunnels_of_the_kernel_are_links", &setup, &[tunnels]);
}

fn tunnels(lab: &Lab) {
    lab.router.command("opkg", &["install", "/root/wansplit.ipk"]);
    let vpn = Vpn::new(lab);
    wireguard(lab, &vpn);
    for (kind, protocol) in [("gre", 47), ("ipip", 4)] {
        point_to_point(lab, &vpn, kind, protocol);
    }
    println!("tunnels of the kernel are links");
}

/// The tunnel as a link that is watched through itself, and everything, the router's own packets too, bound to it.
fn config(device: &str, options: &str, families: usize) -> String {
    let hosts: String = TUNNEL.gateway()[..families].iter().map(|host| format!("list track_ip '{host}'\n")).collect();
    links(&tracked(SLOW_MACHINE))
        + &link(device, &format!("{hosts}{SLOW_MACHINE}{options}"))
        + "config policy 'bound'\n list use 'vpn'\n list use 'OI'\n option fallback 'unreachable'\n"
        + &from_router("list dest_port '443'", "bound")
        + &from_router("", "vpn")
}

fn apply(lab: &Lab, config: &str) {
    configure(config);
    service(lab, "restart");
    wait_for_status(lab, "the links are up", |status| {
        let up = |link| BOTH.iter().all(|family| side(status, link, family)["state"] == "up");
        status["daemon"].is_u64() && status["in_sync"] == true && up("EMB") && up("OI")
    });
}

fn wireguard(lab: &Lab, vpn: &Vpn) {
    let (own, server) =
        (Wireguard::in_kernel(&lab.router, "wg0", None), Wireguard::in_kernel(&vpn.host, "wgs", Some(WIREGUARD_PORT)));
    lab.router.ip(&tunnel_addresses("wg0", TUNNEL.router()));
    vpn.host.ip(&tunnel_addresses("wgs", TUNNEL.gateway()));
    let [own4, own6] = TUNNEL.router();
    server.peer(&own, &format!("{own4}/32,{own6}/128"), None);
    masquerade(&lab.router, "wg0");
    let outer = [1, 2].map(|link| lab.provider(link).count(&format!("udp dport {WIREGUARD_PORT}")));
    for family in [0, 1] {
        apply(lab, &config("wg0", "option via 'web'\n option down '100'", 2));
        lab.router.forget_connections();
        own.peer(&server, EVERYTHING, Some((VPN[family], WIREGUARD_PORT)));
        wait_for_state(lab, "vpn", "up");
        for host in [&lab.lan, &lab.router] {
            for port in [443, 80] {
                carries(lab, host, port);
            }
        }
        let before = outer[1].packets();
        let pause = Duration::from_millis(100);
        let inside: Vec<Flow> = INTERNET
            .into_iter()
            .flat_map(|to| [Flow::udp(&lab.lan, to, 80, pause), Flow::tcp(&lab.lan, to, 443, 512, pause)])
            .collect();
        let since = Instant::now();
        lab.provider(1).silence(Direction::Both);
        while outer[1].packets() < before + 5 {
            assert!(since.elapsed() < Duration::from_secs(60), "the tunnel stays on EMB: {:#}", status(lab));
        }
        // Over IPv6 it keeps its source address until a handshake has failed (`send6` in drivers/net/wireguard/socket.c,
        // unlike `send4`, does not ask whether the route is another one): OI's provider drops that, some 20 seconds long.
        let patience = Duration::from_secs([0, 90][family]) + since.elapsed();
        for flow in &inside {
            while !flow.goes_on(10) {
                assert!(since.elapsed() < patience, "{:?}", flow.so_far());
            }
        }
        println!("WireGuard to {} goes on by OI after {:?}", VPN[family], since.elapsed());
        if family == 0 {
            assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
        }
        lab.provider(1).speak();
        wait_for_state(lab, "EMB", "up");
        for flow in inside {
            assert_eq!(flow.stop().ways(), [TUNNEL_WAY]);
        }
    }
    lab.router.ip("link del wg0");
    vpn.host.ip("link del wgs");
    let way = lab.udp(&lab.lan, INTERNET[0], 80);
    println!("without a tunnel a LAN host's packet goes {way:?}");
}

/// The router's end has no address of its own: the route of each packet gives it one.
fn point_to_point(lab: &Lab, vpn: &Vpn, kind: &str, protocol: u8) {
    let (server, [customer, _]) = (VPN[0], Wan(1).router());
    let strays = lab.spoofed();
    lab.router.ip(&format!("link add t0 type {kind} remote {server}"));
    vpn.host.ip(&format!("link add t0 type {kind} local {server} remote {customer}"));
    // IP in IP carries IPv4 alone.
    let families = if kind == "gre" { 2 } else { 1 };
    for (host, addresses) in [(&lab.router, TUNNEL.router()), (&vpn.host, TUNNEL.gateway())] {
        for address in &addresses[..families] {
            let length = if address.is_ipv4() { 24 } else { 64 };
            host.ip(&format!("addr add {address}/{length} dev t0"));
        }
        host.ip("link set t0 up");
    }
    masquerade(&lab.router, "t0");
    apply(lab, &config("t0", "", families));
    lab.router.forget_connections();
    let outer = lab.provider(1).count(&format!("ip daddr {server} meta l4proto {protocol}"));
    for family in &BOTH[..families] {
        wait_for_status(lab, "the tunnel is up", |status| side(status, "vpn", family)["state"] == "up");
    }
    for to in &INTERNET[..families] {
        for host in [&lab.lan, &lab.router] {
            for port in [443, 80] {
                wait_for(&format!("{kind} carries {to} {port}"), || lab.udp(host, *to, port) == TUNNEL_WAY);
                assert_eq!(lab.tcp(host, *to, port), TUNNEL_WAY, "{kind} {to} {port}");
            }
        }
    }
    assert!(outer.packets() > 10, "its own packets leave by main's default");
    // The packets it is made of are EMB's connection, whatever they carry.
    let marks = lab.router.run(|| std::fs::read_to_string("/proc/net/nf_conntrack")).expect("the list of connections");
    let own: Vec<&str> = marks.lines().filter(|line| line.contains(&format!("dst={server} "))).collect();
    assert!(!own.is_empty() && own.iter().all(|line| line.contains(" mark=1 ")), "{own:#?}");
    println!("{kind}: {} packets of its own, all by EMB", outer.packets());
    for host in [&lab.router, &vpn.host] {
        host.ip("link del t0");
    }
    let way = lab.udp(&lab.lan, INTERNET[0], 443);
    assert!(way != TUNNEL_WAY && way != Way::Link(1), "{way:?}");
    assert_eq!(lab.spoofed(), strays, "{:?}", lab.strays());
}
