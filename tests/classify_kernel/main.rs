//! The kernel has the last word: real packets, through the table that real `nft` loaded, get the marks that the
//! interpreter and `explain` say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation, missing_docs)]

mod frames;
#[path = "../kernel_support/mod.rs"]
mod kernel_support;
mod router;
#[path = "../support/mod.rs"]
mod support;

use kernel_support::inside;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestRng, TestRunner};
use router::{FOREIGN, Router};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use support::interpreter;
use support::sample::{self, SampleRule, mac};
use support::world::{configuration, explained, facts, read};
use wansplit::config::model::{Family, SetId};
use wansplit::explain::{Details, From, Packet};
use wansplit::kernel::Kernel;
use wansplit::plan::ruleset::{Fill, Ruleset, TABLE, json};
use wansplit::plan::{Plan, plan};

/// In a user namespace nft cannot enlarge its socket, and the kernel refuses larger tables than this ("Message too
/// long"); about one sample in a thousand is one.
const LARGEST: usize = 200_000;

/// One rule list a seed. For a longer run: `WANSPLIT_SEEDS=1000-2000`.
fn seeds() -> Range<u64> {
    let given = std::env::var("WANSPLIT_SEEDS").ok();
    let range = given.as_deref().map(|text| text.split_once('-').expect("FIRST-LAST"));
    range.map_or(0..40, |(first, last)| first.parse().unwrap()..last.parse().unwrap())
}

/// What a seed stands for: rules, packets, and whether there is a delegated prefix.
fn sample(seed: u64) -> (Vec<SampleRule>, Vec<Packet>, bool) {
    let bytes: Vec<u8> = seed.to_le_bytes().repeat(4);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let rules =
        prop_oneof![prop::collection::vec(sample::rule(), 1..25), prop::collection::vec(sample::plain_rule(), 1..60),];
    let all = (rules, prop::collection::vec(packet(), 300), any::<bool>());
    all.new_tree(&mut runner).unwrap().current()
}

/// The packets of all samples, and a few that come in by a WAN.
fn packet() -> impl Strategy<Value = Packet> {
    (sample::packet(), prop::option::weighted(0.1, 0..3_u8)).prop_map(|(packet, wan)| match (real(packet), wan) {
        (packet, Some(n)) => Packet { origin: From::Device(Some(format!("wan{n}")), Some(mac(4))), ..packet },
        (packet, None) => packet,
    })
}

/// The packet as it is sent: a ping if it is ICMP, with the others' mark, and in the sets that the router's really hold.
fn real(packet: Packet) -> Packet {
    let within =
        |address: IpAddr| (0..SETS.len()).filter(|set| SETS[*set].contains(&last(address))).map(SetId).collect();
    let details = Details {
        icmp_type: packet.details.icmp_type.map(|_| if packet.family() == Family::V4 { 8 } else { 128 }),
        mark: FOREIGN,
        source_in: within(packet.source.unwrap()),
        destination_in: within(packet.destination),
        user: None,
    };
    Packet { details, ..packet }
}

/// What the samples' sets hold: the sample addresses with these numbers.
const SETS: [&[u8]; 3] = [&[4, 5], &[3, 7, 11, 15], &[2, 3, 10]];

fn last(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(address) => address.octets()[15],
    }
}

/// Fills the sets that come and go. What is in both parts of a set is in the set all the same.
fn fill(router: &Router, ruleset: &Ruleset) {
    for map in &ruleset.maps {
        let (Fill::Listed(set, family) | Fill::Resolver(set, family)) = map.fill else { continue };
        let address = |n: &u8| match family {
            Family::V4 => sample::address4(*n).to_string(),
            Family::V6 => sample::address6(*n).to_string(),
        };
        let elements: Vec<String> = SETS[set.0].iter().map(address).collect();
        router.add(&map.name, &elements);
    }
}

#[test]
fn the_kernel_agrees() {
    if !inside("the_kernel_agrees") {
        return;
    }
    let mut router = Router::new();
    let (mut certain, mut chance, mut left_out, mut counted) = (0, 0, 0, 0);
    for seed in seeds() {
        let (rules, packets, prefix) = sample(seed);
        let (config, kept) = read(&rules);
        let facts = facts(&config, prefix);
        let plan = plan(&config, &facts).unwrap();
        let size = json::document(&json::everything(&plan.ruleset)).len();
        if size > LARGEST {
            println!("seed {seed} left out: {size} bytes");
            left_out += 1;
            continue;
        }
        router.load(&plan.ruleset);
        fill(&router, &plan.ruleset);
        for (packet, mark) in packets.iter().zip(router.marks(&packets)) {
            let allowed = interpreter::marks(&plan.ruleset, packet);
            assert_eq!(allowed, explained(&config, &plan, &facts, packet), "seed {seed}: {packet:?}");
            assert!(allowed.contains(&mark), "seed {seed}: the kernel gave {mark:#x}, not of {allowed:x?}: {packet:?}");
            *if allowed.len() == 1 { &mut certain } else { &mut chance } += 1;
        }
        let wanted = counts(&plan, &kept, &packets);
        assert_eq!(Kernel::new().nft_counters(TABLE).unwrap(), wanted.clone().into_iter().collect(), "seed {seed}");
        counted += wanted.values().map(|(packets, _)| packets).sum::<u64>();
    }
    println!("{certain} packets with one possible mark, {chance} with several, {counted} counted");
    assert!(counted * 20 > certain, "most rules count nothing");
    assert!(left_out * 50 <= seeds().count(), "{left_out} lists were left out");
    assert!(certain > 10 * chance, "a test of chance would prove little");
}

