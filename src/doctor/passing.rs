//! Whether the firewall lets packets pass by a link, and translates them.

use super::{Case, firewall, same_network};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Attachment, LinkId};
use crate::network::zones::Zone;
use crate::network::{Down, State};
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let zones = &case.router.zones;
    if zones.zones.is_empty() {
        return Vec::new();
    }
    let of_links: Vec<&Zone> = case
        .links()
        .filter_map(|(n, facts)| case.zone(n, facts))
        .filter(|zone| in_zone_of_lan(case, zone).is_none())
        .collect();
    let mut findings = Vec::new();
    for (n, facts) in case.links() {
        let Some(zone) = case.zone(n, facts) else {
            findings.extend(in_no_zone(case, n, &of_links));
            continue;
        };
        if let Some(lan) = in_zone_of_lan(case, zone) {
            findings.push(case.warn_of(
                n,
                format!("it is in the firewall's zone '{}' together with '{lan}', and that lets in everything: the router is open to whoever is behind the link", zone.name),
                "put it into the zone of the other links, or a zone of its own with masq '1' and input 'REJECT'".into(),
            ));
            continue;
        }
        if !matches!(facts.v4.state, State::Down(Down::NotOffered)) {
            findings.extend(untranslated(case, n, zone));
        }
        findings.extend(closed(case, n, zone, &of_links));
    }
    findings
}

fn in_no_zone(case: &Case, link: LinkId, of_links: &[&Zone]) -> Option<Diagnostic> {
    // A zone of addresses may well mean it; and what netifd calls a device is not always known.
    let by_address = case.router.zones.zones.iter().any(|zone| !zone.subnets.is_empty());
    let name = *case.interfaces_of(link).first()?;
    if by_address || matches!(case.config[link].attachment, Attachment::Unusable) {
        return None;
    }
    let help = match of_links.first() {
        Some(zone) => firewall(&format!("uci add_list firewall.@zone[{}].network='{name}'", zone.place)),
        None => "put it into a zone with masq '1', to which zone 'lan' may forward".into(),
    };
    Some(case.warn_of(
        link,
        format!("interface '{name}' is in no zone of the firewall: what is sent by it is rejected"),
        help,
    ))
}

/// The interface of the LAN that is in the same zone, if that lets in everything.
fn in_zone_of_lan<'a>(case: &Case, zone: &'a Zone) -> Option<&'a str> {
    let is_lan = |name: &&String| {
        let found = case.router.interfaces.iter().find(|own| own.name == **name);
        found.is_some_and(|own| {
            let is_link = own.l3_device.as_deref().is_none_or(|device| case.is_of_a_link(device));
            own.proto == "static" && own.defaults.is_empty() && !is_link
        })
    };
    zone.networks.iter().filter(|_| zone.accepts_input).find(is_lan).map(String::as_str)
}

fn untranslated(case: &Case, link: LinkId, zone: &Zone) -> Option<Diagnostic> {
    let zones = &case.router.zones;
    if zones.nat.iter().any(|name| *name == zone.name || name == "*") {
        return None;
    }
    let (name, place) = (&zone.name, zone.place);
    if !zone.masq {
        return Some(case.warn_of(
            link,
            format!("the firewall's zone '{name}' does not masquerade: the LAN's packets leave with private addresses and get no answer"),
            firewall(&format!("uci set firewall.@zone[{place}].masq='1'")),
        ));
    }
    let (option, values) = if is_limited_to(case, &zone.masq_src) {
        ("masq_src", &zone.masq_src)
    } else if zone.masq_dest.iter().any(|entry| !entry.starts_with('!') && !entry.ends_with("/0")) {
        ("masq_dest", &zone.masq_dest)
    } else {
        return None;
    };
    Some(case.warn_of(
        link,
        format!("the firewall's zone '{name}' masquerades only {option} '{}': the rest leaves with private addresses and gets no answer", values.join(" ")),
        firewall(&format!("uci delete firewall.@zone[{place}].{option}")),
    ))
}

/// Whether these senders are others than all hosts of the LAN.
fn is_limited_to(case: &Case, senders: &[String]) -> bool {
    let network = |text: &String| {
        let (address, length) = text.split_once('/').unwrap_or((text, "32"));
        Some((IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), length.parse::<u8>().ok()?))
    };
    let wanted: Vec<_> = senders.iter().filter(|entry| !entry.starts_with('!')).collect();
    let known: Vec<_> = wanted.iter().filter_map(|text| network(text)).collect();
    let mut hosts =
        case.lan_devices().flat_map(|device| case.addresses(device)).filter(|own| own.address.is_ipv4()).peekable();
    // Of what is written in another way, nothing is said.
    let is_told = !wanted.is_empty() && wanted.len() == known.len() && hosts.peek().is_some();
    is_told
        && !hosts.any(|own| {
            known.iter().any(|(address, length)| same_network(own.address, *address, (*length).min(own.prefix)))
        })
}

