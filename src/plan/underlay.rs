//! What carries a tunnel's own packets.
//!
//! The router makes them, so the rules for its own traffic hold for them too, but must not send them into the tunnel
//! they are made for. Where the owner says `via`, they are looked up there before all rules for the router. Else these
//! rules count up to the first that could lead them into the tunnel; in front of that they are caught, and go by the main
//! table or not at all. So also in a circle: a policy with several tunnels carries no tunnel's packets; a rule that names
//! a tunnel alone may carry another's, unless that one's may come to be carried by it.

use super::path::{PathId, Paths};
use super::state::{IpRule, TABLE_MAIN};
use crate::config::model::{Config, Family, LinkId, Matches, Rule, Target, Underlay};
use crate::interval::{IntervalSet, from_ipv4, from_ipv6};
use crate::network::Facts;
use crate::network::outer::{self, Outer};
use std::net::IpAddr;

/// One kind of packets of one tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// The tunnel.
    pub link: LinkId,
    /// What they look like.
    pub outer: Outer,
    /// What the owner wants to carry them.
    pub via: Option<Underlay>,
    /// The rule for the router's own traffic that must not get to see them, by its place in [`Config::rules`].
    pub before: Option<usize>,
}

impl Own {
    /// The ip rule that selects them.
    #[must_use]
    pub fn selector(&self, family: Family) -> IpRule {
        let port = |port: Option<u16>| port.map(|port| (port, port));
        IpRule {
            iif: Some("lo".into()),
            to: self.outer.destination.map(|address| (address, family.width())),
            protocol: self.outer.protocol,
            source_ports: port(self.outer.source_port),
            destination_ports: port(self.outer.destination_port),
            ..IpRule::lookup(family, 0, TABLE_MAIN)
        }
    }

    /// The path that `via` means, if there is a `via`; the inner `None` is the main table.
    #[must_use]
    pub fn path(&self, paths: &Paths) -> Option<Option<PathId>> {
        self.via.map(|via| paths.of_underlay(via))
    }
}

/// The packets of all tunnels in one family.
#[must_use]
pub fn own_packets(config: &Config, facts: &Facts, family: Family) -> Vec<Own> {
    let all: Vec<(LinkId, Vec<Outer>)> =
        (0..config.links.len()).map(LinkId).map(|link| (link, outer::of_link(config, facts, link))).collect();
    let tunnels: Vec<LinkId> = all
        .iter()
        .filter(|(link, own)| !own.is_empty() || config[*link].via.is_some())
        .map(|(link, _)| *link)
        .collect();
    // By which other tunnels each may be carried.
    let mut carriers: Vec<(LinkId, LinkId)> = Vec::new();
    for link in &tunnels {
        let below = config[*link].via.map_or(Vec::new(), |via| match via {
            Underlay::Link(link) => vec![link],
            Underlay::Policy(policy) => config.policies[policy.0].members.iter().map(|member| member.link).collect(),
            Underlay::Main => Vec::new(),
        });
        carriers.extend(below.into_iter().filter(|below| tunnels.contains(below)).map(|below| (*link, below)));
    }
    let mut found = Vec::new();
    for (link, outers) in all {
        for outer in outers.into_iter().filter(|outer| outer.allows(family)) {
            let before = first_danger(config, facts, link, &outer, family, &tunnels, &mut carriers);
            found.push(Own { link, outer, via: config[link].via, before });
        }
    }
    found
}

/// The first rule for the router's own traffic that could lead a tunnel's packets into it.
fn first_danger(
    config: &Config,
    facts: &Facts,
    link: LinkId,
    outer: &Outer,
    family: Family,
    tunnels: &[LinkId],
    carriers: &mut Vec<(LinkId, LinkId)>,
) -> Option<usize> {
    for (n, rule) in facts.rules_of(config) {
        if !rule.origin.includes_router() || !may_match(rule, outer, family) {
            continue;
        }
        match rule.target {
            Target::Link(other) if other == link || is_carried(other, link, carriers) => return Some(n),
            Target::Link(other) if tunnels.contains(&other) => carriers.push((link, other)),
            Target::Policy(policy) => {
                let mut members = config.policies[policy.0].members.iter();
                if members.any(|member| member.link == link || tunnels.contains(&member.link)) {
                    return Some(n);
                }
            }
            Target::Link(_) | Target::Main | Target::Unreachable | Target::Blackhole => {}
        }
    }
    None
}

/// Whether a link's packets may come to be carried by another.
fn is_carried(link: LinkId, by: LinkId, carriers: &[(LinkId, LinkId)]) -> bool {
    let (mut open, mut seen) = (vec![link], Vec::new());
    while let Some(next) = open.pop() {
        if next == by {
            return true;
        }
        if !seen.contains(&next) {
            seen.push(next);
            open.extend(carriers.iter().filter(|(above, _)| *above == next).map(|(_, below)| *below));
        }
    }
    false
}

