//! Whatever links and policies are called, each keeps its own chains, and real `nft` takes the table.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod kernel_support;
mod support;

use kernel_support::{inside, sh};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use support::interpreter;
use support::world::{explained, facts};
use wansplit::config::{self, model::Config};
use wansplit::explain::{From, Packet};
use wansplit::kernel::Kernel;
use wansplit::plan::ruleset::{json, text};
use wansplit::plan::{Plan, plan};

/// Names that are alike once nft's alphabet is all there is.
fn names() -> Vec<String> {
    let long = |last: char| "Glasfaser ".repeat(20).chars().take(199).chain([last]).collect::<String>();
    let mut names: Vec<String> =
        ["Büro Süd", "Bäro Süd", "B_ro_S_d", "fibra óptica", "7", "-", "光", "a@b", "a\"; drop", "{"]
            .map(Into::into)
            .into();
    names.extend([long('a'), long('b'), "x".repeat(200)]);
    names
}

/// These links, and for each of the names a policy balanced by weights of its own and one in order; a rule for each.
fn configuration(links: &[String]) -> Config {
    let mut policies = serde_json::Map::new();
    let mut rules = Vec::new();
    let mut targets: Vec<String> = links.to_vec();
    for (n, name) in names().iter().enumerate() {
        // Neighbours in the list have opposite weights: who takes one's chain for the other's is found out.
        let (one, other) = if n % 2 == 0 { (1, 9) } else { (9, 1) };
        let weights = json!([format!("{} {one}", links[0]), format!("{} {other}", links[2])]);
        policies.insert(format!("balanced {name}"), json!({ "use": weights, "mode": "balance" }));
        policies.insert(format!("in order {name}"), json!({ "use": [links[n], links[(n + 1) % links.len()]] }));
        targets.extend([format!("balanced {name}"), format!("in order {name}")]);
    }
    for (n, target) in targets.iter().enumerate() {
        let port = (n + 1).to_string();
        rules.push(json!({ "name": target, "proto": "tcp", "dest_port": port, "use": target, "counter": n % 3 != 0 }));
    }
    let count = rules.len();
    let sections: serde_json::Map<_, _> = links
        .iter()
        .enumerate()
        .map(|(n, name)| (name.clone(), json!({ "device": format!("wan{n}"), "gateway": "192.0.2.1" })))
        .collect();
    let text = json!({ "links": sections, "policies": policies, "rules": rules }).to_string();
    let read = config::read(text.as_bytes());
    assert_eq!(read.diagnostics, []);
    let config = read.config.unwrap();
    assert_eq!((config.links.len(), config.rules.len()), (links.len(), count));
    config
}

/// Every target's port gets the marks that `explain` says, with and without a delegated prefix, from many clients.
fn check(config: &Config) -> Plan {
    let facts = facts(config, true);
    let plan = plan(config, &facts).unwrap();
    let chains: BTreeSet<&str> = plan.ruleset.chains.iter().map(|chain| &chain.name[..]).collect();
    assert_eq!(chains.len(), plan.ruleset.chains.len(), "two chains of one name");
    let counters: BTreeSet<&str> = plan.ruleset.counters.iter().map(|counter| &counter.name[..]).collect();
    assert_eq!(counters.len(), config.rules.iter().filter(|rule| rule.counter).count(), "two counters of one name");
    for port in 1..=config.rules.len() {
        for client in [1, 3, 9, 10, 11, 12] {
            let packet = Packet {
                origin: From::Device(Some("lan0".into()), None),
                source: Some(format!("fd00::{client:x}").parse().unwrap()),
                destination: "2001:db8::1".parse().unwrap(),
                protocol: 6,
                source_port: Some(50_000),
                destination_port: Some(u16::try_from(port).unwrap()),
                dscp: 0,
                details: wansplit::explain::Details::default(),
            };
            let walked = interpreter::walked(&plan.ruleset, &packet);
            let rule = &config.rules[port - 1];
            assert_eq!(walked.marks, explained(config, &plan, &facts, &packet), "{}", rule.name);
            assert_eq!(walked.counters, Vec::from_iter(plan.counter_of(port - 1)), "{}", rule.name);
        }
    }
    plan
}

#[test]
fn names_that_look_alike_stay_apart() {
    let mut links = names();
    // What a chain is called that needs a number may be another link's name.
    let plan = check(&configuration(&links));
    let numbered = plan.ruleset.chains.iter().filter_map(|chain| chain.name.strip_prefix("use_B_ro_S_d"));
    let numbered: Vec<String> = numbered.flat_map(|n| [n.to_string(), n.replace('.', "_")]).collect();
    assert_eq!(numbered.len(), 6, "{numbered:?}");
    links.extend(BTreeSet::from_iter(numbered).into_iter().map(|number| format!("B_ro_S_d{number}")));
    check(&configuration(&links));
}

#[test]
fn nft_takes_any_name() {
    if !inside("nft_takes_any_name") {
        return;
    }
    let plan = check(&configuration(&names()));
    Kernel::new().nft_apply("load the table", &json::document(&json::everything(&plan.ruleset))).unwrap();
    let listed = |mut text: String| {
        // The text has no digest in its comments.
        while let Some(start) = text.find(" comment \"") {
            let end = text[start + 10..].find('"').unwrap() + start + 11;
            text.replace_range(start..end, "");
        }
        text
    };
    let by_json = listed(sh("nft -s list table inet wansplit"));
    let mut script = String::from("delete table inet wansplit\n");
    write!(script, "{}", text::table(&plan.ruleset)).unwrap();
    let file = std::env::temp_dir().join(format!("wansplit-names-{}.nft", std::process::id()));
    std::fs::write(&file, script).unwrap();
    sh(&format!("nft -f {}", file.display()));
    std::fs::remove_file(&file).unwrap();
    let by_text = listed(sh("nft -s list table inet wansplit"));
    assert!(by_json.lines().count() > 200, "{by_json}");
    assert_eq!(by_json, by_text, "JSON and text make the same table");
}
