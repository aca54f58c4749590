//! The verb `import`: where it reads and writes, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/import/mwan3/default_on.uci");

fn wansplit(arguments: &[&str], input: &[u8], output: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wansplit"));
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(output).stderr(Stdio::piped()).spawn().unwrap();
    // A program that ends before it reads does not want the rest.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let output = wansplit(arguments, input, Stdio::piped());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn temporary(name: &str, content: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_configuration_goes_to_standard_output_and_the_rest_to_standard_error() {
    let before = std::fs::read(GOOD).unwrap();
    let (code, configuration, report) = run(&["import", "mwan3", GOOD], b"");
    assert_eq!(code, 0, "{report}");
    assert!(configuration.starts_with(&format!("# Made by `wansplit import mwan3` from {GOOD}.\n")), "{configuration}");
    assert!(configuration.contains("service mwan3 stop; service mwan3 disable"), "{configuration}");
    assert!(configuration.contains("config policy 'shared'\n\tlist use 'wan 3'\n"), "{configuration}");
    assert!(report.ends_with("links: 2, policies: 5, rules: 3; dropped: 0, changed: 4, to look at: 3\n"), "{report}");
    assert_eq!(std::fs::read(GOOD).unwrap(), before, "the source is not touched");
    assert_eq!(run(&["import", "mwan3", GOOD], b""), (code, configuration, report), "the same again");
}

#[test]
fn a_dash_is_standard_input() {
    let (code, configuration, _) = run(&["import", "mwan3", "-"], &std::fs::read(GOOD).unwrap());
    let named = run(&["import", "mwan3", GOOD], b"").1;
    assert_eq!((code, configuration), (0, named.replace(GOOD, "standard input")));
}

#[test]
fn interfaces_out_of_a_file_tell_what_belongs_together() {
    let case = GOOD.replace("default_on.uci", "facts.uci");
    let facts = case.replace(".uci", ".network.json");
    let (code, configuration, _) = run(&["import", "mwan3", &case, "--network", &facts], b"");
    assert!(code == 0 && configuration.contains("# with uplink_v6 for IPv6"), "{configuration}");
    let (code, _, report) = run(&["import", "mwan3", &case, "--network", GOOD], b"");
    assert!(code == 1 && report.contains("not what `ubus call network.interface dump` prints"), "{report}");
}

#[test]
fn wrong_usage_is_told_from_wrong_files() {
    let latin = temporary("import-latin1", b"config member 'm'\n\toption interface 'caf\xe9'\n");
    let broken = temporary("import-broken", b"config member 'm'\noption\n");
    let [latin, broken] = [&latin, &broken].map(|path| path.to_str().unwrap());
    let cases: [(&[&str], i32, &str); 9] = [
        (&["import"], 2, "format"),
        (&["import", "mwan5"], 2, "say mwan3, mwan4, pbr or script"),
        (&["import", "script"], 2, "name the script's file"),
        (&["import", "mwan3", "--nonsense"], 2, "--nonsense"),
        (&["import", "mwan3", "/nonexistent"], 1, "cannot read /nonexistent"),
        (&["import", "mwan3", "/"], 1, "cannot read /"),
        (&["import", "mwan3", latin], 1, "line 2: the text is not valid UTF-8"),
        (&["import", "mwan3", broken], 1, "line 2: the option's name is missing"),
        (&["import", "pbr", GOOD], 1, "wansplit import mwan3 "),
    ];
    for (arguments, expected, words) in cases {
        let (code, configuration, report) = run(arguments, b"");
        assert_eq!((code, configuration.as_str()), (expected, ""), "{arguments:?}: {report}");
        assert!(report.contains(words), "{arguments:?}: {report}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = wansplit(&["import", "mwan3", GOOD], b"", full.into());
    let report = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("the configuration could not be written"), "{report}");
}

/// Nothing in a file makes the program panic, whatever is cut off or put in.
#[test]
fn damaged_files_are_refused_or_imported() {
    let text = std::fs::read(GOOD).unwrap();
    for cut in (0..text.len()).step_by(97) {
        for damage in [&b""[..], b"'", b"\n\tlist family 'ipv6'\n", b"\xff", b"\n\toption weight '99999999999'\n"] {
            let damaged = [&text[..cut], damage, &text[(cut + 5).min(text.len())..]].concat();
            let (code, _, report) = run(&["import", "mwan3", "-"], &damaged);
            assert!(matches!(code, 0 | 1), "cut at {cut}: {report}");
        }
    }
}
