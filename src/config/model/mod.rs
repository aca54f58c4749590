//! The configuration's meaning. Every value here is valid: what was not has been reported and left out.

mod address_set;
mod mark;
mod matches;
mod quota;
mod schedule;
mod sticky;
mod tracking;
mod tunnel;

pub use address_set::{AddressSet, Listed, Part, SetId};
pub use mark::{ForeignMark, Mark, Mask};
pub use matches::{Choice, InSets, LAST_USER, Mac, Matches, NotAMac, is_every_port, misses_last_port};
pub use quota::{Period, Quota};
pub use schedule::Schedule;
pub use sticky::{Sticky, Who};
pub use tracking::{Method, TrackedHost, Tracking};
pub use tunnel::{Endpoint, Underlay};

use super::source::Position;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `config globals`.
    pub globals: Globals,
    /// The links, in the order of the file. [`LinkId`] points in here.
    pub links: Vec<Link>,
    /// The policies, in the order of the file. [`PolicyId`] points in here.
    pub policies: Vec<Policy>,
    /// The sets of addresses. [`SetId`] points in here.
    pub sets: Vec<AddressSet>,
    /// The rules in the order of the file, which is the order they are tried in; disabled ones are left out.
    pub rules: Vec<Rule>,
}

/// Index of a link in [`Config::links`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub usize);

/// Index of a policy in [`Config::policies`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(pub usize);

impl std::ops::Index<LinkId> for Config {
    type Output = Link;
    fn index(&self, id: LinkId) -> &Link {
        &self.links[id.0]
    }
}

impl std::ops::Index<SetId> for Config {
    type Output = AddressSet;
    fn index(&self, id: SetId) -> &AddressSet {
        &self.sets[id.0]
    }
}

impl std::ops::Index<PolicyId> for Config {
    type Output = Policy;
    fn index(&self, id: PolicyId) -> &Policy {
        &self.policies[id.0]
    }
}

/// `config globals`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globals {
    /// `enabled`: whether wansplit may touch the kernel at all.
    pub enabled: bool,
    /// `mask`: the bits of packet and conntrack marks that are ours.
    pub mask: Mask,
    /// `rule_priority`: where our ip rules start.
    pub rule_priority: u32,
    /// `log_level`.
    pub log_level: log::LevelFilter,
    /// `dnsmasq_dir`: the directories that dnsmasq reads more configuration from; none means OpenWrt's own.
    pub dnsmasq_dirs: Vec<String>,
}

impl Default for Globals {
    fn default() -> Self {
        Self {
            enabled: false,
            mask: Mask::default(),
            rule_priority: 800,
            log_level: log::LevelFilter::Info,
            dnsmasq_dirs: Vec::new(),
        }
    }
}

/// One Internet link, both families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name, in the name space it shares with the policies.
    pub name: String,
    /// Where its section starts.
    pub at: Position,
    /// How it is found on the machine.
    pub attachment: Attachment,
    /// `mark`, if pinned.
    pub mark: Option<Mark>,
    /// `table`, if pinned.
    pub table: Option<u32>,
    /// `priority` of its fwmark ip rule, if pinned.
    pub priority: Option<u32>,
    /// What happens to its traffic when it is down.
    pub fallback: Fallback,
    /// `masq6`: whether IPv6 senders are translated on it; nothing is `auto`, the firewall's zone says.
    pub masq6: Option<bool>,
    /// How it is watched; without it the link counts as up when the machine says so.
    pub tracking: Option<Tracking>,
    /// When its established connections are moved.
    pub flush: Flush,
    /// How fast it is, in kbit/s, if that was said: what `weight auto` follows.
    pub speed: Option<u32>,
    /// How much it may carry in a period before it is second choice.
    pub quota: Option<Quota>,
    /// If it is a tunnel: where its own packets go, as far as its owner says so.
    pub endpoints: Vec<Endpoint>,
    /// What carries its own packets; without it the rules for the router's own traffic decide.
    pub via: Option<Underlay>,
}

/// When a link's established connections are made to choose their link anew: `flush_conntrack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flush {
    /// When it goes down, and another link can take them.
    pub down: bool,
    /// When it is back: connections that would go by it now, but were begun on another link meanwhile.
    pub up: bool,
}

impl Default for Flush {
    fn default() -> Self {
        Self { down: true, up: false }
    }
}

