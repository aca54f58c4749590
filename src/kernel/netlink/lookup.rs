//! Asks the kernel where it would send a packet.

use super::link::{self, Link};
use super::message::{Malformed, Message, Request, family_number};
use super::route::{
    PLACEHOLDER, RTA_GATEWAY, RTA_MULTIPATH, RTA_OIF, RTA_PRIORITY, RTA_TABLE, RTM_GETROUTE, RTM_NEWROUTE,
    RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::route_reader::multipath;
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::plan::state::NextHop;
use nix::errno::Errno;
use std::net::IpAddr;

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_IIF: u16 = 3;
const RTA_PREFSRC: u16 = 7;
const RTA_MARK: u16 = 16;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;

/// `RTM_F_LOOKUP_TABLE`: say the table that answered, not the one the address belongs to.
const LOOKUP_TABLE: u32 = 0x1000;
/// `RTM_F_FIB_MATCH`: answer with the route as it stands in the table.
const FIB_MATCH: u32 = 0x2000;

const RTN_LOCAL: u8 = 2;

/// A packet to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Where it goes. Decides the family.
    pub destination: IpAddr,
    /// Where it is from, if that is fixed already.
    pub source: Option<IpAddr>,
    /// Its mark.
    pub mark: u32,
    /// The device it came in by; none if the router itself sends it.
    pub iif: Option<u32>,
    /// The device its socket is bound to. Without a route by it, IPv4 takes the destination for a neighbour there.
    pub oif: Option<u32>,
    /// Its protocol. The kernel answers for TCP, UDP and ICMP only; others are asked about without a protocol,
    /// so that rules by protocol and port do not match them.
    pub protocol: Option<u8>,
    /// Its source port.
    pub source_port: Option<u16>,
    /// Its destination port.
    pub destination_port: Option<u16>,
    /// The user whose socket sends it; else the one who asks.
    pub user: Option<u32>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Where it would go, of several next hops the one that the kernel's hash picks, with the source address.
    Way,
    /// Which route matches, with all its next hops and its metric (`fibmatch`).
    Route,
}

/// What happens to the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent on.
    Forwarded,
    /// It is for the router itself.
    Local,
    /// An `unreachable` route refuses it.
    Unreachable,
    /// No table has a route for it.
    NoRoute,
    /// It is dropped silently.
    Blackhole,
    /// A `prohibit` route refuses it.
    Prohibit,
    /// Something else (broadcast, multicast), by the route type's number.
    Other(u8),
}

/// The kernel's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What happens.
    pub verdict: Verdict,
    /// The table the answer is from; the kernel does not tell when it refuses.
    pub table: Option<u32>,
    /// The next hops: one for [`Question::Way`], all for [`Question::Route`].
    pub hops: Vec<NextHop>,
    /// The source address the router would choose. For [`Question::Way`] only.
    pub source: Option<IpAddr>,
    /// The route's metric. For [`Question::Route`] only; 0 is the best.
    pub metric: u32,
    /// The length of the route's prefix, 0 for a default route. For [`Question::Route`] only.
    pub length: u8,
}

