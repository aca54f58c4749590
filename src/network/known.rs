//! What is remembered of links whose interface is down.
//!
//! While an interface is down netifd tells neither the device it had (`pppoe-wan`) nor the prefixes it was delegated.
//! Were those taken out of nftables and put back a minute later, every redial would cost two runs of `nft`, and
//! packets that are still on their way would not know their link. So a link keeps what it had until it gets something
//! else, or somebody else has it. Its addresses are not kept: they stand in ip rules only, and may be another's by then.

use super::netifd::Interface;
use super::{Facts, LinkFacts, State};
use crate::config::model::{Attachment, Config, Family, Link};
use crate::interval::ipv6_prefix;
use crate::map::Map;
use std::net::Ipv6Addr;

/// What links last had, by the links' names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known(Map<String, Last>);

/// What one link last had.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Last {
    devices: Map<Family, String>,
    prefixes: Vec<(Ipv6Addr, u8)>,
}

impl Known {
    /// Nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Map::new())
    }

    /// What these facts say, which were gathered with what was known before: nothing is forgotten that still counts.
    #[must_use]
    pub fn of(config: &Config, facts: &Facts) -> Self {
        let mut known = Self::nothing();
        for (link, own) in config.links.iter().zip(&facts.links) {
            for (family, side) in [(Family::V4, &own.v4), (Family::V6, &own.v6)] {
                if let Some(device) = &side.device {
                    known.device(&link.name, family, device);
                }
            }
            own.prefixes.iter().for_each(|prefix| known.prefix(&link.name, *prefix));
        }
        known
    }

    /// Adds a link's last device.
    pub fn device(&mut self, link: &str, family: Family, device: &str) {
        self.0.or_insert_with(link.to_owned(), Default::default).devices.insert(family, device.to_owned());
    }

    /// Adds a prefix that a link was delegated.
    pub fn prefix(&mut self, link: &str, prefix: (Ipv6Addr, u8)) {
        self.0.or_insert_with(link.to_owned(), Default::default).prefixes.push(prefix);
    }

    /// A link's facts, with what is remembered where nothing is told. `others` are the other links', as they were told;
    /// `strangers` are the interfaces that do not belong to the link: what they have now is not the link's any more.
    pub(super) fn fill(
        &self,
        link: &Link,
        told: &LinkFacts,
        others: &[&LinkFacts],
        strangers: &[&Interface],
    ) -> LinkFacts {
        let mut facts = told.clone();
        // What the owner wrote down needs no memory.
        let (Attachment::Interface(_), Some(last)) = (&link.attachment, self.0.get(&link.name)) else { return facts };
        let taken = |device: &str| {
            let sides = others.iter().flat_map(|other| [&other.v4, &other.v6]);
            let mut own = sides.filter_map(|side| side.device.as_deref());
            let mut theirs = strangers.iter().filter_map(|stranger| stranger.l3_device.as_deref());
            own.any(|name| name == device) || theirs.any(|name| name == device)
        };
        for (family, side) in [(Family::V4, &mut facts.v4), (Family::V6, &mut facts.v6)] {
            // While it is down netifd still tells the layer 2 device. If that is one the link had before, then so it is
            // with the one this family had: a tunnel over it (464XLAT, 6in4). Another one replaces it.
            let another = side.device.as_ref().is_some_and(|told| last.devices.values().all(|device| device != told));
            let device = last.devices.get(&family).filter(|device| !another && !taken(device));
            if let (State::Down(_), Some(device)) = (&side.state, device) {
                side.device = Some(device.clone());
            }
        }
        // An interface may be up for seconds before it is delegated its prefix again.
        if facts.prefixes.is_empty() {
            let theirs = |prefix| {
                let mut prefixes = others.iter().flat_map(|other| &other.prefixes);
                prefixes.any(|other| ipv6_prefix(*other).intersect(ipv6_prefix(prefix)).is_some())
            };
            facts.prefixes = last.prefixes.iter().filter(|prefix| !theirs(**prefix)).copied().collect();
        }
        facts
    }
}
