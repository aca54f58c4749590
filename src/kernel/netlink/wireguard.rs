//! Asks WireGuard in the kernel for the UDP port it listens on, and sends from.

use super::message::{DUMP, Malformed, Message, Request};
use super::socket::{Failure, Socket};

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

/// The port of a device; `None` if it has none, being switched off.
///
/// # Errors
/// The kernel refused, or answered nonsense.
pub fn listen_port(socket: &mut Socket, device: &str) -> Result<Option<u16>, Failure> {
    let mut request = Request::new(CONTROL, 0, &GET_FAMILY);
    request.string(CTRL_ATTR_FAMILY_NAME, "wireguard");
    let family = socket.ask(&mut request, family)?;
    let mut request = Request::new(family, DUMP, &GET_DEVICE);
    request.string(WGDEVICE_A_IFNAME, device);
    // A device with many peers takes several messages; the first one has the port.
    let ports = socket.list(&mut request, port)?;
    Ok(ports.into_iter().find(|port| *port != 0))
}

pub(super) fn family(message: &Message) -> Result<u16, Malformed> {
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind == CTRL_ATTR_FAMILY_ID {
            return attribute.u16();
        }
    }
    Err(Malformed("a family of generic netlink has no number"))
}

pub(super) fn port(message: &Message) -> Result<Option<u16>, Malformed> {
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind == WGDEVICE_A_LISTEN_PORT {
            return attribute.u16().map(Some);
        }
    }
    Ok(None)
}
