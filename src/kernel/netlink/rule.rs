//! ip rules.
//!
//! Quirks of `net/core/fib_rules.c`, all versions up to 6.18:
//! * `NLM_F_REPLACE` is ignored: the rule is simply added once more. So rules are added with `CREATE | EXCL` only.
//! * A delete removes the first rule that has the fields it names; a field left out matches anything. So all are
//!   sent, our protocol among them: a foreign rule can never be hit. `not` is not compared at all, nor can the absence
//!   of a selector be asked for: of two of our own rules with one priority and one table, a delete of the one with
//!   fewer selectors may remove the other. Who deletes reads again afterwards.
//! * A kernel that does not know an attribute ignores it. The youngest that we send is the protocol (4.17): an older
//!   kernel would lose every rule of ours from sight. `uidrange` (4.10) and `ipproto` (4.17) are there where that is.
//! * For the same reason adding a rule says `EEXIST` if one exists that differs only in `not`, `from` or `to`.

use super::message::{ACK, CREATE, DUMP, EXCLUSIVE, Malformed, Message, Request, family_from, family_number};
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::plan::state::{IpRule, PROTOCOL, RuleAction};
use nix::errno::Errno;
use std::net::IpAddr;

const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
const RTM_GETRULE: u16 = 34;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_UID_RANGE: u16 = 20;
pub(super) const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
const FRA_SPORT_MASK: u16 = 28;
const FRA_DPORT_MASK: u16 = 29;

const FR_ACT_TO_TBL: u8 = 1;
const FR_ACT_UNREACHABLE: u8 = 7;
const FIB_RULE_INVERT: u32 = 0x2;
/// `suppress_prefixlength` of a rule that has none.
const NO_SUPPRESS: u32 = u32::MAX;

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Looks up a table.
    Lookup,
    /// Goes on at another rule.
    Goto,
    /// Nothing.
    Nop,
    /// Drops silently.
    Blackhole,
    /// Refuses: no route.
    Unreachable,
    /// Refuses: forbidden.
    Prohibit,
    /// Something this program does not know.
    Other(u8),
}

impl Action {
    fn from_number(number: u8) -> Self {
        match number {
            FR_ACT_TO_TBL => Self::Lookup,
            2 => Self::Goto,
            3 => Self::Nop,
            6 => Self::Blackhole,
            FR_ACT_UNREACHABLE => Self::Unreachable,
            8 => Self::Prohibit,
            other => Self::Other(other),
        }
    }
}

/// Somebody else's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRule {
    /// Its selectors and table, as far as our type can say them.
    pub rule: IpRule,
    /// Whether `rule` says all there is: no selector that our type does not know.
    pub complete: bool,
    /// What it does. Only a lookup uses the table.
    pub action: Action,
    /// Who made it: 2 the kernel, 3 busybox, 4 netifd; 0 nobody said.
    pub protocol: u8,
}

/// A rule with our protocol number that this program would never make: what an older or newer version left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRule {
    /// Its family.
    pub family: Family,
    /// Its priority.
    pub priority: u32,
    /// The message it was read from: sent back as a delete it removes just that rule.
    raw: Vec<u8>,
}

/// All ip rules, in the order of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Ours. A rule that exists twice stands here twice.
    pub ours: Vec<IpRule>,
    /// Ours by number, but not of a form we make. To be deleted.
    pub odd: Vec<OddRule>,
    /// Everybody else's.
    pub foreign: Vec<ForeignRule>,
}

