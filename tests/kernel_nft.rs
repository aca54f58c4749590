//! Running `nft`, and reading back over netlink what it made.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod kernel_support;

use kernel_support::{inside, sh};
use std::collections::BTreeSet;
use std::fmt::Write;
use wansplit::config::model::Family;
use wansplit::interval::{Interval, IntervalSet};
use wansplit::kernel::Kernel;
use wansplit::kernel::netlink::elements::Place;
use wansplit::kernel::netlink::nftables::Hook;

const TABLE: &str = r#"table inet wansplit {
    chain prerouting {
        type filter hook prerouting priority -149;
        ct state established accept comment "digest 0123"
        meta mark 1
        iifname { "a", "b" } accept comment "third"
    }
    chain output { type route hook output priority -149; }
    chain nat { type nat hook postrouting priority 100; }
    chain helper { meta mark set 7 comment "ä" ; }
    set plain { type ipv4_addr; elements = { 1.1.1.1, 1.1.1.2, 9.9.9.9 } ; }
    set ranges { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 11.0.0.0/8, 20.0.0.0-20.1.2.3, 0.0.0.0/8, 224.0.0.0/3 } ; }
    set concat { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-2, 11.0.0.0/8 . 5 } ; }
    set empty { type ipv6_addr; flags interval; }
    map marks { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 1, 11.0.0.0/8 : 2 } ; }
    map verdicts { type mark : verdict; elements = { 1 : accept, 2 : goto helper } ; }
}
table inet wansplit2 {
    set other { type mark; elements = { 1 } ; }
    chain prerouting { type filter hook prerouting priority 5; meta mark 9 comment "not ours"; }
}
table ip wansplit {
    chain prerouting { meta mark 9 comment "not ours either"; }
}
"#;

#[test]
fn a_table_is_read_back() {
    if !inside("a_table_is_read_back") {
        return;
    }
    let mut kernel = Kernel::new();
    assert_eq!(kernel.nft_table("wansplit", &|_| true).unwrap(), None);
    sh(&format!("nft -f - <<'END'\n{TABLE}END"));
    let json = r#"{"nftables": [{"add": {"rule": {"family": "inet", "table": "wansplit", "chain": "nat",
        "comment": "quo\"ted \\ back", "expr": [{"accept": null}]}}}]}"#;
    kernel.nft_apply("add a rule", json).unwrap();
    let table = kernel.nft_table("wansplit", &|_| true).unwrap().unwrap();
    let hook = |number, priority, kind: &str| Some(Hook { number, priority, kind: kind.into() });
    let chains: Vec<_> = table.chains.iter().map(|c| (&c.name[..], c.hook.clone(), &c.comments[..])).collect();
    let comments = ["digest 0123".to_owned(), String::new(), "third".into()];
    assert_eq!(
        chains,
        [
            ("prerouting", hook(0, -149, "filter"), &comments[..]),
            ("output", hook(3, -149, "route"), &[]),
            ("nat", hook(4, 100, "nat"), &["quo\"ted \\ back".to_owned()]),
            ("helper", None, &["ä".to_owned()][..]),
        ]
    );
    let sets: Vec<_> = table.sets.iter().map(|s| (&s.name[..], s.map, s.elements.unwrap())).collect();
    let expected = [
        ("plain", false, 3),
        ("ranges", false, 5),
        ("concat", false, 2),
        ("empty", false, 0),
        ("marks", true, 2),
        ("verdicts", true, 2),
    ];
    assert_eq!(sets, expected);
    let uncounted = kernel.nft_table("wansplit", &|_| false).unwrap().unwrap();
    assert!(uncounted.sets.iter().all(|set| set.elements.is_none()));
    assert_eq!(kernel.writes(), 1);
}

#[test]
fn counters_are_read_back() {
    if !inside("counters_are_read_back") {
        return;
    }
    let mut kernel = Kernel::new();
    assert!(kernel.nft_counters("wansplit").unwrap().is_empty(), "no table");
    sh(&format!("nft -f - <<'END'\n{TABLE}END"));
    assert!(kernel.nft_counters("wansplit").unwrap().is_empty(), "no counter");
    sh("nft -f - <<'END'
table inet wansplit {
    counter none { packets 0 bytes 0 ; }
    counter most { packets 18446744073709551615 bytes 18446744073709551614 ; }
    counter b.1f { packets 3 bytes 180 ; }
    quota q { 25 mbytes ; }
}
table inet wansplit2 { counter other { packets 7 bytes 7 ; } ; }
table ip wansplit { counter other { packets 7 bytes 7 ; } ; }
END");
    let expected = [("b.1f", (3, 180)), ("most", (u64::MAX, u64::MAX - 1)), ("none", (0, 0))];
    for _ in 0..2 {
        let counters = kernel.nft_counters("wansplit").unwrap();
        let counters: Vec<_> = counters.iter().map(|(name, count)| (&name[..], *count)).collect();
        assert_eq!(counters, expected, "reading resets nothing");
    }
    assert_eq!(kernel.nft_table("wansplit", &|_| true).unwrap().unwrap().counters, ["b.1f", "most", "none"]);
    assert_eq!(kernel.writes(), 0);
}

#[test]
fn large_sets_are_counted_whole() {
    if !inside("large_sets_are_counted_whole") {
        return;
    }
    let mut kernel = Kernel::new();
    let table = r#"{"nftables": [{"add": {"table": {"family": "inet", "name": "wansplit"}}},
        {"add": {"set": {"family": "inet", "table": "wansplit", "name": "s", "type": "ipv4_addr",
            "flags": ["interval"]}}}]}"#;
    kernel.nft_apply("make the set", table).unwrap();
    // In a user namespace nft cannot enlarge its socket, so a batch is small.
    for batch in 0..20_u8 {
        let mut elements = String::new();
        for n in 0..1000_u16 {
            let [high, low] = (n * 4).to_be_bytes();
            let separator = if n == 0 { "" } else { "," };
            write!(elements, r#"{separator}{{"prefix": {{"addr": "10.{batch}.{high}.{low}", "len": 31}}}}"#).unwrap();
        }
        let json = format!(
            r#"{{"nftables": [{{"add": {{"element": {{"family": "inet", "table": "wansplit", "name": "s",
                "elem": [{elements}]}}}}}}]}}"#
        );
        kernel.nft_apply("load the set", &json).unwrap();
    }
    let table = kernel.nft_table("wansplit", &|_| true).unwrap().unwrap();
    assert_eq!(table.sets[0].elements, Some(20_000));
    assert_eq!(kernel.writes(), 21);
}

