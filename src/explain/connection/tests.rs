//! Connections in a small world: links A and B with 10.0.0.2 and 10.0.1.2, a LAN 192.168.1.0/24 on br-lan, and a prefix from A.

use super::*;
use crate::interval::{from_ipv4, ipv6_prefix};
use crate::kernel::connection::Tuple;
use crate::plan::sample::{config, facts, links, policy};

const DELEGATED: &str = "2001:db8:a::";
const UNREACHABLE: &str = " option fallback 'unreachable'";

struct World {
    config: Config,
    paths: Paths,
    facts: Facts,
}

impl World {
    fn new(config: Config, states: &str) -> Self {
        let mut facts = facts(states);
        for (n, link) in facts.links.iter_mut().enumerate() {
            link.v4.addresses = vec![[10, 0, u8::try_from(n).unwrap(), 2].into()];
        }
        facts.links[0].prefixes = vec![(DELEGATED.parse().unwrap(), 48)];
        let paths = Paths::new(&config).unwrap();
        Self { config, paths, facts }
    }

    /// `LINK RULE` for a connection with the mark of a path; `<-` in front if it came in.
    fn told(&self, mark: u32, original: &str, reply: &str) -> String {
        let lan = Interval::new(from_ipv4([192, 168, 1, 0].into()), from_ipv4([192, 168, 1, 255].into()));
        let network = |family, addresses| Network { family, addresses, device: "br-lan".into() };
        let (lan6, part) = (("fd00::".parse().unwrap(), 64), (DELEGATED.parse().unwrap(), 64));
        let around = Around {
            own: ["10.0.0.2", "10.0.1.2", "192.168.1.1", "fd00::1"].map(|text| text.parse().unwrap()).into(),
            networks: vec![
                network(Family::V4, lan),
                network(Family::V6, ipv6_prefix(lan6)),
                network(Family::V6, ipv6_prefix(part)),
            ],
            ..Around::default()
        };
        let ground = Ground::new(&self.config, &self.paths, &self.facts, around);
        let (original, reply) = (tuple(original), tuple(reply));
        let connection = Connection { protocol: 6, original, reply, mark, answered: true, expires: 1, count: None };
        let Some(Attribution { link, inbound, local, rule }) = ground.judge(&connection) else {
            return "nobody's".into();
        };
        let link = link.map_or(if local { "local" } else { "main" }, |link| self.config[link].name.as_str());
        let rule = rule.map_or("-", |rule| self.config.rules[rule].name.as_str());
        format!("{}{link} {rule}", if inbound { "<-" } else { "" })
    }

    fn mark(&self, path: &str) -> u32 {
        self.paths.iter().find(|(_, own)| own.name == path).unwrap().1.mark.bits()
    }

    /// A connection from the LAN to port 80 in the Internet, on a path.
    fn by_path(&self, path: &str) -> String {
        self.told(self.mark(path), "192.168.1.9 192.0.2.1 80", "192.0.2.1 10.0.0.2 1")
    }
}

#[test]
fn what_stays_in_the_house_is_told_from_what_main_sends_out() {
    let world = world("", "GG");
    let to = |address: &str| world.told(0, &format!("192.168.1.9 {address} 90"), &format!("{address} 192.168.1.9 90"));
    for address in ["192.168.1.1", "10.0.1.2", "192.168.1.8", "fd00::7", "fe80::1", "ff02::fb", "224.0.0.251"] {
        assert_eq!(to(address), "local -", "{address}");
    }
    for address in ["192.0.2.1", "10.0.1.1", "2001:db8:f::1"] {
        assert_eq!(to(address), "main -", "{address}");
    }
}

/// `SOURCE DESTINATION PORT`.
fn tuple(text: &str) -> Tuple {
    let words: Vec<&str> = text.split(' ').collect();
    let [source, destination, port] = words.as_slice() else { unreachable!("{text}") };
    Tuple {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        source_port: Some(4000),
        destination_port: port.parse().ok(),
        icmp_type: None,
    }
}

fn rule(name: &str, port: u16, options: &str) -> String {
    format!("config rule '{name}'\n list dest_port '{port}'\n{options}\n")
}

fn world(options: &str, states: &str) -> World {
    let text = links(2, "")
        + &policy("web", &["A", "B"], options)
        + &rule("r", 80, " option use 'web'")
        + &rule("m", 81, " option use 'main'")
        + &rule("b", 82, " option use 'B'")
        + &rule("own", 80, " option from 'router'\n list proto 'tcp'\n option use 'web'");
    World::new(config(&text, true), states)
}

