//! What is odd about the world, in words.

use super::{Account, gateways, tunnels};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Attachment, Config, Family, LinkId};
use crate::config::source::Position;
use crate::kernel::Kernel;
use crate::network::firewall::Firewall;
use crate::network::{Down, Facts, State};
use crate::plan::Plan;
use crate::plan::allot::Shortage;
use crate::reconcile::neighbours as review;

/// A link that can carry neither family.
pub(super) fn unusable(config: &Config, facts: &Facts, id: LinkId, account: &Account) -> Option<Diagnostic> {
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
    let (message, help) = match (&link.attachment, why, account) {
        (Attachment::Unusable, ..) => return None,
        (Attachment::Interface(name), _, Account::Unknown(why)) => (
            format!("nothing is known of interface '{name}': {why}"),
            "is netifd running? Or give its answer in a file: `ubus call network.interface dump > FILE`, then `--network FILE`",
        ),
        (Attachment::Interface(name), Down::NoSuchInterface, _) => {
            (format!("netifd has no interface '{name}'"), "name one that `ubus call network.interface dump` lists")
        }
        (Attachment::Interface(name), Down::InterfaceDown, _) => {
            (format!("interface '{name}' is down: its traffic takes the fallback"), "it is used as soon as it is up")
        }
        (Attachment::Device { device, .. }, Down::NoSuchDevice, _) => (
            format!("there is no device '{device}': its traffic takes the fallback"),
            "`ip link` lists the devices there are",
        ),
        (Attachment::Device { device, .. }, Down::DeviceDown, _) => {
            (format!("device '{device}' is switched off: its traffic takes the fallback"), "switch it on")
        }
        (Attachment::Device { device, .. }, Down::NoAddress, _) => (
            format!("device '{device}' has no IPv4 address: its traffic takes the fallback"),
            "give it one, or wait for DHCP",
        ),
        (Attachment::Interface(name), Down::NoSuchDevice, _) => (
            format!("the device of interface '{name}' does not exist here: its traffic takes the fallback"),
            "is the account of the interfaces this router's?",
        ),
        (_, Down::OwnGateway, _) => (
            "its gateway is one of the router's own addresses: its traffic takes the fallback".into(),
            "name the provider's router, the one in `ip route` behind `default via`",
        ),
        (_, Down::NotOffered, _) => (
            "it has no gateway, and its device is not point to point: nothing can leave by it".into(),
            "give `gateway` or `gateway6`",
        ),
        (..) => ("it cannot be used now: its traffic takes the fallback".into(), "see `wansplit status`"),
    };
    let finding = Diagnostic::new(Severity::Warning, link.at, message);
    Some(finding.in_section(format!("link '{}'", link.name)).help(help))
}

/// The firewall's configuration could not be understood, and a link is to do as it says.
pub(super) fn untranslated(config: &Config, firewall: &Firewall) -> Option<Diagnostic> {
    let why = firewall.fault.as_deref()?;
    let link = config.links.iter().find(|link| link.masq6.is_none())?;
    let finding =
        Diagnostic::new(Severity::Warning, link.at, format!("{why}; no link counts as one that translates IPv6"));
    Some(
        finding
            .in_section(format!("link '{}'", link.name))
            .on_option("masq6")
            .help("put that file right, or say masq6 '0' or '1'"),
    )
}

/// What others have put into the kernel that gets in our way. A kernel that cannot be asked has no findings.
pub fn neighbours(kernel: &mut Kernel, config: &Config, facts: &Facts, plan: &Plan) -> Vec<Diagnostic> {
    let Ok(links) = kernel.links() else { return Vec::new() };
    let routes = kernel.foreign_routes(&links).unwrap_or_default();
    let rules = kernel.rules().map(|rules| rules.foreign).unwrap_or_default();
    let mut findings = review::review(config, &plan.paths, &routes, &rules);
    findings.extend(tunnels::findings(kernel, config, facts, &links));
    findings.extend(gateways::findings(kernel, config, facts, &links));
    findings
}

/// Too few marks, as a finding.
#[must_use]
pub fn shortage(shortage: &Shortage) -> Diagnostic {
    Diagnostic::new(Severity::Fatal, Position::default(), shortage.to_string())
        .in_section("globals")
        .on_option("mask")
        .help("choose a mask with more bits")
}
