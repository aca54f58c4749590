//! Tunnels as links: what they carry, and the packets they are made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;
mod tunnel_support;

use lab::{
    INTERNET, Lab, Setup, TUNNEL, VPN, Vpn, WIREGUARD_PORT, Way, Wireguard, masquerade, openvpn, tunnel_addresses,
    wait_for,
};
use packet_support::{applied, configured, links, rule};
use std::net::SocketAddr;
use tunnel_support::{EVERYTHING, TUNNEL_WAY, carries, from_router, wireguard, with_wireguard};

/// A VXLAN tunnel to the server. The kernel routes its outer packets with the mark of the inner one.
fn vxlan(lab: &Lab, vpn: &Vpn) {
    lab.router.ip(&format!("link add vx0 type vxlan id 5 remote {} dstport 4789", VPN[0]));
    lab.router.ip(&tunnel_addresses("vx0", TUNNEL.router()));
    // It learns where the router is from what the router sends.
    vpn.host.ip("link add vx0 type vxlan id 5 dstport 4789");
    vpn.host.ip(&tunnel_addresses("vx0", TUNNEL.gateway()));
    lab.router.nft("insert rule inet fw4 input udp dport 4789 accept");
    masquerade(&lab.router, "vx0");
}

fn with_vxlan(fallback: &str) -> String {
    links("")
        + &format!(
            "config link 'vpn'
               option device 'vx0'
               option gateway '198.18.5.1'
               option gateway6 '2001:db8:5::1'
               option fallback '{fallback}'
             config policy 'safe'
               list use 'vpn'
               list use 'OI'
               option fallback 'unreachable'\n"
        )
        + &rule("by_link", "6000", "vpn")
        + &rule("by_policy", "6100", "safe")
}

#[test]
fn a_packet_does_not_lend_its_mark_to_the_one_it_travels_in() {
    lab::isolated(|| {
        for fallback in ["main", "unreachable"] {
            let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
            let vpn = Vpn::new(&lab);
            vxlan(&lab, &vpn);
            applied(&lab, &with_vxlan(fallback));
            let outer = lab.provider(1).count("udp dport 4789");
            for to in INTERNET {
                for port in [6000, 6100] {
                    wait_for("the tunnel carries", || lab.udp(&lab.lan, to, port) == TUNNEL_WAY);
                    assert_eq!(lab.tcp(&lab.lan, to, port), TUNNEL_WAY, "{to} {port} fallback {fallback}");
                }
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
            }
            assert!(outer.packets() > 0);
            assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
        }
    });
}

/// What the router or a rule sends by a policy.
const ORDER: &str = "config policy 'order'\n list use 'vpn'\n list use 'EMB'\n list use 'OI'\n";

/// WireGuard's own packets, told by their port: however its rules are, they never go into the tunnel.
#[test]
fn a_tunnel_never_carries_itself_whatever_the_rules() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let vpn = Vpn::new(&lab);
        let catch_all = from_router("", "vpn");
        let policy = ORDER.to_owned() + &from_router("", "order");
        let by_port = from_router(&format!("list dest_port '{WIREGUARD_PORT}'"), "vpn") + &catch_all;
        let for_server = from_router("list dest_port '51820'\n list proto 'udp'", "OI") + &catch_all;
        for family in [0, 1] {
            let [own, server] = wireguard(&lab, &vpn, family);
            for (text, link) in [
                (with_wireguard("", &catch_all), 1),
                (with_wireguard("option fallback 'unreachable'", &catch_all), 1),
                (with_wireguard("", &policy), 1),
                (with_wireguard("", &by_port), 1),
                (with_wireguard("", &for_server), 2),
                (with_wireguard("option via 'OI'", &catch_all), 2),
                (with_wireguard("option via 'mail'", &policy), 2),
                (with_wireguard("option via 'main'", &policy), 1),
            ] {
                applied(&lab, &text);
                // A conversation that has begun keeps its link, and its source address.
                lab.router.forget_connections();
                own.peer(&server, EVERYTHING, Some((VPN[family], WIREGUARD_PORT)));
                let outer = lab.provider(link).count(&format!("udp dport {WIREGUARD_PORT}"));
                carries(&lab, &lab.lan, 443);
                carries(&lab, &lab.router, 443);
                wait_for("its own packets", || outer.packets() > 0);
                let others = lab.count_leaks(link, &format!("udp dport {WIREGUARD_PORT}"));
                carries(&lab, &lab.lan, 80);
                assert_eq!(others.packets(), 0, "by another link: {text}");
            }
        }
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

