//! Routes and ip rules, as `plan` wants them and as `kernel` reads them back: one type for both, so that
//! the difference is plain set arithmetic.

use crate::config::model::Family;
use std::net::IpAddr;

/// The number wansplit writes into the `protocol` of every rule and route it makes; it deletes only what carries it.
/// Free in iproute2's `rt_protos` and unused by netifd (4), busybox (3), routing daemons (186 and up).
pub const PROTOCOL: u8 = 119;

/// The main routing table.
pub const TABLE_MAIN: u32 = 254;

/// A default route in one of our tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// The family.
    pub family: Family,
    /// The table.
    pub table: u32,
    /// The metric: see [`TierNow`](super::tiers::TierNow). With family and table it is the route's identity in the kernel.
    pub metric: u32,
    /// What it does.
    pub kind: RouteKind,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteKind {
    /// Sends by one next hop, or by several in proportion to their weights. Never empty.
    Via(Vec<NextHop>),
    /// Refuses with an ICMP error.
    Unreachable,
    /// Drops silently.
    Blackhole,
    /// Refuses with the ICMP error "administratively prohibited": TCP takes it for final when it connects. "Unreachable"
    /// may pass (RFC 5461), and not every system gives up at once because of it.
    Prohibit,
}

impl Route {
    /// Whether it leads out by a link.
    #[must_use]
    pub fn is_via(&self) -> bool {
        matches!(self.kind, RouteKind::Via(_))
    }
}

/// One way out of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextHop {
    /// The device's name.
    pub device: String,
    /// The gateway; none on a point-to-point device. Routes with a gateway are `onlink`.
    pub gateway: Option<IpAddr>,
    /// Its share, 1 to 256; 1 in a route with a single next hop.
    pub weight: u16,
}

/// An ip rule that looks up a table, or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRule {
    /// The family.
    pub family: Family,
    /// The priority: lower comes first.
    pub priority: u32,
    /// `not`: matches what the selectors do not.
    pub invert: bool,
    /// `fwmark VALUE/MASK`.
    pub mark: Option<(u32, u32)>,
    /// `iif NAME`.
    pub iif: Option<String>,
    /// `oif NAME`.
    pub oif: Option<String>,
    /// `from ADDRESS/LENGTH`.
    pub from: Option<(IpAddr, u8)>,
    /// `to ADDRESS/LENGTH`.
    pub to: Option<(IpAddr, u8)>,
    /// `ipproto NUMBER`.
    pub protocol: Option<u8>,
    /// `sport FIRST-LAST`.
    pub source_ports: Option<(u16, u16)>,
    /// `dport FIRST-LAST`.
    pub destination_ports: Option<(u16, u16)>,
    /// `lookup TABLE`; 0 is `unreachable`.
    pub table: u32,
    /// `suppress_prefixlength N`: a result with a prefix this short or shorter does not count.
    pub suppress_prefixlength: Option<u32>,
}

impl IpRule {
    /// The table of a rule that looks up none and refuses.
    pub const REFUSES: u32 = 0;

    /// A rule that matches everything of a family; selectors are added by struct update.
    #[must_use]
    pub fn lookup(family: Family, priority: u32, table: u32) -> Self {
        Self {
            family,
            priority,
            invert: false,
            mark: None,
            iif: None,
            oif: None,
            from: None,
            to: None,
            protocol: None,
            source_ports: None,
            destination_ports: None,
            table,
            suppress_prefixlength: None,
        }
    }
}
