//! Default routes.
//!
//! Quirks of the kernel:
//! * IPv4's key is (table, prefix, tos, metric) and replace overwrites whoever's route it is. Use own tables only.
//! * IPv6 without `EXCL` appends a next hop to a route of the same metric; replace swaps the whole set; metric 0
//!   means 1024; routes by a device alone are never joined, they stand side by side under one metric.
//! * IPv6 refuses a multipath route with a next hop that has no gateway ("Device only routes can not be added for
//!   IPv6 using the multipath API"); see [`PLACEHOLDER`].
//! * Carrier loss sets `linkdown` and `dead` flags on a next hop; they are no part of what a route is.

use super::link::Link;
use super::message::{ACK, CREATE, EXCLUSIVE, Malformed, REPLACE, Request, family_number};
use super::route_reader::{Found, dump};
use super::rule::table_byte;
use super::socket::{Failure, Socket};
use crate::config::model::Family;
use crate::plan::state::{NextHop, PROTOCOL, Route, RouteKind};
use nix::errno::Errno;
use std::net::{IpAddr, Ipv6Addr};

pub(super) const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
pub(super) const RTM_GETROUTE: u16 = 26;

pub(super) const RTA_OIF: u16 = 4;
pub(super) const RTA_GATEWAY: u16 = 5;
pub(super) const RTA_PRIORITY: u16 = 6;
pub(super) const RTA_MULTIPATH: u16 = 9;
pub(super) const RTA_TABLE: u16 = 15;

pub(super) const RTN_UNICAST: u8 = 1;
pub(super) const RTN_BLACKHOLE: u8 = 6;
pub(super) const RTN_UNREACHABLE: u8 = 7;
pub(super) const RTN_PROHIBIT: u8 = 8;
const RTN_THROW: u8 = 9;

const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_NOWHERE: u8 = 255;

const RTNH_F_ONLINK: u8 = 4;
/// The table of the router's own addresses.
const TABLE_LOCAL: u32 = 255;

/// Stands for "no gateway" in an IPv6 route with several next hops, where the kernel insists on one. Devices without
/// gateways (PPP, WireGuard, tunnels) never ask who has the address, so any link-local one serves.
pub const PLACEHOLDER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x7761, 0x6e73, 0x706c, 0x6974);

/// What a foreign route does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignKind {
    /// Sends by these next hops. Empty if they are kept in a nexthop object, which is not looked into.
    Via(Vec<NextHop>),
    /// Refuses: no route.
    Unreachable,
    /// Drops silently.
    Blackhole,
    /// Refuses: forbidden.
    Prohibit,
    /// Ends the lookup in this table.
    Throw,
    /// Something else, by its number.
    Other(u8),
}

/// Somebody else's default route, or half of one: VPNs cover everything with `0.0.0.0/1` and `128.0.0.0/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRoute {
    /// The family.
    pub family: Family,
    /// The table.
    pub table: u32,
    /// The metric; 0 is the best.
    pub metric: u32,
    /// The destination's prefix: its first address and 0, or 1 for a half.
    pub destination: (IpAddr, u8),
    /// Only for packets from a prefix of this length; 0: from anywhere. netifd's IPv6 defaults are like that.
    pub source_length: u8,
    /// What it does.
    pub kind: ForeignKind,
    /// Who made it: 2 the kernel, 3 busybox, 4 netifd and administrators, 9 router advertisements, 16 DHCP.
    pub protocol: u8,
}

/// A route with our protocol number that this program would never make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRoute {
    /// Its family.
    pub family: Family,
    /// Its table.
    pub table: u32,
    /// Its metric.
    pub metric: u32,
    /// The message it was read from: sent back as a delete it removes just that route.
    raw: Vec<u8>,
}

/// Routes that carry our protocol number, in any table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// Of the form we make.
    pub ours: Vec<Route>,
    /// Of any other form. To be deleted.
    pub odd: Vec<OddRoute>,
}

/// Reads our routes of both families, in all tables.
///
/// # Errors
/// The kernel refused or answered nonsense. A kernel without IPv6 is no error.
pub fn list(socket: &mut Socket, links: &[Link]) -> Result<Routes, Failure> {
    let mut routes = Routes::default();
    for found in dump(socket, links, PROTOCOL, &|found| found.protocol == PROTOCOL)? {
        match found.as_ours() {
            Some(route) => routes.ours.push(route),
            None => {
                let Found { family, table, metric, raw, .. } = found;
                routes.odd.push(OddRoute { family, table, metric, raw });
            }
        }
    }
    Ok(routes)
}

/// Reads everybody else's default routes and halves of such, in all tables but `local`.
///
/// # Errors
/// The kernel refused or answered nonsense. A kernel without IPv6 is no error.
pub fn list_foreign(socket: &mut Socket, links: &[Link]) -> Result<Vec<ForeignRoute>, Failure> {
    let wanted = |found: &Found| found.protocol != PROTOCOL && found.destination.1 <= 1 && found.table != TABLE_LOCAL;
    let found = dump(socket, links, 0, &wanted)?;
    Ok(found
        .into_iter()
        .map(|Found { family, table, metric, destination, source_length, kind, hops, protocol, .. }| ForeignRoute {
            family,
            table,
            metric,
            destination,
            source_length,
            protocol,
            kind: match kind {
                RTN_UNICAST => ForeignKind::Via(hops),
                RTN_BLACKHOLE => ForeignKind::Blackhole,
                RTN_UNREACHABLE => ForeignKind::Unreachable,
                RTN_PROHIBIT => ForeignKind::Prohibit,
                RTN_THROW => ForeignKind::Throw,
                other => ForeignKind::Other(other),
            },
        })
        .collect())
}

