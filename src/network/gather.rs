//! Joins the configuration, netifd's account and the kernel's into [`Facts`]. Pure.

use super::firewall::Firewall;
use super::known::Known;
use super::netifd::Interface;
use super::{Down, Facts, Hop, LinkFacts, Side, State};
use crate::config::model::{Attachment, Config, Family, Link};
use crate::kernel::netlink::address::Address;
use crate::kernel::netlink::link::Link as Device;
use crate::map::{Map, Set};
use std::net::IpAddr;

/// Protocols that make a device of their own, one without gateways' link-layer addresses. Needed where the kernel
/// cannot be asked: while such an interface is down, and on another machine.
const TUNNELS: [&str; 20] = [
    "3g",
    "464xlat",
    "6in4",
    "6rd",
    "6to4",
    "dslite",
    "gre",
    "grev6",
    "ipip",
    "ip6tnl",
    "ipip6",
    "l2tp",
    "map",
    "openvpn",
    "ppp",
    "pppoa",
    "pppoe",
    "pptp",
    "vti",
    "wireguard",
];

/// Where facts come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// netifd's interfaces, if it could be asked or a file stands in for it.
    pub netifd: Option<&'a [Interface]>,
    /// The kernel's network devices.
    pub devices: &'a [Device],
    /// The kernel's addresses.
    pub addresses: &'a [Address],
    /// Whether the kernel speaks IPv6 at all.
    pub ipv6: bool,
    /// Devices on which IPv6 is switched off (`disable_ipv6`).
    pub without_ipv6: &'a Set<String>,
    /// What to think of a device the kernel does not have.
    pub absent: Absent,
    /// What the links last had.
    pub known: &'a Known,
    /// What the firewall's configuration says of translation.
    pub firewall: &'a Firewall,
}

/// What to think of a device the kernel does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It does not exist, whatever netifd says: nothing can be sent by it.
    Missing,
    /// It exists elsewhere and works: facts from another machine's file are being looked at.
    Believed,
}

/// What is known about the links of a configuration.
#[must_use]
pub fn gather(config: &Config, sources: &Sources) -> Facts {
    let links = sources.links(config);
    Facts {
        interfaces: sources.devices_by_interface(config, &links),
        links,
        ipv6: sources.ipv6,
        strict_devices: Set::new(),
        loose_devices: Set::new(),
        ..Facts::default()
    }
}

