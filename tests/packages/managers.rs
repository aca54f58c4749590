//! opkg and apk themselves, where they are: on PATH, or where WANSPLIT_OPKG and WANSPLIT_APK say. No Debian has them.

use crate::contents::{DEPENDS, expected};
use crate::packing::{ARCHITECTURE, PROGRAM, Scratch, only, pack, succeeds, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program, or nothing where there is none: then there is nothing to test, and the runner's output says so.
fn manager(name: &str, variable: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let found =
        std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("no {name} here, and {variable} is not set");
    }
    found
}

fn assert_installed(root: &Path) {
    for (path, (mode, content)) in expected(PROGRAM.as_bytes()) {
        let file = root.join(&path[1..]);
        assert!(fs::read(&file).unwrap() == content, "{path}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, mode, "{path}");
    }
}

const PAGE: &str = "www/luci-static/resources/view/wansplit/status.js";

fn assert_has_pages(root: &Path) {
    assert!(fs::read_to_string(root.join(PAGE)).unwrap().starts_with("'use strict';"));
    let plugin = root.join("usr/libexec/rpcd/wansplit.tools");
    assert_eq!(fs::metadata(plugin).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[test]
fn opkg_installs_and_removes_it() {
    let Some(opkg) = manager("opkg", "WANSPLIT_OPKG") else { return };
    let scratch = Scratch::new();
    let feed = pack(&scratch);
    let root = scratch.join("root");
    // The names that it depends on, as if they were there.
    let installed = |name: &&str| {
        format!("Package: {name}\nVersion: 1\nStatus: install user installed\nArchitecture: {ARCHITECTURE}\n\n")
    };
    scratch.file("root/usr/lib/opkg/status", DEPENDS.iter().chain(&["luci-base"]).map(installed).collect::<String>());
    for folder in ["root/usr/lib/opkg/info", "root/var/lock", "lists", "tmp"] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    let configuration = scratch.file(
        "opkg.conf",
        format!(
            "dest root /\nlists_dir ext {}\narch all 1\narch {ARCHITECTURE} 10\nsrc/gz wansplit file://{}\n",
            scratch.join("lists").display(),
            feed.display()
        ),
    );
    let opkg = |arguments: &[&str]| {
        let mut command = Command::new(&opkg);
        command.arg("-o").arg(&root).arg("--conf").arg(&configuration).arg("-t").arg(scratch.join("tmp"));
        command.args(arguments);
        text(&succeeds(&mut command).stdout)
    };
    opkg(&["update"]);
    assert!(opkg(&["list", "wansplit"]).contains("wansplit - "), "not in the feed");
    opkg(&["install", "wansplit"]);
    assert_installed(&root);
    assert!(opkg(&["list-installed"]).contains("wansplit - "));
    opkg(&["install", "luci-app-wansplit"]);
    assert_has_pages(&root);
    opkg(&["remove", "luci-app-wansplit"]);
    assert!(!root.join(PAGE).exists());
    opkg(&["remove", "wansplit"]);
    assert!(!root.join("usr/sbin/wansplit").exists() && !root.join("etc/config/wansplit").exists());
    opkg(&["install", only(&feed, ".ipk").to_str().unwrap()]);
    assert_installed(&root);
}

#[test]
fn apk_installs_and_removes_it() {
    let Some(apk) = manager("apk", "WANSPLIT_APK") else { return };
    let scratch = Scratch::new();
    let feed = pack(&scratch);
    let root = scratch.join("root");
    scratch.file("root/etc/apk/arch", format!("{ARCHITECTURE}\n"));
    scratch.file("root/etc/apk/world", "");
    fs::create_dir_all(root.join("lib/apk/db")).unwrap();
    let package = only(&feed, ".apk");
    succeeds(Command::new(&apk).args(["--allow-untrusted", "verify"]).arg(&package));
    // The names that it depends on, as packages of nothing.
    let mut stubs = Vec::new();
    for name in DEPENDS.iter().chain(&["luci-base"]) {
        let stub = scratch.join(&format!("{name}-1-r1.apk"));
        let mut make = Command::new(&apk);
        make.args(["mkpkg", "--info", &format!("name:{name}"), "--info", "version:1-r1", "--info", "arch:noarch"]);
        succeeds(make.arg("--output").arg(&stub));
        stubs.push(stub);
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&apk);
        command.arg("--root").arg(&root).args([
            "--allow-untrusted",
            "--no-network",
            "--repositories-file",
            "/dev/null",
        ]);
        command.arg("--repository").arg(feed.join("packages.adb")).args(arguments);
        text(&succeeds(&mut command).stdout)
    };
    let stubs: Vec<&str> = stubs.iter().map(|path| path.to_str().unwrap()).collect();
    run(&[&["add", "--initdb"], &stubs[..]].concat());
    // Scripts would run in the root, which has no shell.
    run(&["add", "--no-scripts", "wansplit"]);
    assert_installed(&root);
    assert!(run(&["list", "--installed"]).contains("wansplit-"));
    run(&["add", "--no-scripts", "luci-app-wansplit"]);
    assert_has_pages(&root);
    run(&["del", "--no-scripts", "luci-app-wansplit"]);
    assert!(!root.join(PAGE).exists());
    // It was asked for by name: it does not go with what needed it.
    assert_installed(&root);
    run(&["del", "--no-scripts", "wansplit"]);
    assert!(!root.join("usr/sbin/wansplit").exists() && !root.join("etc/config/wansplit").exists());
    run(&["add", "--no-scripts", package.to_str().unwrap()]);
    assert_installed(&root);
}