/// Adds a route where none of its family, table and metric is.
///
/// # Errors
/// The kernel refused (`EEXIST`: there is one; `ENODEV`: no such device), or the exchange failed.
pub fn add(socket: &mut Socket, route: &Route) -> Result<(), Failure> {
    socket.change(&mut encode(RTM_NEWROUTE, CREATE | EXCLUSIVE, route)?)
}

/// Puts a route in the place of the one with its family, table and metric, without a gap; adds it if there is none.
///
/// # Errors
/// The kernel refused, or the exchange failed.
pub fn replace(socket: &mut Socket, route: &Route) -> Result<(), Failure> {
    socket.change(&mut encode(RTM_NEWROUTE, CREATE | REPLACE, route)?)
}

/// Deletes exactly this route.
///
/// # Errors
/// The kernel refused (`ESRCH`: it is not there; `ENODEV`: its device is gone, and the route with it),
/// or the exchange failed.
pub fn delete(socket: &mut Socket, route: &Route) -> Result<(), Failure> {
    socket.change(&mut encode(RTM_DELROUTE, 0, route)?)
}

/// Deletes a route that carries our number, but is none of our making.
///
/// # Errors
/// The kernel refused, or the exchange failed.
pub fn delete_odd(socket: &mut Socket, route: &OddRoute) -> Result<(), Failure> {
    socket.change(&mut Request::new(RTM_DELROUTE, ACK, &route.raw))
}

pub(super) fn encode(kind: u16, flags: u16, route: &Route) -> Result<Request, Failure> {
    let hops: &[NextHop] = match &route.kind {
        RouteKind::Via(hops) => hops,
        RouteKind::Unreachable | RouteKind::Blackhole | RouteKind::Prohibit => &[],
    };
    let (action, single) = match (&route.kind, hops) {
        (RouteKind::Unreachable, _) => (RTN_UNREACHABLE, None),
        (RouteKind::Blackhole, _) => (RTN_BLACKHOLE, None),
        (RouteKind::Prohibit, _) => (RTN_PROHIBIT, None),
        (RouteKind::Via(_), []) => return Err(Malformed("a route without a next hop").into()),
        (RouteKind::Via(_), [hop]) => (RTN_UNICAST, Some(hop)),
        (RouteKind::Via(_), _) => (RTN_UNICAST, None),
    };
    let scope = match (route.family, single) {
        (Family::V4, _) if kind == RTM_DELROUTE => SCOPE_NOWHERE,
        (Family::V4, Some(NextHop { gateway: None, .. })) => SCOPE_LINK,
        _ => SCOPE_UNIVERSE,
    };
    let onlink = u32::from(if single.is_some_and(|hop| hop.gateway.is_some()) { RTNH_F_ONLINK } else { 0 });

    let mut fixed = [0; 12];
    fixed[0] = family_number(route.family);
    fixed[4] = table_byte(route.table);
    fixed[5] = PROTOCOL;
    fixed[6] = scope;
    fixed[7] = action;
    fixed[8..].copy_from_slice(&onlink.to_ne_bytes());

    let mut request = Request::new(kind, flags | ACK, &fixed);
    if route.table > u32::from(u8::MAX) {
        request.u32(RTA_TABLE, route.table);
    }
    request.u32(RTA_PRIORITY, route.metric);
    if let Some(hop) = single {
        if let Some(gateway) = gateway(route.family, hop)? {
            request.address(RTA_GATEWAY, gateway);
        }
        request.u32(RTA_OIF, index(&hop.device)?);
    } else if !hops.is_empty() {
        let mut gathered = Vec::with_capacity(hops.len());
        for hop in hops {
            // The kernel insists on a gateway, see PLACEHOLDER.
            let placeholder = (route.family == Family::V6).then_some(IpAddr::V6(PLACEHOLDER));
            gathered.push((index(&hop.device)?, gateway(route.family, hop)?.or(placeholder), hop.weight));
        }
        request.nested(RTA_MULTIPATH, |request| {
            for (index, gateway, weight) in gathered {
                let [i0, i1, i2, i3] = index.to_ne_bytes();
                let flags = if gateway.is_some() { RTNH_F_ONLINK } else { 0 };
                // The field is called "hops" and holds the weight less one.
                let weight = u8::try_from(weight.saturating_sub(1)).unwrap_or(u8::MAX);
                let hop = request.begin(&[0, 0, flags, weight, i0, i1, i2, i3]);
                if let Some(gateway) = gateway {
                    request.address(RTA_GATEWAY, gateway);
                }
                request.end(hop);
            }
        });
    }
    Ok(request)
}

/// A next hop's gateway, if it is of the route's family: the kernel would read other bytes of it without a word.
fn gateway(family: Family, hop: &NextHop) -> Result<Option<IpAddr>, Failure> {
    match (family, hop.gateway) {
        (Family::V4, Some(IpAddr::V6(_))) | (Family::V6, Some(IpAddr::V4(_))) => {
            Err(Malformed("a gateway of the other family").into())
        }
        (_, gateway) => Ok(gateway),
    }
}

fn index(device: &str) -> Result<u32, Failure> {
    let refused = |_| Failure::Refused { errno: Errno::ENODEV, reason: Some(format!("there is no device {device}")) };
    nix::net::if_::if_nametoindex(device).map_err(refused)
}
