//! Whether `docs/checks.md` and the findings are about the same things.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// The first column of the page's tables; `…` stands for anything.
fn patterns() -> impl Iterator<Item = &'static str> {
    let rows =
        include_str!("../../docs/checks.md").lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.filter(|cell| *cell != "finding")
}

/// Whether the page has a line for a message.
pub(super) fn explains(message: &str) -> bool {
    patterns().any(|pattern| {
        let mut parts = pattern.split('…');
        let Some(mut rest) = message.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let fits = parts.all(|part| match rest.find(part) {
            Some(place) => {
                rest = &rest[place + part.len()..];
                true
            }
            None => false,
        });
        fits && (pattern.ends_with('…') || rest.is_empty())
    })
}

/// The sources that findings of the page are made in, as one text.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let own = fs::read_dir(root.join("doctor")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["reconcile/neighbours.rs", "survey/rivals.rs"].map(|name| root.join(name));
    own.chain(others).map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn what_the_page_explains_exists() {
    let sources = sources();
    let (mut rows, mut missing) = (0, Vec::new());
    for pattern in patterns() {
        rows += 1;
        missing.extend(pattern.split('…').filter(|part| !sources.contains(part)));
    }
    assert_eq!(missing, [""; 0], "docs/checks.md has words that no finding has");
    assert!(rows > 20, "{rows}");
}
