//! Looks at one nftables table. Reading only: changes go through `nft`, whose checks and JSON we want.
//!
//! `nft -j list` costs a process and reads every table on the router; this is a few messages.

use super::counters;
use super::message::{DUMP, Malformed, Message, Request};
use super::socket::{Failure, Socket};
use nix::errno::Errno;

pub(super) const SUBSYSTEM: u16 = 10 << 8;
const GETTABLE: u16 = SUBSYSTEM | 1;
const NEWCHAIN: u16 = SUBSYSTEM | 3;
const GETCHAIN: u16 = SUBSYSTEM | 4;
const NEWRULE: u16 = SUBSYSTEM | 6;
const GETRULE: u16 = SUBSYSTEM | 7;
const NEWSET: u16 = SUBSYSTEM | 9;
const GETSET: u16 = SUBSYSTEM | 10;
pub(super) const NEWSETELEM: u16 = SUBSYSTEM | 12;
pub(super) const GETSETELEM: u16 = SUBSYSTEM | 13;

/// `NFPROTO_INET`, and the rest of `struct nfgenmsg`.
pub(super) const INET: [u8; 4] = [1, 0, 0, 0];

/// The table's name is attribute 1 of every kind of object; the object's own name is 3 or 2.
pub(super) const TABLE: u16 = 1;
const TABLE_FLAGS: u16 = 2;
/// `NFT_TABLE_F_DORMANT`.
const TABLE_DORMANT: u32 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const RULE_CHAIN: u16 = 2;
const RULE_USERDATA: u16 = 7;
const SET_NAME: u16 = 2;
const SET_FLAGS: u16 = 3;
const SET_ANONYMOUS: u32 = 0x1;
const SET_MAP: u32 = 0x8;
pub(super) const ELEMENTS_SET: u16 = 2;
pub(super) const ELEMENTS: u16 = 3;
pub(super) const ELEMENT_FLAGS: u16 = 3;
pub(super) const INTERVAL_END: u32 = 0x1;
/// `NFTNL_UDATA_RULE_COMMENT`.
const COMMENT: u8 = 0;

/// A table of the family `inet`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Whether it is switched off (`flags dormant`): its chains see no packets.
    pub dormant: bool,
    /// Its chains, in the order they were made.
    pub chains: Vec<Chain>,
    /// Its named sets and maps, in the order they were made.
    pub sets: Vec<Set>,
    /// The names of its counters.
    pub counters: Vec<String>,
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where packets enter it, if it is a base chain.
    pub hook: Option<Hook>,
    /// The comment of each of its rules, in order; a rule without one has an empty text.
    pub comments: Vec<String>,
}

/// Where packets enter a base chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting.
    pub number: u32,
    /// Chains of one hook run in the order of their priorities.
    pub priority: i32,
    /// `filter`, `route` or `nat`.
    pub kind: String,
}

/// A named set or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// Whether it is a map.
    pub map: bool,
    /// How many elements it has, if that was asked for. The kernel keeps an interval of a set with the flag
    /// `interval` as two elements, its start and its end; only the starts count, so an interval is one element,
    /// as in `nft list`.
    pub elements: Option<u32>,
}

/// Reads a table of the family `inet`; `None` if it does not exist. The elements are counted of those sets for which
/// `counted` says so, which takes a message for each few hundred of them.
///
/// # Errors
/// The kernel refused (it may have no nftables), or answered nonsense.
pub fn table(socket: &mut Socket, name: &str, counted: &dyn Fn(&str) -> bool) -> Result<Option<Table>, Failure> {
    let mut request = ask(GETTABLE, 0, name);
    let dormant = match socket.ask(&mut request, dormant) {
        Err(Failure::Refused { errno: Errno::ENOENT, .. }) => return Ok(None),
        other => other?,
    };
    let mut chains = socket.list(&mut ask(GETCHAIN, DUMP, name), |message| chain(message, name))?;
    for (chain, comment) in socket.list(&mut ask(GETRULE, DUMP, name), |message| rule(message, name))? {
        if let Some(chain) = chains.iter_mut().find(|known| known.name == chain) {
            chain.comments.push(comment);
        }
    }
    let mut sets = socket.list(&mut ask(GETSET, DUMP, name), |message| set(message, name))?;
    for set in sets.iter_mut().filter(|set| counted(&set.name)) {
        let mut request = ask(GETSETELEM, DUMP, name);
        request.string(ELEMENTS_SET, &set.name);
        let parts = socket.list(&mut request, elements)?;
        set.elements = Some(parts.into_iter().fold(0, u32::saturating_add));
    }
    let counters = counters::list(socket, name)?.into_iter().map(|(name, _)| name).collect();
    Ok(Some(Table { dormant, chains, sets, counters }))
}

