//! A configuration, in UCI or in JSON. What is said of it is clean and has its place; and written in either notation it
//! means the same.

use super::transcript;
use wansplit::config::describe::{conditions, describe};
use wansplit::config::diagnostics::{Diagnostic, Severity, render_all};
use wansplit::config::model::Config;
use wansplit::config::source::Position;
use wansplit::config::{Reading, parse, read};

/// Takes one input.
pub fn run(text: &[u8]) {
    let reading = read(text);
    findings(&reading, text);
    for rule in reading.config.iter().flat_map(|config| &config.rules) {
        assert!(!describe(&rule.matches).is_empty());
        clean(&conditions(rule));
    }
    let (document, problems) = parse(text);
    for value in document.sections.iter().flat_map(|section| &section.options).flat_map(|option| &option.values) {
        drop(value.words());
    }
    if problems.is_empty() && transcript::is_sayable(&document) {
        let (uci, json) = (transcript::to_uci(&document), transcript::to_json(&document));
        let [there, back] = [&uci, &json].map(|text| read(text.as_bytes()));
        findings(&there, uci.as_bytes());
        findings(&back, json.as_bytes());
        assert_eq!(meaning(there.config), meaning(back.config), "{uci}\n{json}");
        assert_eq!(complaints(&there.diagnostics), complaints(&back.diagnostics), "{uci}\n{json}");
    }
}

fn findings(reading: &Reading, text: &[u8]) {
    let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
    for finding in &reading.diagnostics {
        assert!(finding.at.line as usize <= lines, "{finding:?} is behind the end, which is line {lines}");
        assert!(finding.at.column as usize <= text.len() + 1, "{finding:?} is behind the end of any line");
        assert!(!finding.message.is_empty() && finding.help.as_deref() != Some(""), "{finding:?} says nothing");
        clean(&finding.in_words());
        assert!(serde_json::to_string(&finding.record("file")).is_ok());
    }
    let said = render_all(&reading.diagnostics, "file", text);
    assert_eq!(said.is_empty(), reading.diagnostics.is_empty());
    clean(&said.replace(['\n', '\t'], " "));
    assert!(reading.diagnostics.is_sorted_by_key(|finding| finding.at));
    let fatal = reading.diagnostics.iter().any(|finding| finding.severity == Severity::Fatal);
    assert_eq!(fatal, reading.config.is_none(), "{:?}", reading.diagnostics);
}

/// Nothing that moves a terminal's cursor.
fn clean(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// A configuration without the places in its file.
fn meaning(config: Option<Config>) -> Option<Config> {
    let mut config = config?;
    let nowhere = Position::default();
    config.links.iter_mut().for_each(|link| link.at = nowhere);
    config.policies.iter_mut().for_each(|policy| policy.at = nowhere);
    config.rules.iter_mut().for_each(|rule| (rule.at, rule.section) = (nowhere, String::new()));
    config.sets.iter_mut().for_each(|set| set.at = nowhere);
    Some(config)
}

/// What is complained of, wherever it stands.
fn complaints(diagnostics: &[Diagnostic]) -> Vec<(Severity, Option<String>)> {
    let mut all: Vec<_> = diagnostics.iter().map(|finding| (finding.severity, finding.option.clone())).collect();
    all.sort();
    all
}