/// `explain` knows the tunnel's own packets, and the kernel agrees.
#[test]
fn explain_knows_what_a_tunnel_is_made_of() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let vpn = Vpn::new(&lab);
        let _ends = wireguard(&lab, &vpn, 0);
        let port = lab.router.command("wg", &["show", "wg0", "listen-port"]).trim().to_owned();
        let catch_all = from_router("", "vpn");
        for (options, reason, device) in [
            ("", "a tunnel made of such packets", "dev eth1 table main"),
            ("option via 'mail'", "a tunnel made of such packets", "dev eth2 table"),
        ] {
            let wansplit = applied(&lab, &with_wireguard(options, &catch_all));
            let explain = |words: &[&str]| {
                let output = wansplit.run(&[&["explain"], words].concat());
                assert_eq!(output.code, 0, "{}", output.stderr);
                output.stdout
            };
            for server in [format!("{}:{WIREGUARD_PORT}", VPN[0]), format!("[{}]:{WIREGUARD_PORT}", VPN[1])] {
                let answer = explain(&["udp", &format!("router:{port}"), &server]);
                assert!(answer.contains(reason) && answer.contains(device), "{answer}");
                let other = explain(&["udp", "router:1000", &server]);
                assert!(other.contains("link     vpn") && other.contains("dev wg0"), "{other}");
            }
        }
    });
}

/// OpenVPN's own packets cannot be told from the router's others: the owner names the server.
#[test]
fn an_endpoint_that_is_named_is_kept_out() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let vpn = Vpn::new(&lab);
        let ends = [TUNNEL.gateway(), TUNNEL.router()];
        let catch_all = from_router("", "vpn");
        let with = |options: &str| with_wireguard(options, &catch_all).replace("wg0", "tun0");
        for (protocol, own, other) in [
            ("udp", "udp", VPN[0]),
            ("udp", "udp6", VPN[1]),
            ("tcp", "tcp-client", VPN[0]),
            ("tcp", "tcp6-client", VPN[1]),
        ] {
            let start = || {
                let server = own.replace("client", "server");
                let server = openvpn(&vpn.host, "tuns", ends, &format!("--proto {server} --port 1194"));
                let client = format!("--proto {own} --remote {other} 1194 --nobind --connect-retry 1");
                let client = openvpn(&lab.router, "tun0", [ends[1], ends[0]], &client);
                masquerade(&lab.router, "tun0");
                [server, client]
            };
            let family = if other.is_ipv4() { "ip" } else { "ip6" };
            let outer = lab.provider(2).count(&format!("{family} daddr {other} meta l4proto {protocol} th dport 1194"));
            for (endpoint, via) in [
                (SocketAddr::new(other, 1194).to_string(), ""),
                (other.to_string(), ""),
                ("*:1194".to_owned(), ""),
                ("*:1194".to_owned(), "option via 'OI'"),
            ] {
                let wansplit = applied(&lab, &with(&format!("list endpoint '{endpoint}'\n{via}")));
                let before = outer.packets();
                let _ends = start();
                wansplit.apply();
                carries(&lab, &lab.lan, 443);
                carries(&lab, &lab.router, 443);
                assert_eq!(outer.packets() > before, !via.is_empty(), "{own} {endpoint} {via}");
            }
            let _ends = start();
            applied(&lab, &with(""));
            lab.router.forget_connections();
            if protocol == "udp" {
                // A TCP connection has its source address, which leads to the right link.
                assert_ne!(lab.udp(&lab.lan, INTERNET[0], 443), TUNNEL_WAY, "unnamed it swallows its own packets");
            }
            let check = configured(&lab, &with("")).run(&["check"]);
            assert!(check.stderr.contains("own packets"), "{}{}", check.stdout, check.stderr);
        }
    });
}

