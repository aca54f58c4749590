//! Runs a test again inside user, network and mount namespaces of its own, so that it can change what it likes.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::process::{Command, Output};

const INSIDE: &str = "WANSPLIT_TEST_INSIDE";

/// True inside the namespaces. Outside, runs the test of this name there, checks that it passed, and returns false.
pub fn inside(test: &str) -> bool {
    if std::env::var(INSIDE).is_ok_and(|name| name == test) {
        return true;
    }
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .output()
        .expect("unshare (util-linux) is needed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout);
    // A misspelt name would run no test at all and succeed.
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test} failed in its namespace:\n{said}\n{}",
        text(&output.stderr)
    );
    false
}

/// Runs a shell script that must succeed, and returns what it printed.
pub fn sh(script: &str) -> String {
    let output = run(script);
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a shell script.
pub fn run(script: &str) -> Output {
    Command::new("sh").args(["-ec", script]).output().unwrap()
}
