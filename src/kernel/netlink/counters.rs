//! Reads the named counters of one nftables table.

use super::message::{DUMP, Malformed, Message};
use super::nftables::{SUBSYSTEM, TABLE, ask};
use super::socket::{Failure, Socket};
use crate::map::Map;

const NEWOBJ: u16 = SUBSYSTEM | 18;
const GETOBJ: u16 = SUBSYSTEM | 19;
const NAME: u16 = 2;
const TYPE: u16 = 3;
const DATA: u16 = 4;
/// `NFT_OBJECT_COUNTER`.
const COUNTER: u32 = 1;
const BYTES: u16 = 1;
const PACKETS: u16 = 2;

/// Packets, and their bytes from the IP header on.
pub type Count = (u64, u64);

/// The counters of a table of the family `inet`; none if there is no such table. Reading does not
/// reset them.
///
/// # Errors
/// The kernel refused (it may have no nftables), or answered nonsense.
pub fn list(socket: &mut Socket, table: &str) -> Result<Map<String, Count>, Failure> {
    let mut request = ask(GETOBJ, DUMP, table);
    request.raw(TYPE, &COUNTER.to_be_bytes());
    let mut counters = Map::new();
    counters.extend(socket.list(&mut request, |message| counter(message, table))?);
    Ok(counters)
}

/// A counter's name and its count. Not every kernel filters its lists by table and type.
pub(super) fn counter(message: &Message, table: &str) -> Result<Option<(String, Count)>, Malformed> {
    if message.kind != NEWOBJ {
        return Ok(None);
    }
    let (mut name, mut packets, mut bytes) = (String::new(), 0, 0);
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        match attribute.kind {
            TABLE if attribute.string() != table => return Ok(None),
            TYPE if attribute.be32()? != COUNTER => return Ok(None),
            NAME => name = attribute.string(),
            DATA => {
                for inner in attribute.nested() {
                    let inner = inner?;
                    match inner.kind {
                        BYTES => bytes = inner.be64()?,
                        PACKETS => packets = inner.be64()?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some((name, (packets, bytes))))
}
