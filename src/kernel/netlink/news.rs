//! What the kernel's announcements mean for us. Pure: the sockets are in [`monitor`](super::monitor).
//!
//! Most of what a router's kernel announces is of no interest, and much of it is no news: a router advertisement
//! repeats every address, netifd sets the same routes at each DHCP renewal, a wireless driver announces its device
//! several times a second. So what was announced is remembered, and said again it does not count.

use super::address;
use super::link;
use super::message::{Attribute, Attributes, Malformed, Message, family_from};
use super::route_reader::{RTA_CACHEINFO, RTA_DST, RTM_F_CLONED};
use super::rule::FRA_PROTOCOL;
use super::{nftables, route};
use crate::plan::ruleset::TABLE;
use crate::plan::ruleset::digest::Digest;
use crate::plan::state::PROTOCOL;

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const NEWADDR: u16 = 20;
const DELADDR: u16 = 21;
const NEWROUTE: u16 = 24;
const DELROUTE: u16 = 25;
const NEWRULE: u16 = 32;
const DELRULE: u16 = 33;

/// `AF_UNSPEC`.
const ANY_FAMILY: u8 = 0;
/// `RT_TABLE_LOCAL`: the router's own addresses.
const TABLE_LOCAL: u8 = 255;
const RTA_NH_ID: u16 = 30;
const RTA_SRC: u16 = 2;

/// More default routes or addresses than any router has; a memory this full is emptied.
const REMEMBERED: usize = 512;

/// A network device whose state has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it has carrier (`LOWER_UP`).
    pub carrier: bool,
    /// `operstate` is up or unknown.
    pub operational: bool,
    /// Whether it no longer exists.
    pub gone: bool,
}

/// What has happened, except by our own hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Devices that came, went or changed, each with its latest state.
    ///
    /// When a device goes down the kernel takes its IPv4 routes away, in every table, and announces none of that.
    pub links: Vec<Device>,
    /// An address of global scope came, went, or became usable or deprecated. The last IPv4 address of a device takes
    /// its routes along as silently.
    pub addresses: bool,
    /// A route with our protocol number was changed.
    pub own_routes: bool,
    /// Somebody else's default route, or half of one, came, went or changed.
    pub default_routes: bool,
    /// An ip rule with our protocol number came or went.
    pub own_rules: bool,
    /// Somebody else's ip rule came or went.
    pub foreign_rules: bool,
    /// Our nftables table, or something in it, was changed or removed. What is only added to sets and maps does not
    /// count: dnsmasq does that with every answer.
    pub table: bool,
    /// There was more than could be kept, or something that cannot be understood: everything may have changed.
    pub lost: bool,
}

impl News {
    /// Whether nothing has happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what has happened later.
    pub fn add(&mut self, later: Self) {
        for device in later.links {
            self.note(device);
        }
        self.addresses |= later.addresses;
        self.own_routes |= later.own_routes;
        self.default_routes |= later.default_routes;
        self.own_rules |= later.own_rules;
        self.foreign_rules |= later.foreign_rules;
        self.table |= later.table;
        self.lost |= later.lost;
    }

    fn note(&mut self, device: Device) {
        self.links.retain(|earlier| earlier.index != device.index);
        self.links.push(device);
    }
}

/// What was announced before.
#[derive(Default)]
pub(super) struct Memory {
    devices: Vec<Device>,
    addresses: Seen,
    routes: Seen,
}

impl Memory {
    /// Forgets everything: what has changed is no longer known.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The devices as they were read: what is announced from now on is news if it differs from that. The kernel announces
    /// a carrier some time after it has come or gone (`linkwatch`), and a short loss not at all; who reads in between finds
    /// what was never announced, and is to hear that it is over.
    pub(super) fn read(&mut self, devices: &[link::Link]) {
        let known = |link: &link::Link| Device {
            index: link.index,
            name: link.name.clone(),
            up: link.up,
            carrier: link.carrier,
            operational: link.operational,
            gone: false,
        };
        self.devices = devices.iter().map(known).collect();
    }

    /// Takes an announcement of rtnetlink's to heart.
    pub(super) fn hear(&mut self, message: &Message, news: &mut News) -> Result<(), Malformed> {
        match message.kind {
            NEWLINK | DELLINK => self.link(message, news),
            NEWADDR | DELADDR => self.address(message, news),
            NEWROUTE | DELROUTE => self.route(message, news),
            NEWRULE | DELRULE => rule(message, news),
            _ => Ok(()),
        }
    }

    fn link(&mut self, message: &Message, news: &mut News) -> Result<(), Malformed> {
        let gone = message.kind == DELLINK;
        let Some(device) = device(message, gone)? else { return Ok(()) };
        let known = self.devices.iter().position(|known| known.index == device.index);
        if known.and_then(|place| self.devices.get(place)) == Some(&device) {
            return Ok(());
        }
        if let Some(place) = known {
            self.devices.swap_remove(place);
        }
        if !gone {
            self.devices.push(device.clone());
        }
        // Its routes may have gone without a word: when they come back, that is news.
        self.routes.clear();
        news.note(device);
        Ok(())
    }

