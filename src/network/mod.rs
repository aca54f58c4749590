//! Facts: what links exist now, from a file in the shape of netifd's answer, from netifd, or from the kernel.
//!
//! The types here are plain values; `plan` computes from them and never asks the machine itself.

pub mod dnsmasq;
pub mod firewall;
pub mod gather;
pub mod known;
pub mod netifd;
pub mod outer;
pub mod zones;

use crate::clock::Now;
use crate::config::model::{Config, Family, LinkId, Rule};
use crate::interval::IntervalSet;
use crate::map::{Map, Set};
use outer::Outer;
use std::net::{IpAddr, Ipv6Addr};

/// What is known about the machine's links at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// One entry a link, in the order of the configuration.
    pub links: Vec<LinkFacts>,
    /// netifd's interface names and their layer 3 devices, for `src_iface`.
    pub interfaces: Map<String, String>,
    /// Whether the kernel speaks IPv6 at all.
    pub ipv6: bool,
    /// Devices on which the kernel checks source addresses strictly (`rp_filter` 1).
    pub strict_devices: Set<String>,
    /// Devices on which it checks them loosely (`rp_filter` 2).
    pub loose_devices: Set<String>,
    /// User ids that cannot exist here; none, but in a container.
    pub absent_users: IntervalSet,
    /// What time it is.
    pub now: Now,
}

impl Facts {
    /// The device behind the name of an interface; a name netifd does not know is a device's own.
    #[must_use]
    pub fn device_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.interfaces.get(name).map_or(name, String::as_str)
    }

    /// Whether the kernel speaks a family.
    #[must_use]
    pub fn speaks(&self, family: Family) -> bool {
        family == Family::V4 || self.ipv6
    }

    /// Whether every link can carry every family that the kernel speaks.
    #[must_use]
    pub fn all_usable(&self) -> bool {
        self.links.iter().all(|link| link.v4.is_usable() && (!self.ipv6 || link.v6.is_usable()))
    }

    /// Whether a rule holds at this time.
    #[must_use]
    pub fn is_time_for(&self, rule: &Rule) -> bool {
        rule.schedule.is_none_or(|schedule| schedule.holds_at(self.now.local()))
    }

    /// The rules that hold at this time, each with its place in [`Config::rules`].
    pub fn rules_of<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = (usize, &'a Rule)> {
        config.rules.iter().enumerate().filter(|(_, rule)| self.is_time_for(rule))
    }

    /// What is known of one link in one family.
    #[must_use]
    pub fn side(&self, link: LinkId, family: Family) -> Option<&Side> {
        let facts = self.links.get(link.0)?;
        Some(match family {
            Family::V4 => &facts.v4,
            Family::V6 => &facts.v6,
        })
    }
}

/// One link, both families. They may live on different devices (a tunnel for one of them).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkFacts {
    /// IPv4.
    pub v4: Side,
    /// IPv6.
    pub v6: Side,
    /// IPv6 prefixes the provider delegated over this link: `(address, length)`.
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    /// Whether IPv6 senders are translated on it, so that hosts with any address may leave by it.
    pub translates6: bool,
    /// If it is a tunnel: its own packets, as far as the machine tells what they look like.
    pub outer: Vec<Outer>,
}

/// One link in one family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// The layer 3 device, also while it is down, if it is known.
    pub device: Option<String>,
    /// The router's own addresses on it; link-local ones are left out.
    pub addresses: Vec<IpAddr>,
    /// Whether and how packets can leave by it.
    pub state: State,
    /// What watching it has shown.
    pub standing: Standing,
}

/// How far a link that could be used is trusted, by what its probes have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Standing {
    /// It works, or nobody watches it.
    #[default]
    Good,
    /// Second choice: it answers badly, has come and gone too often, or has not proved itself since it came back. It is
    /// used where no good link is left: better than none.
    Poor,
    /// It is dead: nothing shall leave by it but probes.
    Dead,
}

/// Whether and how packets can leave by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// They can.
    Up(Hop),
    /// There is a way, but the device has no carrier. The route stays in the tables: the kernel itself skips it
    /// (`ignore_routes_with_linkdown`) and takes it again when the carrier is back.
    NoCarrier(Hop),
    /// They cannot, and why.
    Down(Down),
}

/// The first hop of a default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The layer 3 device.
    pub device: String,
    /// The gateway; none on a point-to-point device.
    pub gateway: Option<IpAddr>,
}

/// Why a link cannot carry a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Down {
    /// The link is not meant to carry this family: no gateway, no address of it.
    #[default]
    NotOffered,
    /// Its section in the configuration is wrong.
    Misconfigured,
    /// netifd has no interface of that name.
    NoSuchInterface,
    /// netifd says the interface is down.
    InterfaceDown,
    /// There is no such device.
    NoSuchDevice,
    /// The device is switched off.
    DeviceDown,
    /// The device has no IPv4 address yet, or of its IPv6 addresses none is known to be unique yet.
    NoAddress,
    /// IPv6 is switched off on the device.
    Ipv6Off,
    /// The gateway is one of the router's own addresses.
    OwnGateway,
}

impl Default for State {
    fn default() -> Self {
        Self::Down(Down::default())
    }
}

impl Side {
    /// The default route's first hop, if one is wanted in the tables.
    #[must_use]
    pub fn hop(&self) -> Option<&Hop> {
        match &self.state {
            State::Up(hop) | State::NoCarrier(hop) => Some(hop),
            State::Down(_) => None,
        }
    }

    /// Whether the machine says that packets can leave by it; what its probes have shown is another matter.
    #[must_use]
    pub fn has_carrier(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether it carries new connections, if only as second choice.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.has_carrier() && self.standing != Standing::Dead
    }
}
