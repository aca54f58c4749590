//! Many rules cost what few cost, as far as their order allows: how many nft rules the first packet of a connection
//! walks past, with exact bounds, and that it still gets the right mark.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, missing_docs)]

mod support;

use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use support::interpreter;
use support::world::{explained, facts};
use wansplit::config;
use wansplit::config::model::{Config, Mac, SetId};
use wansplit::explain::{From, Packet};
use wansplit::network::Facts;
use wansplit::plan::ruleset::{Action, Entries, Rule, Ruleset, Verdict};
use wansplit::plan::{Plan, plan};

/// In the prerouting chain before the compiled rules: restore, clear, running, new from a WAN.
const FIXED: usize = 4;

/// Makes the nth rule of one shape.
type Shape = fn(u32) -> Value;

struct Case {
    config: Config,
    facts: Facts,
    plan: Plan,
}

impl Case {
    /// Five links and these rules; they get names and, if they say none, the links in turn.
    fn new(rules: Vec<Value>) -> Self {
        let links: serde_json::Map<String, Value> =
            (0..5).map(|n| (format!("L{n}"), json!({ "device": format!("wan{n}"), "gateway": "192.0.2.1" }))).collect();
        let rules: Vec<Value> = rules
            .into_iter()
            .enumerate()
            .map(|(n, mut rule)| {
                rule["name"] = format!("r{n}").into();
                if rule["use"].is_null() {
                    rule["use"] = format!("L{}", n % 5).into();
                }
                rule
            })
            .collect();
        let count = rules.len();
        let text = json!({ "globals": { "enabled": true }, "links": links, "rules": rules }).to_string();
        let config = config::read(text.as_bytes()).config.unwrap();
        assert_eq!(config.rules.len(), count, "every rule is a good one");
        let facts = facts(&config, false);
        let plan = plan(&config, &facts).unwrap();
        Self { config, facts, plan }
    }

    /// How many nft rules the compiled rules are.
    fn lookups(&self) -> usize {
        prerouting(&self.plan.ruleset) - FIXED
    }

    /// The entries of all maps and sets for the compiled rules.
    fn entries(&self) -> usize {
        let maps = self.plan.ruleset.maps.iter();
        maps.filter(|map| ["rules_", "some_", "wide_"].iter().any(|role| map.name.starts_with(role)))
            .map(|map| map.len())
            .sum()
    }

    fn is_right(&self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            let marks = interpreter::marks(&self.plan.ruleset, &packet);
            assert_eq!(marks, explained(&self.config, &self.plan, &self.facts, &packet), "{packet:?}");
        }
    }
}

fn prerouting(ruleset: &Ruleset) -> usize {
    ruleset.chains.iter().find(|chain| chain.name == "prerouting").unwrap().rules.len()
}

fn packet(protocol: u8, source: Ipv4Addr, destination: Ipv4Addr, port: u16) -> Packet {
    Packet {
        origin: From::Device(Some("lan0".into()), None),
        source: Some(source.into()),
        destination: destination.into(),
        protocol,
        source_port: Some(50_000),
        destination_port: Some(port),
        dscp: 0,
        details: wansplit::explain::Details::default(),
    }
}

fn tcp(port: u16) -> Packet {
    packet(6, host(0), server(0), port)
}

/// Addresses with gaps, so that no two melt into a range.
fn host(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + 2 * n)
}

fn server(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xc0a8_0000 + (n << 8))
}

fn port(n: u32) -> u16 {
    (1000 + 2 * n) as u16
}

fn port_rule(n: u32) -> Value {
    json!({ "proto": "tcp", "dest_port": port(n).to_string() })
}

fn host_rule(n: u32) -> Value {
    json!({ "src_ip": host(n).to_string() })
}

fn network_rule(n: u32) -> Value {
    json!({ "dest_ip": format!("{}/24", server(n)) })
}

fn range_rule(n: u32) -> Value {
    json!({ "proto": "udp", "dest_port": format!("{}-{}", 20 * n + 1, 20 * n + 10) })
}