/// Reads the rules of both families.
///
/// # Errors
/// The kernel refused or answered nonsense. A kernel without IPv6 is no error.
pub fn list(socket: &mut Socket) -> Result<Rules, Failure> {
    let mut rules = Rules::default();
    for family in Family::BOTH {
        let mut fixed = [0; 12];
        fixed[0] = family_number(family);
        let found = match socket.list(&mut Request::new(RTM_GETRULE, DUMP, &fixed), decode) {
            // No IPv6 in this kernel, or no policy routing for it.
            Err(failure) if family == Family::V6 && is_missing(&failure) => Vec::new(),
            found => found?,
        };
        for found in found {
            if found.rule.family != family {
                continue;
            }
            let is_ours = found.is_ours();
            let Found { rule, complete, action, protocol, raw } = found;
            if is_ours {
                rules.ours.push(rule);
            } else if protocol != PROTOCOL {
                rules.foreign.push(ForeignRule { rule, complete, action, protocol });
            } else {
                rules.odd.push(OddRule { family: rule.family, priority: rule.priority, raw });
            }
        }
    }
    Ok(rules)
}

/// Whether a failure says that the kernel was built without the family asked for.
pub(super) fn is_missing(failure: &Failure) -> bool {
    matches!(failure.errno(), Some(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP))
}

/// Adds a rule.
///
/// # Errors
/// The kernel refused (`EEXIST`: it is there already), or the exchange failed.
pub fn add(socket: &mut Socket, rule: &IpRule) -> Result<(), Failure> {
    socket.change(&mut encode(RTM_NEWRULE, CREATE | EXCLUSIVE, rule))
}

/// Deletes one copy of a rule.
///
/// # Errors
/// The kernel refused (`ENOENT`: it is not there), or the exchange failed.
pub fn delete(socket: &mut Socket, rule: &IpRule) -> Result<(), Failure> {
    socket.change(&mut encode(RTM_DELRULE, 0, rule))
}

/// Deletes a rule that carries our number, but is none of our making.
///
/// # Errors
/// The kernel refused, or the exchange failed.
pub fn delete_odd(socket: &mut Socket, rule: &OddRule) -> Result<(), Failure> {
    socket.change(&mut Request::new(RTM_DELRULE, ACK, &rule.raw))
}

/// `table` of a header holds one byte; larger numbers go into an attribute. The same for rules and routes.
pub(super) fn table_byte(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(0)
}

pub(super) fn encode(kind: u16, flags: u16, rule: &IpRule) -> Request {
    let invert = if rule.invert { FIB_RULE_INVERT } else { 0 }.to_ne_bytes();
    let length = |prefix: Option<(IpAddr, u8)>| prefix.map_or(0, |(_, length)| length);
    let mut fixed = [0; 12];
    fixed[0] = family_number(rule.family);
    fixed[1] = length(rule.to);
    fixed[2] = length(rule.from);
    fixed[4] = table_byte(rule.table);
    fixed[7] = match rule.action {
        RuleAction::Lookup => FR_ACT_TO_TBL,
        RuleAction::Unreachable => FR_ACT_UNREACHABLE,
    };
    fixed[8..].copy_from_slice(&invert);

    let mut request = Request::new(kind, flags | ACK, &fixed);
    request.u32(FRA_PRIORITY, rule.priority);
    if let Some((address, 1..)) = rule.from {
        request.address(FRA_SRC, address);
    }
    if let Some((address, 1..)) = rule.to {
        request.address(FRA_DST, address);
    }
    if let Some((value, mask)) = rule.mark {
        request.u32(FRA_FWMARK, value);
        request.u32(FRA_FWMASK, mask);
    }
    if let Some(device) = &rule.iif {
        request.string(FRA_IIFNAME, device);
    }
    if let Some(device) = &rule.oif {
        request.string(FRA_OIFNAME, device);
    }
    if let Some(protocol) = rule.protocol {
        request.u8(FRA_IP_PROTO, protocol);
    }
    for (kind, ports) in [(FRA_SPORT_RANGE, rule.source_ports), (FRA_DPORT_RANGE, rule.destination_ports)] {
        if let Some((first, last)) = ports {
            let ([a, b], [c, d]) = (first.to_ne_bytes(), last.to_ne_bytes());
            request.raw(kind, &[a, b, c, d]);
        }
    }
    if let Some((first, last)) = rule.users {
        request.raw(FRA_UID_RANGE, &[first.to_ne_bytes(), last.to_ne_bytes()].concat());
    }
    if rule.table > u32::from(u8::MAX) {
        request.u32(FRA_TABLE, rule.table);
    }
    if let Some(length) = rule.suppress_prefixlength {
        request.u32(FRA_SUPPRESS_PREFIXLEN, length);
    }
    request.u8(FRA_PROTOCOL, PROTOCOL);
    request
}

