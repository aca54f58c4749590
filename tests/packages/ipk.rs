//! The package for opkg.

use crate::contents::{CONFFILES, DEPENDS, Files, assert_holds, directories, expected};
use crate::packing::{ARCHITECTURE, DATE, PROGRAM, ROOT, Scratch, gunzip, only, pack, packer, succeeds, text, untar};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The members of the package's three parts.
pub struct Ipk {
    pub data: Vec<u8>,
    control: Vec<u8>,
}

pub fn open(path: &Path) -> Ipk {
    let outer = untar(&fs::read(path).unwrap());
    let names: Vec<&str> = outer.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["./debian-binary", "./data.tar.gz", "./control.tar.gz"]);
    assert_eq!(outer[0].content, b"2.0\n");
    Ipk { data: outer[1].content.clone(), control: outer[2].content.clone() }
}

/// The files of the package, by absolute path.
pub fn files(data: &[u8]) -> Files {
    let members = untar(data).into_iter().filter(|member| !member.directory);
    members.map(|member| (member.name[1..].to_owned(), (member.mode, member.content))).collect()
}

pub fn control_member(path: &Path, name: &str) -> Option<(u32, String)> {
    let member = untar(&open(path).control).into_iter().find(|member| member.name == format!("./{name}"))?;
    Some((member.mode, text(&member.content)))
}

#[test]
fn it_holds_every_file_with_its_mode() {
    let scratch = Scratch::new();
    let ipk = open(&only(&pack(&scratch), ".ipk"));
    assert_holds(&files(&ipk.data), &expected(PROGRAM.as_bytes()));
}

#[test]
fn directories_come_before_what_is_in_them() {
    let scratch = Scratch::new();
    let ipk = open(&only(&pack(&scratch), ".ipk"));
    let mut seen = Vec::new();
    for member in untar(&ipk.data) {
        let path = member.name.trim_start_matches('.').trim_end_matches('/').to_owned();
        if let Some((parent, _)) = path.rsplit_once('/') {
            assert!(seen.contains(&parent.to_owned()), "{path} before its directory");
        }
        if member.directory {
            assert_eq!(member.mode, 0o755, "{path}");
            seen.push(path);
        }
    }
    seen.sort();
    assert_eq!(seen, directories(&expected(b"")));
}

#[test]
fn control_says_what_the_makefile_says() {
    let scratch = Scratch::new();
    let path = only(&pack(&scratch), ".ipk");
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("wansplit_{VERSION}_{ARCHITECTURE}.ipk"));
    let (mode, control) = control_member(&path, "control").unwrap();
    assert_eq!(mode, 0o644);
    let (fields, description) = control.split_once("Description: ").unwrap();
    let size = gunzip(&open(&path).data).len();
    let depends = DEPENDS.join(", ");
    for line in [
        "Package: wansplit",
        &format!("Version: {VERSION}"),
        &format!("Depends: {depends}"),
        "License: GPL-2.0-or-later",
        "Section: net",
        &format!("SourceDateEpoch: {DATE}"),
        &format!("Architecture: {ARCHITECTURE}"),
        &format!("Installed-Size: {size}"),
    ] {
        assert!(fields.lines().any(|field| field == line), "no {line:?} in\n{control}");
    }
    // A line that does not begin with a blank would be another field.
    assert!(description.lines().skip(1).all(|line| line.starts_with(' ') && line.trim() != ""), "{description}");
    assert_eq!(control_member(&path, "conffiles").unwrap(), (0o644, CONFFILES.join("\n") + "\n"));
}

pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-r1");

/// Not a short script for once: what comes out of the package is run.
#[test]
fn the_program_survives_it() {
    let scratch = Scratch::new();
    let program = scratch.join("program");
    succeeds(Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_wansplit")));
    let output = scratch.join("packages");
    succeeds(&mut packer(Path::new(ROOT), &program, &output));
    let ipk = open(&only(&output.join(ARCHITECTURE), ".ipk"));
    let (mode, content) = files(&ipk.data).remove("/usr/sbin/wansplit").unwrap();
    let unpacked = scratch.file("unpacked/wansplit", content);
    fs::set_permissions(&unpacked, fs::Permissions::from_mode(mode)).unwrap();
    let said = succeeds(Command::new(&unpacked).arg("--version"));
    assert_eq!(text(&said.stdout), concat!("wansplit ", env!("CARGO_PKG_VERSION"), "\n"));
}
