//! The scripts around the files, run by the shell that routers have, in a root of their own.
//!
//! What OpenWrt's functions do is not tried here: a stand-in writes down how it was called.

use crate::apk;
use crate::ipk::control_member;
use crate::packing::{Scratch, only, pack, succeeds, text};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FUNCTIONS: &str = r#"
default_postinst() { echo "postinst $* name=$pkgname upgrade=$PKG_UPGRADE"; }
default_prerm() { echo "prerm $* name=$pkgname upgrade=$PKG_UPGRADE"; }
add_group_and_user() { echo "users name=$pkgname"; }
"#;

/// A script's place in apk's list of them.
const APK_SCRIPTS: &[&str] =
    &["trigger", "pre-install", "post-install", "pre-deinstall", "post-deinstall", "pre-upgrade", "post-upgrade"];

struct Package {
    scratch: Scratch,
    feed: PathBuf,
}

impl Package {
    fn new() -> Self {
        let scratch = Scratch::new();
        let feed = pack(&scratch);
        Self { scratch, feed }
    }

    fn opkg(&self, name: &str) -> PathBuf {
        let (mode, script) = control_member(&only(&self.feed, ".ipk"), name).unwrap();
        assert_eq!(mode, 0o755, "{name}");
        self.script(name, &script)
    }

    fn apk(&self, name: &str) -> PathBuf {
        let number = APK_SCRIPTS.iter().position(|known| *known == name).unwrap() + 1;
        let script = apk::open(&only(&self.feed, ".apk")).root().field(3).field(number).text();
        assert!(script.starts_with("#!/bin/sh\n"), "{name}: {script:?}");
        self.script(name, &script)
    }

    fn script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.scratch.file(&format!("info/wansplit.{name}"), script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The root of an image that is being built, with OpenWrt's functions or without.
    fn root(&self, functions: bool) -> PathBuf {
        let root = self.scratch.join(if functions { "root" } else { "bare" });
        std::fs::create_dir_all(&root).unwrap();
        if functions {
            self.scratch.file("root/lib/functions.sh", FUNCTIONS);
        }
        root
    }
}

fn ash(script: &Path, root: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new("busybox");
    command.arg("ash").arg(script).args(arguments).env("IPKG_INSTROOT", root);
    succeeds(command.envs(environment.iter().copied()))
}

fn said(script: &Path, root: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    text(&ash(script, root, environment, arguments).stdout)
}

#[test]
fn opkg_s_scripts_hand_over_to_openwrt() {
    let package = Package::new();
    let root = package.root(true);
    let (postinst, prerm) = (package.opkg("postinst"), package.opkg("prerm"));
    let path = postinst.display();
    assert_eq!(said(&postinst, &root, &[], &["configure"]), format!("postinst {path} configure name= upgrade=\n"));
    let path = prerm.display();
    assert_eq!(
        said(&prerm, &root, &[("PKG_UPGRADE", "1")], &["upgrade", "2"]),
        format!("prerm {path} upgrade 2 name= upgrade=1\n")
    );
}

#[test]
fn apk_s_scripts_hand_over_to_openwrt() {
    let package = Package::new();
    let root = package.root(true);
    let installed = |upgrade| format!("users name=wansplit\npostinst  name=wansplit upgrade={upgrade}\n");
    assert_eq!(said(&package.apk("post-install"), &root, &[], &["1"]), installed(""));
    // apk itself says in no other way that it is one.
    assert_eq!(said(&package.apk("post-upgrade"), &root, &[], &["2", "1"]), installed("1"));
    assert_eq!(said(&package.apk("pre-deinstall"), &root, &[], &["1"]), "prerm  name=wansplit upgrade=\n");
}

#[test]
fn they_are_silent_where_there_is_nothing_to_do() {
    let package = Package::new();
    let (root, bare) = (package.root(true), package.root(false));
    for script in [package.opkg("postinst"), package.apk("post-install"), package.apk("post-upgrade")] {
        assert_eq!(said(&script, &root, &[("IPKG_NO_SCRIPT", "1")], &[]), "");
        assert_eq!(said(&script, &bare, &[], &[]), "");
    }
    for script in [package.opkg("prerm"), package.apk("pre-deinstall")] {
        assert_eq!(said(&script, &bare, &[], &[]), "");
    }
}

/// On a router with a `/var/run` of its own: is the daemon's folder there afterwards?
fn folder_stays(script: &Path, environment: &str) -> bool {
    let router = format!(
        "mount -t tmpfs none /run; [ -e /var/run/. ] && mkdir -p /var/run/wansplit && : > /var/run/wansplit/lock
         {environment} busybox ash '{}' || exit 3
         [ -e /var/run/wansplit ] && echo stays; exit 0",
        script.display()
    );
    let mut command = Command::new("unshare");
    let output =
        succeeds(command.args(["--map-root-user", "--mount", "sh", "-c", &router]).env_remove("IPKG_INSTROOT"));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).contains("stays")
}

#[test]
fn a_removal_clears_what_is_in_memory_and_an_upgrade_does_not() {
    let package = Package::new();
    let (opkg, apk) = (package.opkg("postrm"), package.apk("post-deinstall"));
    assert!(!folder_stays(&opkg, "PKG_UPGRADE=0"));
    assert!(!folder_stays(&apk, ""));
    assert!(folder_stays(&opkg, "PKG_UPGRADE=1"));
    let image = format!("IPKG_INSTROOT={}", package.root(true).display());
    assert!(folder_stays(&opkg, &image) && folder_stays(&apk, &image));
}
