//! Name servers that are gone together with one link.

use super::Case;
use crate::config::diagnostics::Diagnostic;
use crate::network::netifd::Interface;
use std::net::IpAddr;

/// Resolvers that answer by whatever link they are asked.
const PUBLIC: [[u8; 4]; 10] = [
    [1, 0, 0, 1],
    [1, 1, 1, 1],
    [8, 8, 4, 4],
    [8, 8, 8, 8],
    [9, 9, 9, 9],
    [94, 140, 14, 14],
    [94, 140, 15, 15],
    [149, 112, 112, 112],
    [208, 67, 220, 220],
    [208, 67, 222, 222],
];

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let Some(dnsmasq) = &case.router.dnsmasq else { return Vec::new() };
    if dnsmasq.ignores_given || !dnsmasq.servers.is_empty() {
        return Vec::new();
    }
    let giving = |own: &&Interface| own.up && !own.name_servers.is_empty();
    let givers: Vec<&Interface> = case.router.interfaces.iter().filter(giving).collect();
    let servers: Vec<IpAddr> = givers.iter().flat_map(|own| own.name_servers.iter().copied()).collect();
    let is_public = |server: &IpAddr| matches!(server, IpAddr::V4(v4) if PUBLIC.contains(&v4.octets()));
    if servers.is_empty() || servers.iter().any(is_public) {
        return Vec::new();
    }
    let gives = |link: &crate::network::LinkFacts| {
        let is =
            |own: &&Interface| own.l3_device.is_some() && [&link.v4.device, &link.v6.device].contains(&&own.l3_device);
        givers.iter().all(is)
    };
    let Some((giver, _)) = case.links().find(|(_, link)| gives(link)) else { return Vec::new() };
    // One that works, and is not carried by another: a tunnel is as dead as what carries it.
    let other = case.links().find(|(n, link)| {
        let is_tunnel = !link.outer.is_empty() || case.device(link).is_none_or(|device| device.tunnel.is_some());
        *n != giver && link.v4.is_usable() && !is_tunnel
    });
    let Some((other, _)) = other else { return Vec::new() };
    let list: Vec<String> = servers.iter().map(IpAddr::to_string).collect();
    vec![case.warn_of(
        giver,
        format!(
            "all name servers ({}) come from this link: without it no name is found, though '{}' works",
            list.join(", "),
            case.config[other].name
        ),
        "ask one that answers everywhere as well: uci add_list dhcp.@dnsmasq[0].server='9.9.9.9'; uci commit dhcp; service dnsmasq restart".into(),
    )]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Sample, says};
    use crate::network::State;
    use crate::network::dnsmasq::Dnsmasq;

    const PLAIN: &str =
        "config dnsmasq\n option domainneeded '1'\n option resolvfile '/tmp/resolv.conf.d/resolv.conf.auto'\n";
    const FOUND: &[&str] =
        &["all name servers (203.0.113.53) come from this link: without it no name is found, though 'B' works"];

    fn sample(dhcp: &str, servers: [&str; 2]) -> Sample {
        let mut sample = Sample::new("");
        sample.router.dnsmasq = Dnsmasq::read(dhcp.as_bytes());
        for (name, servers) in ["wan", "wanb"].into_iter().zip(servers) {
            sample.interface(name).name_servers =
                servers.split_whitespace().map(|text| text.parse().unwrap()).collect();
        }
        sample
    }

    #[test]
    fn servers_of_one_link_alone_are_found() {
        for (dhcp, servers, found) in [
            (PLAIN.to_owned(), ["203.0.113.53", ""], FOUND),
            (PLAIN.to_owned(), ["203.0.113.53", "198.51.100.53"], &[]),
            (PLAIN.to_owned(), ["203.0.113.53 9.9.9.9", ""], &[]),
            (PLAIN.to_owned(), ["", ""], &[]),
            (PLAIN.to_owned() + " list server '9.9.9.9'\n", ["203.0.113.53", ""], &[]),
            (PLAIN.to_owned() + " list server '/example.com/10.0.0.1'\n", ["203.0.113.53", ""], FOUND),
            (PLAIN.to_owned() + " option noresolv '1'\n list server '127.0.0.1#5053'\n", ["203.0.113.53", ""], &[]),
            (PLAIN.replace("resolv.conf.auto", "mine"), ["203.0.113.53", ""], &[]),
            ("config dhcp 'lan'\n".to_owned(), ["203.0.113.53", ""], &[]),
        ] {
            says(&sample(&dhcp, servers), found);
        }
    }

    #[test]
    fn a_link_that_is_down_or_a_tunnel_is_no_other_way() {
        let mut down = sample(PLAIN, ["203.0.113.53", ""]);
        down.facts.links[1].v4.state = State::default();
        says(&down, &[]);
        let mut tunnel = sample(PLAIN, ["203.0.113.53", ""]);
        tunnel.device("eth1").tunnel = Some(crate::kernel::netlink::tunnel::Tunnel::Wireguard);
        says(&tunnel, &[]);
    }
}