/// Whether a rule could match: what is not known of the packets could be what it wants.
fn may_match(rule: &Rule, outer: &Outer, family: Family) -> bool {
    let matches: &Matches = &rule.matches;
    let may = |set: Option<&IntervalSet>, value: Option<u128>| match (set, value) {
        (Some(set), Some(value)) => set.contains(value),
        _ => true,
    };
    let address = outer.destination.map(|address| match address {
        IpAddr::V4(address) => from_ipv4(address),
        IpAddr::V6(address) => from_ipv6(address),
    });
    matches.allows(family)
        && may(matches.protocols.as_ref(), outer.protocol.map(u128::from))
        // Where there are sets, it may be in one of those instead.
        && (matches.destination_sets.is_some() || may(matches.destination(family), address))
        && may(matches.source_ports.as_ref(), outer.source_port.map(u128::from))
        && may(matches.destination_ports.as_ref(), outer.destination_port.map(u128::from))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, facts, links, policy};

    /// Links A to D, of which B and C are tunnels, known by their ports.
    fn before(rules: &str, vias: &[(usize, Underlay)]) -> [Option<usize>; 2] {
        let text = links(4, "")
            + &policy("mixed", &["B", "A"], "")
            + &policy("tunnels", &["C", "B"], "")
            + &policy("plain", &["A", "D"], "")
            + rules;
        let mut config = config(&text, false);
        for (link, via) in vias {
            config.links[*link].via = Some(*via);
        }
        let mut facts = facts("GGGG");
        for (link, port) in [(1, 51820), (2, 51821)] {
            facts.links[link].outer = vec![Outer::from_port(port)];
        }
        let own = own_packets(&config, &facts, Family::V4);
        [1, 2].map(|link| own.iter().find(|own| own.link == LinkId(link)).unwrap().before)
    }

    fn rule(matches: &str, target: &str) -> String {
        format!("config rule\n option from 'router'\n{matches}\n option use '{target}'\n")
    }

    #[test]
    fn the_first_rule_that_leads_into_the_tunnel_does_not_see_its_packets() {
        let lan = "config rule\n option use 'B'\n";
        for (rules, expected) in [
            (String::new(), [None, None]),
            (lan.to_owned(), [None, None]),
            (rule("", "plain") + &rule("", "main"), [None, None]),
            (rule("", "plain") + &rule("", "B"), [Some(1), None]),
            (rule("", "mixed"), [Some(0), Some(0)]),
            (rule("", "tunnels"), [Some(0), Some(0)]),
            // What they cannot match does not count: another protocol, family or port.
            (rule(" list proto 'tcp'", "B") + &rule("", "B"), [Some(1), None]),
            (rule(" option family 'ipv6'", "mixed"), [None, None]),
            (rule(" list proto 'udp'\n list src_port '51821'", "mixed"), [None, Some(0)]),
            // Where they go is not known: it may be there.
            (rule(" list dest_ip '192.0.2.1'", "mixed"), [Some(0), Some(0)]),
        ] {
            assert_eq!(before(&rules, &[]), expected, "{rules}");
        }
    }

    #[test]
    fn a_tunnel_may_be_carried_by_another_but_not_in_a_circle() {
        let [to_b, to_c] = [rule(" list dest_port '51821'", "B"), rule(" list dest_port '51820'", "C")];
        // The first rule keeps its own tunnel's packets from the second: so that one's tunnel may be carried by it.
        assert_eq!(before(&(to_b.clone() + &to_c), &[]), [Some(0), Some(1)]);
        assert_eq!(before(&(to_c + &to_b), &[]), [Some(1), Some(0)]);
        assert_eq!(before(&rule("", "B"), &[]), [Some(0), None]);
        assert_eq!(before(&rule("", "C"), &[(2, Underlay::Link(LinkId(1)))]), [Some(0), Some(0)]);
        assert_eq!(before(&rule("", "B"), &[(2, Underlay::Link(LinkId(1)))]), [Some(0), None]);
    }

    #[test]
    fn what_is_known_of_a_tunnel_makes_its_selectors() {
        let text = links(2, " list endpoint '203.0.113.7:1194'\n list endpoint '2001:db8::7'") + &rule("", "A");
        let config = config(&text, false);
        let selectors = |family| {
            let own = own_packets(&config, &facts("GG"), family);
            let own = own.iter().filter(|own| own.link == LinkId(0));
            own.map(|own| own.selector(family).to_string()).collect::<Vec<_>>()
        };
        let over = |protocol| format!("pref 0 to 203.0.113.7/32 iif lo ipproto {protocol} dport 1194 lookup main");
        assert_eq!(selectors(Family::V4), [over(17), over(6)]);
        assert_eq!(selectors(Family::V6), ["pref 0 to 2001:db8::7/128 iif lo lookup main"]);
    }
}
