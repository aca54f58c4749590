//! Tunnels as links: what they carry, and the packets they are made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, Lab, Setup, TUNNEL, VPN, Vpn, Way, masquerade, tunnel_addresses, wait_for};
use packet_support::{applied, links, rule};

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