#[test]
fn the_mark_says_the_link_and_the_rule_must_lead_there() {
    let world = world("", "GG");
    assert_eq!((world.by_path("A").as_str(), world.by_path("B").as_str()), ("A r", "B r"));
    let to = |mark, port: &str| {
        world.told(mark, &format!("192.168.1.9 192.0.2.1 {port}"), &format!("192.0.2.1 10.0.0.2 {port}"))
    };
    let (a, b) = (world.mark("A"), world.mark("B"));
    // Main may lead by any link, or by none.
    assert_eq!([to(a, "81"), to(b, "81"), to(0, "81")], ["A m", "B m", "main m"]);
    // A connection of before the rule, and one that none matches.
    assert_eq!([to(a, "82"), to(b, "82"), to(0, "82")], ["A -", "B b", "main -"]);
    assert_eq!([to(a, "83"), to(0, "80")], ["A -", "main -"]);
    // Others' bits do not matter; a mark that no path has is none of ours.
    assert_eq!(to(b | 1, "82"), "B b");
    let strange = (1..=255).map(|n| n << 24).find(|mark| world.paths.iter().all(|(_, path)| path.mark.bits() != *mark));
    assert_eq!(to(strange.unwrap(), "82"), "main -");
    assert_eq!(to(world.mark("A.probes"), "80"), "nobody's");
    assert_eq!(world.told(a, "127.0.0.1 127.0.0.1 80", "127.0.0.1 127.0.0.1 80"), "nobody's");
}

#[test]
fn a_rule_whose_links_are_all_down_may_lead_by_another() {
    let text = links(3, "") + &policy("web", &["A"], "") + &rule("r", 80, " option use 'web'");
    for (states, expected) in [("GGG", "B -"), ("-GG", "B r"), ("CGG", "B r")] {
        assert_eq!(World::new(config(&text, true), states).by_path("B"), expected, "{states}");
    }
}

#[test]
fn what_a_kill_switch_holds_has_marks_of_its_own() {
    let world = world(UNREACHABLE, "GG");
    assert_eq!(world.by_path("web@A.kept"), "A r");
    assert_eq!(world.by_path("web@B.kept"), "B r");
    assert_eq!(world.by_path("A"), "A -", "it would not be held");
    // The router's own are steered by ip rules, and stamped by the link alone.
    let own = |mark| world.told(mark, "10.0.0.2 192.0.2.1 80", "192.0.2.1 10.0.0.2 80");
    assert_eq!(own(world.mark("A")), "A own");
}

#[test]
fn what_was_displaced_is_its_rules() {
    let text = links(2, "") + &policy("web", &["A", "B"], "") + &rule("r", 80, " option use 'web'");
    let mut config = config(&text, true);
    config.links[0].flush.up = true;
    let world = World::new(config, "GG");
    assert_eq!((world.by_path("web@B").as_str(), world.by_path("B").as_str()), ("B r", "B -"));
}

#[test]
fn every_link_of_a_balanced_policy_may_be_it() {
    for spread in ["client", "connection"] {
        let options = format!(" option mode 'balance'\n option balance_by '{spread}'");
        let world = world(&options, "GG");
        assert_eq!((world.by_path("A").as_str(), world.by_path("B").as_str()), ("A r", "B r"), "{spread}");
    }
}

#[test]
fn what_comes_in_is_known_by_its_ends() {
    let world = world("", "GG");
    let (a, b) = (world.mark("A"), world.mark("B"));
    let from = "198.51.100.9";
    // To the router itself, and to a host behind it.
    assert_eq!(world.told(a, &format!("{from} 10.0.0.2 80"), &format!("10.0.0.2 {from} 80")), "<-A -");
    assert_eq!(world.told(b, &format!("{from} 10.0.1.2 80"), &format!("192.168.1.9 {from} 80")), "<-B -");
    // The link has another address by now.
    assert_eq!(world.told(b, &format!("{from} 10.9.9.9 80"), &format!("192.168.1.9 {from} 80")), "<-B -");
    // A host's name server is changed on the way out: its sender is translated too.
    assert_eq!(world.told(a, "192.168.1.9 192.0.2.53 80", "192.0.2.99 10.0.0.2 80"), "A r");
    // From the LAN by the outer address back to the LAN.
    assert_eq!(world.told(0, "192.168.1.9 10.0.0.2 80", "192.168.1.8 192.168.1.1 80"), "local -");
    // By IPv6 without any translation, in and out.
    let (host, other) = ("2001:db8:a::9", "2001:db8:f::1");
    assert_eq!(world.told(a, &format!("{other} {host} 80"), &format!("{host} {other} 80")), "<-A -");
    assert_eq!(world.told(a, &format!("{host} {other} 80"), &format!("{other} {host} 80")), "A r");
    // A host behind another router of the house, which is in no network of ours.
    assert_eq!(world.told(a, "172.16.0.9 192.0.2.1 80", "192.0.2.1 10.0.0.2 80"), "A r");
}