impl Sources<'_> {
    /// All links; of those that are down what they last had, as far as nobody else has it now.
    fn links(&self, config: &Config) -> Vec<LinkFacts> {
        let told: Vec<LinkFacts> = config.links.iter().map(|link| self.link(config, link)).collect();
        let fill = |(n, link): (usize, &Link)| {
            let others: Vec<&LinkFacts> =
                told.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, other)| other).collect();
            let group = self.group(config, link);
            let strangers: Vec<&Interface> =
                self.interfaces().iter().filter(|own| group.iter().all(|member| member.name != own.name)).collect();
            let mut facts = told.get(n).map(|told| self.known.fill(link, told, &others, &strangers))?;
            facts.translates6 = link.masq6.unwrap_or_else(|| self.is_masqueraded(link, &group, &facts));
            Some(facts)
        };
        config.links.iter().enumerate().filter_map(fill).collect()
    }

    /// Whether the firewall's configuration has IPv6 senders translated on a link.
    fn is_masqueraded(&self, link: &Link, group: &[&Interface], facts: &LinkFacts) -> bool {
        let mut names: Vec<&str> = group.iter().map(|interface| interface.name.as_str()).collect();
        // While netifd is silent, too.
        if let Attachment::Interface(name) = &link.attachment {
            names.push(name);
        }
        self.firewall.translates(&names, facts.v6.device.as_deref())
    }

    /// The device behind each interface, also while it is down, as far as that is known.
    fn devices_by_interface(&self, config: &Config, links: &[LinkFacts]) -> Map<String, String> {
        let mut devices = Map::new();
        let told = |interface: &Interface| Some((interface.name.clone(), device_of(interface)?.to_owned()));
        devices.extend(self.interfaces().iter().filter_map(told));
        for (link, facts) in config.links.iter().zip(links) {
            let device = facts.v4.device.as_ref().or(facts.v6.device.as_ref());
            if let (Attachment::Interface(name), Some(device)) = (&link.attachment, device) {
                devices.or_insert_with(name.clone(), || device.clone());
            }
        }
        devices
    }

    fn interfaces(&self) -> &[Interface] {
        self.netifd.unwrap_or(&[])
    }

    fn link(&self, config: &Config, link: &Link) -> LinkFacts {
        let mut facts = match &link.attachment {
            Attachment::Unusable => both(|_| side(Down::Misconfigured)),
            Attachment::Device { device, gateway, gateway6 } => {
                let gateways = [gateway.map(IpAddr::V4), gateway6.map(IpAddr::V6)];
                both(|family| self.by_hand(config, device, gateways, family))
            }
            Attachment::Interface(_) => self.by_interface(&self.group(config, link)),
        };
        if !self.ipv6 {
            facts.v6.state = State::Down(Down::NotOffered);
        }
        facts
    }

    /// A device and its gateways from the configuration. One gateway alone offers one family; without any, the
    /// device's addresses tell which families it offers.
    fn by_hand(&self, config: &Config, name: &str, gateways: [Option<IpAddr>; 2], family: Family) -> Side {
        let gateway = gateways.into_iter().flatten().find(|gateway| Family::of(*gateway) == family);
        let device = self.device(name);
        let addresses = self.kernel_addresses(device, family);
        let none_given = gateways == [None, None];
        let offered = match device {
            _ if gateway.is_some() => true,
            Some(device) => none_given && (!device.up || (device.gatewayless && !addresses.is_empty())),
            None => none_given,
        };
        let bare = family == Family::V6 && device.is_some() && addresses.is_empty() && !self.routes_a_prefix(config);
        let state = match offered.then(|| self.state(name, gateway, family)) {
            None => State::Down(Down::NotOffered),
            Some(State::Up(_)) if bare => State::Down(Down::NoAddress),
            Some(state) => state,
        };
        Side { device: Some(name.to_owned()), addresses, state, ..Side::default() }
    }

    /// Whether the router has a global IPv6 address on a device that is no link's: then its hosts may have such ones too,
    /// and a link can do without an address of its own. Else the kernel would have what leaves by such a link (the router's
    /// packets, and those that are masqueraded) bear another link's address: its own has not come yet.
    fn routes_a_prefix(&self, config: &Config) -> bool {
        let is_link = |device: &Device| {
            config.links.iter().any(|link| match &link.attachment {
                Attachment::Device { device: name, .. } => device.name == *name,
                Attachment::Interface(_) => {
                    self.group(config, link).into_iter().any(|own| device_of(own) == Some(device.name.as_str()))
                }
                Attachment::Unusable => false,
            })
        };
        // 2000::/3: neither link-local nor unique local.
        let global = |own: &&Address| matches!(own.address, IpAddr::V6(v6) if v6.segments()[0] >> 13 == 1);
        let mut holders = self.addresses.iter().filter(global).map(|own| own.index);
        holders.any(|index| self.devices.iter().any(|device| device.index == index && !is_link(device)))
    }

    /// The interface of a link and its twins; nothing if there is no such interface.
    fn group(&self, config: &Config, link: &Link) -> Vec<&Interface> {
        let named = |interface: &&Interface| link.attachment == Attachment::Interface(interface.name.clone());
        let Some(main) = self.interfaces().iter().find(named) else { return Vec::new() };
        let claimed = |other: &Interface| {
            config.links.iter().any(|link| link.attachment == Attachment::Interface(other.name.clone()))
        };
        let twins = self.interfaces().iter().filter(|other| are_twins(main, other) && !claimed(other));
        [main].into_iter().chain(twins).collect()
    }

    fn by_interface(&self, group: &[&Interface]) -> LinkFacts {
        if group.is_empty() {
            return both(|_| side(Down::NoSuchInterface));
        }
        let prefixes = Set::from_iter(
            group.iter().filter(|interface| interface.up).flat_map(|interface| interface.prefixes.clone()),
        );
        LinkFacts { prefixes: prefixes.into_iter().collect(), ..both(|family| self.of_group(group, family)) }
    }

    /// One family of an interface and its twins: from the one that has a default route, or else an address on a
    /// device that needs no gateway.
    fn of_group(&self, group: &[&Interface], family: Family) -> Side {
        let up = || group.iter().copied().filter(|interface| interface.up);
        let with_route = up().find_map(|interface| Some((interface, interface.default_route(family)?.gateway)));
        let chosen = with_route.or_else(|| {
            up().find(|interface| self.needs_no_gateway(interface, family)).map(|interface| (interface, None))
        });
        if let Some((interface, gateway)) = chosen
            && let Some(name) = device_of(interface)
        {
            return Side {
                device: Some(name.to_owned()),
                addresses: self.addresses_of(interface, name, family),
                state: self.state(name, gateway, family),
                ..Side::default()
            };
        }
        let down = group.iter().find(|interface| !interface.up);
        let device = down.or(group.first()).and_then(|interface| device_of(interface)).map(str::to_owned);
        let why = if down.is_some() { Down::InterfaceDown } else { Down::NotOffered };
        Side { device, ..side(why) }
    }

    /// Whether an interface without a default route can carry a family all the same: PPP without its peer's route,
    /// WireGuard. A delegated prefix does for an IPv6 address: many providers give no other. Of a device that a program
    /// looks after (OpenVPN's, with `proto 'none'`) the kernel alone knows the addresses.
    fn needs_no_gateway(&self, interface: &Interface, family: Family) -> bool {
        let gatewayless = match device_of(interface).and_then(|name| self.device(name)) {
            Some(device) => device.gatewayless,
            None => makes_own_device(interface) || interface.addresses.iter().any(|address| address.peer.is_some()),
        };
        let prefixed = family == Family::V6 && !interface.prefixes.is_empty();
        let known = device_of(interface).and_then(|name| self.device(name));
        let addressed = !self.kernel_addresses(known, family).is_empty();
        gatewayless && (prefixed || addressed || interface.global_addresses(family).next().is_some())
    }

    /// The kernel knows more addresses than netifd (its own IPv6 ones); but it may be another machine's.
    fn addresses_of(&self, interface: &Interface, name: &str, family: Family) -> Vec<IpAddr> {
        match self.device(name) {
            Some(device) => self.kernel_addresses(Some(device), family),
            None => sorted(interface.global_addresses(family).map(|address| address.address)),
        }
    }

    fn kernel_addresses(&self, device: Option<&Device>, family: Family) -> Vec<IpAddr> {
        let Some(device) = device else { return Vec::new() };
        let on_it = |address: &&Address| address.index == device.index && address.family() == family;
        sorted(self.addresses.iter().filter(on_it).map(|address| address.address))
    }

    fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// Whether a hop can be used, as far as its device goes.
    fn state(&self, name: &str, gateway: Option<IpAddr>, family: Family) -> State {
        let hop = Hop { device: name.to_owned(), gateway };
        let Some(device) = self.device(name) else {
            return if self.absent == Absent::Missing { State::Down(Down::NoSuchDevice) } else { State::Up(hop) };
        };
        if !device.up {
            State::Down(Down::DeviceDown)
        } else if family == Family::V6 && self.without_ipv6.contains(name) {
            State::Down(Down::Ipv6Off)
        } else if self.addresses.iter().any(|own| Some(own.address) == gateway) {
            State::Down(Down::OwnGateway)
        } else if family == Family::V4 && self.kernel_addresses(Some(device), family).is_empty() {
            // Waiting for DHCP. IPv6 can do without: its gateways are reached by link-local addresses.
            State::Down(Down::NoAddress)
        } else if device.carrier {
            State::Up(hop)
        } else {
            State::NoCarrier(hop)
        }
    }
}

