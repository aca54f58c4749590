//! Asks WireGuard in the kernel for the UDP port it listens on, and sends from, and where its peers are.

use super::message::{Attribute, DUMP, Malformed, Message, Request};
use super::socket::{Failure, Socket};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// `GENL_ID_CTRL`: who knows the numbers of all families of generic netlink.
const CONTROL: u16 = 0x10;
/// `struct genlmsghdr`: `CTRL_CMD_GETFAMILY`, version 1.
const GET_FAMILY: [u8; 4] = [3, 1, 0, 0];
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// `WG_CMD_GET_DEVICE`, version 1.
const GET_DEVICE: [u8; 4] = [0, 1, 0, 0];
const WGDEVICE_A_IFNAME: u16 = 2;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_PEERS: u16 = 8;
const WGPEER_A_ENDPOINT: u16 = 4;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// What a device, or the program behind one, says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wireguard {
    /// The port; none while the device is switched off.
    pub port: Option<u16>,
    /// Where its peers were last heard from, or shall be.
    pub peers: Vec<SocketAddr>,
}

/// Asks about a device.
///
/// # Errors
/// The kernel refused, or answered nonsense.
pub fn device(socket: &mut Socket, device: &str) -> Result<Wireguard, Failure> {
    let mut request = Request::new(CONTROL, 0, &GET_FAMILY);
    request.string(CTRL_ATTR_FAMILY_NAME, "wireguard");
    let family = socket.ask(&mut request, family)?;
    let mut request = Request::new(family, DUMP, &GET_DEVICE);
    request.string(WGDEVICE_A_IFNAME, device);
    let mut whole = Wireguard::default();
    // A device with many peers takes several messages; the first one has the port.
    for part in socket.list(&mut request, |message| part(message).map(Some))? {
        whole.port = whole.port.or(part.port);
        whole.peers.extend(part.peers);
    }
    Ok(whole)
}

fn family(message: &Message) -> Result<u16, Malformed> {
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind == CTRL_ATTR_FAMILY_ID {
            return attribute.u16();
        }
    }
    Err(Malformed("a family of generic netlink has no number"))
}

pub(super) fn part(message: &Message) -> Result<Wireguard, Malformed> {
    let mut part = Wireguard::default();
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        match attribute.kind {
            WGDEVICE_A_LISTEN_PORT => part.port = Some(attribute.u16()?).filter(|port| *port != 0),
            WGDEVICE_A_PEERS => {
                for peer in attribute.nested() {
                    for attribute in peer?.nested() {
                        let attribute = attribute?;
                        if attribute.kind == WGPEER_A_ENDPOINT {
                            part.peers.extend(endpoint(&attribute));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(part)
}

/// A `struct sockaddr_in` or `sockaddr_in6`. None for a peer that has no address yet.
fn endpoint(attribute: &Attribute) -> Option<SocketAddr> {
    let ([f0, f1, p0, p1], rest) = attribute.payload.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*p0, *p1]);
    match u16::from_ne_bytes([*f0, *f1]) {
        AF_INET => Some((Ipv4Addr::from(*rest.first_chunk::<4>()?), port).into()),
        AF_INET6 => Some((Ipv6Addr::from(*rest.get(4..)?.first_chunk::<16>()?), port).into()),
        _ => None,
    }
}
