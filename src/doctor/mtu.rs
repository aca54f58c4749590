//! Links that carry shorter packets than the LAN sends.

use super::{Case, firewall};
use crate::config::diagnostics::Diagnostic;

/// Where TCP is not told in time (`mtu_fix`), it is an ICMP error that must tell it, and not every server hears that.
pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let has_addresses = |device: &&crate::kernel::netlink::link::Link| case.addresses(device).next().is_some();
    let lan = case.lan_devices().filter(has_addresses).map(|device| device.mtu).max().unwrap_or(0);
    let mut findings = Vec::new();
    for (n, facts) in case.links() {
        let (Some(device), Some(zone)) = (case.device(facts), case.zone(n, facts)) else { continue };
        if device.mtu < lan && !zone.mtu_fix {
            findings.push(case.warn_of(
                n,
                format!(
                    "it carries {} bytes a packet, the LAN sends {lan}, and the firewall's zone '{}' does not adapt TCP to that: some sites hang",
                    device.mtu, zone.name
                ),
                firewall(&format!("uci set firewall.@zone[{}].mtu_fix='1'", zone.place)),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    #[test]
    fn short_packets_need_mtu_fix() {
        let zone = |options: &str| {
            format!(
                "config zone\n option name 'lan'\n option network 'lan'\nconfig zone\n option name 'wan'\n option network 'wan wanb'\n option masq '1'\n{options}\n\
                     config forwarding\n option src 'lan'\n option dest 'wan'\n"
            )
        };
        for (wan, lan, options, found) in [
            (1500, 1500, "", &[][..]),
            (1492, 1500, "", &["it carries 1492 bytes a packet, the LAN sends 1500, and the firewall's zone 'wan'"]),
            (1492, 1500, " option mtu_fix '1'\n", &[]),
            (1492, 1400, "", &[]),
        ] {
            let mut sample = Sample::new("").firewall(&zone(options));
            sample.device("eth1").mtu = wan;
            sample.device("br-lan").mtu = lan;
            says(&sample, found);
        }
        // Where no firewall is configured, nobody knows who does it.
        let mut sample = Sample::new("");
        sample.device("eth1").mtu = 1400;
        says(&sample, &[]);
    }
}
