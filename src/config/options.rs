//! Every option there is, in one table: what the validator checks, "did you mean" looks through and the JSON Schema says.

use super::diagnostics::Severity;
use std::fmt;

/// The types of section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// `config globals`.
    Globals,
    /// `config link`.
    Link,
    /// `config policy`.
    Policy,
    /// `config rule`.
    Rule,
    /// `config set`.
    Set,
}

/// How many values an option has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One.
    Single,
    /// Any number. A single string is split at its blanks: `option dest_port '80 443'`.
    List,
    /// Any number, and blanks belong to the values: `list use 'EMB 3'`.
    Entries,
}

/// What an option's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `1`, `0` and the other words OpenWrt takes for them.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A number between these two, in decimal.
    Number(u32, u32),
    /// A number between these two, in decimal or hexadecimal: a mark, a mask.
    Bits(u32, u32),
    /// The name of a section, as long as the user likes.
    Name,
    /// The name of a network interface: of netifd or of the kernel.
    Interface,
    /// The name of a Linux device.
    Device,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A protocol's name or number; may be negated.
    Protocol,
    /// An address, CIDR network or range; may be negated.
    Address,
    /// A port or a range of ports; may be negated.
    Port,
    /// An Ethernet address; may be negated.
    Mac,
    /// A type of ICMP, by name or number; may be negated.
    IcmpType,
    /// A packet mark with its mask; may be negated.
    ForeignMark,
    /// A domain.
    Domain,
    /// An address, CIDR network or range, never negated.
    Entry,
    /// The absolute path of a file.
    Path,
    /// A day of the week, or a range of them; may be negated.
    Weekday,
    /// A time of day: `22:00`, `22:00:30`.
    TimeOfDay,
    /// The name of an interface; may be negated.
    ArrivalInterface,
    /// A DSCP value or its name; may be negated.
    Dscp,
    /// A user id or a range of them; may be negated.
    User,
    /// A link, perhaps with its weight and its tier.
    Member,
    /// A speed in bits a second: `300M`; a number alone is Mbit/s.
    Speed,
    /// A number of bytes with its unit: `10G`.
    Bytes,
    /// A policy, a link, `main`, `unreachable` or `blackhole`.
    Target,
    /// A time between these two, which are in milliseconds: `500ms`, `1.5s`, `2m`; a number alone is in seconds.
    Duration(u32, u32),
    /// 1 to 100, with or without a `%`.
    Percent,
    /// The address of a host that is asked, perhaps with a port.
    TrackedHost,
    /// Where a tunnel's own packets go: an address, perhaps with a port, or a port at any address, `*:1194`.
    Endpoint,
    /// A policy, a link or `main`.
    Underlay,
}

/// One option of a section type.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// How many values it has.
    pub arity: Arity,
    /// What its values are.
    pub value: ValueKind,
    /// What it is when it is not written.
    pub default: Option<&'static str>,
    /// Whether the section makes no sense without it.
    pub required: bool,
    /// Whether no safe state can be computed when its value is wrong.
    pub vital: bool,
    /// What it is for, in one line.
    pub help: &'static str,
}

