//! Reads the world for a verb: the file that stands in for netifd, the kernel's devices and addresses, and what others
//! have put there.

use super::{Exit, Place, complain};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Attachment, Config, Family, Link, LinkId};
use crate::config::source::Position;
use crate::kernel::sysctl::{Key, Sysctls};
use crate::kernel::{self, Kernel};
use crate::network::gather::{self, Absent, Sources};
use crate::network::{Down, Facts, State, netifd};
use crate::plan::allot::Shortage;
use crate::plan::{self, Plan};
use crate::reconcile::neighbours;
use crate::sort;
use std::collections::BTreeSet;

/// Whom to believe about a device that the kernel does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The kernel: what is not there cannot be used.
    Kernel,
    /// The file given by `--network`, if there is one: it may be another machine's.
    File,
}

/// Facts, and what is odd about them.
pub struct Gathered {
    /// The facts.
    pub facts: Facts,
    /// Links that cannot be used, and why.
    pub findings: Vec<Diagnostic>,
}

impl Gathered {
    /// Prints the findings, a line each.
    pub fn print(&self) {
        for finding in &self.findings {
            complain(&finding.in_words());
        }
    }
}

/// Gathers the facts; where that fails, says why.
pub fn gather(handle: &mut Kernel, config: &Config, place: &Place, trust: Trust) -> Result<Gathered, Exit> {
    let dump = place.network.as_deref().map(read_dump).transpose().map_err(|error| {
        complain(&error);
        Exit::Config
    })?;
    let devices = handle.links().map_err(super::apply::refused)?;
    let addresses = handle.addresses().map_err(super::apply::refused)?;
    let without_ipv6 = without_ipv6(config, dump.as_ref());
    let believed = trust == Trust::File && dump.is_some();
    let sources = Sources {
        netifd: dump.as_ref().map(|dump| dump.interfaces.as_slice()),
        devices: &devices,
        addresses: &addresses,
        ipv6: kernel::speaks_ipv6(),
        without_ipv6: &without_ipv6,
        absent: if believed { Absent::Believed } else { Absent::Missing },
    };
    let mut facts = gather::gather(config, &sources);
    let wans: Vec<String> = facts.links.iter().filter_map(|link| link.v4.device.clone()).collect();
    facts.strict_devices = sort::set(wans.into_iter().filter(|device| is_strict(device)));
    let warnings = dump.map_or(Vec::new(), |dump| dump.warnings);
    let mut findings: Vec<Diagnostic> =
        warnings.into_iter().map(|message| Diagnostic::new(Severity::Warning, Position::default(), message)).collect();
    findings.extend((0..config.links.len()).filter_map(|n| unusable(config, &facts, LinkId(n), place)));
    Ok(Gathered { facts, findings })
}

/// Gathers the facts and computes the wanted state; where that fails, says why.
pub fn plan(kernel: &mut Kernel, config: &Config, place: &Place, trust: Trust) -> Result<(Gathered, Plan), Exit> {
    let gathered = gather(kernel, config, place, trust)?;
    let plan = plan::plan(config, &gathered.facts).map_err(|shortage| {
        complain(&format!("nothing was changed: {shortage}; choose a mask with more bits"));
        Exit::Config
    })?;
    Ok((gathered, plan))
}

/// A link of which nothing can be known without netifd's account of the interfaces.
pub fn unknowable<'a>(config: &'a Config, place: &Place) -> Option<&'a str> {
    let by_interface = |link: &&Link| matches!(link.attachment, Attachment::Interface(_));
    let link = if place.network.is_none() { config.links.iter().find(by_interface) } else { None };
    link.map(|link| link.name.as_str())
}

fn read_dump(file: &str) -> Result<netifd::Dump, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read the interfaces from {file}: {error}"))?;
    netifd::parse(&text).map_err(|error| format!("{file}: {error}"))
}

/// Whether the kernel checks source addresses strictly on a device: the larger of its own value and that of `all` counts.
fn is_strict(device: &str) -> bool {
    let value = |device| setting(Family::V4, device, "rp_filter");
    value("all").max(value(device)) == 1
}