/// Numbers that look random and are always the same.
fn numbers(seed: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(seed), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))).map(|n| n >> 8)
}

#[test]
fn a_thousand_rules_of_one_shape_are_one_lookup() {
    let shapes: [(&str, Shape); 4] =
        [("port", port_rule), ("host", host_rule), ("network", network_rule), ("range", range_rule)];
    for (name, rule) in shapes {
        let case = Case::new((0..1000).map(rule).collect());
        assert_eq!((name, case.lookups(), case.entries()), (name, 1, 1000));
        case.is_right((0..1010).step_by(7).map(|n| {
            let protocol = if name == "range" { 17 } else { 6 };
            let port = if name == "range" { 20 * n as u16 + 10 } else { port(n) };
            packet(protocol, host(n), server(n), port)
        }));
    }
}

#[test]
fn counting_costs_no_lookup() {
    let counting = |rule: Value, counts: bool| {
        let mut rule = rule;
        rule["counter"] = counts.into();
        rule
    };
    let case = Case::new((0..1000).map(|n| counting(port_rule(n), true)).collect());
    assert_eq!((case.lookups(), case.entries()), (1, 1000));
    assert_eq!(case.plan.ruleset.counters.len(), 1000);
    // Rules that are not counted lead to their links as ever: only one that counts is told from its neighbours.
    let case = Case::new((0..1000).map(|n| counting(port_rule(n), n == 500)).collect());
    let plain = Case::new((0..1000).map(port_rule).collect());
    let chains = |case: &Case| case.plan.ruleset.chains.iter().map(|chain| chain.name.clone()).collect::<Vec<_>>();
    let more: Vec<String> = chains(&case).into_iter().filter(|name| !chains(&plain).contains(name)).collect();
    assert_eq!(more, ["count_r500"]);
    assert_eq!(case.lookups(), 1);
    for n in [499, 500, 501] {
        let walked = interpreter::walked(&case.plan.ruleset, &tcp(port(n)));
        assert_eq!(walked.counters, Vec::from_iter(case.plan.counter_of(n as usize)));
        assert_eq!(walked.counters.len(), usize::from(n == 500));
    }
}

#[test]
fn a_thousand_rules_in_four_blocks_are_four_lookups() {
    let shapes: [Shape; 4] = [port_rule, host_rule, network_rule, range_rule];
    let case = Case::new(shapes.iter().flat_map(|rule| (0..250).map(rule)).collect());
    assert_eq!((case.lookups(), case.entries()), (4, 1000));
    case.is_right(
        numbers(1)
            .zip(numbers(2))
            .zip(numbers(3))
            .take(300)
            .map(|((a, b), c)| packet([6, 17][c as usize % 2], host(a % 500), server(b % 500), port(c % 500))),
    );
}

#[test]
fn one_target_may_be_said_in_any_order() {
    // Shapes that take turns are in nobody's way where they lead to one link.
    let shapes: [Shape; 4] = [port_rule, host_rule, network_rule, range_rule];
    let rule = |n: u32| {
        let mut rule = shapes[n as usize % 4](n);
        rule["use"] = "L1".into();
        rule
    };
    let case = Case::new((0..1000).map(rule).collect());
    // Ports of TCP and port ranges of UDP are one shape.
    assert_eq!((case.lookups(), case.entries()), (3, 1000));
}

/// The most rules of which each must stay behind the one before: they overlap, look at other things and lead elsewhere.
/// No arrangement that keeps the order has fewer lookups. Rules are `(shape, target)`, and all shapes overlap.
fn longest_chain(rules: &[(u32, u32)]) -> usize {
    let mut longest: Vec<usize> = Vec::new();
    for (n, (shape, target)) in rules.iter().enumerate() {
        let before = (0..n).filter(|m| rules[*m].0 != *shape && rules[*m].1 != *target).map(|m| longest[m]);
        longest.push(before.max().unwrap_or(0) + 1);
    }
    longest.into_iter().max().unwrap_or(0)
}