/// Asks about a packet. A route that refuses is an answer too.
///
/// # Errors
/// The kernel could not make sense of the question, or its answer is nonsense.
pub fn ask(socket: &mut Socket, links: &[Link], packet: &Packet, question: Question) -> Result<Answer, Failure> {
    let family = match packet.destination {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    };
    // IPv6 always says the table that answered, and refuses to be asked for it.
    let table = if family == Family::V4 { LOOKUP_TABLE } else { 0 };
    let flags = match question {
        Question::Way => table,
        Question::Route => table | FIB_MATCH,
    };
    let mut fixed = [0; 12];
    fixed[0] = family_number(family);
    fixed[1] = family.width();
    fixed[2] = if packet.source.is_some() { family.width() } else { 0 };
    fixed[8..].copy_from_slice(&flags.to_ne_bytes());
    let mut request = Request::new(RTM_GETROUTE, 0, &fixed);
    request.address(RTA_DST, packet.destination);
    if let Some(source) = packet.source {
        if source.is_ipv4() != packet.destination.is_ipv4() {
            return Err(Failure::Refused { errno: Errno::EAFNOSUPPORT, reason: None });
        }
        request.address(RTA_SRC, source);
    }
    for (kind, index) in [(RTA_IIF, packet.iif), (RTA_OIF, packet.oif)] {
        if let Some(index) = index {
            request.u32(kind, index);
        }
    }
    if let Some(user) = packet.user {
        request.u32(RTA_UID, user);
    }
    if packet.mark != 0 {
        request.u32(RTA_MARK, packet.mark);
    }
    // The kernel's list: rtm_getroute_parse_ip_proto().
    let known = match family {
        Family::V4 => [6, 17, 1],
        Family::V6 => [6, 17, 58],
    };
    if let Some(protocol) = packet.protocol.filter(|protocol| known.contains(protocol)) {
        request.u8(RTA_IP_PROTO, protocol);
        for (kind, port) in [(RTA_SPORT, packet.source_port), (RTA_DPORT, packet.destination_port)] {
            if let Some(port) = port {
                request.be16(kind, port);
            }
        }
    }
    match socket.ask(&mut request, |message| decode(message, family, links)) {
        Err(Failure::Refused { errno, reason: None }) => refusal(errno).ok_or(Failure::Refused { errno, reason: None }),
        other => other,
    }
}

/// Which kind of route refused is told by an error number alone, without the table (`fib_props` in
/// `fib_semantics.c`, `ip6_rt_type_to_error` in `route.c`). A question that makes no sense is `EINVAL` as well, but
/// comes with an explanation.
fn refusal(errno: Errno) -> Option<Answer> {
    let verdict = match errno {
        Errno::ENETUNREACH => Verdict::NoRoute,
        Errno::EHOSTUNREACH => Verdict::Unreachable,
        Errno::EINVAL => Verdict::Blackhole,
        Errno::EACCES => Verdict::Prohibit,
        _ => return None,
    };
    Some(Answer { verdict, table: None, hops: Vec::new(), source: None, metric: 0, length: 0 })
}

pub(super) fn decode(message: &Message, family: Family, links: &[Link]) -> Result<Answer, Malformed> {
    if message.kind != RTM_NEWROUTE {
        return Err(Malformed("it is not a route"));
    }
    let (fixed, attributes) = message.split::<12>()?;
    let [_, length, _, _, table, _, _, kind, ..] = fixed;
    let verdict = match *kind {
        RTN_UNICAST => Verdict::Forwarded,
        RTN_LOCAL => Verdict::Local,
        RTN_BLACKHOLE => Verdict::Blackhole,
        RTN_UNREACHABLE => Verdict::Unreachable,
        RTN_PROHIBIT => Verdict::Prohibit,
        other => Verdict::Other(other),
    };
    let mut answer =
        Answer { verdict, table: Some(u32::from(*table)), hops: Vec::new(), source: None, metric: 0, length: *length };
    let (mut device, mut gateway) = (None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            RTA_OIF => device = Some(attribute.u32()?),
            RTA_GATEWAY => gateway = Some(attribute.address(family)?),
            RTA_PRIORITY => answer.metric = attribute.u32()?,
            RTA_PREFSRC => answer.source = Some(attribute.address(family)?),
            RTA_MULTIPATH => answer.hops = multipath(&attribute, family, links, &mut true)?,
            RTA_TABLE => answer.table = Some(attribute.u32()?),
            _ => {}
        }
    }
    if let Some(index) = device {
        let device = link::name(links, index).map_or_else(|| format!("device number {index}"), str::to_owned);
        let gateway = gateway.filter(|&gateway| gateway != IpAddr::V6(PLACEHOLDER));
        answer.hops.push(NextHop { device, gateway, weight: 1 });
    }
    Ok(answer)
}