/// Of two tunnels neither may carry the other, unless a rule names the carrier alone, or `via` says so.
#[test]
fn tunnels_do_not_carry_each_other_in_a_circle() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let vpn = Vpn::new(&lab);
        let [own, _server] = wireguard(&lab, &vpn, 0);
        // Another one, inside or beside the first; its far end is the same host, by another address.
        let (inner, far) = (Wireguard::new(&lab.router, "wg1", None), Wireguard::new(&vpn.host, "wgt", Some(51821)));
        lab.router.ip("addr add 10.20.0.2/24 dev wg1\nlink set wg1 up");
        vpn.host.ip("addr add 10.20.0.1/24 dev wgt\nlink set wgt up");
        far.peer(&inner, "10.20.0.2/32", None);
        let both = |first: &str, second: &str, rules: &str| {
            with_wireguard(first, &format!("config link 'inner'\n option device 'wg1'\n {second}\n")) + rules
        };
        let circle =
            "config policy 'tunnels'\n list use 'vpn'\n list use 'inner'\n".to_owned() + &from_router("", "tunnels");
        let backwards = circle.replace("list use 'vpn'\n list use 'inner'", "list use 'inner'\n list use 'vpn'");
        let each = from_router("list dest_port '51821'\n list proto 'udp'", "vpn")
            + &from_router("list dest_port '51820'\n list proto 'udp'", "inner");
        for (text, inside) in [
            (both("", "", &circle), false),
            (both("", "", &backwards), false),
            (both("", "", &from_router("", "vpn")), true),
            (both("", "option via 'vpn'", &backwards), true),
            (both("", "option via 'EMB'", &from_router("", "vpn")), false),
            (both("", "", &each), true),
        ] {
            applied(&lab, &text);
            lab.router.forget_connections();
            own.peer(&_server, EVERYTHING, Some((VPN[0], WIREGUARD_PORT)));
            inner.peer(&far, EVERYTHING, Some((VPN[0], 51821)));
            let outside = lab.provider(1).count("udp dport 51821");
            wait_for("the inner tunnel", || lab.router.ping("10.20.0.1".parse().unwrap(), &[]));
            assert!(lab.router.ping("198.18.5.1".parse().unwrap(), &[]), "the outer tunnel: {text}");
            assert_eq!(outside.packets() == 0, inside, "{text}");
        }
    });
}

/// `check` says where the main table gets a tunnel's own packets wrong.
#[test]
fn check_finds_a_main_table_that_misleads_a_tunnel() {
    lab::isolated(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let vpn = Vpn::new(&lab);
        let _ends = wireguard(&lab, &vpn, 0);
        let check = |options: &str| {
            let output = configured(&lab, &with_wireguard(options, "")).run(&["check"]);
            output.stdout + &output.stderr
        };
        let [into_itself, wins] = ["into the tunnel itself", "it wins over `via`"];
        for options in ["", "option via 'OI'"] {
            let said = check(options);
            assert!(!said.contains("warning"), "{said}");
        }
        lab.router.ip("route replace default dev wg0");
        assert!(check("").contains(into_itself), "{}", check(""));
        assert!(!check("option via 'OI'").contains("warning"), "{}", check("option via 'OI'"));
        // As netifd does it.
        lab.router.ip(&format!("route add {} via 198.51.100.1", VPN[0]));
        assert!(!check("").contains("warning"), "{}", check(""));
        assert!(check("option via 'OI'").contains(wins), "{}", check("option via 'OI'"));
        // With `via` the default by the tunnel does no harm.
        lab.router.ip(&format!("route del {} via 198.51.100.1", VPN[0]));
        applied(&lab, &with_wireguard("option via 'OI'", ""));
        lab.router.forget_connections();
        wait_for("the tunnel", || lab.udp(&lab.router, INTERNET[0], 443) == TUNNEL_WAY);
    });
}