#[test]
fn forty_mixed_rules_on_five_links_are_near_the_least_there_can_be() {
    let shapes: [Shape; 3] = [port_rule, host_rule, network_rule];
    let (mut all, mut least) = (0, 0);
    for seed in 0..50 {
        let mut random = numbers(seed * 1_000_003);
        let mut next = |below: u32| random.next().unwrap() % below;
        let drawn: Vec<(u32, u32)> = (0..40).map(|_| (next(3), next(5))).collect();
        let rules = drawn.iter().zip(0..).map(|((shape, target), n)| {
            let mut rule = shapes[*shape as usize](n);
            rule["use"] = format!("L{target}").into();
            rule
        });
        let case = Case::new(rules.collect());
        let bound = longest_chain(&drawn);
        assert!(case.lookups() <= bound + 6, "seed {seed}: {}, at least {bound}", case.lookups());
        (all, least) = (all + case.lookups(), least + bound);
        let packets: Vec<Packet> = (0..100)
            .map(|_| packet([6, 17][next(2) as usize], host(next(45)), server(next(45)), port(next(45))))
            .collect();
        case.is_right(packets);
    }
    println!("lookups of 50 lists of 40 rules: {all}, at least {least}");
    assert!(all <= 26 * 50, "{all}");
    assert!(all * 10 <= least * 11, "{all}, at least {least}");
}

/// The most rules that a packet can be held against from a chain on, wherever its verdicts lead.
fn longest_path(ruleset: &Ruleset, chain: &str) -> usize {
    let rules = &ruleset.chains.iter().find(|own| own.name == chain).unwrap().rules;
    let onwards = |verdict: &Verdict| verdict.chain().map_or(0, |chain| longest_path(ruleset, chain));
    let behind = |rule: &Rule| {
        let of_action = |action: &Action| match action {
            Action::Verdict(verdict) => onwards(verdict),
            Action::Spread(_, verdicts) => verdicts.iter().map(onwards).max().unwrap_or(0),
            Action::Lookup(_, map) => match &ruleset.maps.iter().find(|own| own.name == *map).unwrap().entries {
                Entries::Verdicts(entries) => entries.iter().map(|(_, verdict)| onwards(verdict)).max().unwrap_or(0),
                Entries::Members(_) => 0,
            },
            _ => 0,
        };
        rule.actions.iter().map(of_action).max().unwrap_or(0)
    };
    (1..).zip(rules).map(|(n, rule)| n + behind(rule)).max().unwrap_or(0)
}

/// Rules of ten shapes; the domains of twenty names.
fn mixed_rule(shape: u32, n: u32) -> Value {
    match shape {
        0 => port_rule(n),
        1 => host_rule(n),
        2 => network_rule(n),
        3 => range_rule(n),
        4 => json!({ "src_ip": host(n).to_string(), "proto": "tcp", "dest_port": ["80", "443"] }),
        5 => json!({ "src_mac": format!("02:00:00:00:00:{n:02x}") }),
        6 => json!({ "src_iface": format!("lan{}", n % 4) }),
        7 => json!({ "dscp": (n % 64).to_string() }),
        8 => json!({ "dest_domain": (0..4).map(|m| format!("d{}.example", (4 * n + m) % 20)).collect::<Vec<_>>() }),
        _ => json!({ "src_ip": format!("fd00:{n:x}::/32"), "dest_ip": "2001:db8::/32", "proto": "udp" }),
    }
}