/// What the counters shall say: who takes a packet by the plainest first match counts it, if it begins a connection.
fn counts(plan: &Plan, rules: &[SampleRule], packets: &[Packet]) -> BTreeMap<String, (u64, u64)> {
    let counters = (0..rules.len()).filter_map(|n| plan.counter_of(n));
    let mut counts: BTreeMap<String, (u64, u64)> = counters.map(|name| (name.to_string(), (0, 0))).collect();
    for packet in packets {
        let From::Device(Some(device), _) = &packet.origin else { panic!("a packet comes in by a device") };
        if device.starts_with("wan") || !frames::begins_a_connection(packet) {
            continue;
        }
        // The facts of the samples are of Thursday, 1 January 1970, 0:00.
        let taken =
            rules.iter().position(|rule| rule.is_on(3, 0) && rule.matches(packet)).and_then(|n| plan.counter_of(n));
        if let Some((packets, bytes)) = taken.and_then(|name| counts.get_mut(name)) {
            *packets += 1;
            *bytes += frames::ip(packet, 0).len() as u64;
        }
    }
    counts
}

/// How many packets each link got, by its mark.
fn shares(marks: &[u32]) -> BTreeMap<u32, usize> {
    let mut shares = BTreeMap::new();
    for mark in marks {
        *shares.entry(*mark).or_default() += 1;
    }
    shares
}

/// Each weight's share of the marks, five standard deviations allowed: by chance it fails once in a million runs.
fn assert_shares(marks: &[u32], weights: &[(u32, u32)]) {
    let shares = shares(marks);
    println!("{shares:x?}");
    assert_eq!(shares.len(), weights.len(), "{shares:x?}");
    let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
    for (mark, weight) in weights {
        let (n, p) = (marks.len() as f64, f64::from(*weight) / f64::from(total));
        let off = (shares[mark] as f64 - n * p).abs();
        assert!(off <= 5.0 * (n * p * (1.0 - p)).sqrt(), "{weight} of {total} is far from {} of {n}", shares[mark]);
    }
}

/// A plan with one rule that sends everything to `policy`, and each member's mark with its weight.
fn balanced(policy: &str) -> (Plan, Vec<(u32, u32)>) {
    let config = configuration(vec![serde_json::json!({ "name": "all", "use": policy })]);
    let plan = plan(&config, &facts(&config, false)).unwrap();
    let choice = plan.paths.of_target(config.rules[0].target).unwrap();
    let wansplit::plan::path::Choice::Spread(_, paths) = choice else { panic!("{policy} is balanced") };
    let weights = paths.iter().map(|(path, weight)| (plan.paths[*path].mark.bits(), u32::from(*weight))).collect();
    (plan, weights)
}

fn connection(source: IpAddr, destination: IpAddr, port: u16) -> Packet {
    Packet {
        origin: From::Device(Some("lan0".into()), Some(mac(1))),
        source: Some(source),
        destination,
        protocol: 6,
        source_port: Some(port),
        destination_port: Some(443),
        dscp: 0,
        details: wansplit::explain::Details::default(),
    }
}

#[test]
fn connections_are_spread_by_weight() {
    if !inside("connections_are_spread_by_weight") {
        return;
    }
    let mut router = Router::new();
    let (plan, weights) = balanced("any");
    router.load(&plan.ruleset);
    let (client4, client6) = (Ipv4Addr::new(10, 0, 0, 1), "fd00::1".parse::<Ipv6Addr>().unwrap());
    let (server4, server6) = (Ipv4Addr::new(192, 0, 2, 1), "2001:db8:f::1".parse::<Ipv6Addr>().unwrap());
    let packets4: Vec<Packet> = (0..4000).map(|n| connection(client4.into(), server4.into(), 1024 + n)).collect();
    let packets6: Vec<Packet> = (0..4000).map(|n| connection(client6.into(), server6.into(), 1024 + n)).collect();
    for packets in [packets4, packets6] {
        assert_shares(&router.marks(&packets), &weights);
    }
}

#[test]
fn clients_are_spread_by_weight_and_stay() {
    if !inside("clients_are_spread_by_weight_and_stay") {
        return;
    }
    let mut router = Router::new();
    let (plan, weights) = balanced("bc");
    router.load(&plan.ruleset);
    // Neighbours in a network, and addresses from all over: a fixed walk through all numbers.
    let walk = |n: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let near4 = |n: u64| Ipv4Addr::from(0x0a00_0000 + n as u32).into();
    let far4 = |n: u64| Ipv4Addr::from((walk(n) >> 32) as u32).into();
    let near6 = |n: u64| Ipv6Addr::from((0xfd00_u128 << 112) + u128::from(n)).into();
    let far6 =
        |n: u64| Ipv6Addr::from((0x2001_u128 << 112) + (u128::from(walk(n)) << 40) + u128::from(walk(n + 7))).into();
    let groups: [&dyn Fn(u64) -> IpAddr; 4] = [&near4, &far4, &near6, &far6];
    for group in groups {
        let server = |client: IpAddr, last: u8| match client {
            IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, last).into(),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::from((0x2001_0db8_u128 << 96) + u128::from(last))),
        };
        let packets = |last: u8| -> Vec<Packet> {
            (0..3000).map(|n| connection(group(n), server(group(n), last), 1024 + u16::from(last))).collect()
        };
        let first = router.marks(&packets(1));
        for (packet, mark) in packets(1).iter().zip(&first) {
            assert_eq!(interpreter::marks(&plan.ruleset, packet), [*mark].into(), "{packet:?}");
        }
        assert_shares(&first, &weights);
        // Another service, another port: the same link.
        assert_eq!(router.marks(&packets(2)), first);
    }
}
