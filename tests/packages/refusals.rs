//! What cannot be packed is refused with what would be right, and nothing is written.

use crate::packing::{PROGRAM, ROOT, Scratch, copy_of_checkout, packer, refuses, script};
use std::fs;
use std::path::Path;

const TARGET: &str = "mips-unknown-linux-musl";

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    assert!(said.starts_with("scripts/package: ") || said.starts_with("usage: "), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn a_program_that_is_not_built() {
    let scratch = Scratch::new();
    let checkout = copy_of_checkout(&scratch);
    assert_says(&refuses(&mut script(&checkout)), &["scripts/build"]);
    let missing = format!("dist/{TARGET}/wansplit");
    assert_says(&refuses(script(&checkout).arg(TARGET)), &[&missing, &format!("scripts/build {TARGET}")]);
    assert_says(&refuses(script(&checkout).arg("mips")), &["no target mips", TARGET]);
    assert!(!checkout.join("dist/packages/mips_24kc").exists());
}

#[test]
fn a_program_that_routers_cannot_run() {
    let scratch = Scratch::new();
    let checkout = copy_of_checkout(&scratch);
    let place = |target: &str| format!("checkout/dist/{target}/wansplit");
    scratch.file(&place(TARGET), PROGRAM);
    assert_says(&refuses(script(&checkout).arg(TARGET)), &["no ELF program"]);
    scratch.file(&place(TARGET), [&b"\x7fELF"[..], &[0; 30]].concat());
    assert_says(&refuses(script(&checkout).arg(TARGET)), &["no ELF program"]);
    // The test's own program is neither for MIPS nor static.
    let native = fs::read(std::env::current_exe().unwrap()).unwrap();
    scratch.file(&place(TARGET), &native);
    assert_says(&refuses(script(&checkout).arg(TARGET)), &["for another processor"]);
    #[cfg(target_arch = "x86_64")]
    {
        let target = "x86_64-unknown-linux-musl";
        scratch.file(&place(target), &native);
        assert_says(&refuses(script(&checkout).arg(target)), &["linked dynamically"]);
    }
}

#[test]
fn arguments_that_make_no_sense() {
    let (checkout, scratch) = (Path::new(ROOT), Scratch::new());
    let program = scratch.file("program", PROGRAM);
    let output = scratch.join("packages");
    assert_says(&refuses(script(checkout).args(["--architecture", "x"])), &["--program and --architecture"]);
    for architecture in ["../x86_64", "keys", ".hidden", ""] {
        let said = refuses(script(checkout).arg("--program").arg(&program).args(["--architecture", architecture]));
        assert_says(&said, &["--architecture"]);
    }
    let absent = scratch.join("absent");
    assert_says(&refuses(&mut packer(checkout, &absent, &output)), &["there is no such file"]);
    for date in ["yesterday", "", "-1", "1.5"] {
        let said = refuses(packer(checkout, &program, &output).env("SOURCE_DATE_EPOCH", date));
        assert_says(&said, &["SOURCE_DATE_EPOCH", "number of seconds"]);
    }
    let copy = copy_of_checkout(&scratch);
    let said = refuses(packer(&copy, &program, &output).env_remove("SOURCE_DATE_EPOCH").env("GIT_DIR", "/nowhere"));
    assert_says(&said, &["SOURCE_DATE_EPOCH"]);
    assert!(!output.exists());
}

#[test]
fn a_makefile_with_a_mistake() {
    let scratch = Scratch::new();
    let checkout = copy_of_checkout(&scratch);
    let program = scratch.file("program", PROGRAM);
    let makefile = checkout.join("openwrt/wansplit/Makefile");
    let whole = fs::read_to_string(&makefile).unwrap();
    for (right, wrong, words) in [
        ("PKG_VERSION:=0", "PKG_VERSION:=7", &["Cargo.toml says", "make them equal"][..]),
        ("PKG_RELEASE:=1", "PKG_RELEASE:=1_rc1", &["version", "PKG_RELEASE"]),
        ("PKG_LICENSE:=", "PKG_LICENCE:=", &["PKG_LICENSE is missing"]),
        ("\n/etc/config/wansplit\n", "\n/etc/config/wansplitt\n", &["/etc/config/wansplitt", "not installed"]),
        ("files/etc/config/wansplit ", "files/etc/config/absent ", &["make failed", "absent"]),
        ("+nftables-json", "+IPV6:nftables-json", &["DEPENDS", "+IPV6:nftables-json"]),
        ("include $(INCLUDE_DIR)/package.mk", "include $(INCLUDE_DIR)/packages.mk", &["make failed", "packages.mk"]),
    ] {
        assert!(whole.contains(right), "{right:?} is not in the Makefile");
        fs::write(&makefile, whole.replace(right, wrong)).unwrap();
        let said = refuses(&mut packer(&checkout, &program, &scratch.join("packages")));
        assert_says(&said, words);
        assert!(!scratch.join("packages/test_native").exists(), "{wrong}");
    }
}
