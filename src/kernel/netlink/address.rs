//! The machine's own addresses.

use super::message::{DUMP, Malformed, Message, Request, family_from};
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use std::net::IpAddr;

const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_DEPRECATED: u32 = 0x20;
const IFA_F_TENTATIVE: u32 = 0x40;
/// `RT_SCOPE_LINK`: this scope and narrower ones do not reach the Internet.
const SCOPE_LINK: u8 = 253;

/// An address of the router. Link-local IPv6 and host-only addresses are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The device's number.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix.
    pub prefix: u8,
    /// Not usable yet or not at all: duplicate address detection runs or has failed.
    pub tentative: bool,
    /// Its preferred lifetime is over: old connections go on, new ones should use another.
    pub deprecated: bool,
}

impl Address {
    /// The address's family.
    #[must_use]
    pub fn family(&self) -> Family {
        match self.address {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }
}

/// Reads all addresses of both families.
///
/// # Errors
/// The kernel refused or answered nonsense.
pub fn list(socket: &mut Socket) -> Result<Vec<Address>, Failure> {
    socket.list(&mut Request::new(RTM_GETADDR, DUMP, &[0; 8]), decode)
}

pub(super) fn decode(message: &Message) -> Result<Option<Address>, Malformed> {
    if message.kind != RTM_NEWADDR {
        return Ok(None);
    }
    let (fixed, attributes) = message.split::<8>()?;
    let [family, prefix, flags, scope, i0, i1, i2, i3] = *fixed;
    let Some(family) = family_from(family) else { return Ok(None) };
    if scope >= SCOPE_LINK {
        return Ok(None);
    }
    let mut flags = u32::from(flags);
    let (mut local, mut peer) = (None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            IFA_LOCAL => local = Some(attribute.address(family)?),
            IFA_ADDRESS => peer = Some(attribute.address(family)?),
            IFA_FLAGS => flags = attribute.u32()?,
            _ => {}
        }
    }
    // On a point-to-point device IFA_ADDRESS is the other end and IFA_LOCAL ours; plain IPv6 has only IFA_ADDRESS.
    Ok(local.or(peer).map(|address| Address {
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        address,
        prefix,
        tentative: flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0,
        deprecated: flags & IFA_F_DEPRECATED != 0,
    }))
}