#[test]
fn what_nft_complains_of_is_kept() {
    if !inside("what_nft_complains_of_is_kept") {
        return;
    }
    let mut kernel = Kernel::new();
    let json = r#"{"nftables": [{"add": {"table": {"family": "inet", "name": "x"}}},
        {"add": {"rule": {"family": "inet", "table": "x", "chain": "absent", "expr": [{"accept": null}]}}}]}"#;
    let error = kernel.nft_apply("load the rules", json).unwrap_err().to_string();
    assert!(error.starts_with("cannot load the rules: nft ended with exit code 1: "), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
    assert_eq!(kernel.nft_table("x", &|_| false).unwrap(), None, "all or nothing");
}

/// Numbers that look random and are the same each time.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Disjoint intervals all over an address space, some of them wide, many side by side.
fn intervals(state: &mut u64, count: u64, family: Family) -> Vec<Interval> {
    let scale = if family == Family::V4 { 0 } else { 96 };
    let mut edges: Vec<u128> = (0..2 * count)
        .map(|n| match random(state) % 3 {
            0 => u128::from(random(state)) << 1,
            1 => u128::from(n) << 4,
            _ => u128::from((1 << 31) + n),
        })
        .map(|value| value << scale)
        .collect();
    if random(state).is_multiple_of(2) {
        edges.extend([0, family.max_address()]);
    }
    edges.sort_unstable();
    edges.dedup();
    let set: IntervalSet = edges
        .windows(2)
        .filter(|_| !random(state).is_multiple_of(3))
        .map(|pair| Interval::new(pair[0], pair[1] - 1))
        .chain(edges.last().filter(|last| **last == family.max_address()).map(|last| Interval::single(*last)))
        .collect();
    set.iter().collect()
}

fn change(kernel: &mut Kernel, place: Place, from: &[Interval], to: &[Interval]) -> Result<(), String> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (from.iter().map(|i| (i.first(), i.last())).collect(), to.iter().map(|i| (i.first(), i.last())).collect());
    let only = |a: &BTreeSet<(u128, u128)>, b: &BTreeSet<(u128, u128)>| -> Vec<Interval> {
        a.difference(b).map(|(first, last)| Interval::new(*first, *last)).collect()
    };
    kernel.nft_change_elements(place, &only(&old, &new), &only(&new, &old)).map_err(|error| error.to_string())
}

#[test]
fn sets_change_from_anything_to_anything() {
    if !inside("sets_change_from_anything_to_anything") {
        return;
    }
    sh(
        "nft 'table inet t { set s4 { type ipv4_addr; flags interval; }; set s6 { type ipv6_addr; flags interval; }; }'",
    );
    let mut kernel = Kernel::new();
    let mut state = 7;
    for (set, family) in [("s4", Family::V4), ("s6", Family::V6)] {
        let place = Place { table: "t", set, family, intervals: true };
        let mut held = Vec::new();
        let whole = vec![Interval::new(0, family.max_address())];
        for count in [0, 1, 5, 40, 3000, 3000, 4000, 0, 4000, 2] {
            let wanted = if count == 0 { whole.clone() } else { intervals(&mut state, count, family) };
            change(&mut kernel, place, &held, &wanted).unwrap();
            assert!(kernel.nft_elements(place).unwrap().unwrap() == wanted, "{set}: {count}");
            held = wanted;
        }
    }
}

#[test]
fn the_last_address_of_a_set_that_a_resolver_fills_is_one_address() {
    if !inside("the_last_address_of_a_set_that_a_resolver_fills_is_one_address") {
        return;
    }
    sh("nft 'table inet t { set s { type ipv4_addr; elements = { 192.0.2.50, 192.0.2.52 }; }; }'");
    let place = Place { table: "t", set: "s", family: Family::V4, intervals: false };
    let wanted = [0xc000_0232, 0xc000_0234].map(Interval::single);
    assert_eq!(Kernel::new().nft_elements(place).unwrap().unwrap(), wanted);
}

#[test]
fn a_change_of_a_set_that_fails_half_way_is_taken_back() {
    if !inside("a_change_of_a_set_that_fails_half_way_is_taken_back") {
        return;
    }
    sh("nft 'table inet t { set s { type ipv4_addr; flags interval; size 9000; }; }'");
    let mut kernel = Kernel::new();
    let place = Place { table: "t", set: "s", family: Family::V4, intervals: true };
    let small = |count: u128| (0..count).map(|n| Interval::new(n * 512, n * 512 + 255)).collect::<Vec<_>>();
    for held in [vec![Interval::new(3, u128::from(u32::MAX))], small(1000), vec![Interval::single(9)]] {
        sh("nft flush set inet t s");
        change(&mut kernel, place, &[], &held).unwrap();
        assert!(change(&mut kernel, place, &held, &small(20_000)).is_err());
        assert_eq!(kernel.nft_elements(place).unwrap().unwrap(), held);
    }
}
