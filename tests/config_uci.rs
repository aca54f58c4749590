//! UCI's syntax against libuci: every recorded case, read and written back the way `uci export` does it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wansplit::config::diagnostics::Severity;
use wansplit::config::parse;
use wansplit::config::source::Document;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/uci-cases")
}

/// What `uci export` prints.
fn export(document: &Document) -> String {
    let mut out = String::from("package t\n\n");
    let quote = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    for section in &document.sections {
        write!(out, "config {}", section.kind.value).unwrap();
        if let Some(name) = &section.name {
            write!(out, " {}", quote(&name.value)).unwrap();
        }
        out.push('\n');
        for option in &section.options {
            let word = if option.is_list { "list" } else { "option" };
            for value in &option.values {
                writeln!(out, "\t{word} {} {}", option.name.value, quote(&value.value)).unwrap();
            }
        }
        out.push('\n');
    }
    out
}

/// What we refuse on purpose although libuci takes it: text lost behind a `;`, and bytes that are not UTF-8.
const REFUSED: [&str; 4] = ["c14_semicolon", "c21_latin", "x18_semicolon_in_word", "x49_semicolon_second"];

/// Where our errors point. libuci's own positions are where its parser stood.
const PLACES: &[(&str, u32, u32)] = &[
    ("c07_before", 1, 1),
    ("c09_nul", 2, 12),
    ("c12_unterm", 2, 11),
    ("c14_semicolon", 1, 11),
    ("c16_typeconflict", 2, 10),
    ("c17_extra", 2, 13),
    ("c19_dash", 1, 13),
    ("c20_bogus", 2, 2),
    ("c21_latin", 2, 11),
    ("c28_badtype", 1, 9),
    ("c31_bom", 1, 1),
    ("x04_optname_dash", 2, 9),
    ("x05_optname_dot", 2, 9),
    ("x07_no_type", 1, 1),
    ("x08_empty_type", 1, 1),
    ("x10_empty_optname", 2, 2),
    ("x11_no_optname", 2, 2),
    ("x18_semicolon_in_word", 2, 12),
    ("x21_config_extra", 1, 12),
    ("x30_two_quoted", 2, 16),
    ("x35_continuation_then_blank", 3, 3),
    ("x37_vertical_tab", 2, 13),
    ("x38_lone_cr", 1, 12),
    ("x41_package_noarg", 1, 1),
    ("x42_package_extra", 1, 15),
    ("x43_keyword_case", 1, 1),
    ("x44_keyword_prefix", 1, 1),
    ("x45_name_space", 1, 11),
    ("x46_type_utf8", 1, 8),
    ("x47_name_utf8", 1, 10),
    ("x49_semicolon_second", 2, 13),
];

#[test]
fn every_case_reads_as_libuci_reads_it() {
    let list = std::fs::read(folder().join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&list).unwrap();
    let mut refused = 0;
    let mut checked = 0;
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if case["stored"] == false {
            continue;
        }
        checked += 1;
        let text = std::fs::read(folder().join(format!("{name}.uci"))).unwrap();
        let (document, diagnostics) = parse(&text);
        let fatal: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Fatal).collect();
        if case["libuci"] == "ok" && !REFUSED.contains(&name) {
            assert!(fatal.is_empty(), "{name}: {fatal:?}");
            let expected = std::fs::read_to_string(folder().join(format!("{name}.expect"))).unwrap();
            assert_eq!(export(&document), expected, "{name}");
        } else {
            refused += 1;
            let (_, line, column) = PLACES.iter().find(|(of, ..)| *of == name).expect(name);
            let at = fatal.first().unwrap_or_else(|| panic!("{name} must be refused")).at;
            assert_eq!((at.line, at.column), (*line, *column), "{name}: {fatal:?}");
        }
    }
    assert_eq!((checked, refused), (cases.len() - 2, PLACES.len()), "all cases, and no place without its case");
}

#[test]
fn a_value_of_one_mebibyte() {
    let value = "y".repeat(1 << 20);
    let text = format!("config a x\n\toption v \"{value}\"\n");
    let (document, diagnostics) = parse(text.as_bytes());
    assert!(diagnostics.is_empty());
    assert_eq!(document.sections[0].options[0].values[0].value, value);
}

#[test]
fn twenty_thousand_sections_take_linear_time() {
    let text = |sections: usize| -> String {
        (1..=sections).map(|n| format!("config rule\n\toption a '{n}'\n\tlist b 'x'\n")).collect()
    };
    // A quadratic parser takes minutes in a debug build, which the test runner's time limit ends.
    let text = text(20_000);
    let (document, diagnostics) = parse(text.as_bytes());
    assert!(diagnostics.is_empty());
    assert_eq!(document.sections.len(), 20_000);
}

#[test]
fn after_a_syntax_error_the_next_lines_are_read_and_everything_is_reported() {
    let text = "config link 'a-b'\n\toption interface 'wan'\nbogus\nconfig link 'b'\n\toption interface 'x' y\n\toption table \"1\n\toption mark '2'\n";
    let (document, diagnostics) = parse(text.as_bytes());
    let places: Vec<_> = diagnostics.iter().map(|d| (d.at.line, d.at.column)).collect();
    assert_eq!(places, [(1, 14), (3, 1), (5, 23), (6, 15)]);
    assert_eq!(export(&document), "package t\n\nconfig link 'b'\n\toption mark '2'\n\n");
}

#[test]
fn a_quote_that_swallowed_lines_is_named_as_the_culprit() {
    let text = "config rule 'a'\n\toption use 'main\nconfig rule 'b'\n\toption use 'main'\n";
    let (_, diagnostics) = parse(text.as_bytes());
    let help: String = diagnostics.iter().filter_map(|d| d.help.clone()).collect();
    assert!(help.contains("line 2"), "{diagnostics:?}");
}

#[test]
fn every_value_has_its_place() {
    let text = "config rule 'ä'\n";
    assert_eq!(parse(text.as_bytes()).1[0].at.column, 14);
    let text = "config rule r\n  option a 'öä' # x\n\tlist b \"q\\\"r\"\n\tlist b ü\n";
    let (document, diagnostics) = parse(text.as_bytes());
    assert!(diagnostics.is_empty());
    let section = &document.sections[0];
    let places: Vec<_> =
        section.options.iter().flat_map(|o| o.values.iter().map(|v| (v.at.line, v.at.column))).collect();
    assert_eq!(places, [(2, 13), (3, 10), (4, 9)]);
    let several = wansplit::config::source::Spanned { value: "80  443\n 25", at: section.options[0].values[0].at };
    let words: Vec<_> = several.words().into_iter().map(|word| (word.value, word.at.line, word.at.column)).collect();
    assert_eq!(words, [("80", 2, 13), ("443", 2, 17), ("25", 3, 2)]);
}