/// A rule as it was read.
pub(super) struct Found {
    pub(super) rule: IpRule,
    pub(super) complete: bool,
    pub(super) action: Action,
    pub(super) protocol: u8,
    raw: Vec<u8>,
}

impl Found {
    /// Whether it carries our number and is one that we would make.
    pub(super) fn is_ours(&self) -> bool {
        let is_of_a_form_we_make = match self.action {
            Action::Lookup => true,
            Action::Unreachable => self.rule.table == 0,
            _ => false,
        };
        self.protocol == PROTOCOL && self.complete && is_of_a_form_we_make
    }
}

pub(super) fn decode(message: &Message) -> Result<Option<Found>, Malformed> {
    if message.kind != RTM_NEWRULE {
        return Ok(None);
    }
    let (fixed, attributes) = message.split::<12>()?;
    let [family, to_length, from_length, tos, table, _, _, action, f0, f1, f2, f3] = *fixed;
    let Some(family) = family_from(family) else { return Ok(None) };
    let action = Action::from_number(action);
    let mut rule = IpRule::lookup(family, 0, u32::from(table));
    if action == Action::Unreachable {
        rule.action = RuleAction::Unreachable;
    }
    rule.invert = u32::from_ne_bytes([f0, f1, f2, f3]) & FIB_RULE_INVERT != 0;
    let mut complete = tos == 0;
    let mut protocol = 0;
    let (mut mark, mut mask, mut from, mut to) = (None, None, None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            FRA_PRIORITY => rule.priority = attribute.u32()?,
            FRA_TABLE => rule.table = attribute.u32()?,
            FRA_PROTOCOL => protocol = attribute.u8()?,
            FRA_SRC => from = Some(attribute.address(family)?),
            FRA_DST => to = Some(attribute.address(family)?),
            FRA_FWMARK => mark = Some(attribute.u32()?),
            FRA_FWMASK => mask = Some(attribute.u32()?),
            FRA_IIFNAME => rule.iif = Some(attribute.string()),
            FRA_OIFNAME => rule.oif = Some(attribute.string()),
            FRA_IP_PROTO => rule.protocol = Some(attribute.u8()?),
            FRA_SPORT_RANGE => rule.source_ports = Some(attribute.range()?),
            FRA_DPORT_RANGE => rule.destination_ports = Some(attribute.range()?),
            FRA_UID_RANGE => rule.users = Some(attribute.wide_range()?),
            FRA_SUPPRESS_PREFIXLEN => {
                rule.suppress_prefixlength = Some(attribute.u32()?).filter(|&length| length != NO_SUPPRESS);
            }
            // Linux 6.15 and later say "all bits" for a single port.
            FRA_SPORT_MASK | FRA_DPORT_MASK if attribute.u16()? == u16::MAX => {}
            _ => complete = false,
        }
    }
    // The kernel writes the mask whenever there is a mark or a mask.
    rule.mark = mark.or(mask.map(|_| 0)).map(|value| (value, mask.unwrap_or(u32::MAX)));
    // No kernel says an address without a length, or a length without an address: who does means something else.
    let mut prefix = |address: Option<IpAddr>, length| {
        complete &= address.is_some() == (length > 0) && length <= family.width();
        address.map(|address| (address, length))
    };
    (rule.from, rule.to) = (prefix(from, from_length), prefix(to, to_length));
    Ok(Some(Found { rule, complete, action, protocol, raw: message.payload.to_vec() }))
}
