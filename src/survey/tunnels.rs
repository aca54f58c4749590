//! What may go wrong with the packets that tunnels consist of.

use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Config, Link, LinkId, Target};
use crate::kernel::Kernel;
use crate::kernel::netlink::link::Link as Device;
use crate::kernel::netlink::lookup::{Packet, Question};
use crate::kernel::netlink::tunnel::Tunnel;
use crate::map::Set;
use crate::network::Facts;
use crate::network::outer::{self, Outer};
use crate::plan::state::TABLE_MAIN;
use std::net::IpAddr;

/// Findings about all links that are tunnels.
pub(super) fn findings(kernel: &mut Kernel, config: &Config, facts: &Facts, devices: &[Device]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for n in 0..config.links.len() {
        let Some(device) = device_of(facts, LinkId(n), devices) else { continue };
        findings.extend(unknown(config, facts, LinkId(n), device));
        let outers = outer::of_link(config, facts, LinkId(n));
        for packet in packets(kernel, device, &outers) {
            findings.extend(misled(kernel, &config[LinkId(n)], device, devices, &packet));
        }
    }
    findings
}

fn device_of<'a>(facts: &Facts, link: LinkId, devices: &'a [Device]) -> Option<&'a Device> {
    let facts = facts.links.get(link.0)?;
    let name = facts.v4.device.as_ref().or(facts.v6.device.as_ref())?;
    devices.iter().find(|device| device.name == *name)
}

/// A program makes the tunnel's packets, nobody says what they look like, and it would matter.
fn unknown(config: &Config, facts: &Facts, id: LinkId, device: &Device) -> Option<Diagnostic> {
    let link = &config[id];
    let leads_there = |target| match target {
        Target::Link(link) => link == id,
        Target::Policy(policy) => config.policies[policy.0].members.iter().any(|member| member.link == id),
        Target::Main | Target::Unreachable | Target::Blackhole => false,
    };
    let endangered = config.rules.iter().any(|rule| rule.origin.includes_router() && leads_there(rule.target));
    let known = !outer::of_link(config, facts, id).is_empty();
    if device.tunnel != Some(Tunnel::Tun) || known || !(endangered || link.via.is_some()) {
        return None;
    }
    let message = if endangered {
        "a rule for the router's own traffic leads into this tunnel, and nobody says which are the tunnel's own packets"
    } else {
        "`via` does nothing: nobody says which are the tunnel's own packets"
    };
    Some(
        warning(link, message.to_owned())
            .help("name its server: list endpoint '203.0.113.7:1194', or only its port: '*:1194'"),
    )
}

/// One of the tunnel's packets to each place they go to, as far as these are known.
fn packets(kernel: &mut Kernel, device: &Device, outers: &[Outer]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for outer in outers {
        let peers = if outer.destination.is_none() { kernel.wireguard(device) } else { None };
        let peers = peers.map_or_else(Vec::new, |own| own.peers);
        let places = peers.into_iter().map(|peer| (peer.ip(), Some(peer.port())));
        for (destination, port) in
            outer.destination.map(|address| (address, outer.destination_port)).into_iter().chain(places)
        {
            packets.push(Packet {
                destination,
                source: None,
                mark: 0,
                iif: None,
                oif: None,
                // No rule for a user is meant for what tunnels are made of.
                user: Some(u32::MAX),
                protocol: outer.protocol,
                source_port: outer.source_port,
                destination_port: port,
            });
        }
    }
    let mut seen: Set<IpAddr> = Set::new();
    packets.retain(|packet| seen.insert(packet.destination));
    packets
}

/// The main table sends the tunnel's packets elsewhere than the owner can want.
fn misled(
    kernel: &mut Kernel,
    link: &Link,
    device: &Device,
    devices: &[Device],
    packet: &Packet,
) -> Option<Diagnostic> {
    let answer = kernel.lookup(devices, packet, Question::Route).ok()?;
    let (server, specific) = (packet.destination, answer.length > 1);
    if answer.table != Some(TABLE_MAIN) {
        return None;
    }
    let into_itself = answer.hops.iter().any(|hop| hop.device == device.name);
    let by_gateway = answer.hops.iter().any(|hop| hop.gateway.is_some());
    if into_itself && (specific || link.via.is_none()) {
        let message = format!("table main sends the tunnel's own packets to {server} into the tunnel itself");
        Some(warning(link, message).help("say what carries them, as in: option via 'wan'"))
    } else if specific && by_gateway && link.via.is_some() {
        let message = format!("table main has a route of its own to the tunnel's server {server}: it wins over `via`");
        Some(
            warning(link, message)
                .help("netifd makes one for WireGuard unless its interface has: option nohostroute '1'"),
        )
    } else {
        None
    }
}

fn warning(link: &Link, message: String) -> Diagnostic {
    Diagnostic::new(Severity::Warning, link.at, message).in_section(format!("link '{}'", link.name))
}
