//! Everything that can happen to a link or to the program that looks after it, to be chosen by chance.

use crate::fault::{Direction, Families};
use crate::topology::Lab;
use std::collections::BTreeSet;
use std::time::Duration;

/// Something that happens to one link, or to the whole router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The carrier is away.
    Carrier,
    /// The provider is silent.
    Silence(Direction),
    /// It is silent in one family.
    SilentFamily(Families),
    /// It loses this share, in percent.
    Loss(u8),
    /// The carrier comes and goes for two seconds.
    Flapping,
    /// The carrier comes and goes for a minute. Not one of [`Trouble::ALL`]: afterwards a link is held back for minutes.
    LongFlapping,
    /// netifd takes the interface down.
    InterfaceDown,
    /// A renewal with another network.
    Renewal,
    /// The device goes and returns with another index.
    Replug,
    /// Somebody deletes all ip rules and puts the kernel's own back, as netifd does when it restarts.
    RulesFlushed,
    /// Somebody deletes wansplit's nft table.
    TableDeleted,
    /// Somebody flushes all routing tables but the kernel's own.
    RoutesFlushed,
}

impl Trouble {
    /// All of them but the long one.
    pub const ALL: [Self; 15] = [
        Self::Carrier,
        Self::Silence(Direction::Both),
        Self::Silence(Direction::Outgoing),
        Self::Silence(Direction::Incoming),
        Self::SilentFamily(Families::V4),
        Self::SilentFamily(Families::V6),
        Self::Loss(30),
        Self::Loss(80),
        Self::Flapping,
        Self::InterfaceDown,
        Self::Renewal,
        Self::Replug,
        Self::RulesFlushed,
        Self::TableDeleted,
        Self::RoutesFlushed,
    ];

    /// Whether it happens to wansplit's own state: then packets may go astray until that is put right.
    #[must_use]
    pub fn is_vandalism(self) -> bool {
        matches!(self, Self::RulesFlushed | Self::TableDeleted | Self::RoutesFlushed)
    }

    /// It begins.
    pub fn begin(self, lab: &Lab, link: u8) {
        let provider = lab.provider(link);
        match self {
            Self::Carrier => provider.carrier(false),
            Self::Silence(direction) => provider.silence(direction),
            Self::SilentFamily(families) => provider.silence_families(families, Direction::Both),
            Self::Loss(percent) => provider.lose(percent),
            Self::Flapping => {
                provider.flap(Duration::from_millis(150), Duration::from_secs(2));
            }
            Self::LongFlapping => {
                provider.flap(Duration::from_millis(300), Duration::from_secs(60));
            }
            Self::InterfaceDown => lab.interface_down(link),
            Self::Renewal => lab.renew(link, || {}),
            Self::Replug => lab.unplug(link),
            Self::RulesFlushed => flush_rules(lab),
            Self::TableDeleted => lab.router.nft("table inet wansplit\ndelete table inet wansplit"),
            Self::RoutesFlushed => flush_routes(lab),
        }
    }

    /// It is over.
    pub fn end(self, lab: &Lab, link: u8) {
        match self {
            Self::Carrier => lab.provider(link).carrier(true),
            Self::Silence(_) | Self::SilentFamily(_) | Self::Loss(_) => lab.provider(link).speak(),
            Self::InterfaceDown => lab.interface_up(link),
            Self::Replug => lab.plug(link),
            Self::Flapping | Self::LongFlapping | Self::Renewal => {}
            Self::RulesFlushed | Self::TableDeleted | Self::RoutesFlushed => {}
        }
        lab.restore_defaults();
    }

    /// The links that netifd reports as down meanwhile.
    #[must_use]
    pub fn down(self, link: u8) -> Vec<u8> {
        if matches!(self, Self::InterfaceDown | Self::Replug) { vec![link] } else { Vec::new() }
    }

    /// What netifd calls it (`ACTION`) when it begins and when it is over; it notices few of these.
    #[must_use]
    pub fn actions(self) -> [Option<&'static str>; 2] {
        match self {
            Self::InterfaceDown | Self::Replug => [Some("ifdown"), Some("ifup")],
            Self::Renewal => [Some("ifupdate"), None],
            _ => [None, None],
        }
    }
}

/// Deletes every ip rule and adds the kernel's own again.
fn flush_rules(lab: &Lab) {
    // The flush takes all but the rule for `local`.
    lab.router.ip("rule flush\nrule add pref 32766 lookup main\nrule add pref 32767 lookup default");
    lab.router.ip6("rule flush\nrule add pref 32766 lookup main");
}

/// Empties every routing table but `main` and `local`.
fn flush_routes(lab: &Lab) {
    for family in ["-4", "-6"] {
        let text = lab.router.command("ip", &[family, "route", "show", "table", "all"]);
        let words: Vec<&str> = text.split_whitespace().collect();
        let tables = words.windows(2).filter(|pair| pair[0] == "table" && pair[1] != "local").map(|pair| pair[1]);
        for table in tables.collect::<BTreeSet<_>>() {
            lab.router.command("ip", &[family, "route", "flush", "table", table]);
        }
    }
}
