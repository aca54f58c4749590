//! What the program says, by its source, and what the page says that it says.

use super::page;
use regex_lite::Regex;
use std::fs;
use std::path::Path;

/// All texts of a part of the program: its source without tests, and texts that go on in the next line joined.
pub fn source(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(part), &mut text);
    }
    let joined = Regex::new(r"\\\\\\n\\s*").unwrap();
    joined.replace_all(&text, "").replace("\\\"", "\"")
}

fn gather(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let own = fs::read_to_string(&path).unwrap();
            text.push_str(own.split("#[cfg(test)]").next().unwrap());
        }
    }
}

/// The texts that the page's table explains, each as its fixed parts.
pub fn explained() -> Vec<Vec<String>> {
    let text = page();
    let (_, table) = text.split_once("| what it says | what it means | what to do |\n").expect("the table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with("| "));
    let first = |row: &str| row.trim_start_matches("| ").split(" | ").next().unwrap().to_owned();
    let quoted = |cell: String| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.map(first).flat_map(quoted).map(|quote| fixed(&quote, "...")).collect()
}

/// The parts of a text between what differs from time to time.
fn fixed(text: &str, gap: &str) -> Vec<String> {
    text.split(gap).map(|part| part.trim().to_owned()).filter(|part| part.len() > 1).collect()
}

/// Each text that the daemon logs or a command complains of, as its fixed parts.
pub fn said(source: &str) -> Vec<Vec<String>> {
    let call =
        r#"(?:info!|warn!|error!|complain|complaints\.push|Fault::Trouble)\(\s*&?(?:format!\(\s*)?"((?:[^"\\]|\\.)*)""#;
    let gaps = Regex::new(r"\{[^}]*\}").unwrap();
    let calls = Regex::new(call).unwrap();
    let texts = calls.captures_iter(source).map(|found| gaps.replace_all(&found[1], "...").into_owned());
    texts.map(|text| fixed(&text, "...")).collect()
}
