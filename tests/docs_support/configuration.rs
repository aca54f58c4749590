//! Configurations in the manual: whole ones, and pieces that are completed by a prelude.

use wansplit::config::diagnostics::Severity;
use wansplit::config::{diagnostics, read};

/// What stands around a piece of a configuration: the names that the manual uses. Of these only what the piece does not
/// define itself.
const PRELUDE: &str = include_str!("prelude.uci");

/// The pieces of a UCI text, from `config` to the next one: type, name and text.
fn sections(text: &str) -> Vec<(String, String, String)> {
    let mut sections: Vec<(String, String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(words) = line.trim_start().strip_prefix("config ") {
            let mut words = words.split_whitespace();
            let mut word = || words.next().unwrap_or("").trim_matches('\'').to_owned();
            sections.push((word(), word(), String::new()));
        }
        if let Some((_, _, text)) = sections.last_mut() {
            *text += &format!("{line}\n");
        }
    }
    sections
}

/// Whether a text is a whole configuration: one that may be switched on.
pub fn is_whole(text: &str) -> bool {
    text.contains("config globals") || text.trim_start().starts_with('{')
}

/// `text` with the sections of `base` that it does not define itself, the `globals` first.
pub fn completed_by(text: &str, base: &str) -> String {
    let own = sections(text);
    let defined = |kind: &str, name: &str| own.iter().any(|(k, n, _)| k == kind && n == name && !n.is_empty());
    let others: Vec<_> = sections(base).into_iter().filter(|(kind, name, _)| !defined(kind, name)).collect();
    let part = |wanted: &dyn Fn(&str) -> bool| -> String {
        others.iter().filter(|(kind, _, _)| wanted(kind)).map(|(_, _, text)| text.as_str()).collect()
    };
    // The piece's rules are tried before the others, or a rule for everything would hide them.
    part(&|kind| kind != "rule") + text + "\n" + &part(&|kind| kind == "rule")
}

/// A piece of the manual as a whole configuration.
pub fn whole(text: &str) -> String {
    if is_whole(text) { text.to_owned() } else { completed_by(text, PRELUDE) }
}

/// What is wrong with a piece of the manual; nothing if all is well. Notes are well: a piece shows one thing.
pub fn faults(text: &str, place: &str) -> String {
    let text = whole(text);
    let reading = read(text.as_bytes());
    let wrong: Vec<_> = reading.diagnostics.into_iter().filter(|said| said.severity != Severity::Note).collect();
    let said = diagnostics::render_all(&wrong, place, text.as_bytes());
    if said.is_empty() && reading.config.is_none() { "no configuration came of it".to_owned() } else { said }
}

/// The file that a fence with another file of OpenWrt's shows: its first line names it.
pub fn other_file(text: &str) -> Option<&str> {
    let first = text.lines().next()?.strip_prefix("# /etc/config/")?;
    let name = first.split([' ', ',', ':']).next()?;
    (name != "wansplit").then_some(name)
}
