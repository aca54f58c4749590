//! Networks that are two things at once: two links', or a link's and the LAN's.

use super::{Case, same_network};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Config, LinkId};
use crate::kernel::netlink::address::Address;
use crate::kernel::netlink::link::Link as Device;
use std::net::IpAddr;

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let links: Vec<(LinkId, &Device, Option<IpAddr>)> = case
        .links()
        .filter_map(|(n, facts)| Some((n, case.device(facts)?, facts.v4.hop().and_then(|hop| hop.gateway))))
        .collect();
    for (place, (n, device, gateway)) in links.iter().enumerate() {
        if device.bridged {
            findings.push(case.warn_of(
                *n,
                format!(
                    "{} is a port of a bridge, which takes its packets: nothing comes in by this link",
                    device.name
                ),
                "name the bridge as the link's device, or take the port out of it".into(),
            ));
        }
        let earlier = links.iter().take(place).filter(|(_, other, _)| other.index != device.index);
        if let Some((other, network)) = earlier.into_iter().find_map(|(other, theirs, _)| {
            Some((*other, case.addresses(device).find(|own| case.addresses(theirs).any(|their| are_one(own, their)))?))
        }) {
            findings.push(between_links(case, case.config, *n, other, network));
        }
        for lan in case.lan_devices() {
            let clash = case.addresses(lan).filter(|own| own.address.is_ipv4()).find(|own| {
                gateway.is_some_and(|gateway| same_network(own.address, gateway, own.prefix))
                    || case.addresses(device).any(|theirs| are_one(own, theirs))
            });
            findings.extend(clash.map(|own| with_the_lan(case, *n, lan, own)));
        }
    }
    findings
}

/// Whether both are addresses in one network with room for others.
fn are_one(one: &Address, other: &Address) -> bool {
    one.address.is_ipv4()
        && one.prefix == other.prefix
        && one.prefix < 31
        && same_network(one.address, other.address, one.prefix)
}

fn between_links(case: &Case, config: &Config, link: LinkId, other: LinkId, own: &Address) -> Diagnostic {
    let network = network(own);
    case.warn_of(
        link,
        format!(
            "it is in the same network {network} as link '{}': the router reaches hosts in it by one of the two only",
            config[other].name
        ),
        "give one of the two modems another network, 192.168.8.0/24 say".into(),
    )
}

fn with_the_lan(case: &Case, link: LinkId, lan: &Device, own: &Address) -> Diagnostic {
    let network = network(own);
    let name = case.router.interfaces.iter().find(|one| one.l3_device.as_deref() == Some(&lan.name));
    let name = name.map_or("lan", |one| &one.name);
    case.warn_of(
        link,
        format!("its network {network} is that of {} too: answers for the LAN go out by the link, or the other way round", lan.name),
        format!("give the LAN another one: uci set network.{name}.ipaddr='192.168.77.1/24'; uci -q delete network.{name}.netmask; uci commit network; service network restart"),
    )
}

fn network(own: &Address) -> String {
    match own.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(own.prefix)).unwrap_or(0);
            format!("{}/{}", std::net::Ipv4Addr::from_bits(address.to_bits() & mask), own.prefix)
        }
        IpAddr::V6(_) => format!("{}/{}", own.address, own.prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    #[test]
    fn networks_that_are_two_things_at_once_are_found() {
        let together = &["it is in the same network 192.168.1.0/24 as link 'A'"][..];
        let with_lan = &["its network 192.168.1.0/24 is that of br-lan too"][..];
        for (addresses, found) in [
            (&[("eth0", "10.0.0.2", 24), ("eth1", "10.0.1.2", 24), ("br-lan", "192.168.1.1", 24)][..], &[][..]),
            (&[("eth0", "192.168.1.2", 24), ("eth1", "192.168.1.3", 24)], together),
            (&[("eth0", "192.168.1.2", 24), ("eth1", "192.168.1.2", 24)], together),
            // PPP's addresses have no network.
            (&[("eth0", "192.168.1.2", 32), ("eth1", "192.168.1.2", 32)], &[]),
            (&[("eth0", "192.168.1.64", 24), ("br-lan", "192.168.1.1", 24)], with_lan),
            // A provider's large private network holds the LAN's: the smaller one wins, as it should.
            (&[("eth0", "10.0.0.2", 8), ("br-lan", "10.1.1.1", 24)], &[]),
            (
                &[("eth0", "10.9.9.9", 32), ("br-lan", "10.0.0.200", 24)],
                &["its network 10.0.0.0/24 is that of br-lan too"],
            ),
        ] {
            let mut sample = Sample::new("");
            sample.addresses(addresses);
            says(&sample, found);
        }
    }

    #[test]
    fn a_port_of_a_bridge_is_no_link() {
        let mut sample = Sample::new("");
        sample.device("eth1").bridged = true;
        says(&sample, &["eth1 is a port of a bridge"]);
    }
}
