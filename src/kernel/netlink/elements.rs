//! Reads and changes the elements of a set of addresses. `nft` could do it too, but takes a kilobyte of memory for each
//! element: a list of 100,000 networks would need more than a router has.
//!
//! The kernel keeps an interval as two elements: its first value, and behind its last one an element with the flag
//! `INTERVAL_END`. The last interval has no end if it reaches to the last address there is.

use super::message::{ACK, CREATE, DUMP, Malformed, Message, Request};
use super::nftables::{ELEMENT_FLAGS, ELEMENTS, ELEMENTS_SET, GETSETELEM, INTERVAL_END, NEWSETELEM, SUBSYSTEM, ask};
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::interval::Interval;
use crate::sort;

const DELSETELEM: u16 = SUBSYSTEM | 14;
/// `NFTA_LIST_ELEM`.
const ITEM: u16 = 1;
/// `NFTA_SET_ELEM_KEY`, and `NFTA_DATA_VALUE` in it.
const KEY: u16 = 1;
const VALUE: u16 = 1;

/// What is sent in one transaction at most, in bytes: the kernel's usual limit for a message is 208 KiB.
const BATCH: usize = 96 * 1024;
/// What one message holds at most: the length of an attribute is a number of 16 bits.
const MESSAGE: usize = 48 * 1024;

/// A set of addresses of one family.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table, of the family `inet`.
    pub table: &'a str,
    /// The set.
    pub set: &'a str,
    /// The family of its addresses.
    pub family: Family,
    /// Whether it has the flag `interval`. Those that a resolver fills have not: there an element without an end is one
    /// address, also the last.
    pub intervals: bool,
}

/// The intervals in a set, sorted; `None` if there is no such set.
///
/// # Errors
/// The kernel refused, or answered nonsense.
pub fn read(socket: &mut Socket, place: Place) -> Result<Option<Vec<Interval>>, Failure> {
    let mut request = ask(GETSETELEM, DUMP, place.table);
    request.string(ELEMENTS_SET, place.set);
    match socket.list(&mut request, |message| edges(message, place.family)) {
        Err(Failure::Refused { errno: nix::errno::Errno::ENOENT, .. }) => Ok(None),
        parts => Ok(Some(intervals(parts?.concat(), place.family))),
    }
}

/// The intervals between starts and ends, sorted.
pub(super) fn intervals(mut ends: Vec<(u128, bool)>, family: Family) -> Vec<Interval> {
    // Where one interval ends and the next begins, the end comes first.
    sort::by_key(&mut ends, |(value, is_start)| (*value, *is_start));
    ends.dedup();
    let mut intervals = Vec::with_capacity(ends.len() / 2);
    let mut open = None;
    for (value, is_start) in ends {
        match (open.take(), is_start) {
            (Some(first), false) => intervals.push(Interval::new(first, value.saturating_sub(1))),
            // An address in a set without intervals has no end.
            (Some(first), true) => {
                intervals.push(Interval::single(first));
                open = Some(value);
            }
            (None, true) => open = Some(value),
            (None, false) => {}
        }
    }
    intervals.extend(open.map(|first| Interval::new(first, family.max_address())));
    intervals
}

/// The starts and ends in one message of a list.
pub(super) fn edges(message: &Message, family: Family) -> Result<Option<Vec<(u128, bool)>>, Malformed> {
    if message.kind != NEWSETELEM {
        return Ok(None);
    }
    let mut edges = Vec::new();
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind != ELEMENTS {
            continue;
        }
        for element in attribute.nested() {
            let (mut value, mut is_start) = (None, true);
            for field in element?.nested() {
                let field = field?;
                match field.kind {
                    KEY => value = field.nested().next().transpose()?.map(|key| number(key.payload, family)),
                    ELEMENT_FLAGS => is_start = field.be32()? & INTERVAL_END == 0,
                    _ => {}
                }
            }
            edges.push((value.ok_or(Malformed("an element has no key"))??, is_start));
        }
    }
    Ok(Some(edges))
}