#[test]
fn forty_mixed_rules_and_twenty_domains_are_a_short_path() {
    let mut worst = 0;
    for seed in 0..10 {
        let mut random = numbers(seed * 7_919);
        let mut next = |below: u32| random.next().unwrap() % below;
        // One list has the shapes in turn, the others in any order; five rules are for domains.
        let rules: Vec<Value> = (0..40)
            .map(|n| {
                let shape = if seed == 0 || n % 8 == 7 {
                    n % 8 + n % 8 / 7
                } else {
                    [0, 1, 2, 3, 4, 5, 6, 7, 9][next(9) as usize]
                };
                let mut rule = mixed_rule(shape, if shape == 8 { n / 8 } else { n });
                rule["use"] = format!("L{}", if seed == 0 { n % 5 } else { next(5) }).into();
                rule
            })
            .collect();
        let case = Case::new(rules);
        let ruleset = &case.plan.ruleset;
        let new = longest_path(ruleset, "prerouting") + longest_path(ruleset, "postrouting");
        println!(
            "seed {seed}: {new} for a new connection, {} chains, {} rules, {} entries",
            ruleset.chains.len(),
            ruleset.chains.iter().map(|chain| chain.rules.len()).sum::<usize>(),
            case.entries()
        );
        worst = worst.max(new);
        let packets = (0..150).map(|_| {
            let mut packet = packet([6, 17][next(2) as usize], host(next(45)), server(next(45)), port(next(45)));
            packet.origin = From::Device(
                Some(format!("lan{}", next(6))),
                (next(4) > 0).then(|| Mac([2, 0, 0, 0, 0, next(45) as u8])),
            );
            packet.dscp = next(45) as u8;
            packet.details.destination_in = (0..case.config.sets.len()).filter(|_| next(8) == 0).map(SetId).collect();
            packet
        });
        case.is_right(packets.collect::<Vec<_>>());
    }
    assert!(worst <= 25, "{worst}");
}

