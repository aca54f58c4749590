//! What holds for any configuration and for any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod generate;
mod json_schema;
mod write;

use generate::{NOWHERE, config};
use json_schema::violation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::fmt::Write;
use wansplit::config::describe::describe;
use wansplit::config::diagnostics::render_all;
use wansplit::config::model::Config;
use wansplit::config::schema::schema;
use wansplit::config::{parse, read};
use write::{to_json, to_uci};

fn without_places(mut config: Config) -> Config {
    config.links.iter_mut().for_each(|link| link.at = NOWHERE);
    config.policies.iter_mut().for_each(|policy| policy.at = NOWHERE);
    config.rules.iter_mut().for_each(|rule| (rule.at, rule.section) = (NOWHERE, String::new()));
    config
}

fn survives(text: &[u8]) {
    let (document, _) = parse(text);
    for section in &document.sections {
        for option in &section.options {
            option.values.iter().for_each(|value| drop(value.words()));
        }
    }
    let reading = read(text);
    let said = render_all(&reading.diagnostics, "file", text);
    assert!(!said.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{said:?}");
    assert_eq!(said.is_empty(), reading.diagnostics.is_empty());
    for rule in reading.config.iter().flat_map(|config| &config.rules) {
        assert!(!describe(&rule.matches).is_empty());
    }
}

/// Texts that get far into the parsers before they break.
fn samples() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/diagnostics");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .chain(std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "uci" || extension == "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_configuration_reads_back_the_same_in_both_notations(config in config()) {
        for text in [to_uci(&config), to_json(&config)] {
            let reading = read(text.as_bytes());
            let said = render_all(&reading.diagnostics, "file", text.as_bytes());
            prop_assert!(said.is_empty(), "{}\n{}", said, text);
            prop_assert_eq!(&without_places(reading.config.unwrap()), &config, "{}", text);
        }
        let json: Value = serde_json::from_str(&to_json(&config)).unwrap();
        prop_assert_eq!(violation(&schema(), &json), None, "{}", json);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400), json in any::<bool>()) {
        let mut text = if json { b"{".to_vec() } else { Vec::new() };
        text.extend(bytes);
        survives(&text);
    }

    #[test]
    fn text_made_of_syntax_is_survived(
        words in vec(select(vec![
            "config ", "option ", "list ", "package ", "rule ", "link ", "policy ", "globals ", "use ", "name ", "'", "\"",
            "\\", "\n", "\r\n", "#", ";", "\t", "x", "ä", "\0", "{", "}", "[", "]", ":", ",", "\"rules\"", "null", "1e9", "\\u",
        ]), 0..60),
    ) {
        survives(words.concat().as_bytes());
    }

    #[test]
    fn mutations_of_real_files_are_survived(
        sample in any::<Index>(),
        edits in vec((any::<Index>(), any::<u8>(), 0u8..4), 1..12),
    ) {
        let samples = samples();
        let mut text = sample.get(&samples).clone();
        for (place, byte, what) in edits {
            if text.is_empty() {
                break;
            }
            let place = place.index(text.len());
            match what {
                0 => text[place] = byte,
                1 => text.insert(place, byte),
                2 => drop(text.remove(place)),
                _ => text.truncate(place),
            }
        }
        survives(&text);
    }

    #[test]
    fn any_option_value_is_survived(
        value in prop_oneof![any::<String>(), "[0-9a-fx:./!, -]{0,24}", "[!]?[0-9]{1,12}[-/:][0-9]{1,12}"],
        list in any::<bool>(),
    ) {
        let quoted = format!("'{}'", value.replace('\'', r"'\''"));
        let word = if list { "list" } else { "option" };
        let mut uci = String::new();
        let options = [
            ("globals", "enabled mask rule_priority log_level"),
            (
                "link",
                "name interface device gateway gateway6 mark table priority fallback track_ip track_method interval \
                 timeout down up reliability max_loss max_latency flush_conntrack endpoint via",
            ),
            ("policy", "name use mode balance_by fallback"),
            ("rule", "name enabled proto src_ip dest_ip src_port dest_port src_mac src_iface dscp uid family from use"),
        ];
        for (section, names) in options {
            for name in names.split(' ') {
                let watched = if section == "link" { "\toption interface wan\n\tlist track_ip 1.1.1.1\n" } else { "" };
                writeln!(uci, "config {section} {section}_{name}\n{watched}\t{word} {name} {quoted}").unwrap();
            }
        }
        survives(uci.as_bytes());
        let json = json!({ "links": { &value: { "interface": value, "mark": value } }, "rules": [{ "name": value, "dest_ip": [value] }] });
        survives(json.to_string().as_bytes());
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for closed in [true, false] {
            let depth = 200_000;
            let inner = open.repeat(depth) + "1" + &if closed { close.repeat(depth) } else { String::new() };
            survives(format!("{{\"rules\": [{{\"use\": {inner}}}]}}").as_bytes());
            survives(format!("{{\"rules\": {inner}}}").as_bytes());
        }
    }
}

#[test]
fn large_files_take_linear_time_also_when_everything_is_wrong() {
    // Anything quadratic takes many minutes here, which the test runner's time limit ends.
    let rules = |text: &str| text.repeat(20_000);
    survives(rules("config rule\n\toption use 'nobody'\n\tlist dest_port 'x'\n").as_bytes());
    survives(rules("config rule\n\toption use \"\n").as_bytes());
    survives(rules("option '\\'\"\n").as_bytes());
    // One line, so that every place is far from its line's start.
    survives(format!("{{\"rules\": [{}{{}}]}}", rules("{\"use\":\"nobody\",\"dest_port\":[1,\"x\"]},")).as_bytes());
    let links: String = (0..20_000).map(|n| format!("\"link {n}\": {{\"interface\": \"i{n}\"}},")).collect();
    survives(format!("{{\"links\": {{{links} \"last\": {{}}}}}}").as_bytes());
    survives(("config rule a\n\toption use '".to_owned() + &"x ".repeat(1 << 19) + "'\n").as_bytes());
    survives(("config rule a\n\toption dest_port '".to_owned() + &"x ".repeat(1 << 15) + "'\n").as_bytes());
}
