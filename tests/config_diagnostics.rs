//! Golden cases: what is said about a wrong configuration, and what of it still holds.
//!
//! A case is `NAME.uci` or `NAME.json` and `NAME.expected` in `tests/fixtures/diagnostics`. `UPDATE=1 cargo test` writes
//! the expected files anew: read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;
use std::path::Path;
use wansplit::config::describe::conditions;
use wansplit::config::diagnostics::render_all;
use wansplit::config::model::{Config, Flush, Origin, Target, Tracking};
use wansplit::config::read;

#[test]
fn every_case_is_said_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnostics");
    let mut cases = 0;
    let mut different = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "uci" && extension != "json") {
            continue;
        }
        cases += 1;
        let text = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let reading = read(&text);
        let said = render_all(&reading.diagnostics, &name, &text);
        let got = said + "---\n" + &reading.config.as_ref().map_or("nothing is applied\n".into(), holds);
        let expected_path = path.with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &got).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if got != expected {
            different.push(format!("{name}\n--- expected\n{expected}\n--- got\n{got}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(cases >= 40, "only {cases} cases were found");
}

/// What is left of a configuration, a line for each thing.
fn holds(config: &Config) -> String {
    let mut out = String::new();
    let globals = &config.globals;
    let (mask, priority, level) = (globals.mask, globals.rule_priority, globals.log_level);
    writeln!(out, "globals enabled {} mask {mask} priority {priority} log {level}", globals.enabled).unwrap();
    for link in &config.links {
        let pins = (link.mark.map(|mark| mark.bits()), link.table, link.priority);
        let (name, attachment, fallback) = (&link.name, &link.attachment, link.fallback);
        write!(out, "link {name:?}: {attachment:?}, else {fallback}").unwrap();
        writeln!(out, "{}", if pins == (None, None, None) { String::new() } else { format!(", {pins:?}") }).unwrap();
        if let Some(masq6) = link.masq6 {
            writeln!(out, "  masq6 {masq6}").unwrap();
        }
        if let Some(tracking) = &link.tracking {
            let hosts: Vec<_> = tracking.hosts.iter().map(ToString::to_string).collect();
            let Tracking { interval, timeout, down, up, reliability, max_loss, max_latency, .. } = tracking;
            let method = tracking.method.word();
            writeln!(out, "  {method} [{}] every {interval:?} for {timeout:?}", hosts.join(", ")).unwrap();
            writeln!(out, "  down {down} up {up} of {reliability}, {max_loss:?} {max_latency:?}").unwrap();
        }
        if link.speed.is_some() || link.quota.is_some() {
            writeln!(out, "  speed {:?}, {:?}", link.speed, link.quota).unwrap();
        }
        if !link.endpoints.is_empty() || link.via.is_some() {
            let endpoints: Vec<_> = link.endpoints.iter().map(ToString::to_string).collect();
            writeln!(out, "  to [{}] via {:?}", endpoints.join(", "), link.via).unwrap();
        }
        if link.flush != Flush::default() {
            writeln!(out, "  {:?}", link.flush).unwrap();
        }
    }
    for policy in &config.policies {
        let member = |m: &wansplit::config::model::Member| {
            let tier = if m.tier == 1 { String::new() } else { format!(" tier {}", m.tier) };
            format!("{} {}{tier}", config[m.link].name, m.weight)
        };
        let members: Vec<_> = policy.members.iter().map(member).collect();
        let (name, mode, fallback) = (&policy.name, policy.mode, policy.fallback);
        writeln!(out, "policy {name:?}: {mode:?} [{}], else {fallback}", members.join(", ")).unwrap();
    }
    for set in &config.sets {
        let entries = [set.entries4.interval_count(), set.entries6.interval_count()];
        let whose = if set.is_of_rule { " of a rule" } else { "" };
        writeln!(out, "set {:?}{whose}: {entries:?} entries, {:?}, {:?}", set.name, set.files, set.domains).unwrap();
    }
    for rule in &config.rules {
        let target = match rule.target {
            Target::Link(link) => &config[link].name,
            Target::Policy(policy) => &config[policy].name,
            other => &format!("{other:?}"),
        };
        let origin = if rule.origin == Origin::Lan { String::new() } else { format!(" of {:?}", rule.origin) };
        let counter = if rule.counter { ", counted" } else { "" };
        let log = if rule.log { ", logged" } else { "" };
        writeln!(out, "rule {:?}{origin}: {} -> {target}{counter}{log}", rule.name, conditions(rule)).unwrap();
    }
    out
}
