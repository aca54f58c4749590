//! What the documents name is there: commands and their options, headings, files, tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod manual_support;

use manual_support::help::{self, Help};
use manual_support::{documents, root};
use std::fs;
use std::path::{Path, PathBuf};

/// `wansplit VERB --option` in a document names what there is.
#[test]
fn documents_name_commands_and_options_that_exist() {
    let all = help::all();
    let (mut calls, mut wrong) = (0, Vec::new());
    for (file, text) in documents() {
        for (n, line) in text.lines().enumerate() {
            for call in code(line).iter().flat_map(|code| code.match_indices("wansplit ").map(|(at, _)| &code[at..])) {
                let Some(complaint) = check_call(&all, call) else { continue };
                calls += 1;
                wrong.extend(complaint.map(|complaint| format!("{file}, line {}: {complaint}: {call}", n + 1)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(calls > 40, "only {calls} calls were found");
}

/// The parts of a line that are code: a line of a block that begins with a prompt or four blanks, and what is in backticks.
fn code(line: &str) -> Vec<&str> {
    match line.strip_prefix("    ").or(line.strip_prefix("# ")) {
        Some(command) if command.starts_with("wansplit ") => vec![command],
        _ => line.split('`').skip(1).step_by(2).filter(|code| code.starts_with("wansplit ")).collect(),
    }
}

/// What is wrong with a call; nothing if it is none.
fn check_call(all: &[Help], call: &str) -> Option<Option<String>> {
    let call = call.split([';', '&', '>', '#']).next()?;
    let call = if let Some((ours, _)) = call.split_once(" | ") { ours } else { call };
    let mut words = call.split_whitespace().skip(1).peekable();
    let mut named: Vec<String> = Vec::new();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let word = word.trim_matches(['[', ']', ',', '.']);
        if word == "--config" || word == "--network" {
            words.next();
        } else if word.starts_with("--") {
            options.push(word.split('=').next()?.to_owned());
        } else if options.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            named.push(word.to_owned());
        } else {
            named.push(String::new());
        }
        if named.first().is_some_and(|verb| verb == "use") {
            break;
        }
    }
    let verb = named.first()?;
    if verb.is_empty() {
        return None;
    }
    let group = all.iter().find(|help| help.words == named[..1]);
    let Some(group) = group else { return Some(Some(format!("there is no command '{verb}'"))) };
    let below = all.iter().find(|help| help.words.len() == 2 && named.len() > 1 && help.words == named[..2]);
    let help = if group.is_group() { below.unwrap_or(group) } else { group };
    let known = |option: &String| option == "--help" || help.options.iter().any(|(own, _)| own == option);
    Some(options.iter().find(|option| !known(option)).map(|option| format!("'{verb}' has no option {option}")))
}

/// `[words](page.md#heading)` leads to a heading that is there.
#[test]
fn links_lead_to_headings_that_exist() {
    let documents = documents();
    let (mut links, mut wrong) = (0, Vec::new());
    for (file, text) in &documents {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((page, anchor)) = link.split_once('#').filter(|_| !link.contains("://")) else { continue };
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let page = if page.is_empty() { file.clone() } else { format!("{folder}/{page}").replace("docs/../", "") };
            let Some((_, text)) = documents.iter().find(|(name, _)| *name == page.trim_start_matches('/')) else {
                continue;
            };
            links += 1;
            if !headings(text).any(|heading| heading == anchor) {
                wrong.push(format!("{file}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(links > 50, "only {links} links were found");
}

/// The headings as web pages name them.
fn headings(text: &str) -> impl Iterator<Item = String> + '_ {
    let named = |heading: &str| {
        let kept =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.trim().replace(' ', "-")
    };
    text.lines().filter(|line| line.starts_with('#')).map(move |line| named(line.trim_start_matches('#')))
}

/// What docs/architecture.md leads to is there: files, and the tests that hold what must always hold.
#[test]
fn the_architecture_names_files_and_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let tests: String =
        rust_files(&root().join("tests")).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for code in text.split('`').skip(1).step_by(2) {
        let is_path =
            ["src/", "tests/", "scripts/", "docs/", "openwrt/", "files"].iter().any(|start| code.starts_with(start));
        let is_test = code.contains('_') && code.matches('_').count() > 3 && !code.contains(' ');
        if is_path && !code.contains(char::is_uppercase) && !code.contains([' ', '*']) {
            seen += 1;
            wrong.extend((!root().join(code).exists()).then_some(code));
        } else if is_test {
            seen += 1;
            wrong.extend((!tests.contains(&format!("fn {code}("))).then_some(code));
        }
    }
    // Another page is on its way when a branch is merged: `docs/options.md` and the like.
    assert!(wrong.iter().all(|path| path.starts_with("docs/")), "{wrong:?}");
    assert!(seen > 50, "only {seen} were found");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("node_modules") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// Whoever looks for a command finds it in the README.
#[test]
fn the_readme_lists_every_command() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("\n## The commands\n").unwrap();
    let table = rest.split("\n## ").next().unwrap();
    let missing: Vec<String> = help::all()
        .iter()
        .skip(1)
        .map(Help::name)
        .filter(|name| !table.contains(&format!("`wansplit {name}")))
        .collect();
    // `set` alone is no command.
    assert!(missing.iter().all(|name| name == "version"), "{missing:?}");
    assert!(table.contains("`wansplit schema`, `wansplit version`"));
}
