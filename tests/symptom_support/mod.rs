//! Symptoms, shown on a router of the lab, and compared with what the page about them says one sees.
//!
//! A block of docs/troubleshooting.md behind `<!-- seen: NAME -->` is what the test of that name sees: commands behind `# `,
//! and below each some lines of what it prints, in order. `...` stands for anything, and so does any other number.

#![allow(dead_code)]

pub mod words;

use lab::{Lab, Wansplit};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where the page is.
pub const PAGE: &str = "docs/troubleshooting.md";
/// Where the router of the lab finds `wansplit`.
const PROGRAMS: &str = "/run/programs";

/// A router on which something is wrong, and what its owner has seen so far.
pub struct Symptom<'a> {
    lab: &'a Lab,
    name: &'static str,
    seen: RefCell<Vec<(String, String)>>,
}

impl<'a> Symptom<'a> {
    /// On this router, with this program and its configuration.
    pub fn of(name: &'static str, lab: &'a Lab, wansplit: &Wansplit<'_>) -> Self {
        let _ = fs::create_dir(PROGRAMS);
        let prepared = wansplit.prepare(&[]);
        let words: Vec<String> = prepared.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let program = prepared.get_program().to_string_lossy();
        let script = format!("#!/bin/sh\nexec '{program}' {} \"$@\"\n", words.join(" "));
        let file = Path::new(PROGRAMS).join("wansplit");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        Self { lab, name, seen: RefCell::default() }
    }

    /// Types a command on the router; returns what it prints.
    pub fn types(&self, command: &str) -> String {
        let line = format!("PATH={PROGRAMS}:$PATH; exec 2>&1; {command}");
        let output = self.lab.router.output("sh", &["-c", &line]).stdout;
        self.sees(command, &output)
    }

    /// Sees something by another command than the lab has: the log, say.
    pub fn sees(&self, command: &str, output: &str) -> String {
        // Where the file is on a router, and the log without what logread puts in front.
        let output = output.replace("/run/lab-wansplit.config", "/etc/config/wansplit");
        let level = |line: &str| {
            ["info: ", "warning: "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line).to_owned()
        };
        let is_log = command.starts_with("logread");
        let output = if is_log { output.lines().map(level).collect::<Vec<_>>().join("\n") } else { output };
        self.seen.borrow_mut().push((command.to_owned(), output.clone()));
        output
    }
}

impl Drop for Symptom<'_> {
    /// The end of the test: the page has to say the same.
    fn drop(&mut self) {
        let seen = self.seen.borrow();
        if std::env::var_os("SHOW").is_some() || std::thread::panicking() {
            println!("==== {}", self.name);
            seen.iter().for_each(|(command, output)| println!("# {command}\n{}", output.trim_end()));
        }
        if std::thread::panicking() {
            return;
        }
        let blocks = blocks(self.name);
        assert!(!blocks.is_empty(), "{PAGE} has no block behind <!-- seen: {} -->", self.name);
        for (command, lines) in blocks {
            let outputs: Vec<&String> =
                seen.iter().filter(|(typed, _)| *typed == command).map(|(_, output)| output).collect();
            assert!(!outputs.is_empty(), "{}: nobody types: {command}", self.name);
            assert!(
                outputs.iter().any(|output| says(output, &lines)),
                "{}: `{command}` does not print what {PAGE} says:\n{}\nbut:\n{}",
                self.name,
                lines.join("\n"),
                outputs.iter().map(|output| output.as_str()).collect::<Vec<_>>().join("\n----\n")
            );
        }
    }
}

/// The names that the page's blocks go by.
pub fn names() -> BTreeSet<String> {
    let text = page();
    let after = text.lines().filter_map(|line| line.strip_prefix("<!-- seen: "));
    after.map(|rest| rest.strip_suffix(" -->").unwrap().to_owned()).collect()
}

/// The page.
pub fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap()
}

/// The commands of the blocks of this name, each with the lines below it.
fn blocks(name: &str) -> Vec<(String, Vec<String>)> {
    let (text, mut found) = (page(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != format!("<!-- seen: {name} -->") {
            continue;
        }
        assert_eq!(lines.next(), Some("```"), "{name}: a block is to follow");
        for line in lines.by_ref().take_while(|line| *line != "```") {
            match line.strip_prefix("# ") {
                Some(command) => found.push((command.trim().to_owned(), Vec::new())),
                None if line.is_empty() => {}
                None => found
                    .last_mut()
                    .unwrap_or_else(|| panic!("{name}: no command above: {line}"))
                    .1
                    .push(line.to_owned()),
            }
        }
    }
    found
}

/// Whether these lines are there, in this order.
fn says(output: &str, lines: &[String]) -> bool {
    let mut printed = output.lines().map(plain);
    lines.iter().all(|line| printed.any(|printed| is_like(&printed, &plain(line))))
}

/// Without what differs from one time to the next: numbers, and the width of columns.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    for letter in line.chars() {
        let letter = if letter.is_ascii_digit() { '0' } else { letter };
        if (letter == '0' && plain.ends_with('0')) || (letter == ' ' && plain.ends_with(' ')) {
            continue;
        }
        plain.push(letter);
    }
    plain.trim().to_owned()
}

/// Whether a line is the one quoted, whose `...` is anything.
fn is_like(line: &str, quoted: &str) -> bool {
    let mut parts = quoted.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first.trim_end()) else { return false };
    let mut open = false;
    for part in parts {
        let part = part.trim();
        open = part.is_empty();
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    open || rest.trim().is_empty()
}
