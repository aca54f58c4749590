//! The examples are read without a word, and the recipe in its two notations means the same.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use wansplit::config::describe::describe;
use wansplit::config::model::{Attachment, Config, LinkId, Member, Mode, PolicyId, Target};
use wansplit::config::source::Position;
use wansplit::config::{diagnostics, read};

fn example(path: &Path) -> Config {
    let text = std::fs::read(path).unwrap();
    let reading = read(&text);
    let said = diagnostics::render_all(&reading.diagnostics, &path.display().to_string(), &text);
    assert!(said.is_empty(), "{said}");
    reading.config.unwrap()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
}

fn without_places(mut config: Config) -> Config {
    config.links.iter_mut().for_each(|link| link.at = Position::default());
    config.policies.iter_mut().for_each(|policy| policy.at = Position::default());
    config.rules.iter_mut().for_each(|rule| (rule.at, rule.section) = (Position::default(), String::new()));
    config
}

#[test]
fn every_example_is_read_without_a_diagnostic() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let config = example(&entry.unwrap().path());
        assert!(config.globals.enabled && !config.links.is_empty() && !config.rules.is_empty());
        count += 1;
    }
    assert!(count >= 8, "only {count} examples were found");
}

#[test]
fn the_recipe_means_the_same_in_both_notations() {
    let uci = without_places(example(&folder().join("two-links.uci")));
    let json = without_places(example(&folder().join("two-links.json")));
    assert_eq!(uci, json);
}

#[test]
fn the_recipe_has_the_classic_numbers() {
    let config = example(&folder().join("two-links.uci"));
    let links: Vec<_> = config
        .links
        .iter()
        .map(|link| {
            let Attachment::Device { device, gateway, gateway6 } = &link.attachment else { panic!("{link:?}") };
            let gateways = format!("{device} {} {}", gateway.unwrap(), gateway6.unwrap());
            (link.name.as_str(), link.mark.map(|m| m.bits()), link.table, link.priority, gateways)
        })
        .collect();
    let emb = "eth1 198.51.100.1 2001:db8:1::1".to_owned();
    let oi = "eth2 203.0.113.1 2001:db8:2::1".to_owned();
    assert_eq!(links, [("EMB", Some(1), Some(100), Some(10), emb), ("OI", Some(2), Some(200), Some(20), oi)]);
    let member = |link| Member { link: LinkId(link), weight: 1, tier: 1 };
    let policies: Vec<_> = config.policies.iter().map(|p| (p.name.as_str(), p.mode, p.members.clone())).collect();
    assert_eq!(
        policies,
        [("web", Mode::Failover, vec![member(0), member(1)]), ("mail", Mode::Failover, vec![member(1), member(0)])]
    );
    let rules: Vec<_> = config.rules.iter().map(|r| (r.name.as_str(), describe(&r.matches), r.target)).collect();
    assert_eq!(
        rules,
        [
            ("navegacao", "tcp ports 80, 443".to_owned(), Target::Policy(PolicyId(0))),
            ("dns", "tcp/udp port 53".to_owned(), Target::Policy(PolicyId(0))),
            ("correio", "tcp ports 25, 110, 143, 465, 587, 993, 995".to_owned(), Target::Policy(PolicyId(1))),
        ]
    );
    assert!(config.rules[2].matches.destination_ports.as_ref().is_some_and(|ports| {
        [25, 110, 143, 465, 587, 993, 995].iter().all(|port| ports.contains(*port)) && ports.interval_count() == 7
    }));
}

#[test]
fn the_configuration_as_installed_does_nothing() {
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/files/etc/config/wansplit")).unwrap();
    let reading = read(&text);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let config = reading.config.unwrap();
    assert!(!config.globals.enabled && config.links.is_empty() && config.rules.is_empty());
}