fn dormant(message: &Message) -> Result<bool, Malformed> {
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind == TABLE_FLAGS {
            return Ok(attribute.be32()? & TABLE_DORMANT != 0);
        }
    }
    Ok(false)
}

pub(super) fn ask(kind: u16, flags: u16, table: &str) -> Request {
    let mut request = Request::new(kind, flags, &INET);
    request.string(TABLE, table);
    request
}

/// Not every kernel filters its lists by table.
pub(super) fn chain(message: &Message, table: &str) -> Result<Option<Chain>, Malformed> {
    if message.kind != NEWCHAIN {
        return Ok(None);
    }
    let mut chain = Chain { name: String::new(), hook: None, comments: Vec::new() };
    let mut kind = String::new();
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        match attribute.kind {
            TABLE if attribute.string() != table => return Ok(None),
            CHAIN_NAME => chain.name = attribute.string(),
            CHAIN_TYPE => kind = attribute.string(),
            CHAIN_HOOK => {
                let mut hook = Hook { number: 0, priority: 0, kind: String::new() };
                for inner in attribute.nested() {
                    let inner = inner?;
                    match inner.kind {
                        HOOK_NUMBER => hook.number = inner.be32()?,
                        HOOK_PRIORITY => hook.priority = inner.be32()?.cast_signed(),
                        _ => {}
                    }
                }
                chain.hook = Some(hook);
            }
            _ => {}
        }
    }
    if let Some(hook) = &mut chain.hook {
        hook.kind = kind;
    }
    Ok(Some(chain))
}

/// The name of a rule's chain, and its comment.
pub(super) fn rule(message: &Message, table: &str) -> Result<Option<(String, String)>, Malformed> {
    if message.kind != NEWRULE {
        return Ok(None);
    }
    let (mut chain, mut text) = (String::new(), String::new());
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        match attribute.kind {
            TABLE if attribute.string() != table => return Ok(None),
            RULE_CHAIN => chain = attribute.string(),
            RULE_USERDATA => text = comment(attribute.payload),
            _ => {}
        }
    }
    Ok(Some((chain, text)))
}

/// The comment among the data that `nft` stores with a rule: type, length, value, each of the first two one byte.
/// Others may store what they like there, so what makes no sense is no comment.
fn comment(mut data: &[u8]) -> String {
    while let Some(([kind, length], rest)) = data.split_first_chunk::<2>() {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        if *kind == COMMENT {
            let text = value.split(|&byte| byte == 0).next().unwrap_or(&[]);
            return String::from_utf8_lossy(text).into_owned();
        }
        data = rest;
    }
    String::new()
}

pub(super) fn set(message: &Message, table: &str) -> Result<Option<Set>, Malformed> {
    if message.kind != NEWSET {
        return Ok(None);
    }
    let mut set = Set { name: String::new(), map: false, elements: None };
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        match attribute.kind {
            TABLE if attribute.string() != table => return Ok(None),
            SET_NAME => set.name = attribute.string(),
            SET_FLAGS => {
                let flags = attribute.be32()?;
                // Anonymous sets are parts of rules.
                if flags & SET_ANONYMOUS != 0 {
                    return Ok(None);
                }
                set.map = flags & SET_MAP != 0;
            }
            _ => {}
        }
    }
    Ok(Some(set))
}

/// The number of elements in one message of a list.
pub(super) fn elements(message: &Message) -> Result<Option<u32>, Malformed> {
    if message.kind != NEWSETELEM {
        return Ok(None);
    }
    let mut count: u32 = 0;
    for attribute in message.split::<4>()?.1 {
        let attribute = attribute?;
        if attribute.kind != ELEMENTS {
            continue;
        }
        for element in attribute.nested() {
            let mut end = false;
            for field in element?.nested() {
                let field = field?;
                end |= field.kind == ELEMENT_FLAGS && field.be32()? & INTERVAL_END != 0;
            }
            count = count.saturating_add(u32::from(!end));
        }
    }
    Ok(Some(count))
}
