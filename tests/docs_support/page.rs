//! A page of the manual, as far as its examples go: headings, fences, tables, and comments that say how to run them.

use super::configuration::{completed_by, is_whole};
use std::fs;
use std::path::{Path, PathBuf};

/// A page.
pub struct Page {
    /// Its path from the repository's root.
    pub path: String,
    /// All of it.
    pub text: String,
    /// What it consists of, in order; prose is left out.
    pub items: Vec<Item>,
}

/// A piece of a page, and its line.
pub struct Item {
    pub line: usize,
    pub kind: Kind,
}

pub enum Kind {
    /// `## Words`, with its depth.
    Heading(usize, String),
    /// What stands between three backticks, and the word behind the first ones; `indented` without them, by four blanks.
    Fence { info: String, text: String },
    /// A table's header and its rows.
    Table { header: Vec<String>, rows: Vec<Vec<String>> },
    /// `<!-- words -->` on a line of its own: not seen by a reader.
    Comment(String),
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and all pages in docs/.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md")];
    gather(&root().join("docs"), &mut paths);
    paths[1..].sort();
    paths.iter().map(|path| page(path)).collect()
}

/// One of them.
pub fn page_at(path: &str) -> Page {
    page(&root().join(path))
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn page(path: &Path) -> Page {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let items = items(&text);
    let path = path.strip_prefix(root()).unwrap().display().to_string();
    Page { path, text, items }
}

fn items(text: &str) -> Vec<Item> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut items, mut at) = (Vec::new(), 0);
    while let Some(line) = lines.get(at) {
        let start = at;
        at += 1;
        let blank_before = start == 0 || lines[start - 1].trim().is_empty();
        let kind = if let Some(info) = line.trim_start().strip_prefix("```") {
            let indent = line.len() - line.trim_start().len();
            let length = lines[at..].iter().position(|line| line.trim() == "```").expect("a fence ends");
            let inner = &lines[at..at + length];
            at += length + 1;
            let text = inner.iter().map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect();
            Kind::Fence { info: info.trim().to_owned(), text }
        } else if line.starts_with("    ") && blank_before && !line.trim().is_empty() {
            let code = |line: &&&str| line.starts_with("    ") || line.is_empty();
            let inner: Vec<&str> = lines[start..].iter().take_while(code).copied().collect();
            at = start + inner.len();
            let text = inner.iter().map(|line| line.get(4..).unwrap_or("").to_owned() + "\n").collect();
            Kind::Fence { info: "indented".to_owned(), text }
        } else if let Some(words) = line.strip_prefix("<!--").and_then(|rest| rest.trim_end().strip_suffix("-->")) {
            Kind::Comment(words.trim().to_owned())
        } else if line.starts_with('|') && lines.get(at).is_some_and(|next| next.starts_with("|-")) {
            let length = lines[at..].iter().take_while(|line| line.starts_with('|')).count();
            let rows = lines[at + 1..at + length].iter().map(|row| cells(row)).collect();
            at += length;
            Kind::Table { header: cells(line), rows }
        } else if line.starts_with('#') {
            let words = line.trim_start_matches('#');
            Kind::Heading(line.len() - words.len(), words.trim().to_owned())
        } else {
            continue;
        };
        items.push(Item { line: start + 1, kind });
    }
    items
}

/// The cells of a row of a table; `\|` is a bar in a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{1}");
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

impl Page {
    /// A piece of a configuration that changes the one shown before it, under the same heading.
    pub fn in_context(&self, n: usize, text: &str) -> String {
        let before = self.items[..n].iter().rev().take_while(|item| !matches!(item.kind, Kind::Heading(..)));
        let whole = before.into_iter().find_map(|item| match &item.kind {
            Kind::Fence { text, .. } if is_whole(text) => Some(text),
            _ => None,
        });
        whole.filter(|_| !is_whole(text)).map_or_else(|| text.to_owned(), |whole| completed_by(text, whole))
    }

    /// What GitHub calls the headings in an address, `#so-and-so`.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for item in &self.items {
            let Kind::Heading(_, words) = &item.kind else { continue };
            let kept =
                words.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
            let base = kept.replace(' ', "-");
            let again = anchors.iter().filter(|anchor| **anchor == base).count();
            anchors.push(if again == 0 { base } else { format!("{base}-{again}") });
        }
        anchors
    }
}