/// How a link is found on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// A netifd interface, with its IPv6 twin and dynamic children.
    Interface(String),
    /// A Linux device and its gateways, given by hand. No gateway at all: point to point.
    Device {
        /// The device's name.
        device: String,
        /// The IPv4 gateway.
        gateway: Option<Ipv4Addr>,
        /// The IPv6 gateway.
        gateway6: Option<Ipv6Addr>,
    },
    /// The section is wrong. The link keeps its name and its place in the policies and counts as down,
    /// so that a rule with a kill switch goes on holding its traffic back.
    Unusable,
}

/// What happens to traffic when none of its links is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Fallback {
    /// It goes by the main routing table.
    #[default]
    Main,
    /// It is refused: the sender gets an ICMP error.
    Unreachable,
    /// It is dropped silently.
    Blackhole,
}

/// One `use` entry of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// The link.
    pub link: LinkId,
    /// Its share of what its tier carries when the policy balances, 1 to 256.
    pub weight: u16,
    /// Its tier when the policy balances, from 1: the links of a tier share the work, and a tier is used when those with
    /// lower numbers have no link that works. Always 1 in mode failover, where the order says it all.
    pub tier: u16,
}

/// How a policy uses its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The first link that works, in the order of `use`.
    Failover,
    /// All links that work, by weight.
    Balance(Spread),
}

/// What stays together on one link of a balanced policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// A client's address: all it does goes by one link.
    Client,
    /// A connection.
    Connection,
}

/// One `config policy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name, in the name space it shares with the links.
    pub name: String,
    /// Where its section starts.
    pub at: Position,
    /// Its links in the order of preference, so tier by tier, each at most once. Empty if every entry was wrong: then all
    /// is fallback.
    pub members: Vec<Member>,
    /// Failover or balance.
    pub mode: Mode,
    /// What happens when no member is up.
    pub fallback: Fallback,
}

impl Policy {
    /// The links that are used together, in the order in which that is tried: never empty ones.
    pub fn tiers(&self) -> impl Iterator<Item = &[Member]> {
        let together = |one: &Member, next: &Member| self.mode != Mode::Failover && one.tier == next.tier;
        self.members.chunk_by(together)
    }
}

/// One `config rule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name; unnamed rules are called `rule N` by their place.
    pub name: String,
    /// How UCI calls its section: by its name, or `@rule[N]` by its place among all rules of the file, from 0. In JSON it is
    /// always the place.
    pub section: String,
    /// Where its section starts.
    pub at: Position,
    /// Whose packets it looks at.
    pub origin: Origin,
    /// What a packet must be like.
    pub matches: Matches,
    /// Where matching connections go.
    pub target: Target,
    /// Who stays on a link, where the target is a policy that balances.
    pub sticky: Option<Sticky>,
    /// When it holds; without it always.
    pub schedule: Option<Schedule>,
    /// Whether the connections it takes are counted. The router's own never are: ip rules steer them, and those count
    /// nothing.
    pub counter: bool,
    /// Whether the first packet of each connection it takes goes to the kernel's log. The router's own never do, as above.
    pub log: bool,
}

/// Whose packets a rule looks at: `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// What arrives from anywhere but the WANs.
    #[default]
    Lan,
    /// What the router itself sends.
    Router,
    /// Both.
    Any,
}

impl Origin {
    /// Whether packets that arrive from anywhere but the WANs are looked at.
    #[must_use]
    pub fn includes_lan(self) -> bool {
        self != Self::Router
    }

    /// Whether the router's own packets are looked at.
    #[must_use]
    pub fn includes_router(self) -> bool {
        self != Self::Lan
    }
}

/// Where a rule sends what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One link and its fallback.
    Link(LinkId),
    /// A policy.
    Policy(PolicyId),
    /// The main routing table, as if there were no rule.
    Main,
    /// Nowhere; the sender is told.
    Unreachable,
    /// Nowhere, silently.
    Blackhole,
}

/// The IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Bits of an address: 32 or 128.
    #[must_use]
    pub fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The largest address as a number.
    #[must_use]
    pub fn max_address(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Main => "main",
            Self::Unreachable => "unreachable",
            Self::Blackhole => "blackhole",
        })
    }
}

/// Whether a text can be a device's name here. The kernel allows more (quotes, `@`, `*`), but in nftables those mean
/// something else, and nobody's devices have them.
#[must_use]
pub fn is_device_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~' | '=');
    !text.is_empty() && text.chars().all(plain) && !matches!(text, "." | "..")
}

/// The longest name of an interface, in bytes. netifd allows longer ones; this is ample.
pub const INTERFACE_NAME_BYTES: usize = 64;

/// Whether a text can be the name of a netifd interface here, or of a device.
#[must_use]
pub fn is_interface_name(text: &str) -> bool {
    text.len() <= INTERFACE_NAME_BYTES && is_device_name(text)
}
