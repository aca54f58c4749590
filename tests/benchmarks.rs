//! `scripts/bench` measures, judges and writes; what it measures is its own affair.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of the test's own; gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("benchmarks-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn with_rows(name: &str, rows: &Value) -> Self {
        let folder = Self::new(name);
        fs::write(folder.path("rows.json"), rows.to_string()).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bench(arguments: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bench");
    Command::new(script).args(arguments).output().expect("scripts/bench needs python3")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a machine that kept every promise might have measured.
fn rows(ratio: f64, processes: u32) -> Value {
    json!([
        { "part": "machine", "date": "2026-01-02", "processor": "Some", "architecture": "mips", "cores": 2, "virtual": true, "memory_gib": 4,
          "kernel": "6.6.1", "nft": "v1.0.6", "load": 0.5, "load_after": 0.7, "program": "wansplit 0.1.0", "quick": false },
        apply(100, 1.4), apply(1000, ratio),
        { "part": "flows", "flows": 0, "moved": 0, "rounds": 3, "cpu_ms": 1.0, "cpu_low": 0.9, "cpu_high": 1.2 },
        { "part": "flows", "flows": 5000, "moved": 5000, "rounds": 3, "cpu_ms": 9.5, "cpu_low": 9.1, "cpu_high": 9.9 },
        { "part": "events", "event": "carrier lost", "links": 2, "rules": 10, "processes": processes, "calls": 3,
          "calls_by_name": { "recvfrom": 2, "sendto": 1 }, "changes": 1, "changes_by_kind": { "RTM_DELROUTE": 1 },
          "nft_changes": 0, "asked": 1, "received": 9, "cpu_ms": 1.5, "cpu_low": 1.4, "cpu_high": 1.6 },
    ])
}

fn apply(rules: u32, ratio: f64) -> Value {
    json!({ "part": "apply", "what": "first", "shape": "ports", "rules": rules, "rounds": 41,
        "wall_ms": 12.0, "nft_wall_ms": 10.0, "cpu_ms": 9.0, "nft_cpu_ms": 8.0, "hand_wall_ms": 14.0, "hand_cpu_ms": 12.0,
        "ratio": ratio, "low": ratio - 0.05, "high": ratio + 0.05, "cpu_ratio": 1.2, "cpu_low": 1.1, "cpu_high": 1.3,
        "hand_wall_ratio": 0.9, "hand_wall_low": 0.8, "hand_wall_high": 1.0,
        "hand_cpu_ratio": 0.9, "hand_cpu_low": 0.8, "hand_cpu_high": 1.0, "control": 1.0, "kib": 60 })
}

#[test]
fn promises_that_hold_end_well_and_are_written() {
    let folder = Folder::with_rows("good", &rows(1.21, 0));
    let done = bench(&["--from", &folder.path("rows.json"), "--write", &folder.path("docs")]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    let last = text(&done).lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("4 of 4 promises hold"), "{last}");
    let page = fs::read_to_string(folder.path("docs/benchmarks.md")).unwrap();
    for words in [
        "Some, a virtual machine with 2 processors",
        "one virtual machine (mips)",
        "| 1.3 | 1.21 |",
        "not measured",
        "](benchmarks/flows.svg)",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let chart = fs::read_to_string(folder.path("docs/benchmarks/flows.svg")).unwrap();
    assert!(chart.starts_with("<svg ") && chart.ends_with("</svg>\n"), "{chart}");
    // A logarithmic axis has no place for what was measured without any flow.
    assert_eq!(chart.matches("<circle").count(), 1, "{chart}");
}

#[test]
fn a_promise_that_does_not_hold_ends_with_1() {
    for (name, rows, broken) in [
        ("slow", rows(1.31, 0), "Applying 1,000 rules takes at most 1.3 times bare nft"),
        ("forks", rows(1.2, 1), "A link event starts no process"),
    ] {
        let folder = Folder::with_rows(name, &rows);
        let done = bench(&["--from", &folder.path("rows.json")]);
        let said = text(&done);
        assert_eq!(done.status.code(), Some(1), "{said}");
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("DOES NOT HOLD")).collect();
        assert!(matches!(lines.as_slice(), [line] if line.contains(broken)), "{said}");
    }
}

#[test]
fn rows_of_something_else_are_refused() {
    for (name, content) in [("none", "[]"), ("text", "no JSON"), ("other", r#"{ "part": 1 }"#), ("numbers", "[1]")] {
        let folder = Folder::new(name);
        fs::write(folder.path("rows.json"), content).unwrap();
        let done = bench(&["--from", &folder.path("rows.json")]);
        assert_eq!(done.status.code(), Some(2), "{name}: {}", text(&done));
        assert!(text(&done).contains("holds no rows that --rows has kept"), "{name}: {}", text(&done));
    }
    let mut old = rows(1.2, 0);
    old[1].as_object_mut().unwrap().remove("control");
    let folder = Folder::with_rows("old", &old);
    let done = bench(&["--from", &folder.path("rows.json")]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done));
    assert!(text(&done).contains("rows of another version of scripts/bench: there is no 'control'"), "{}", text(&done));
    for (arguments, words) in [
        (&["--only", "apply,nothing"][..], "there is no part 'nothing'"),
        (&["--from", "/nonexistent", "--quick"], "--from measures nothing"),
        (&["--program", "/nonexistent", "--only", "apply"], "there is no program /nonexistent"),
    ] {
        let done = bench(arguments);
        assert!(done.status.code() == Some(2) && text(&done).contains(words), "{arguments:?}: {}", text(&done));
    }
}

#[test]
fn applying_and_events_are_measured() {
    let folder = Folder::new("quick");
    let rows = folder.path("rows.json");
    let done =
        bench(&["--quick", "--only", "apply,events", "--program", env!("CARGO_BIN_EXE_wansplit"), "--rows", &rows]);
    let said = text(&done);
    // What is too slow in a build for tests is not judged: quick has no 1,000 rules.
    assert_eq!(done.status.code(), Some(0), "{said}");
    let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(&rows).unwrap()).unwrap();
    let of = |key: &str, value: &str| rows.iter().filter(|row| row[key] == value).collect::<Vec<_>>();
    let first = of("what", "first");
    assert!(first.len() > 4 && first.iter().all(|row| row["ratio"].as_f64() > Some(0.5)), "{said}");
    // The same again sends nothing; one other rule sends less than everything.
    assert!(of("what", "again").iter().all(|row| row["changes"] == 0 && row["asked"].as_u64() > Some(5)), "{said}");
    let changed = of("what", "changed");
    assert!(!changed.is_empty(), "{said}");
    for row in changed {
        let bytes = |key: &str| row[key].as_u64().unwrap();
        assert!(bytes("change_bytes") > 100 && bytes("change_bytes") < bytes("bare_change_bytes"), "{row}");
        // nft: new interval maps, the new rules, and then what nothing uses any more.
        assert!((1..=3).contains(&row["processes"].as_u64().unwrap()), "{row}");
    }
    for event in ["carrier lost", "carrier back", "ifdown", "ifup", "silence"] {
        let seen = of("event", event);
        assert!(!seen.is_empty() && seen.iter().all(|row| row["processes"] == 0), "{event}: {said}");
        assert!(seen.iter().all(|row| row["received"].as_u64() > Some(10)), "{said}");
        // From that of silence the time at rest is taken off, and what is left may be anything on a busy machine.
        assert!(event == "silence" || seen.iter().all(|row| row["cpu_ms"].as_f64() > Some(0.1)), "{said}");
    }
    // What a dead link takes with it.
    assert!(of("event", "ifdown").iter().all(|row| row["changes"].as_u64() > Some(0)), "{said}");
}
