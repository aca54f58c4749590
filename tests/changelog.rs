//! What is released stands in CHANGELOG.md, the newest first, and every package has the program's version.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn the_version_has_its_entry_and_it_is_the_first() {
    let text = read("CHANGELOG.md");
    let entries: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let (version, when) = entries.first().unwrap().split_once(" - ").expect("`## 0.1.0 - unreleased`, or a date");
    assert_eq!(version, VERSION, "the first entry of CHANGELOG.md is not that of the version in Cargo.toml");
    assert!(when == "unreleased" || is_date(when), "{when} is neither `unreleased` nor a date: 2026-08-01");
    let numbers: Vec<Vec<u32>> = entries.iter().map(|entry| number(entry)).collect();
    assert!(numbers.is_sorted_by(|newer, older| newer > older), "{numbers:?}: the newest first, each once");
    assert!(entries[1..].iter().all(|entry| entry.split_once(" - ").is_some_and(|(_, when)| is_date(when))));
}

#[test]
fn every_entry_says_something() {
    for entry in read("CHANGELOG.md").split("\n## ").skip(1) {
        let said = entry.lines().filter(|line| line.starts_with("* ")).count();
        assert!(said > 0, "nothing is said of {}", entry.lines().next().unwrap());
    }
}

#[test]
fn packages_have_the_version_of_the_program() {
    for file in ["openwrt/wansplit/Makefile", "openwrt/luci-app-wansplit/Makefile"] {
        let text = read(file);
        let version = text.lines().find_map(|line| line.strip_prefix("PKG_VERSION:="));
        assert!(version.is_none_or(|version| version == VERSION), "{file}: {version:?}");
    }
    assert!(read("openwrt/wansplit/Makefile").contains(&format!("PKG_VERSION:={VERSION}\n")));
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn number(entry: &str) -> Vec<u32> {
    let version = entry.split(' ').next().unwrap();
    version.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{entry}: no version"))).collect()
}