    fn address(&mut self, message: &Message, news: &mut News) -> Result<(), Malformed> {
        let Some(address) = address::decode(&Message { kind: NEWADDR, ..*message })? else { return Ok(()) };
        let mut key = Digest::default();
        key.number(u128::from(address.index));
        key.add(address.address.to_string().as_bytes());
        key.number(u128::from(address.prefix));
        if message.kind == DELADDR {
            self.addresses.forget(key.value());
            self.routes.clear();
            news.addresses = true;
        } else {
            let state = u64::from(address.tentative) | u64::from(address.deprecated) << 1;
            news.addresses |= self.addresses.is_new(key.value(), state);
        }
        Ok(())
    }

    fn route(&mut self, message: &Message, news: &mut News) -> Result<(), Malformed> {
        let (fixed, attributes) = message.split::<12>()?;
        let [family, length, source_length, tos, table, protocol, scope, kind, flags @ ..] = *fixed;
        if family_from(family).is_none() || u32::from_ne_bytes(flags) & RTM_F_CLONED != 0 {
            return Ok(());
        }
        if protocol == PROTOCOL {
            news.own_routes = true;
        } else if length <= 1 && table != TABLE_LOCAL {
            let (mut key, mut content) = (Digest::default(), Digest::default());
            key.add(&[family, length, source_length, tos, table]);
            content.add(&[protocol, scope, kind]);
            let mut comparable = true;
            for attribute in attributes {
                let Attribute { kind, payload } = attribute?;
                match kind {
                    RTA_DST | RTA_SRC | route::RTA_TABLE | route::RTA_PRIORITY => {
                        key.add(&kind.to_ne_bytes());
                        key.add(payload);
                    }
                    // Its age: that of a route from a router advertisement is new each time.
                    RTA_CACHEINFO => {}
                    _ => {
                        // What a nexthop object holds can change behind its number, without a word on the route.
                        comparable &= kind != RTA_NH_ID;
                        content.add(&kind.to_ne_bytes());
                        content.add(payload);
                    }
                }
            }
            if message.kind == NEWROUTE && comparable {
                news.default_routes |= self.routes.is_new(key.value(), content.value());
            } else {
                self.routes.forget(key.value());
                news.default_routes = true;
            }
        }
        Ok(())
    }
}

/// The device that a message is about. `None` for what is announced about a device, but not of its state:
/// * A bridge announces its ports in a family of its own; `DELLINK` then says that a device has left the bridge.
/// * A wireless driver announces events in messages that hold little more than the device's name.
fn device(message: &Message, gone: bool) -> Result<Option<Device>, Malformed> {
    let ([family, ..], attributes) = message.split::<16>()?;
    let stateless = attributes.flatten().all(|attribute| attribute.kind != link::IFLA_OPERSTATE);
    if *family != ANY_FAMILY || stateless {
        return Ok(None);
    }
    let link = link::decode(&Message { kind: NEWLINK, ..*message })?;
    Ok(link.map(|link::Link { index, name, up, carrier, operational, .. }| Device {
        index,
        name,
        up,
        carrier,
        operational,
        gone,
    }))
}

fn rule(message: &Message, news: &mut News) -> Result<(), Malformed> {
    let ([family, ..], attributes) = message.split::<12>()?;
    if family_from(*family).is_none() {
        return Ok(());
    }
    match find(attributes, FRA_PROTOCOL)? {
        Some(attribute) if attribute.u8()? == PROTOCOL => news.own_rules = true,
        _ => news.foreign_rules = true,
    }
    Ok(())
}

/// Takes an announcement of nftables' to heart: whether it is about our table.
pub(super) fn hear_nftables(message: &Message, news: &mut News) -> Result<(), Malformed> {
    if message.kind & 0xff00 != nftables::SUBSYSTEM || message.kind == nftables::NEWSETELEM {
        return Ok(());
    }
    let ([family, ..], attributes) = message.split::<4>()?;
    if *family == nftables::INET[0] {
        news.table |= find(attributes, nftables::TABLE)?.is_some_and(|table| table.string() == TABLE);
    }
    Ok(())
}

fn find(attributes: Attributes<'_>, kind: u16) -> Result<Option<Attribute<'_>>, Malformed> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == kind {
            return Ok(Some(attribute));
        }
    }
    Ok(None)
}

/// Digests of things by the digests of their names. There are few: a list will do.
#[derive(Default)]
struct Seen(Vec<(u64, u64)>);

impl Seen {
    /// Remembers the content that stands under a key. Whether another did before, or none.
    fn is_new(&mut self, key: u64, content: u64) -> bool {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == key) {
            return std::mem::replace(known, content) != content;
        }
        if self.0.len() >= REMEMBERED {
            self.clear();
        }
        self.0.push((key, content));
        true
    }

    fn forget(&mut self, key: u64) {
        self.0.retain(|(known, _)| *known != key);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests;
