//! What a device's description says of a tunnel: where the packets go that it makes.

use super::message::{Attribute, Malformed};
use crate::config::model::Family;
use crate::network::outer::Outer;
use std::net::IpAddr;

const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;

const IFLA_VXLAN_GROUP: u16 = 2;
const IFLA_VXLAN_PORT: u16 = 15;
const IFLA_VXLAN_GROUP6: u16 = 16;
const IFLA_GENEVE_REMOTE: u16 = 2;
const IFLA_GENEVE_PORT: u16 = 5;
const IFLA_GENEVE_REMOTE6: u16 = 7;
/// `IFLA_IPTUN_REMOTE` of IP-in-IP tunnels, and those of GRE and VTI.
const IFLA_IPTUN_REMOTE: u16 = 3;
const IFLA_GRE_REMOTE: u16 = 7;
const IFLA_VTI_REMOTE: u16 = 5;

/// The kinds of tunnels with one other end: where its address stands, and the protocol of what they send, if it is one.
const POINT_TO_POINT: [(&str, u16, Option<u8>); 11] = [
    ("ipip", IFLA_IPTUN_REMOTE, Some(4)),
    ("sit", IFLA_IPTUN_REMOTE, Some(41)),
    ("ip6tnl", IFLA_IPTUN_REMOTE, None),
    ("gre", IFLA_GRE_REMOTE, Some(47)),
    ("gretap", IFLA_GRE_REMOTE, Some(47)),
    ("erspan", IFLA_GRE_REMOTE, Some(47)),
    ("ip6gre", IFLA_GRE_REMOTE, Some(47)),
    ("ip6gretap", IFLA_GRE_REMOTE, Some(47)),
    ("ip6erspan", IFLA_GRE_REMOTE, Some(47)),
    ("vti", IFLA_VTI_REMOTE, Some(50)),
    ("vti6", IFLA_VTI_REMOTE, Some(50)),
];

/// A tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tunnel {
    /// Its description says what its packets look like.
    Told(Outer),
    /// WireGuard in the kernel: it has to be asked.
    Wireguard,
    /// A program in user space makes its packets.
    Tun,
}

/// Reads `IFLA_LINKINFO`; nothing if the device is no tunnel, or one whose other end is not said.
pub(super) fn decode(info: &Attribute) -> Result<Option<Tunnel>, Malformed> {
    let (mut kind, mut data) = (String::new(), None);
    for attribute in info.nested() {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_INFO_KIND => kind = attribute.string(),
            IFLA_INFO_DATA => data = Some(attribute),
            _ => {}
        }
    }
    match (kind.as_str(), &data) {
        ("wireguard", _) => Ok(Some(Tunnel::Wireguard)),
        ("tun", _) => Ok(Some(Tunnel::Tun)),
        ("vxlan", Some(data)) => over_udp(data, [IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6], IFLA_VXLAN_PORT),
        ("geneve", Some(data)) => over_udp(data, [IFLA_GENEVE_REMOTE, IFLA_GENEVE_REMOTE6], IFLA_GENEVE_PORT),
        (kind, Some(data)) => {
            let known = POINT_TO_POINT.iter().find(|(name, ..)| *name == kind);
            known.map_or(Ok(None), |(_, remote, protocol)| point_to_point(data, *remote, *protocol))
        }
        (_, None) => Ok(None),
    }
}

fn point_to_point(data: &Attribute, remote: u16, protocol: Option<u8>) -> Result<Option<Tunnel>, Malformed> {
    for attribute in data.nested() {
        let attribute = attribute?;
        if attribute.kind == remote {
            let destination = address(&attribute)?;
            return Ok(destination.map(|_| Tunnel::Told(Outer { destination, protocol, ..Outer::default() })));
        }
    }
    Ok(None)
}

fn over_udp(data: &Attribute, remotes: [u16; 2], port: u16) -> Result<Option<Tunnel>, Malformed> {
    let (mut destination, mut number) = (None, None);
    for attribute in data.nested() {
        let attribute = attribute?;
        if remotes.contains(&attribute.kind) {
            destination = address(&attribute)?;
        } else if attribute.kind == port {
            number = Some(attribute.be16()?);
        }
    }
    Ok(number.map(|number| Tunnel::Told(Outer::to_port(destination, number))))
}

/// An address of either family; none if it is unspecified: then each packet says its own.
fn address(attribute: &Attribute) -> Result<Option<IpAddr>, Malformed> {
    let family = if attribute.payload.len() == 4 { Family::V4 } else { Family::V6 };
    attribute.address(family).map(|address| Some(address).filter(|address| !address.is_unspecified()))
}