impl SectionKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Globals, Self::Link, Self::Policy, Self::Rule, Self::Set];

    /// The word behind `config`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Globals => "globals",
            Self::Link => "link",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Set => "set",
        }
    }

    /// The type with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Its options.
    #[must_use]
    pub fn options(self) -> &'static [OptionSpec] {
        match self {
            Self::Globals => GLOBALS,
            Self::Link => LINK,
            Self::Policy => POLICY,
            Self::Rule => RULE,
            Self::Set => SET,
        }
    }

    /// Its option of this name.
    #[must_use]
    pub fn option(self, name: &str) -> Option<&'static OptionSpec> {
        self.options().iter().find(|option| option.name == name)
    }

    /// Why there is no option of a name that its owner might well look for.
    #[must_use]
    pub fn why_not(self, name: &str) -> Option<&'static str> {
        match (self, name) {
            (Self::Rule, "gid") => Some("ip rules know the user who sends, and no groups: name users with uid"),
            // mwan3's and pbr's words.
            (Self::Rule, "src_addr") => {
                Some("write addresses into src_ip, Ethernet addresses into src_mac, interfaces into src_iface")
            }
            (Self::Rule, "dest_addr") => Some("write addresses into dest_ip, domains into dest_domain"),
            (Self::Rule, "interface") => Some("say where its traffic goes with use, where it comes in with src_iface"),
            (Self::Rule, "chain") => Some("say whose connections it means: from 'lan', 'router' or 'any'"),
            (Self::Rule, "ipset" | "ipset_src") => Some("name a config set in dest_set or src_set"),
            (Self::Rule, "fwmark" | "fwmask") => Some("write both into mark, as in: option mark '0x10000/0xff0000'"),
            (Self::Policy, "last_resort") => Some("say what happens when no link is up with fallback"),
            _ => None,
        }
    }

    /// How much a wrong value of an option matters.
    #[must_use]
    pub fn severity_of(self, name: &str) -> Severity {
        match self.option(name) {
            Some(option) if option.vital => Severity::Fatal,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Targets that are no links and no policies, so nothing else may have these names.
pub const RESERVED_NAMES: &[&str] = &["main", "unreachable", "blackhole"];

/// The protocols that have ports, by name and number.
pub const PROTOCOLS_WITH_PORTS: &[(&str, u8)] =
    &[("tcp", 6), ("udp", 17), ("dccp", 33), ("sctp", 132), ("udplite", 136)];

const FALLBACK: ValueKind = ValueKind::OneOf(RESERVED_NAMES);

const GLOBALS: &[OptionSpec] = &[
    single("enabled", ValueKind::Boolean, "whether wansplit may touch the kernel at all").or("0").vital(),
    single(
        "mask",
        ValueKind::Bits(3, u32::MAX),
        "the bits of packet and conntrack marks that belong to wansplit: one unbroken run of two or more",
    )
    .or("0xff000000")
    .vital(),
    single("rule_priority", PRIORITY, "the priority of wansplit's first ip rule").or("800").vital(),
    single("log_level", ValueKind::OneOf(&["error", "warn", "info", "debug"]), "how much is written to the log")
        .or("info"),
    list(
        "dnsmasq_dir",
        ValueKind::Path,
        "where dnsmasq reads more configuration from (its conf-dir), for rules with domains; OpenWrt's own are found",
    ),
];

/// Below are the suppress rules, which need two places; above, the kernel's own rules for main and default (32766, 32767).
pub const PRIORITY: ValueKind = ValueKind::Number(3, 32000);

/// `timeout` of a rule.
pub const STICKY_TIME: ValueKind = ValueKind::Duration(1000, 24 * HOUR);

const MINUTE: u32 = 60_000;
const HOUR: u32 = 60 * MINUTE;

const LINK: &[OptionSpec] = &[
    single("name", ValueKind::Name, "the link's name, if the section's name cannot hold it"),
    single("interface", ValueKind::Interface, "the netifd interface, for example wan; its IPv6 twin belongs to it"),
    single("device", ValueKind::Device, "instead of interface: a Linux device, for example eth1"),
    single("gateway", ValueKind::Ipv4, "the device's IPv4 gateway; none on a point-to-point device"),
    single("gateway6", ValueKind::Ipv6, "the device's IPv6 gateway; none on a point-to-point device"),
    single("mark", ValueKind::Bits(1, u32::MAX), "pins the link's mark; it must lie inside globals mask"),
    single("table", ValueKind::Number(1, u32::MAX), "pins the link's routing table"),
    single("priority", PRIORITY, "pins the priority of the link's fwmark ip rule"),
    single("fallback", FALLBACK, "what happens to the link's traffic when it is down").or("main"),
    single(
        "masq6",
        ValueKind::OneOf(&["auto", "0", "1"]),
        "whether IPv6 senders are translated on this link (masq6, NPT); auto: as its zone in the firewall's configuration says",
    )
    .or("auto"),
    list(
        "endpoint",
        ValueKind::Endpoint,
        "a tunnel's servers, whom its own packets go to: addresses, with a port if wanted; *:1194 is a port of any address",
    ),
    single("via", ValueKind::Underlay, "what carries a tunnel's own packets: a policy, a link or main"),
    list(
        "track_ip",
        ValueKind::TrackedHost,
        "hosts that are asked whether the link works; addresses, with a port if wanted",
    ),
    single(
        "track_method",
        ValueKind::OneOf(&["ping", "tcp", "dns", "http", "arp"]),
        "how they are asked; arp asks the gateway",
    )
    .or("ping"),
    single("interval", ValueKind::Duration(100, HOUR), "the time between two rounds of probes").or("1s"),
    single(
        "timeout",
        ValueKind::Duration(10, MINUTE),
        "how long an answer is waited for; else the interval, but 250ms to 1s",
    ),
    single("down", ValueKind::Number(1, 100), "how many rounds must fail in a row to take the link down").or("3"),
    single("up", ValueKind::Number(1, 100), "how many rounds must be good in a row to bring it back").or("3"),
    single("reliability", ValueKind::Number(1, 32), "how many hosts of a family must answer for a good round").or("1"),
    single("max_loss", ValueKind::Percent, "the loss of probes in percent above which the link is a last resort"),
    single(
        "max_latency",
        ValueKind::Duration(1, MINUTE),
        "the mean round-trip time above which the link is a last resort",
    ),
    list(
        "flush_conntrack",
        ValueKind::OneOf(&["down", "up", "none"]),
        "when established connections are made to choose their link anew: when it goes down, when it is back, or never",
    )
    .or("down"),
    single(
        "speed",
        ValueKind::Speed,
        "how fast it is, in bit/s with k, M or G (a number alone: Mbit/s): for weight auto",
    ),
    single(
        "max",
        ValueKind::Bytes,
        "bytes it may carry in a period, with k, M, G or T; after that it is a last resort",
    ),
    single("max_per", ValueKind::OneOf(&["day", "week", "month"]), "the period of max").or("month"),
];

const POLICY: &[OptionSpec] = &[
    single("name", ValueKind::Name, "the policy's name, if the section's name cannot hold it"),
    OptionSpec {
        arity: Arity::Entries,
        ..single(
            "use",
            ValueKind::Member,
            "the links in the order of preference; when the policy balances, each with a weight from 1 to 256 or 'auto' (by its \
             speed), and 'tier 2' behind those that wait until none of tier 1 works",
        )
    }
    .required(),
    single("mode", ValueKind::OneOf(&["failover", "balance"]), "the first link that works, or all that work by weight")
        .or("failover"),
    single(
        "balance_by",
        ValueKind::OneOf(&["client", "connection"]),
        "what stays together on one link when the policy balances",
    )
    .or("client"),
    single("fallback", FALLBACK, "what happens to the policy's traffic when none of its links is up").or("main"),
];

const RULE: &[OptionSpec] = &[
    single("name", ValueKind::Name, "the rule's name, if the section's name cannot hold it"),
    single("enabled", ValueKind::Boolean, "whether the rule counts").or("1"),
    list("proto", ValueKind::Protocol, "protocols, by name or number; icmp means ICMP and ICMPv6"),
    list("src_ip", ValueKind::Address, "source addresses: single, CIDR, range a-b, !not"),
    list("dest_ip", ValueKind::Address, "destination addresses: single, CIDR, range a-b, !not"),
    list("src_port", ValueKind::Port, "source ports and ranges a-b; without proto they mean tcp and udp"),
    list("dest_port", ValueKind::Port, "destination ports and ranges a-b; without proto they mean tcp and udp"),
    list("src_mac", ValueKind::Mac, "Ethernet addresses of the senders"),
    list("src_iface", ValueKind::ArrivalInterface, "interfaces the packets come in by: netifd names or devices"),
    list("dscp", ValueKind::Dscp, "DSCP values, as numbers 0 to 63 or names such as ef, cs1, af41"),
    single(
        "family",
        ValueKind::OneOf(&["ipv4", "ipv6", "any", "4", "6", "inet", "inet6"]),
        "the IP version; addresses decide it by themselves",
    )
    .or("any"),
    single(
        "from",
        ValueKind::OneOf(&["lan", "router", "any"]),
        "whose packets: those that arrive from anywhere but the WANs, the router's own, or both",
    )
    .or("lan"),
    list(
        "uid",
        ValueKind::User,
        "users of the router, by number or range a-b, whose programs are meant; with from router",
    ),
    single("use", ValueKind::Target, "where they go: a policy, a link, main, unreachable or blackhole").required(),
    single(
        "counter",
        ValueKind::Boolean,
        "whether the connections it takes are counted: their first packets with those packets' bytes, no later ones",
    )
    .or("0"),
    list("icmp_type", ValueKind::IcmpType, "types of ICMP and ICMPv6, by name or number: echo-request is a ping"),
    single("mark", ValueKind::ForeignMark, "a packet mark that somebody else sets, with its mask: 0x10000/0xff0000"),
    list_of_names("src_set", "sets one of which the source may be in"),
    list_of_names("dest_set", "sets one of which the destination may be in"),
    list("dest_domain", ValueKind::Domain, "domains, with their subdomains, whose addresses the destination may be"),
    list("weekdays", ValueKind::Weekday, "the days on which the rule holds: mon, tuesday, mon-fri, !sun"),
    single("start_time", ValueKind::TimeOfDay, "the time of day from which it holds, by the router's time zone"),
    single(
        "stop_time",
        ValueKind::TimeOfDay,
        "the time of day until which it holds; on the next day if that is earlier",
    ),
    single(
        "sticky",
        ValueKind::OneOf(&["0", "1", "client", "destination"]),
        "who stays on the link that its first connection took, where the policy balances: a client (1), or a client and a \
         destination",
    )
    .or("0"),
    single("timeout", STICKY_TIME, "how long after its last new connection").or("10m"),
    single("log", ValueKind::Boolean, "whether the first packet of each connection it takes goes to the kernel's log")
        .or("0"),
];

const SET: &[OptionSpec] = &[
    single("name", ValueKind::Name, "the set's name, if the section's name cannot hold it"),
    list("entry", ValueKind::Entry, "addresses of either family: single, CIDR, range a-b"),
    list("file", ValueKind::Path, "files with more entries, one a line; # begins a comment"),
    list("domain", ValueKind::Domain, "domains, with their subdomains, whose addresses are in the set"),
];

/// Names may hold blanks, so a single string is one name.
const fn list_of_names(name: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { arity: Arity::Entries, ..single(name, ValueKind::Name, help) }
}

const fn single(name: &'static str, value: ValueKind, help: &'static str) -> OptionSpec {
    OptionSpec { name, arity: Arity::Single, value, default: None, required: false, vital: false, help }
}

const fn list(name: &'static str, value: ValueKind, help: &'static str) -> OptionSpec {
    OptionSpec { arity: Arity::List, ..single(name, value, help) }
}

impl OptionSpec {
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn vital(self) -> Self {
        Self { vital: true, ..self }
    }

    /// The words of a [`ValueKind::OneOf`] option; none for any other.
    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        match self.value {
            ValueKind::OneOf(words) => words,
            _ => &[],
        }
    }
}