fn side(why: Down) -> Side {
    Side { state: State::Down(why), ..Side::default() }
}

fn both(of: impl Fn(Family) -> Side) -> LinkFacts {
    LinkFacts { v4: of(Family::V4), v6: of(Family::V6), ..LinkFacts::default() }
}

fn sorted(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    Set::from_iter(addresses).into_iter().collect()
}

fn makes_own_device(interface: &Interface) -> bool {
    TUNNELS.contains(&interface.proto.as_str())
}

/// The device packets leave by. While an interface is down netifd tells only the layer 2 device, which is the same
/// unless the protocol makes one of its own; `@wan` is no device but another interface.
fn device_of(interface: &Interface) -> Option<&str> {
    let lower = || interface.device.as_deref().filter(|name| !name.starts_with('@') && !makes_own_device(interface));
    interface.l3_device.as_deref().or_else(lower)
}

/// Whether another interface belongs to the same link: one that lies on it, one on the same device (`wan6` beside
/// `wan`), or one that its protocol made (`wan_6`, `wan6_4`, `wan_6_4`).
pub(crate) fn are_twins(main: &Interface, other: &Interface) -> bool {
    if main.name == other.name {
        return false;
    }
    let lies_on_it = other.device.as_deref().and_then(|name| name.strip_prefix('@')) == Some(main.name.as_str());
    let same_device = device_of(main).is_some() && device_of(main) == device_of(other);
    let mut parent = other.name.as_str();
    while let Some(shorter) = parent.strip_suffix("_4").or_else(|| parent.strip_suffix("_6")) {
        parent = shorter;
        if other.dynamic && parent == main.name {
            return true;
        }
    }
    lies_on_it || same_device
}

#[cfg(test)]
mod tests;