#[test]
fn a_tree_never_outgrows_a_router() {
    let mut random = numbers(77);
    let mut next = |below: u32| random.next().unwrap() % below;
    let rules = (0..60).map(|n| {
        let shape = next(10);
        mixed_rule(shape, if matches!(shape, 5 | 8) { n % 20 } else { n })
    });
    let case = Case::new(rules.collect());
    // `nft` takes up to 7 KB for an entry.
    assert!(case.entries() <= 6_500, "{}", case.entries());
    case.is_right(
        (0..100)
            .map(|n| packet([6, 17][n as usize % 2], host(n % 60), server(n % 59), port(n % 58)))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_rule_for_everything_behind_rules_for_ports_needs_no_key() {
    let mut rules: Vec<Value> = (0..24)
        .map(|n| match n % 3 {
            0 => port_rule(n),
            1 => json!({ "src_ip": host(n).to_string(), "proto": "tcp", "dest_port": format!("{}-{}", n, 5000 + n) }),
            _ => json!({ "dest_ip": server(n).to_string(), "proto": "tcp", "src_port": format!("{}-{}", n, 5000 + n) }),
        })
        .collect();
    rules.push(json!({ "use": "L3" }));
    let case = Case::new(rules);
    let ruleset = &case.plan.ruleset;
    assert!(ruleset.maps.iter().any(|map| map.name.starts_with("wide_")), "the rules are no tree");
    for map in &ruleset.maps {
        assert!(!map.key.is_empty(), "nft refuses the map {}", map.name);
    }
    let packets = (0..200).map(|n| packet([6, 17, 1, 50][n as usize % 4], host(n % 30), server(n % 27), port(n % 26)));
    case.is_right(packets.collect::<Vec<_>>());
}

#[test]
fn an_established_packet_meets_three_rules() {
    // With probes and a kill switch, which take stamps of their own.
    let text = json!({
        "globals": { "enabled": true },
        "links": { "A": { "device": "wan0", "gateway": "192.0.2.1", "track_ip": "1.1.1.1" }, "B": { "device": "wan1" } },
        "policies": { "safe": { "use": ["A", "B"], "fallback": "unreachable" } },
        "rules": (0..40).map(|n| { let mut rule = mixed_rule(n % 10, n); rule["use"] = "safe".into(); rule }).collect::<Vec<_>>(),
    });
    let config = config::read(text.to_string().as_bytes()).config.unwrap();
    let plan = plan(&config, &facts(&config, false)).unwrap();
    let rules = |name: &str| &plan.ruleset.chains.iter().find(|chain| chain.name == name).unwrap().rules;
    let map_of = |rule: &Rule| match rule.actions.as_slice() {
        [Action::Lookup(_, map)] => map.clone(),
        other => panic!("{other:?}"),
    };
    // Restored by the first rule, in either direction; the chain of its mark is one rule; postrouting
    // takes the mark away.
    for hook in ["prerouting", "output"] {
        let map = map_of(&rules(hook)[0]);
        assert!(map.starts_with("restore_"));
        let map = plan.ruleset.maps.iter().find(|own| own.name == map).unwrap();
        let Entries::Verdicts(entries) = &map.entries else { panic!("{map:?}") };
        assert!(entries.iter().all(|(_, to)| rules(to.chain().unwrap()).len() == 1));
    }
    let first = &rules("postrouting")[0];
    assert_eq!(first.matches, [wansplit::plan::ruleset::Match::Running]);
    assert_eq!(first.actions, [Action::SetMark(0), Action::Verdict(Verdict::Accept)]);
}

#[test]
fn shapes_that_take_turns_never_cost_more_than_a_rule_each() {
    // The worst case: every port rule overlaps every host rule and leads elsewhere, so their order must be kept.
    let rules = (0..1000).map(|n| if n % 2 == 0 { port_rule(n) } else { host_rule(n) });
    let case = Case::new(rules.collect());
    assert!(case.lookups() <= 1000, "{}", case.lookups());
    assert_eq!(case.entries(), 1000);
    case.is_right(
        numbers(4).zip(numbers(5)).take(50).map(|(a, b)| packet(6, host(a % 1000), server(0), port(b % 1000))),
    );
}

#[test]
fn ranges_that_overlap_in_odd_orders_stay_one_lookup() {
    for seed in 0..10 {
        let mut random = numbers(seed);
        let mut next = || (random.next().unwrap() % 4000 + 1) as u16;
        let ranges: Vec<(u16, u16)> = (0..300).map(|_| (next(), next())).map(|(a, b)| (a.min(b), a.max(b))).collect();
        let rules = ranges.iter().map(|(a, b)| json!({ "proto": "tcp", "dest_port": format!("{a}-{b}") }));
        let case = Case::new(rules.collect());
        assert_eq!(case.lookups(), 1);
        // Every end of a range may cut another in two; short pieces are written value by value.
        assert!(case.entries() <= 8 * (2 * ranges.len() + 1), "{}", case.entries());
        let edges = ranges.iter().flat_map(|(a, b)| [a - 1, *a, *b, b + 1]);
        case.is_right(edges.map(tcp));
    }
}

#[test]
fn ranges_within_ranges_stay_one_lookup() {
    let narrow_first =
        |n: u32| json!({ "proto": "tcp", "dest_port": format!("{}-{}", 10_000 - 9 * n, 10_000 + 9 * n) });
    let case = Case::new((0..1000).map(narrow_first).collect());
    assert_eq!((case.lookups(), case.entries()), (1, 1999));
    case.is_right((900..19_100).step_by(97).map(tcp));
    // The other way round only the first one counts.
    let case = Case::new((0..1000).rev().map(narrow_first).collect());
    assert_eq!((case.lookups(), case.entries()), (1, 1));
    case.is_right((900..19_100).step_by(97).map(tcp));
}

#[test]
fn rules_in_the_shadow_of_others_cost_nothing() {
    // All of them but the first.
    let case = Case::new((0..1000).map(|_| port_rule(0)).collect());
    assert_eq!((case.lookups(), case.entries()), (1, 1));
    // Behind a rule for everything, whatever their shapes.
    let shapes: [Shape; 4] = [port_rule, host_rule, network_rule, range_rule];
    let rest = (0..1000).map(|n| shapes[n as usize % 4](n));
    let case = Case::new([json!({})].into_iter().chain(rest).collect());
    assert_eq!((case.lookups(), case.entries()), (1, 0));
    case.is_right((0..50).map(|n| packet(6, host(n), server(n), port(n))));
}

#[test]
fn a_huge_product_stays_small() {
    let addresses: Vec<String> = (0..500).map(|n| host(n).to_string()).collect();
    let ports: Vec<String> = (0..500).map(|n| port(n).to_string()).collect();
    let product = json!({ "proto": ["tcp", "udp"], "src_ip": addresses, "dest_port": ports });
    let case = Case::new(vec![product.clone(), host_rule(3), product, port_rule(501)]);
    // The product and its double, one rule each; a lookup for the host; one for the port.
    assert_eq!(case.lookups(), 4);
    // The product's sets, which both share: 500 addresses, 2 protocols, 500 ports.
    assert_eq!(case.entries(), 500 + 2 + 500 + 1 + 1);
    let edges = [0, 1, 3, 250, 499, 500, 501];
    let packets = edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b)));
    case.is_right(packets.flat_map(|(a, b)| [1, 6, 17].map(|protocol| packet(protocol, host(a), server(0), port(b)))));
    let between = [IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)), Ipv4Addr::new(9, 255, 255, 255).into()];
    case.is_right(between.map(|source| Packet { source: Some(source), ..tcp(port(1)) }));
}

