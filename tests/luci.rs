//! The pages for LuCI: what `tests/luci` holds, run by Node.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wansplit::daemon::bus::METHODS;

/// Each file of tests, as a test of its own: so several run at once, and each is named when it fails.
macro_rules! files {
    ($($name:ident: $file:literal,)*) => {
        const FILES: &[&str] = &[$($file),*];
        $(
            #[test]
            fn $name() {
                node($file);
            }
        )*
    };
}

files! {
    lint_finds_what_it_is_for: "lint/lint.test.js",
    strings_and_translations: "strings/strings.test.js",
    menu_and_rights: "rights/rights.test.js",
    packed_scripts: "packed/packed.test.js",
    charts: "charts.test.mjs",
    wizard: "setup.test.mjs",
    words: "words.test.mjs",
    services_of_rules: "rules.test.mjs",
    explaining: "explain.test.mjs",
    page_status: "pages/status.test.js",
    page_explain: "pages/explain.test.js",
    page_setup_wizard: "pages/wizard.test.js",
    page_connections: "pages/connections.test.js",
    page_setup: "pages/setup.test.js",
    page_realtime: "pages/realtime.test.js",
    page_rules: "pages/rules.test.js",
    page_links: "pages/links.test.js",
    page_policies: "pages/policies.test.js",
    page_overview: "pages/overview.test.js",
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/luci")
}

fn node(file: &str) {
    assert!(
        folder().join("node_modules").is_dir(),
        "tests/luci/node_modules is not there: `scripts/setup tests` fetches it"
    );
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec", file]).current_dir(folder());
    command.env("WANSPLIT", env!("CARGO_BIN_EXE_wansplit"));
    let output = command.output().expect("nodejs is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A file that is not found, or has no test, is no success.
    let passed = said.lines().find_map(|line| line.strip_prefix("ℹ pass ")).and_then(|number| number.parse().ok());
    assert!(passed.is_some_and(|number: u32| number > 0), "no test was run");
}

/// A test file that nobody runs is worse than none.
#[test]
fn every_file_is_run() {
    fn files(folder: &Path) -> Vec<PathBuf> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths
            .filter(|path| !path.ends_with("node_modules"))
            .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
            .collect()
    }
    let names =
        files(&folder()).into_iter().map(|file| file.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned());
    let found: BTreeSet<String> =
        names.filter(|name| name.ends_with(".test.js") || name.ends_with(".test.mjs")).collect();
    assert_eq!(found, FILES.iter().map(|file| (*file).to_owned()).collect());
}

/// What the pages may call of the daemon's object, and the arguments they give: the daemon knows them.
#[test]
fn the_daemon_knows_what_the_pages_call() {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("openwrt/luci-app-wansplit");
    let read = |path: &str| fs::read_to_string(app.join(path)).unwrap();
    let rights: Value = serde_json::from_str(&read("root/usr/share/rpcd/acl.d/luci-app-wansplit.json")).unwrap();
    let granted = ["read", "write"].map(|kind| &rights["luci-app-wansplit"][kind]["ubus"]["wansplit"]);
    let granted: Vec<&str> =
        granted.into_iter().flat_map(|list| list.as_array().unwrap()).map(|name| name.as_str().unwrap()).collect();
    assert!(granted.len() >= 3, "{granted:?}");
    for name in granted {
        assert!(METHODS.iter().any(|method| method.name == name), "{name} is not among the daemon's methods");
    }
    let api = read("htdocs/luci-static/resources/wansplit/api.js");
    let (_, explain) =
        api.split_once("method: 'explain',\n\tparams: [").expect("the arguments of explain, as they are");
    let known = METHODS.iter().find(|method| method.name == "explain").unwrap().arguments;
    let given: Vec<&str> =
        explain.split(']').next().unwrap().split(',').map(|word| word.trim().trim_matches('\'')).collect();
    assert!(given.contains(&"destination"), "{given:?}");
    for name in given {
        assert!(known.iter().any(|(argument, _)| *argument == name), "explain has no argument {name}");
    }
}
