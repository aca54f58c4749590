//! IPv6 that hosts of the LAN cannot use.

use super::Case;
use crate::config::diagnostics::{Diagnostic, Severity};
use std::net::IpAddr;

/// Where the firewall is not configured in its own file, nobody knows who translates.
pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let of_lan = || case.lan_devices().flat_map(|device| case.addresses(device)).map(|own| own.address);
    let is_global = |address: IpAddr| matches!(address, IpAddr::V6(v6) if !v6.is_unique_local());
    if !of_lan().any(|address| address.is_ipv6()) || of_lan().any(is_global) {
        return Vec::new();
    }
    let alone = case.links().filter(|(n, link)| {
        let has_own = link.translates6 || !link.prefixes.is_empty();
        link.v6.hop().is_some() && !has_own && case.zone(*n, link).is_some()
    });
    let note = |n| {
        let mut finding = case.warn_of(
            n,
            "its IPv6 is for the router alone: the provider gave no prefix, and the LAN has private addresses".into(),
            "if the LAN shall have it too: masq6 '1' in the zone of this link in /etc/config/firewall".into(),
        );
        finding.severity = Severity::Note;
        finding
    };
    alone.map(|(n, _)| note(n)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Sample, says};

    const WAN: &str = "config zone\n option name 'wan'\n option network 'wan wanb'\n option masq '1'\n\
        config defaults\n option forward 'ACCEPT'\n";

    fn unzoned(lan: &[(&str, &str, u8)]) -> Sample {
        let mut sample = Sample::new("");
        sample.addresses(lan);
        sample.facts.links[0].translates6 = false;
        sample
    }

    #[test]
    fn private_addresses_without_translation_are_worth_a_note() {
        let note = &["its IPv6 is for the router alone"][..];
        for (lan, translates, prefix, found) in [
            (&[("br-lan", "192.168.1.1", 24)][..], false, false, &[][..]),
            (&[("br-lan", "fd00::1", 64)], false, false, note),
            (&[("br-lan", "fd00::1", 64)], true, false, &[]),
            (&[("br-lan", "fd00::1", 64)], false, true, &[]),
            (&[("br-lan", "fd00::1", 64), ("br-lan", "2001:db8::1", 64)], false, false, &[]),
        ] {
            says(&unzoned(lan), &[]);
            let mut sample = Sample::new("").firewall(WAN);
            sample.addresses(lan);
            sample.facts.links[0].translates6 = translates;
            sample.facts.links[0].prefixes =
                prefix.then(|| ("2001:db8:1::".parse().unwrap(), 56)).into_iter().collect();
            says(&sample, found);
        }
    }
}