/// A zone that nobody may forward to.
fn closed(case: &Case, link: LinkId, zone: &Zone, of_links: &[&Zone]) -> Option<Diagnostic> {
    let zones = &case.router.zones;
    let name = &zone.name;
    if zones.forwards_all || zones.allowed.contains(name) {
        return None;
    }
    let inner = || zones.zones.iter().filter(|own| of_links.iter().all(|other| other.place != own.place));
    let home = inner().find(|own| own.networks.iter().any(|network| network == "lan"));
    let from = match home {
        Some(home) if zones.forwards(&home.name, name) => return None,
        // The LAN may leave by another link, so it is not locked in on purpose.
        Some(home) if of_links.iter().any(|other| zones.forwards(&home.name, &other.name)) => &home.name,
        _ if inner().any(|own| zones.forwards(&own.name, name)) => return None,
        _ => home.map_or("lan", |home| home.name.as_str()),
    };
    Some(case.warn_of(
        link,
        format!("the firewall does not forward from zone '{from}' to '{name}': new connections by this link are rejected"),
        firewall(&format!(
            "uci add firewall forwarding; uci set firewall.@forwarding[-1].src='{from}'; uci set firewall.@forwarding[-1].dest='{name}'"
        )),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    const LAN: &str =
        "config zone\n option name 'lan'\n list network 'lan'\n option input 'ACCEPT'\n option forward 'ACCEPT'\n";
    const FORWARDING: &str = "config forwarding\n option src 'lan'\n option dest 'wan'\n";

    fn wan(networks: &str, options: &str) -> String {
        format!("config zone\n option name 'wan'\n option network '{networks}'\n option input 'REJECT'\n{options}\n")
    }

    #[test]
    fn a_link_is_in_a_zone_that_translates_and_may_be_forwarded_to() {
        let masq = " option masq '1'\n";
        let own = |options: &str| format!("config zone\n option name 'b'\n option network 'wanb'\n{options}\n");
        let to_b = "config forwarding\n option src 'lan'\n option dest 'b'\n";
        for (rest, found) in [
            (wan("wan wanb wan6", masq) + FORWARDING, &[][..]),
            (wan("wan", masq) + FORWARDING, &["interface 'wanb' is in no zone"]),
            (wan("wan", masq) + FORWARDING + "config zone\n option name 'x'\n option subnet '10.0.0.0/8'\n", &[]),
            (
                wan("wan", masq)
                    + FORWARDING
                    + "config zone\n option name 'b'\n option device 'eth+'\n option masq 'yes'\n"
                    + to_b,
                &[],
            ),
            (wan("wan", masq) + FORWARDING + &own(masq), &["the firewall does not forward from zone 'lan' to 'b'"]),
            (wan("wan", masq) + FORWARDING + &own(masq) + to_b, &[]),
            (wan("wan", masq) + "config defaults\n option forward 'ACCEPT'\n", &["interface 'wanb' is in no zone"]),
            (wan("wan wanb", masq), &["the firewall does not forward from zone 'lan' to 'wan'"; 2]),
            (wan("wan wanb", "") + FORWARDING, &["the firewall's zone 'wan' does not masquerade"; 2]),
            (wan("wan", masq) + FORWARDING + &own("") + to_b, &["the firewall's zone 'b' does not masquerade"]),
            // What is translated by a rule of its own.
            (wan("wan wanb", "") + FORWARDING + "config nat\n option src 'wan'\n option target 'MASQUERADE'\n", &[]),
            (wan("wan wanb", masq) + FORWARDING + "config nat\n option src 'wan'\n", &[]),
            (wan("wan wanb", " option masq '1'\n list masq_dest '!10.0.0.0/8'\n") + FORWARDING, &[]),
            (
                wan("wan wanb", " option masq '1'\n list masq_dest '10.0.0.0/8'\n") + FORWARDING,
                &["the firewall's zone 'wan' masquerades only masq_dest '10.0.0.0/8'"; 2],
            ),
            (wan("wan wanb", " option masq '1'\n list masq_src '192.168.0.0/16'\n") + FORWARDING, &[]),
            (
                wan("wan wanb", " option masq '1'\n list masq_src '192.168.2.0/24'\n") + FORWARDING,
                &["the firewall's zone 'wan' masquerades only masq_src '192.168.2.0/24'"; 2],
            ),
            (wan("wan wanb", " option masq '1'\n list masq_src 'guests'\n") + FORWARDING, &[]),
            // Guests may use one link, and that is how it is meant.
            (wan("wan wanb", masq) + FORWARDING + "config zone\n option name 'guest'\n option network 'guest'\n", &[]),
        ] {
            let text = LAN.to_owned() + &rest;
            says(&Sample::new("").firewall(&text), found);
        }
        says(&Sample::new("").firewall(""), &[]);
        says(&Sample::new("").firewall("config zone\n 'unterminated"), &[]);
    }

    #[test]
    fn a_link_in_the_zone_of_the_lan_is_an_open_door() {
        let zone = "config zone\n option name 'lan'\n option network 'lan wanb'\n option input 'ACCEPT'\n";
        let text = zone.to_owned() + &wan("wan", " option masq '1'\n") + FORWARDING;
        says(&Sample::new("").firewall(&text), &["it is in the firewall's zone 'lan' together with 'lan'"]);
    }
}