/// The devices named by the configuration or by netifd on which IPv6 is switched off.
fn without_ipv6(config: &Config, dump: Option<&netifd::Dump>) -> BTreeSet<String> {
    let by_hand = config.links.iter().filter_map(|link| match &link.attachment {
        Attachment::Device { device, .. } => Some(device.as_str()),
        Attachment::Interface(_) | Attachment::Unusable => None,
    });
    let interfaces = dump.map_or(&[][..], |dump| &dump.interfaces);
    let devices = by_hand.chain(interfaces.iter().filter_map(|interface| interface.l3_device.as_deref()));
    devices.filter(|device| setting(Family::V6, device, "disable_ipv6") == 1).map(str::to_owned).collect()
}

/// A number under `/proc/sys/net`; 0 if it is not there.
fn setting(family: Family, device: &str, name: &str) -> u32 {
    let key = Key { family, device: device.to_owned(), name: name.to_owned() };
    Sysctls::default().read(&key).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A link that can carry neither family.
fn unusable(config: &Config, facts: &Facts, id: LinkId, place: &Place) -> Option<Diagnostic> {
    let link = &config[id];
    let sides = Family::BOTH.map(|family| facts.side(id, family).map(|side| &side.state));
    let whys = sides.into_iter().flatten().filter_map(|state| match state {
        State::Down(why) => Some(*why),
        State::Up(_) | State::NoCarrier(_) => None,
    });
    let whys: Vec<Down> = whys.collect();
    if whys.len() < sides.len() {
        return None;
    }
    // The more telling of the two reasons.
    let why = whys.into_iter().find(|why| *why != Down::NotOffered).unwrap_or(Down::NotOffered);
    let by_name = matches!(link.attachment, Attachment::Interface(_)) && place.network.is_none();
    let (message, help) = match (&link.attachment, why) {
        (Attachment::Unusable, _) => return None,
        (Attachment::Interface(name), _) if by_name => (
            format!("interface '{name}' is not known: asking netifd is not supported yet"),
            "give its answer in a file: `ubus call network.interface dump > FILE`, then `--network FILE`",
        ),
        (Attachment::Interface(name), Down::NoSuchInterface) => {
            (format!("netifd has no interface '{name}'"), "name one that `ubus call network.interface dump` lists")
        }
        (Attachment::Interface(name), Down::InterfaceDown) => {
            (format!("interface '{name}' is down: its traffic takes the fallback"), "it is used as soon as it is up")
        }
        (Attachment::Device { device, .. }, Down::NoSuchDevice) => (
            format!("there is no device '{device}': its traffic takes the fallback"),
            "`ip link` lists the devices there are",
        ),
        (Attachment::Device { device, .. }, Down::DeviceDown) => (
            format!("device '{device}' is switched off: its traffic takes the fallback"),
            "switch it on and apply again",
        ),
        (Attachment::Device { device, .. }, Down::NoAddress) => (
            format!("device '{device}' has no IPv4 address: its traffic takes the fallback"),
            "give it one, or wait for DHCP, and apply again",
        ),
        (Attachment::Interface(name), Down::NoSuchDevice) => (
            format!("the device of interface '{name}' does not exist here: its traffic takes the fallback"),
            "is the file given by `--network` this router's?",
        ),
        (_, Down::OwnGateway) => (
            "its gateway is one of the router's own addresses: its traffic takes the fallback".into(),
            "name the provider's router, the one in `ip route` behind `default via`",
        ),
        (_, Down::NotOffered) => (
            "it has no gateway, and its device is not point to point: nothing can leave by it".into(),
            "give `gateway` or `gateway6`",
        ),
        (_, _) => ("it cannot be used now: its traffic takes the fallback".into(), "see `wansplit status`"),
    };
    let finding = Diagnostic::new(Severity::Warning, link.at, message);
    Some(finding.in_section(format!("link '{}'", link.name)).help(help))
}

/// What others have put into the kernel that gets in our way. A kernel that cannot be asked has no findings.
pub fn neighbours(kernel: &mut Kernel, config: &Config, plan: &Plan) -> Vec<Diagnostic> {
    let Ok(links) = kernel.links() else { return Vec::new() };
    let routes = kernel.foreign_routes(&links).unwrap_or_default();
    let rules = kernel.rules().map(|rules| rules.foreign).unwrap_or_default();
    neighbours::review(config, &plan.paths, &routes, &rules)
}

/// Too few marks, as a finding.
pub fn shortage(shortage: &Shortage) -> Diagnostic {
    Diagnostic::new(Severity::Fatal, Position::default(), shortage.to_string())
        .in_section("globals")
        .on_option("mask")
        .help("choose a mask with more bits")
}
