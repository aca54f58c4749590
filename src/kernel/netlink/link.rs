//! The machine's network devices.

use super::message::{DUMP, Malformed, Message, Request};
use super::socket::{Failure, Socket};
use super::tunnel::{self, Tunnel};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
pub(super) const IFLA_OPERSTATE: u16 = 16;
const IFLA_STATS64: u16 = 23;

const IFF_UP: u32 = 0x1;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_POINTOPOINT: u32 = 0x10;
const IFF_NOARP: u32 = 0x80;
const IFF_LOWER_UP: u32 = 0x1_0000;
/// `ARPHRD_ETHER`.
const ETHERNET: u16 = 1;
/// `IF_OPER_UNKNOWN` and `IF_OPER_UP`.
const OPERATING: [u8; 2] = [0, 6];

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number; a device that is made anew gets a new one.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it has carrier (`LOWER_UP`).
    pub carrier: bool,
    /// `operstate` is up or unknown. Many virtual devices (PPP, tunnels) never say more than unknown.
    pub operational: bool,
    /// Whether it is the loopback device.
    pub loopback: bool,
    /// Whether packets can leave by it without the link-layer address of a gateway: point to point, no ARP,
    /// or not Ethernet at all (PPP, WireGuard, tunnels, modems in raw mode).
    pub gatewayless: bool,
    /// If it is a tunnel of a kind that is known here: what it is.
    pub tunnel: Option<Tunnel>,
    /// The longest packet that it carries.
    pub mtu: u32,
    /// Whether it is a port of a bridge: then the bridge has the packets, and its own addresses are of no use.
    pub bridged: bool,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
}

/// Reads all devices.
///
/// # Errors
/// The kernel refused or answered nonsense.
pub fn list(socket: &mut Socket) -> Result<Vec<Link>, Failure> {
    socket.list(&mut Request::new(RTM_GETLINK, DUMP, &[0; 16]), decode)
}

/// The name of the device with a number.
#[must_use]
pub fn name(links: &[Link], index: u32) -> Option<&str> {
    links.iter().find(|link| link.index == index).map(|link| link.name.as_str())
}

pub(super) fn decode(message: &Message) -> Result<Option<Link>, Malformed> {
    if message.kind != RTM_NEWLINK {
        return Ok(None);
    }
    let (fixed, attributes) = message.split::<16>()?;
    let [_, _, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *fixed;
    let hardware = u16::from_ne_bytes([t0, t1]);
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let mut link = Link {
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        name: String::new(),
        up: flags & IFF_UP != 0,
        carrier: flags & IFF_LOWER_UP != 0,
        operational: true,
        loopback: flags & IFF_LOOPBACK != 0,
        gatewayless: flags & (IFF_POINTOPOINT | IFF_NOARP) != 0 || (hardware != ETHERNET && flags & IFF_LOOPBACK == 0),
        tunnel: None,
        mtu: 0,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    };
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_IFNAME => link.name = attribute.string(),
            IFLA_MTU => link.mtu = attribute.u32()?,
            IFLA_OPERSTATE => link.operational = OPERATING.contains(&attribute.u8()?),
            IFLA_LINKINFO => {
                link.tunnel = tunnel::decode(&attribute)?;
                let mut parts = attribute.nested().flatten();
                link.bridged = parts.any(|part| part.kind == IFLA_INFO_SLAVE_KIND && part.string() == "bridge");
            }
            IFLA_STATS64 => (link.rx_bytes, link.tx_bytes) = bytes(attribute.payload)?,
            _ => {}
        }
    }
    if link.name.is_empty() {
        return Err(Malformed("a device has no name"));
    }
    Ok(Some(link))
}

/// `struct rtnl_link_stats64` starts with packets received and sent, then bytes received and sent.
fn bytes(stats: &[u8]) -> Result<(u64, u64), Malformed> {
    let (_, rest) = stats.split_first_chunk::<16>().ok_or(Malformed("a device's counters are cut short"))?;
    let (rx, rest) = rest.split_first_chunk::<8>().ok_or(Malformed("a device's counters are cut short"))?;
    let tx = rest.first_chunk::<8>().ok_or(Malformed("a device's counters are cut short"))?;
    Ok((u64::from_ne_bytes(*rx), u64::from_ne_bytes(*tx)))
}
