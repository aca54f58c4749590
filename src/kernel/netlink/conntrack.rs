//! Tracked connections ("flows"), by their marks.
//!
//! It needs ctnetlink: OpenWrt's `kmod-nf-conntrack-netlink`, which is in no default image.

use super::message::{ACK, DUMP, Malformed, Message, Request, family_from, family_number};
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::map::Map;
use nix::errno::Errno;

const SUBSYSTEM: u16 = 1 << 8;
/// `IPCTNL_MSG_CT_NEW`, `_GET`, `_DELETE` and `_GET_STATS`.
pub(super) const NEW: u16 = SUBSYSTEM;
const GET: u16 = SUBSYSTEM | 1;
const DELETE: u16 = SUBSYSTEM | 2;
const GET_STATS: u16 = SUBSYSTEM | 5;

pub(super) const CTA_MARK: u16 = 8;
const CTA_MARK_MASK: u16 = 21;
const CTA_STATS_GLOBAL_ENTRIES: u16 = 1;

/// How many flows there are, by family and mark.
pub type Tally = Map<(Family, u32), u64>;

/// The flows whose mark has a value under a mask. Never all flows, and never those that nobody has marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    value: u32,
    mask: u32,
}

impl Marked {
    /// `None` if the value is 0, which flows without a mark have too, or has bits outside the mask.
    #[must_use]
    pub fn new(value: u32, mask: u32) -> Option<Self> {
        (value != 0 && value & !mask == 0).then_some(Self { value, mask })
    }

    /// A request about these flows. The only place where a request to delete is made: one without the two attributes
    /// would empty the whole table.
    fn request(self, kind: u16, flags: u16, family: Option<Family>) -> Request {
        let mut request = Request::new(kind, flags, &header(family));
        request.raw(CTA_MARK, &self.value.to_be_bytes());
        request.raw(CTA_MARK_MASK, &self.mask.to_be_bytes());
        request
    }
}

/// `struct nfgenmsg`. When flows are deleted the family counts only with a version other than 0
/// (`ctnetlink_del_conntrack`).
fn header(family: Option<Family>) -> [u8; 4] {
    family.map_or([0; 4], |family| [family_number(family), 1, 0, 0])
}

/// A request for all flows of both families.
pub(super) fn all() -> Request {
    Request::new(GET, DUMP, &header(None))
}

/// Whether a failure says that the kernel has no ctnetlink: no netfilter sockets at all, or nobody behind them who
/// knows the message.
#[must_use]
pub fn is_missing(failure: &Failure) -> bool {
    match failure {
        Failure::Socket { errno, .. } => *errno == Errno::EPROTONOSUPPORT,
        Failure::Refused { errno, .. } => matches!(errno, Errno::EINVAL | Errno::EOPNOTSUPP),
        _ => false,
    }
}

/// Deletes flows, of one family or both.
///
/// # Errors
/// The kernel refused, or the exchange failed.
pub fn delete(socket: &mut Socket, family: Option<Family>, flows: Marked) -> Result<(), Failure> {
    socket.change(&mut flows.request(DELETE, ACK, family))
}

/// Counts flows, of one family or both. The kernel sends each of them whole, but only these.
///
/// # Errors
/// The kernel refused, or the exchange failed.
pub fn count(socket: &mut Socket, family: Option<Family>, flows: Marked) -> Result<u64, Failure> {
    let mut count = 0;
    socket.each(&mut flows.request(GET, DUMP, family), &mut |message| {
        count += u64::from(message.kind == NEW);
        Ok(())
    })?;
    Ok(count)
}

/// Counts all flows that have a mark under a mask, in one pass over all there are.
///
/// # Errors
/// The kernel refused, the exchange failed, or an entry is malformed.
pub fn tally(socket: &mut Socket, mask: u32) -> Result<Tally, Failure> {
    let mut tally = Tally::new();
    socket.each(&mut all(), &mut |message| {
        if let Some((family, mark)) = decode(message)?
            && mark & mask != 0
        {
            *tally.or_insert_with((family, mark & mask), Default::default) += 1;
        }
        Ok(())
    })?;
    Ok(tally)
}

/// How many flows there are, marked or not. The kernel keeps this number.
///
/// # Errors
/// The kernel refused, or its answer is malformed.
pub fn total(socket: &mut Socket) -> Result<u32, Failure> {
    socket.ask(&mut Request::new(GET_STATS, 0, &header(None)), decode_total)
}

/// An entry's family and whole mark. An entry without a mark says nothing of it.
pub(super) fn decode(message: &Message) -> Result<Option<(Family, u32)>, Malformed> {
    if message.kind != NEW {
        return Ok(None);
    }
    let ([family, ..], attributes) = message.split::<4>()?;
    let Some(family) = family_from(*family) else { return Ok(None) };
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == CTA_MARK {
            return Ok(Some((family, attribute.be32()?)));
        }
    }
    Ok(Some((family, 0)))
}

pub(super) fn decode_total(message: &Message) -> Result<u32, Malformed> {
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if message.kind == GET_STATS && attribute.kind == CTA_STATS_GLOBAL_ENTRIES {
            return attribute.be32();
        }
    }
    Err(Malformed("there is no number of flows"))
}
