//! Gateways that nobody answers at: the commonest mistake where the gateway is written by hand.

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Config, Family, LinkId};
use crate::kernel::Kernel;
use crate::kernel::netlink::link::Link as Device;
use crate::network::{Facts, Hop, State};

/// Findings about the gateways of all links. Only packets that want to go there make the kernel ask for one.
pub(super) fn findings(kernel: &mut Kernel, config: &Config, facts: &Facts, devices: &[Device]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (n, link) in config.links.iter().enumerate() {
        for family in Family::BOTH {
            let state = facts.side(LinkId(n), family).map(|side| &side.state);
            let Some(State::Up(Hop { device, gateway: Some(gateway) })) = state else { continue };
            let Some(device) = devices.iter().find(|own| own.name == *device) else { continue };
            if !kernel.is_silent(device.index, *gateway).unwrap_or(false) {
                continue;
            }
            let message = format!("nobody answers at its gateway {gateway} on {}", device.name);
            let finding = Diagnostic::new(Severity::Warning, link.at, message);
            findings.push(finding.in_section(format!("link '{}'", link.name)).help(
                "is the address right (the provider's router; with `option interface` netifd tells it), and is that switched on?",
            ));
        }
    }
    findings
}
