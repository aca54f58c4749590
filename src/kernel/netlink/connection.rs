//! Tracked connections, whole, over ctnetlink.

use super::conntrack::{CTA_MARK, NEW, all};
use super::message::{Attribute, Attributes, Malformed, Message, family_from};
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::kernel::connection::{Connection, Tuple};
use std::net::IpAddr;

/// Attributes of a connection.
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_STATUS: u16 = 3;
const CTA_TIMEOUT: u16 = 7;
const CTA_COUNTERS_ORIG: u16 = 9;
const CTA_COUNTERS_REPLY: u16 = 10;
/// Attributes of a tuple, of its addresses (IPv6's numbers are two higher), and of its protocol.
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;
const CTA_IP_V6_SRC: u16 = 3;
const CTA_IP_V6_DST: u16 = 4;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_SRC_PORT: u16 = 2;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_PROTO_ICMP_TYPE: u16 = 5;
const CTA_PROTO_ICMPV6_TYPE: u16 = 8;
/// Attributes of a count.
const CTA_COUNTERS_PACKETS: u16 = 1;
const CTA_COUNTERS_BYTES: u16 = 2;
/// `IPS_SEEN_REPLY`.
const SEEN_REPLY: u32 = 1 << 1;

/// Looks at each connection of both families, in one pass, without keeping any.
///
/// # Errors
/// The kernel refused, the exchange failed, or an entry is malformed.
pub fn each(socket: &mut Socket, visit: &mut dyn FnMut(Connection)) -> Result<(), Failure> {
    socket.each(&mut all(), &mut |message| {
        if let Some(connection) = decode(message)? {
            visit(connection);
        }
        Ok(())
    })
}

/// A connection; none if it is of neither family.
pub(super) fn decode(message: &Message) -> Result<Option<Connection>, Malformed> {
    if message.kind != NEW {
        return Ok(None);
    }
    let ([family, ..], attributes) = message.split::<4>()?;
    let Some(family) = family_from(*family) else { return Ok(None) };
    let (mut original, mut reply, mut there, mut back) = (None, None, None, None);
    let (mut mark, mut status, mut expires) = (0, 0, 0);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            CTA_TUPLE_ORIG => original = Some(tuple(family, &attribute)?),
            CTA_TUPLE_REPLY => reply = Some(tuple(family, &attribute)?),
            CTA_STATUS => status = attribute.be32()?,
            // An offloaded connection has none.
            CTA_TIMEOUT => expires = attribute.be32()?,
            CTA_MARK => mark = attribute.be32()?,
            CTA_COUNTERS_ORIG => there = Some(count(attribute.nested())?),
            CTA_COUNTERS_REPLY => back = Some(count(attribute.nested())?),
            _ => {}
        }
    }
    let (Some((protocol, original)), Some((_, reply))) = (original, reply) else {
        return Err(Malformed("a connection has not both of its directions"));
    };
    let count = there.zip(back).map(|(there, back)| (there.0.saturating_add(back.0), there.1.saturating_add(back.1)));
    Ok(Some(Connection { protocol, original, reply, mark, answered: status & SEEN_REPLY != 0, expires, count }))
}

/// The protocol and the ends.
fn tuple(family: Family, attribute: &Attribute) -> Result<(u8, Tuple), Malformed> {
    let (mut source, mut destination): (Option<IpAddr>, Option<IpAddr>) = (None, None);
    let (mut protocol, mut source_port, mut destination_port, mut icmp_type) = (0, None, None, None);
    for part in attribute.nested() {
        let part = part?;
        for inner in part.nested() {
            let inner = inner?;
            match (part.kind, inner.kind) {
                (CTA_TUPLE_IP, CTA_IP_V4_SRC | CTA_IP_V6_SRC) => source = Some(inner.address(family)?),
                (CTA_TUPLE_IP, CTA_IP_V4_DST | CTA_IP_V6_DST) => destination = Some(inner.address(family)?),
                (CTA_TUPLE_PROTO, CTA_PROTO_NUM) => protocol = inner.u8()?,
                (CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT) => source_port = Some(inner.be16()?),
                (CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT) => destination_port = Some(inner.be16()?),
                (CTA_TUPLE_PROTO, CTA_PROTO_ICMP_TYPE | CTA_PROTO_ICMPV6_TYPE) => icmp_type = Some(inner.u8()?),
                _ => {}
            }
        }
    }
    match (source, destination) {
        (Some(source), Some(destination)) => {
            Ok((protocol, Tuple { source, destination, source_port, destination_port, icmp_type }))
        }
        _ => Err(Malformed("a connection has no addresses")),
    }
}

/// Packets and bytes.
fn count(attributes: Attributes) -> Result<(u64, u64), Malformed> {
    let (mut packets, mut bytes) = (0, 0);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            CTA_COUNTERS_PACKETS => packets = attribute.be64()?,
            CTA_COUNTERS_BYTES => bytes = attribute.be64()?,
            _ => {}
        }
    }
    Ok((packets, bytes))
}
