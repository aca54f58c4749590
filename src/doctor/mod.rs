//! What on the router keeps a right configuration from working, and what to do about it: one subject a file. Pure: facts
//! in, findings out; `survey::router` reads them. `docs/checks.md` explains each finding.

mod families;
mod features;
mod interfaces;
mod marks;
mod mtu;
mod names;
mod offload;
#[cfg(test)]
mod page;
mod passing;
mod rules;
#[cfg(test)]
mod sample;
mod settings;
mod subnets;

pub use marks::{Writer, writers};

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Attachment, Config, LinkId};
use crate::config::source::Position;
use crate::kernel::netlink::address::Address;
use crate::kernel::netlink::link::Link as Device;
use crate::kernel::netlink::route::ForeignRoute;
use crate::kernel::netlink::rule::ForeignRule;
use crate::network::dnsmasq::Dnsmasq;
use crate::network::netifd::Interface;
use crate::network::zones::{Zone, Zones};
use crate::network::{Facts, LinkFacts};
use crate::plan::Plan;

/// What is known of the router besides the facts about its links. What could not be learnt is empty, and then nothing is
/// found wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Router {
    /// The kernel's devices.
    pub devices: Vec<Device>,
    /// The kernel's addresses.
    pub addresses: Vec<Address>,
    /// netifd's interfaces.
    pub interfaces: Vec<Interface>,
    /// The firewall's configuration.
    pub zones: Zones,
    /// The resolver's configuration.
    pub dnsmasq: Option<Dnsmasq>,
    /// Everybody else's default routes, if the kernel told.
    pub routes: Option<Vec<ForeignRoute>>,
    /// Everybody else's ip rules.
    pub rules: Vec<ForeignRule>,
    /// nftables chains of others that write marks.
    pub writers: Vec<Writer>,
    /// Settings of the whole machine.
    pub settings: Settings,
    /// What the kernel cannot do, if it was asked.
    pub lacks: Lacks,
}

/// Numbers under `/proc/sys/net`; nothing where one could not be read.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether IPv4 and IPv6 are forwarded.
    pub forwarding: [Option<u32>; 2],
    /// By what the kernel spreads connections over a multipath route, in IPv4 and IPv6; 0: by the addresses.
    pub hash_policy: [Option<u32>; 2],
    /// Tracked connections, and how many there may be.
    pub connections: Option<(u32, u32)>,
    /// Devices that check sources, and do not take the mark into account as we wanted it.
    pub unmarked: Vec<String>,
}

/// What is missing.
#[derive(Debug, Clone, Default)]
pub struct Lacks {
    /// Why `nft` or the kernel does not take our table.
    pub nftables: Option<String>,
    /// ctnetlink.
    pub ctnetlink: bool,
    /// WireGuard.
    pub wireguard: bool,
}

/// What a finding is made from.
struct Case<'a> {
    config: &'a Config,
    facts: &'a Facts,
    plan: &'a Plan,
    router: &'a Router,
}

/// All findings.
#[must_use]
pub fn findings(config: &Config, facts: &Facts, plan: &Plan, router: &Router) -> Vec<Diagnostic> {
    let case = Case { config, facts, plan, router };
    let subjects: [fn(&Case) -> Vec<Diagnostic>; 11] = [
        features::findings,
        subnets::findings,
        passing::findings,
        mtu::findings,
        offload::findings,
        names::findings,
        families::findings,
        rules::findings,
        marks::findings,
        settings::findings,
        interfaces::findings,
    ];
    subjects.iter().flat_map(|subject| subject(&case)).collect()
}

impl<'a> Case<'a> {
    /// The links and what is known of them.
    fn links(&self) -> impl Iterator<Item = (LinkId, &'a LinkFacts)> {
        self.facts.links.iter().take(self.config.links.len()).enumerate().map(|(n, facts)| (LinkId(n), facts))
    }

    /// A link's device.
    fn device(&self, facts: &LinkFacts) -> Option<&'a Device> {
        let name = facts.v4.device.as_ref().or(facts.v6.device.as_ref())?;
        self.router.devices.iter().find(|device| device.name == *name)
    }

    /// Whether a device belongs to a link.
    fn is_of_a_link(&self, device: &str) -> bool {
        let is = |own: &Option<String>| own.as_deref() == Some(device);
        self.facts.links.iter().any(|link| is(&link.v4.device) || is(&link.v6.device))
    }

    /// The devices of the router's own networks.
    fn lan_devices(&self) -> impl Iterator<Item = &'a Device> {
        let own = |device: &&Device| device.up && !device.loopback && !device.gatewayless && device.tunnel.is_none();
        self.router.devices.iter().filter(own).filter(|device| !self.is_of_a_link(&device.name))
    }

    /// The addresses of a device.
    fn addresses(&self, device: &Device) -> impl Iterator<Item = &'a Address> {
        let index = device.index;
        self.router.addresses.iter().filter(move |own| own.index == index)
    }

    /// What netifd calls a link, as far as the firewall's zones can mean it.
    fn interfaces_of(&self, link: LinkId) -> Vec<&'a str> {
        match &self.config[link].attachment {
            Attachment::Interface(name) => vec![name.as_str()],
            Attachment::Device { device, .. } => {
                let on = |own: &&Interface| own.l3_device.as_deref() == Some(device);
                self.router.interfaces.iter().filter(on).map(|own| own.name.as_str()).collect()
            }
            Attachment::Unusable => Vec::new(),
        }
    }

    /// The firewall's zone of a link.
    fn zone(&self, link: LinkId, facts: &LinkFacts) -> Option<&'a Zone> {
        let device = facts.v4.device.as_deref().or(facts.v6.device.as_deref());
        self.router.zones.of(&self.interfaces_of(link), device)
    }

    fn warn_of(&self, link: LinkId, message: String, help: String) -> Diagnostic {
        let link = &self.config[link];
        Diagnostic::new(Severity::Warning, link.at, message).in_section(format!("link '{}'", link.name)).help(help)
    }
}

/// A finding about the whole router.
fn warning(message: String, help: String) -> Diagnostic {
    Diagnostic::new(Severity::Warning, Position::default(), message).help(help)
}

/// Commands that change the firewall's configuration.
fn firewall(change: &str) -> String {
    format!("{change}; uci commit firewall; service firewall restart")
}

/// Whether two addresses have their first bits in common.
fn same_network(one: std::net::IpAddr, other: std::net::IpAddr, length: u8) -> bool {
    use std::net::IpAddr::{V4, V6};
    let length = u32::from(length);
    match (one, other) {
        (V4(one), V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= length,
        (V6(one), V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= length,
        _ => false,
    }
}
