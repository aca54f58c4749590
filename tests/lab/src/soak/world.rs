//! How things stand: each link's condition, and the configuration.

use super::configuration::{Configuration, LINKS};
use crate::dice::Dice;
use crate::fault::{Direction, Families};
use crate::topology::Lab;
use serde_json::Value;
use std::collections::BTreeMap;

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// As it should be.
    Well,
    /// Its cable is out.
    NoCarrier,
    /// Its provider forwards nothing of these families.
    Silent(Families),
    /// It loses this share, in percent.
    Lossy(u8),
    /// netifd has taken the interface down.
    Down,
    /// The device is gone.
    Unplugged,
}

/// All of it.
#[derive(Debug)]
pub(super) struct World {
    /// Each link's condition.
    pub(super) links: BTreeMap<u8, Condition>,
    /// What the owner wants.
    pub(super) configuration: Configuration,
}

impl World {
    /// The first one: all is well.
    pub(super) fn new(dice: &mut Dice) -> Self {
        let links = (1..=LINKS).map(|n| (n, Condition::Well)).collect();
        Self { links, configuration: Configuration::first(dice) }
    }

    /// The links that are well.
    pub(super) fn well(&self) -> Vec<u8> {
        self.links.iter().filter(|(_, condition)| **condition == Condition::Well).map(|(link, _)| *link).collect()
    }

    /// The others.
    pub(super) fn ill(&self) -> Vec<u8> {
        self.links.iter().filter(|(_, condition)| **condition != Condition::Well).map(|(link, _)| *link).collect()
    }

    /// One that is well.
    pub(super) fn any_well(&self, dice: &mut Dice) -> Option<u8> {
        let well = self.well();
        (!well.is_empty()).then(|| *dice.choose(&well))
    }

    /// The links that netifd has no interface of.
    pub(super) fn down(&self) -> Vec<u8> {
        let is_down = |condition: &Condition| matches!(condition, Condition::Down | Condition::Unplugged);
        self.links.iter().filter(|(_, condition)| is_down(condition)).map(|(link, _)| *link).collect()
    }

    /// Whether answers come by a link.
    pub(super) fn answers(&self, link: u8, ipv6: bool) -> bool {
        match self.links[&link] {
            Condition::Well => true,
            Condition::Silent(Families::V4) => ipv6,
            Condition::Silent(Families::V6) => !ipv6,
            _ => false,
        }
    }

    /// What there is to say against a status; nothing once the daemon has found out how things stand.
    pub(super) fn objections(&self, status: &Value) -> Vec<String> {
        let mut objections = Vec::new();
        if status["in_sync"] != true {
            objections.push(format!("not in sync: {}", status["drift"]));
        }
        for (link, own) in &self.configuration.links {
            let name = self.configuration.name(*link).unwrap_or_default();
            for (family, ipv6) in [("ipv4", false), ("ipv6", true)] {
                let state = crate::daemon::side(status, name, family)["state"].as_str().unwrap_or("nothing");
                let condition = self.links[link];
                let fits = match condition {
                    // Lossy ones may be anything, untracked ones seem well.
                    Condition::Lossy(_) => true,
                    Condition::Silent(_) if !own.tracked => ["up", "held"].contains(&state),
                    _ if self.answers(*link, ipv6) => ["up", "held"].contains(&state),
                    _ => state == "down",
                };
                if !fits {
                    objections.push(format!("{name} {family} is {state}, and the link is {condition:?}"));
                }
            }
        }
        objections
    }
}

impl Condition {
    /// Puts a link that is well into this condition.
    pub(super) fn begin(self, lab: &Lab, link: u8) {
        let provider = lab.provider(link);
        match self {
            Self::Well => {}
            Self::NoCarrier => provider.carrier(false),
            Self::Silent(families) => provider.silence_families(families, Direction::Both),
            Self::Lossy(percent) => provider.lose(percent),
            Self::Down => lab.interface_down(link),
            Self::Unplugged => lab.unplug(link),
        }
    }

    /// Makes it well again.
    pub(super) fn end(self, lab: &Lab, link: u8) {
        match self {
            Self::Well => {}
            Self::NoCarrier => lab.provider(link).carrier(true),
            Self::Silent(_) | Self::Lossy(_) => lab.provider(link).speak(),
            Self::Down => lab.interface_up(link),
            Self::Unplugged => lab.plug(link),
        }
        lab.restore_defaults();
    }

    /// What netifd calls its beginning and its end.
    pub(super) fn actions(self) -> Option<[&'static str; 2]> {
        matches!(self, Self::Down | Self::Unplugged).then_some(["ifdown", "ifup"])
    }
}
