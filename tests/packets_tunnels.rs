//! Tunnels as links: what they carry, and the packets they are made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{
    INTERNET, Lab, Setup, TUNNEL, VPN, Vpn, WIREGUARD_PORT, Wansplit, Way, Wireguard, masquerade, tunnel_addresses,
    wait_for,
};
use packet_support::{applied, links, rule};

const EVERYTHING: &str = "0.0.0.0/0,::/0";

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

const TUNNEL_WAY: Way = Way::Link(TUNNEL.0);

/// A WireGuard tunnel to the server, by its address of a family.
fn wireguard<'a>(lab: &'a Lab, vpn: &'a Vpn, family: usize) -> [Wireguard<'a>; 2] {
    let (own, server) = (Wireguard::new(&lab.router, "wg0", None), vpn.wireguard());
    lab.router.ip(&tunnel_addresses("wg0", TUNNEL.router()));
    let [own4, own6] = TUNNEL.router();
    // The server takes everything from this peer that has the tunnel's addresses.
    server.peer(&own, &format!("{own4}/32,{own6}/128"), None);
    own.peer(&server, EVERYTHING, Some((VPN[family], WIREGUARD_PORT)));
    masquerade(&lab.router, "wg0");
    [own, server]
}

/// Links EMB, OI and the tunnel, and rules.
fn with_wireguard(options: &str, rules: &str) -> String {
    links("") + &format!("config link 'vpn'\n option device 'wg0'\n {options}\n") + rules
}

/// What the router or a rule sends by a policy.
const ORDER: &str = "config policy 'order'\n list use 'vpn'\n list use 'EMB'\n list use 'OI'\n";

fn from_router(matches: &str, target: &str) -> String {
    format!("config rule\n option from 'any'\n {matches}\n option use '{target}'\n")
}

/// Waits until the tunnel carries a host's packets in both families.
fn carries(lab: &Lab, port: u16) {
    for to in INTERNET {
        wait_for(&format!("{to} by the tunnel"), || lab.udp(&lab.lan, to, port) == TUNNEL_WAY);
    }
}

/// What the router itself reaches by the tunnel.
fn carries_the_routers(lab: &Lab, port: u16) {
    for to in INTERNET {
        wait_for(&format!("{to} by the tunnel, from the router"), || lab.udp(&lab.router, to, port) == TUNNEL_WAY);
    }
}

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
                forget_flows(&lab);
                own.peer(&server, EVERYTHING, Some((VPN[family], WIREGUARD_PORT)));
                let outer = lab.provider(link).count(&format!("udp dport {WIREGUARD_PORT}"));
                carries(&lab, 443);
                carries_the_routers(&lab, 443);
                wait_for("its own packets", || outer.packets() > 0);
                let others = lab.count_leaks(link, &format!("udp dport {WIREGUARD_PORT}"));
                carries(&lab, 80);
                assert_eq!(others.packets(), 0, "by another link: {text}");
            }
        }
        assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    });
}

fn forget_flows(lab: &Lab) {
    lab.router.command("conntrack", &["-F"]);
}
