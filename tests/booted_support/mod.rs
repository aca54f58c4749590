//! Tests on a machine of its own: a Debian kernel, a disk with the package's files on it, and this very test program as
//! the network around it.
//!
//! A test's function is started twice: outside, where it makes the disk and boots it in qemu, and inside, where it builds
//! the lab around the machine's own network and runs the part of the test that belongs to this boot.
#![allow(dead_code)]

pub mod files;
mod guest;
mod image;
mod kernel;
mod machine;
mod package;
pub mod router;

use lab::{Lab, Setup};

/// One part of a test: what is done between two boots. The lab's router is the machine itself.
pub type Part = fn(&Lab);

/// Boots a machine once for each part, with the same disk. To be called by a `#[test]` function, whose name it needs, as
/// its whole body.
pub fn booted(test: &str, setup: &Setup, parts: &[Part]) {
    if guest::is_inside() {
        return guest::run(setup, parts);
    }
    let kernel = kernel::fetched();
    let disk = image::built(test, &kernel);
    machine::run(test, &kernel, &disk);
}

/// The folder for what may be thrown away.
fn scratch() -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("booted");
    std::fs::create_dir_all(&path).expect("a folder in the target directory");
    path
}

/// Runs a program of this machine that must end well; returns its standard output.
fn must(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}. `scripts/setup all` installs what this test needs"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {errors}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
