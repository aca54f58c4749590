//! What the kernel cannot do because a package is missing.

use super::{Case, warning};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::Attachment;

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let lacks = &case.router.lacks;
    let mut findings = Vec::new();
    if let Some(why) = &lacks.nftables {
        findings.push(warning(
            format!(
                "our nftables table cannot be loaded, so nothing can be applied: {}",
                why.trim_end().replace('\n', " ")
            ),
            install("kmod-nft-core nftables-json"),
        ));
    }
    if lacks.ctnetlink {
        findings.push(warning(
            "the kernel has no ctnetlink: connections of a dead link are found by its address alone, and not counted"
                .into(),
            install("kmod-nf-conntrack-netlink"),
        ));
    }
    if lacks.wireguard {
        for (n, _) in case.links() {
            let Attachment::Interface(name) = &case.config[n].attachment else { continue };
            let is_down =
                |own: &&crate::network::netifd::Interface| own.name == *name && !own.up && own.proto == "wireguard";
            if case.router.interfaces.iter().any(|own| is_down(&own)) {
                let message = format!("interface '{name}' is WireGuard, and the kernel has none: it cannot come up");
                findings.push(case.warn_of(n, message, install("kmod-wireguard wireguard-tools")));
            }
        }
    }
    findings
}

fn install(packages: &str) -> String {
    format!("opkg install {packages} (or apk add {packages})")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};
    use crate::network::netifd::Interface;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let mut sample = Sample::new("");
        says(&sample, &[]);
        sample.router.lacks.nftables = Some("nft is not installed".into());
        sample.router.lacks.ctnetlink = true;
        says(&sample, &["our nftables table cannot be loaded", "the kernel has no ctnetlink"]);
    }

    #[test]
    fn wireguard_is_missed_only_by_who_has_it_down() {
        let mut sample = Sample::new("config link 'vpn'\n option interface 'wg0'\n");
        let own = |up, proto: &str| Interface { name: "wg0".into(), up, proto: proto.into(), ..Interface::default() };
        for (lacks, interface, found) in [
            (true, own(false, "wireguard"), &["interface 'wg0' is WireGuard"][..]),
            (true, own(true, "wireguard"), &[]),
            (true, own(false, "dhcp"), &[]),
            (false, own(false, "wireguard"), &[]),
        ] {
            sample.router.lacks.wireguard = lacks;
            sample.router.interfaces = vec![interface];
            says(&sample, found);
        }
    }
}