fn number(bytes: &[u8], family: Family) -> Result<u128, Malformed> {
    let length = usize::from(family.width() / 8);
    let bytes = bytes.get(..length).ok_or(Malformed("an element's key is too short"))?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// Empties a set.
///
/// # Errors
/// The kernel refused: there may be no such set.
pub fn flush(socket: &mut Socket, table: &str, set: &str) -> Result<(), Failure> {
    let mut request = ask(DELSETELEM, ACK, table);
    request.string(ELEMENTS_SET, set);
    socket.transaction(SUBSYSTEM >> 8, vec![request])
}

/// Takes intervals out of a set and puts others in, in as few transactions as they fit into. Intervals to be put in may
/// overlap those to be taken out, and no others; those to be taken out must be in the set exactly so. Whatever of an
/// address space has not had its turn is as it was, so no packet meets a hole.
///
/// # Errors
/// The kernel refused. What transactions before that one have done is taken back.
pub fn change(socket: &mut Socket, place: Place, out: &[Interval], into: &[Interval]) -> Result<(), Failure> {
    let mut changes: Vec<Change> = out.iter().map(|interval| (*interval, false)).collect();
    changes.extend(into.iter().map(|interval| (*interval, true)));
    sort::by_key(&mut changes, |(interval, _)| *interval);
    send(socket, place, &changes).map_err(|(failure, undo)| {
        let mut undo = undo;
        sort::by_key(&mut undo, |(interval, _)| *interval);
        let _ = send(socket, place, &undo);
        failure
    })
}

/// An interval, and whether it comes.
type Change = (Interval, bool);

/// Sends sorted changes; returns at a failure what takes back those that have been done.
fn send(socket: &mut Socket, place: Place, changes: &[Change]) -> Result<(), (Failure, Vec<Change>)> {
    let weight = if place.family == Family::V4 { 64 } else { 88 };
    let (mut done, mut rest) = (0, changes);
    let mut carried: Vec<Change> = Vec::new();
    while !rest.is_empty() {
        let mut end = (BATCH / weight).min(rest.len());
        let first_of = |n: usize| rest.get(n).map(|(interval, _)| interval.first());
        while end < rest.len() && first_of(end) == first_of(end - 1) {
            end += 1;
        }
        let mut now: Vec<Change> = carried.clone();
        let (these, later) = rest.split_at(end);
        now.extend_from_slice(these);
        let mut next = Vec::new();
        if let Some((interval, _)) = later.first() {
            // A wide interval may overlap thousands of others, more than a transaction holds: it is cut where this one
            // ends.
            let cut = interval.first() - 1;
            now = now.into_iter().flat_map(|change| parts(change, cut, &mut next)).collect();
        }
        if let Err(failure) = transaction(socket, place, &now, MESSAGE / weight) {
            let whole = changes.get(..done).unwrap_or(&[]).iter();
            let cut_short = |change: &Change| change.1 && carried.contains(change);
            let mut undo: Vec<Change> =
                whole.filter(|change| !cut_short(change)).map(|(interval, comes)| (*interval, !comes)).collect();
            undo.extend(carried.into_iter().filter(|(_, comes)| !comes));
            return Err((failure, undo));
        }
        done += end;
        (rest, carried) = (later, next);
    }
    Ok(())
}

/// What is done now of a change, whose later part begins behind `cut`; what is left of it goes to `later`.
fn parts((interval, comes): Change, cut: u128, later: &mut Vec<Change>) -> Vec<Change> {
    if interval.last() <= cut {
        return vec![(interval, comes)];
    }
    if comes {
        let begun = Interval::new(interval.first(), cut);
        later.extend([(begun, false), (interval, true)]);
        return vec![(begun, true)];
    }
    let left = Interval::new(cut + 1, interval.last());
    later.push((left, false));
    vec![(interval, false), (left, true)]
}

/// One transaction: all that goes, then all that comes.
fn transaction(socket: &mut Socket, place: Place, changes: &[Change], most: usize) -> Result<(), Failure> {
    let mut requests = Vec::new();
    for comes in [false, true] {
        let intervals: Vec<Interval> = changes.iter().filter(|(_, own)| *own == comes).map(|(i, _)| *i).collect();
        for part in intervals.chunks(most) {
            let (kind, flags) = if comes { (NEWSETELEM, CREATE) } else { (DELSETELEM, 0) };
            let mut request = ask(kind, flags | ACK, place.table);
            request.string(ELEMENTS_SET, place.set);
            request
                .nested(ELEMENTS, |request| part.iter().for_each(|interval| element(request, *interval, place.family)));
            requests.push(request);
        }
    }
    socket.transaction(SUBSYSTEM >> 8, requests)
}

fn element(request: &mut Request, interval: Interval, family: Family) {
    let mut edge = |value: u128, flags: u32| {
        request.nested(ITEM, |request| {
            let bytes = value.to_be_bytes();
            let key = &bytes[bytes.len() - usize::from(family.width() / 8)..];
            request.nested(KEY, |request| request.raw(VALUE, key));
            if flags != 0 {
                request.raw(ELEMENT_FLAGS, &flags.to_be_bytes());
            }
        });
    };
    edge(interval.first(), 0);
    if interval.last() < family.max_address() {
        edge(interval.last() + 1, INTERVAL_END);
    }
}
