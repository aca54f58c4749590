//! Reads routes; what [`route`](super::route) is made of.

use super::link::{self, Link};
use super::message::{Attribute, Attributes, DUMP, Malformed, Message, Request, family_from, family_number};
use super::route::{
    PLACEHOLDER, RTA_GATEWAY, RTA_MULTIPATH, RTA_OIF, RTA_PRIORITY, RTA_TABLE, RTM_GETROUTE, RTM_NEWROUTE,
    RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::rule::is_missing;
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::plan::state::{NextHop, PROTOCOL, Route, RouteKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const RTA_DST: u16 = 1;
pub(super) const RTA_CACHEINFO: u16 = 12;
const RTA_PREF: u16 = 20;
/// `RTM_F_CLONED`: not a route, but what the kernel remembers of one destination (a path MTU).
pub(super) const RTM_F_CLONED: u32 = 0x200;

/// A route as it was read.
pub(super) struct Found {
    pub(super) family: Family,
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) destination: (IpAddr, u8),
    pub(super) source_length: u8,
    pub(super) kind: u8,
    pub(super) hops: Vec<NextHop>,
    pub(super) protocol: u8,
    /// Whether the fields above say all there is.
    pub(super) complete: bool,
    pub(super) raw: Vec<u8>,
}

impl Found {
    /// The route, if it is one that we would make.
    pub(super) fn as_ours(&self) -> Option<Route> {
        let kind = match self.kind {
            RTN_UNICAST if !self.hops.is_empty() => RouteKind::Via(self.hops.clone()),
            RTN_UNREACHABLE => RouteKind::Unreachable,
            RTN_BLACKHOLE => RouteKind::Blackhole,
            RTN_PROHIBIT => RouteKind::Prohibit,
            _ => return None,
        };
        let plain = self.complete && self.destination.1 == 0 && self.source_length == 0;
        plain.then_some(Route { family: self.family, table: self.table, metric: self.metric, kind })
    }
}

/// Reads the wanted routes of both families; with a protocol the kernel already leaves out all others.
pub(super) fn dump(
    socket: &mut Socket,
    links: &[Link],
    protocol: u8,
    wanted: &dyn Fn(&Found) -> bool,
) -> Result<Vec<Found>, Failure> {
    let mut all = Vec::new();
    for family in Family::BOTH {
        let mut fixed = [0; 12];
        fixed[0] = family_number(family);
        fixed[5] = protocol;
        // A kernel without IPv6 answers a question for its routes with everybody's (`rtnl_dump_all`).
        let wanted = |found: &Found| found.family == family && wanted(found);
        let decode = |message: &Message| Ok(decode(message, links)?.filter(wanted));
        match socket.list(&mut Request::new(RTM_GETROUTE, DUMP, &fixed), decode) {
            Err(failure) if family == Family::V6 && is_missing(&failure) => {}
            found => all.append(&mut found?),
        }
    }
    Ok(all)
}

pub(super) fn decode(message: &Message, links: &[Link]) -> Result<Option<Found>, Malformed> {
    if message.kind != RTM_NEWROUTE {
        return Ok(None);
    }
    let (fixed, attributes) = message.split::<12>()?;
    let [family, length, source_length, tos, table, protocol, _, kind, f0, f1, f2, f3] = *fixed;
    let Some(family) = family_from(family) else { return Ok(None) };
    if u32::from_ne_bytes([f0, f1, f2, f3]) & RTM_F_CLONED != 0 {
        return Ok(None);
    }
    let nowhere = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let mut found = Found {
        family,
        table: u32::from(table),
        metric: 0,
        destination: (nowhere, length),
        source_length,
        kind,
        hops: Vec::new(),
        protocol,
        complete: tos == 0,
        raw: Vec::new(),
    };
    let (mut device, mut gateway) = (None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            RTA_DST => found.destination.0 = attribute.address(family)?,
            RTA_TABLE => found.table = attribute.u32()?,
            RTA_PRIORITY => found.metric = attribute.u32()?,
            RTA_OIF => device = Some(attribute.u32()?),
            RTA_GATEWAY => gateway = Some(attribute.address(family)?),
            RTA_MULTIPATH => found.hops = multipath(&attribute, family, links, &mut found.complete)?,
            // Said of every IPv6 route: its age, and a preference that only router advertisements set.
            RTA_CACHEINFO | RTA_PREF => {}
            _ => found.complete = false,
        }
    }
    // An IPv6 route that refuses shows the device "lo".
    if let Some(device) = device.filter(|_| kind == RTN_UNICAST) {
        found.hops.push(hop(device, gateway, 1, links, &mut found.complete));
    }
    if protocol == PROTOCOL {
        found.raw = message.payload.to_vec();
    }
    Ok(Some(found))
}

/// Reads the next hops in `RTA_MULTIPATH`: each a `struct rtnexthop` with its own attributes behind it.
pub(super) fn multipath(
    attribute: &Attribute,
    family: Family,
    links: &[Link],
    complete: &mut bool,
) -> Result<Vec<NextHop>, Malformed> {
    const CUT: Malformed = Malformed("a next hop has an impossible length");
    let mut rest = attribute.payload;
    let mut hops = Vec::new();
    while let Some((fixed, _)) = rest.split_first_chunk::<8>() {
        let [l0, l1, _, weight, i0, i1, i2, i3] = *fixed;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let mut gateway = None;
        for inner in Attributes(rest.get(8..length).ok_or(CUT)?) {
            let inner = inner?;
            match inner.kind {
                RTA_GATEWAY => gateway = Some(inner.address(family)?),
                _ => *complete = false,
            }
        }
        let gateway = gateway.filter(|&gateway| gateway != IpAddr::V6(PLACEHOLDER));
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        hops.push(hop(index, gateway, u16::from(weight) + 1, links, complete));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(hops)
}

/// A next hop; a device that came or went since the devices were read makes its route one we do not recognise.
fn hop(index: u32, gateway: Option<IpAddr>, weight: u16, links: &[Link], complete: &mut bool) -> NextHop {
    let device = link::name(links, index).map_or_else(
        || {
            *complete = false;
            format!("device number {index}")
        },
        str::to_owned,
    );
    NextHop { device, gateway, weight }
}
