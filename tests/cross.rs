//! The programs for other processors say what ours says: each is played by qemu on the processor least able to run it.
//!
//! They are in dist/, by `scripts/build`, which takes a quarter of an hour; `scripts/test --all` makes them first.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const NATIVE: &str = env!("CARGO_BIN_EXE_wansplit");

/// A test for each target, so that the runner names them and runs them side by side.
macro_rules! targets {
    ($($test:ident: $target:literal,)*) => {
        const TESTED: &[&str] = &[$($target),*];
        $(
            #[test]
            #[ignore = "needs scripts/build; scripts/test --all runs it"]
            fn $test() {
                says_what_ours_says($target);
            }
        )*
    };
}

targets! {
    x86_64: "x86_64-unknown-linux-musl",
    aarch64: "aarch64-unknown-linux-musl",
    armv7_hard_float: "armv7-unknown-linux-musleabihf",
    armv6_soft_float: "arm-unknown-linux-musleabi",
    mipsel_soft_float: "mipsel-unknown-linux-musl",
    mips_big_endian: "mips-unknown-linux-musl",
    riscv64: "riscv64gc-unknown-linux-musl",
}

/// A line of scripts/cross/targets.
struct Row {
    target: String,
    emulator: String,
    processor: String,
}

fn rows() -> Vec<Row> {
    let table = std::fs::read_to_string(Path::new(ROOT).join("scripts/cross/targets")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [target, _, _, _, _, qemu, _] = fields[..] else { panic!("not seven columns: {line}") };
        let (emulator, processor) = qemu.split_once(':').unwrap();
        Row { target: target.into(), emulator: format!("qemu-{emulator}-static"), processor: processor.into() }
    };
    table.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

#[test]
fn every_target_has_its_test() {
    let targets: Vec<String> = rows().into_iter().map(|row| row.target).collect();
    assert_eq!(targets, TESTED);
}

fn says_what_ours_says(target: &str) {
    let row = rows().into_iter().find(|row| row.target == target).unwrap();
    let program = format!("{ROOT}/dist/{target}/wansplit");
    let cases = cases();
    assert!(cases.len() > 250, "only {} cases were found", cases.len());
    let mut differences = String::new();
    for case in cases {
        let ours = said(&[NATIVE], &case);
        let theirs = said(&[&row.emulator, "-cpu", &row.processor, &program], &case);
        if ours != theirs {
            write!(differences, "\n--- {}\nhere:\n{ours}\n{target}:\n{theirs}", case.join(" ")).unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// `explain` asks the kernel. It is one that has an answer for everything: qemu hands an error number in a netlink message
/// on as it is, and those of MIPS are other numbers.
const ROUTER: &str = "set -e
    ip link set lo up
    ip link add eth1 type dummy
    ip address add 198.51.100.2/24 dev eth1
    ip address add 2001:db8:1::2/64 dev eth1 nodad
    ip link set eth1 up
    ip route add default via 198.51.100.1
    ip route add default via 2001:db8:1::1
    exec \"$@\"";

/// What a run has to say: its exit code and all its words.
fn said(program: &[&str], case: &[String]) -> String {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", ROUTER, "sh"]).args(program).args(case);
    let output = command.current_dir(ROOT).env("LC_ALL", "C").stdin(Stdio::null()).output().unwrap();
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    )
}

/// Every command that leaves the kernel alone, for the examples, and for all that has ever been wrong with a file.
fn cases() -> Vec<Vec<String>> {
    let mut cases: Vec<Vec<String>> =
        [&["version"][..], &["--version"], &["--help"], &["schema"], &["apply", "--help"], &["no-such-verb"]]
            .iter()
            .map(|case| case.iter().map(|word| (*word).to_owned()).collect())
            .collect();
    let mut add = |verb: &str, config: &Path| {
        let mut words: Vec<String> = verb.split(' ').map(Into::into).collect();
        let config = config.strip_prefix(ROOT).unwrap().display().to_string();
        words.extend(["--config".into(), config]);
        words.extend(["--network", "tests/fixtures/network/network.interface-dump.json"].map(Into::into));
        cases.push(words);
    };
    for config in configs("examples") {
        for verb in ["check", "check --json", "show nft", "show nft --text", "show ip", "show all"] {
            add(verb, &config);
        }
        for packet in
            ["tcp 192.168.1.10:40000 1.1.1.1:443", "udp fd00:1::10 2001:db8:ffff::10:53", "icmp 198.51.100.2 192.0.2.9"]
        {
            add(&format!("explain {packet}"), &config);
            add(&format!("explain --json {packet}"), &config);
        }
    }
    for folder in ["tests/fixtures/diagnostics", "tests/fixtures/uci-cases"] {
        for config in configs(folder) {
            add("check", &config);
            add("show nft", &config);
        }
    }
    cases
}

/// The configurations in a folder, sorted.
fn configs(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let mut configs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    configs.retain(|path| path.extension().is_some_and(|ending| ending == "uci" || ending == "json"));
    configs.sort();
    configs
}
