//! Tunnels from the router to a server in the Internet, and configurations in which they are links.
#![allow(dead_code)]

use crate::packet_support::links;
use lab::{
    Host, INTERNET, Lab, TUNNEL, VPN, Vpn, WIREGUARD_PORT, Way, Wireguard, masquerade, tunnel_addresses, wait_for,
};
use std::net::IpAddr;

/// How the Internet sees what comes by the tunnel.
pub const TUNNEL_WAY: Way = Way::Link(TUNNEL.0);

/// Every address there is: what a peer may send and is sent.
pub const EVERYTHING: &str = "0.0.0.0/0,::/0";

/// A WireGuard tunnel `wg0` to the server, by its address of a family: 0 for IPv4, 1 for IPv6.
pub fn wireguard<'a>(lab: &'a Lab, vpn: &'a Vpn, family: usize) -> [Wireguard<'a>; 2] {
    let server = vpn.wireguard();
    let own = router_end(lab, &server, VPN[family], &tunnel_addresses("wg0", TUNNEL.router()));
    [own, server]
}

/// The router's end alone, with these addresses.
pub fn router_end<'a>(lab: &'a Lab, server: &Wireguard<'_>, at: IpAddr, addresses: &str) -> Wireguard<'a> {
    let own = Wireguard::new(&lab.router, "wg0", None);
    let [own4, own6] = TUNNEL.router();
    server.peer(&own, &format!("{own4}/32,{own6}/128"), None);
    own.peer(server, EVERYTHING, Some((at, WIREGUARD_PORT)));
    masquerade(&lab.router, "wg0");
    lab.router.ip(addresses);
    own
}

/// Links EMB, OI and the tunnel, and rules.
pub fn with_wireguard(options: &str, rules: &str) -> String {
    links("") + &link("wg0", options) + rules
}

/// The tunnel as a link.
pub fn link(device: &str, options: &str) -> String {
    format!("config link 'vpn'\n option device '{device}'\n {options}\n")
}

/// A rule for everybody, the router too.
pub fn from_router(matches: &str, target: &str) -> String {
    format!("config rule\n option from 'any'\n {matches}\n option use '{target}'\n")
}

/// Waits until the tunnel carries a host's packets in both families.
pub fn carries(lab: &Lab, host: &Host, port: u16) {
    for to in INTERNET {
        wait_for(&format!("{to} by the tunnel, from {}", host.name()), || lab.udp(host, to, port) == TUNNEL_WAY);
    }
}
