//! The configurations that LuCI's wizard makes: they are read without a word, and are those that lie in tests/luci/setup.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use wansplit::config::{diagnostics, read};

fn kept() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/luci/setup"))
}

/// The configurations in a folder, by their names.
fn configurations(folder: &Path) -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = paths.filter(|path| path.extension().is_some_and(|extension| extension == "uci"));
    ours.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    })
    .collect()
}

#[test]
fn the_wizard_makes_what_lies_here() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("luci-setup");
    // What an earlier run made of a case that is gone.
    let _ = std::fs::remove_dir_all(&folder);
    let made = Command::new("node").arg(kept().join("make.mjs")).arg(&folder).status().expect("nodejs is installed");
    assert!(made.success());
    assert_eq!(configurations(&folder), configurations(kept()), "node tests/luci/setup/make.mjs writes them anew");
}

#[test]
fn what_the_wizard_makes_is_read_without_a_word() {
    let all = configurations(kept());
    assert!(all.len() >= 10, "only {} were found", all.len());
    for (name, text) in all {
        let reading = read(text.as_bytes());
        let said = diagnostics::render_all(&reading.diagnostics, &name, text.as_bytes());
        assert!(said.is_empty(), "{said}");
        let config = reading.config.unwrap();
        assert!(config.globals.enabled && !config.links.is_empty());
        let last = config.rules.last().unwrap();
        assert_eq!(last.name, "everything", "{name}: what no other rule takes fails over too");
    }
}