#[test]
fn the_order_of_sections_renumbers_nothing() {
    let read = |links: &[Value], policies: &[Value], rules: &[Value]| {
        let section = |all: &[Value]| -> String {
            let entries = all.iter().map(|one| format!("{}: {}", one[0], one[1])).collect::<Vec<_>>();
            format!("{{ {} }}", entries.join(", "))
        };
        let (links, policies, rules) = (section(links), section(policies), Value::from(rules.to_vec()));
        let text = format!(r#"{{ "links": {links}, "policies": {policies}, "rules": {rules} }}"#);
        let config = config::read(text.as_bytes()).config.unwrap();
        let paths = plan(&config, &facts(&config, false)).unwrap().paths;
        let link = |n: usize| &paths[paths.of_link(wansplit::config::model::LinkId(n))];
        let mut links: Vec<_> =
            config.links.iter().enumerate().map(|(n, l)| (l.name.clone(), link(n).clone())).collect();
        links.sort_by(|a, b| a.0.cmp(&b.0));
        let links: Vec<_> = links.into_iter().map(|(name, path)| (name, path.mark, path.table)).collect();
        let mut all: Vec<_> = paths.iter().map(|(_, path)| (path.mark, path.table)).collect();
        all.sort();
        (links, all)
    };
    // Sixty links and forty policies want 255 marks: some of their names hash to the same one.
    let link = |n: usize| {
        let mut link = json!({ "device": format!("wan{n}"), "gateway": "192.0.2.1" });
        if n.is_multiple_of(20) {
            link["mark"] = format!("{:#x}", (n + 1) << 24).into();
            link["table"] = (100 + n).into();
        }
        json!([format!("link {n}"), link])
    };
    let links: Vec<Value> = (0..60).map(link).collect();
    let policy = |n: usize| {
        let mode = if n.is_multiple_of(2) { "failover" } else { "balance" };
        let fallback = if n.is_multiple_of(3) { "unreachable" } else { "main" };
        let uses = [format!("link {n}"), format!("link {}", n + 7)];
        json!([format!("policy {n}"), { "use": uses, "mode": mode, "fallback": fallback }])
    };
    let policies: Vec<Value> = (0..40).map(policy).collect();
    let rules: Vec<Value> = (0..40).map(|n| json!({ "name": format!("r{n}"), "use": format!("policy {n}") })).collect();
    let backwards = |all: &[Value]| -> Vec<Value> { all.iter().rev().cloned().collect() };
    let turned = |all: &[Value], by: usize| -> Vec<Value> { [&all[by..], &all[..by]].concat() };
    let once = read(&links, &policies, &rules);
    assert_eq!(once.0.len(), 60);
    assert!(once.1.len() > 100, "{}", once.1.len());
    assert_eq!(read(&backwards(&links), &policies, &rules), once, "links backwards");
    assert_eq!(read(&links, &backwards(&policies), &rules), once, "policies backwards");
    assert_eq!(read(&links, &policies, &backwards(&rules)), once, "rules backwards");
    assert_eq!(read(&turned(&links, 17), &turned(&policies, 23), &backwards(&rules)), once, "all turned");
}
