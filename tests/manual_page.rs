//! `--help` is the one source: docs/wansplit.8 is made of it, and the exit codes in it are the real ones.
//!
//! `UPDATE=1 cargo test --test manual_page` writes the page anew: read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "manual_support/mod.rs"]
mod manual_support;
mod packet_support;

use lab::{Lab, Setup, isolated_as_root};
use manual_support::{help, page, root};
use packet_support::{TWO_LINKS, configured};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

#[test]
fn the_page_says_what_help_says() {
    let all = help::all();
    assert!(all.len() > 15, "{} commands", all.len());
    let (file, wanted) = (root().join(page::FILE), page::page(&all));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    let page = fs::read_to_string(&file).unwrap();
    assert!(page == wanted, "{} is not what --help says: UPDATE=1 cargo test --test manual_page", page::FILE);
}

#[test]
fn mandoc_reads_the_page_without_a_word() {
    let file = root().join(page::FILE);
    let output = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&file).output();
    let output = output.expect("mandoc is needed: scripts/setup tests");
    let said = String::from_utf8_lossy(&output.stdout);
    // A date would say when somebody last made the page; it belongs to a version.
    let said: Vec<&str> = said.lines().filter(|line| !line.contains("missing date")).collect();
    assert!(said.is_empty(), "{said:#?}");
    let shown = Command::new("mandoc").args(["-T", "ascii"]).arg(&file).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    // Overstrikes make bold and underlined letters on a terminal.
    let plain: String = shown.split('\u{8}').map(|part| part.strip_suffix(|_: char| true).unwrap_or("")).collect();
    for help in help::all() {
        for (option, _) in &help.options {
            assert!(plain.contains(option.as_str()), "{option} of {} is not shown", help.name());
        }
    }
}

/// Everything a command is said to end with can be had, and nothing else was.
#[test]
fn exit_codes_are_those_of_help() {
    isolated_as_root(|| {
        let lab = Lab::with(&Setup { main_default: vec![1], ..Setup::default() });
        let wansplit = configured(&lab, TWO_LINKS);
        let had: RefCell<BTreeMap<String, BTreeSet<i32>>> = RefCell::default();
        let note = |name: &str, arguments: &[&str], code: i32| {
            let output = wansplit.run(arguments);
            assert_eq!(output.code, code, "wansplit {arguments:?}:\n{}{}", output.stdout, output.stderr);
            had.borrow_mut().entry(name.to_owned()).or_default().insert(code);
        };
        let explain = ["explain", "tcp", "192.168.1.10:40000", "1.1.1.1:443"];
        let set =
            "config set 's'\n  list entry '192.0.2.0/24'\nconfig rule 'r'\n  list dest_set 's'\n  option use 'EMB'\n";
        let unlooked = "config set 'unlooked'\n  list entry '192.0.2.0/24'\n";

        // Nothing is applied yet.
        note("stop", &["stop"], 4);
        note("use", &["use", "EMB", "true"], 4);
        wansplit.configure("config globals 'globals'\n  option enabled '0'\n");
        note("check", &["check", "--enabled"], 4);
        note("apply", &["apply"], 4);
        note("set reload", &["set", "reload"], 4);

        // What is good is applied.
        wansplit.configure(&(TWO_LINKS.to_owned() + set + unlooked + "config rule 'bad'\n  option use 'nobody'\n"));
        for (name, arguments) in [
            ("check", &["check"][..]),
            ("show", &["show"]),
            ("apply", &["apply"]),
            ("status", &["status"]),
            ("explain", &explain),
            ("set reload", &["set", "reload"]),
        ] {
            note(name, arguments, 1);
        }
        note("import", &["import", "script", "/nonexistent"], 1);
        note("rpcd", &["rpcd", "call", "import"], 1);
        note("rpcd", &["rpcd", "call", "nothing"], 2);

        fs::write("/run/script", "ip route add default via 198.51.100.1 dev eth1 table 100\n").unwrap();
        wansplit.configure(&(TWO_LINKS.to_owned() + set + unlooked));
        for (name, arguments) in [
            ("check", &["check"][..]),
            ("show", &["show"]),
            ("apply", &["apply"]),
            ("status", &["status"]),
            ("explain", &explain),
            ("set reload", &["set", "reload"]),
            ("set show", &["set", "show", "s"]),
            ("use", &["use", "EMB", "true"]),
            ("import", &["import", "script", "/run/script"]),
            ("support", &["support"]),
            ("rpcd", &["rpcd", "list"]),
            ("schema", &["schema"]),
            ("version", &["version"]),
        ] {
            note(name, arguments, 0);
        }
        note("set show", &["set", "show", "nobody"], 2);
        note("set show", &["set", "show", "unlooked"], 4);
        note("use", &["use", "nobody", "true"], 2);
        note("use", &["use", "EMB", "/etc"], 126);
        note("use", &["use", "EMB", "/nonexistent"], 127);
        lab.router.ip("link set eth1 down");
        note("use", &["use", "EMB", "true"], 4);
        lab.router.ip("link set eth1 up");

        wansplit.configure("config globals 'globals'\n  option mask 'none'\n");
        note("set show", &["set", "show", "s"], 1);
        note("use", &["use", "EMB", "true"], 1);
        wansplit.configure(TWO_LINKS);
        let daemon = wansplit.daemon(&[]);
        note("run", &["run"], 4);
        drop(daemon);

        // Somebody else than root: the kernel refuses.
        let refused = |name: &str, arguments: &[&str]| {
            let mut command = wansplit.prepare(arguments);
            let output: lab::Output =
                wansplit.router().start(command.uid(65_534).gid(65_534)).wait_with_output().unwrap().into();
            assert_eq!(output.code, 3, "wansplit {arguments:?} as nobody:\n{}{}", output.stdout, output.stderr);
            had.borrow_mut().entry(name.to_owned()).or_default().insert(3);
        };
        refused("apply", &["apply"]);
        refused("set reload", &["set", "reload"]);
        refused("use", &["use", "EMB", "true"]);
        refused("stop", &["stop"]);
        refused("run", &["run"]);
        note("stop", &["stop"], 0);
        compare(&had.borrow());
    });
}

/// These codes need a kernel that does not let itself be asked, or no program to start.
const NOT_TRIED: [(&str, i32); 6] =
    [("check", 3), ("show", 3), ("status", 3), ("explain", 3), ("set show", 3), ("hotplug", 4)];

fn compare(had: &BTreeMap<String, BTreeSet<i32>>) {
    for help in help::all().iter().skip(1).filter(|help| !help.is_group()) {
        let mut said: BTreeSet<i32> = help.codes.iter().map(|(code, _)| *code).collect();
        for (name, code) in NOT_TRIED {
            if help.name() == name {
                assert!(said.remove(&code), "{name}: {code} is said to be not tried, but is not in the help either");
            }
        }
        let mut had = had.get(&help.name()).cloned().unwrap_or_default();
        had.remove(&0);
        assert_eq!(had, said, "exit codes of {} (left: had, right: said by --help)", help.name());
    }
}
