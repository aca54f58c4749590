//! The packages of the pages for LuCI: the app, and its translations.

use crate::contents::Files;
use crate::ipk::{VERSION, control_member, files, open};
use crate::packing::{
    ARCHITECTURE, PROGRAM, ROOT, Scratch, copy_of_checkout, only_of, pack, packer, refuses, succeeds, text,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const APP: &str = "openwrt/luci-app-wansplit";

/// What lies below a folder of the app, by its path on the router.
fn below(folder: &str, place: &str) -> Files {
    fn collect(folder: &Path, place: &str, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let inside = format!("{place}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                collect(&entry.path(), &inside, files);
            } else {
                let mode = if entry.metadata().unwrap().permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
                files.insert(inside, (mode, fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut files = Files::new();
    collect(&Path::new(ROOT).join(APP).join(folder), place, &mut files);
    files
}

fn packed(feed: &Path, package: &str) -> PathBuf {
    only_of(feed, &format!("{package}_"), ".ipk")
}

#[test]
fn it_holds_every_file_where_luci_looks_for_it() {
    let scratch = Scratch::new();
    let package = packed(&pack(&scratch), "luci-app-wansplit");
    assert_eq!(package.file_name().unwrap().to_str().unwrap(), format!("luci-app-wansplit_{VERSION}_all.ipk"));
    let found = files(&open(&package).data);
    let (pages, rest) = (below("htdocs", "/www"), below("root", ""));
    assert!(pages.contains_key("/www/luci-static/resources/view/wansplit/status.js"));
    assert_eq!(rest["/usr/libexec/rpcd/wansplit.tools"].0, 0o755);
    let all: Vec<&String> = pages.keys().chain(rest.keys()).collect();
    assert_eq!(found.len(), all.len(), "{:?}", found.keys());
    for (path, (mode, content)) in &rest {
        assert!(found[path] == (*mode, content.clone()), "{path}");
    }
    for (path, (mode, content)) in &pages {
        assert_eq!(found[path].0, *mode, "{path}");
        assert!(found[path].1.len() <= content.len() && !found[path].1.is_empty(), "{path}");
    }
}

/// That nothing but comments and blanks is gone is seen by reading both as JavaScript: `tests/luci/packed`.
#[test]
fn comments_do_not_go_onto_the_router() {
    let scratch = Scratch::new();
    for (path, (_, content)) in files(&open(&packed(&pack(&scratch), "luci-app-wansplit")).data) {
        let content = text(&content);
        let line = |line: &&str| line.starts_with("/*") || line.starts_with("//") || line.starts_with('\t');
        if path.ends_with(".js") || path.ends_with(".css") {
            assert_eq!(content.lines().find(line), None, "{path}");
        }
    }
}

#[test]
fn it_comes_with_what_it_needs_and_is_for_every_router() {
    let scratch = Scratch::new();
    let (_, control) = control_member(&packed(&pack(&scratch), "luci-app-wansplit"), "control").unwrap();
    for line in
        ["Depends: libc, luci-base, wansplit", "Architecture: all", "Section: luci", "License: GPL-2.0-or-later"]
    {
        assert!(control.lines().any(|field| field == line), "no {line:?} in\n{control}");
    }
}

/// LuCI keeps the menu, and rpcd the rights: without this a page is there after the next start only.
#[test]
fn luci_and_rpcd_hear_of_it() {
    let scratch = Scratch::new();
    let (_, script) = control_member(&packed(&pack(&scratch), "luci-app-wansplit"), "postinst-pkg").unwrap();
    let script = scratch.file("postinst", script);
    let rpcd = "#!/bin/sh\necho \"rpcd $*\"\n";
    let router = format!(
        "mount -t tmpfs none /tmp; mount -t tmpfs none /etc; mkdir /etc/init.d /tmp/luci-modulecache
         printf '%s' '{rpcd}' >/etc/init.d/rpcd; chmod +x /etc/init.d/rpcd
         touch /tmp/luci-indexcache.123.json /tmp/luci-modulecache/x /tmp/other
         busybox ash /dev/stdin; ls /tmp"
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &router]).env_remove("IPKG_INSTROOT");
    let output = succeeds(command.stdin(fs::File::open(&script).unwrap()));
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("rpcd reload\nother\n".into(), String::new()));
    // In an image that is being built there is nobody to hear.
    let output = succeeds(Command::new("busybox").arg("ash").arg(&script).env("IPKG_INSTROOT", "/nowhere"));
    assert_eq!(text(&output.stdout), "");
}

const CATALOGUE: &str = r#"# A translation.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

msgid "Status"
msgstr "Estado"

msgid "the same"
msgstr "the same"

#, c-format
msgid "%d link"
msgid_plural "%d links"
msgstr[0] "%d ligação"
msgstr[1] "%d ligações"

msgctxt "noun"
msgid "Set-up"
msgstr ""
"Config"
"uração \"rápida\""
"#;

/// A feed with a translation of the test's own.
fn translated(scratch: &Scratch, language: &str, catalogue: &str) -> (PathBuf, Command) {
    let checkout = copy_of_checkout(scratch);
    let _ = fs::remove_dir_all(checkout.join(APP).join("po"));
    scratch.file(&format!("checkout/{APP}/po/{language}/wansplit.po"), catalogue);
    scratch.file(&format!("checkout/{APP}/po/templates/wansplit.pot"), "");
    let output = scratch.join("packages");
    let command = packer(&checkout, &scratch.file("program", PROGRAM), &output);
    (output.join(ARCHITECTURE), command)
}

#[test]
fn a_translation_is_a_package_of_its_own() {
    let scratch = Scratch::new();
    let (feed, mut packing) = translated(&scratch, "pt_BR", CATALOGUE);
    succeeds(&mut packing);
    crate::feeds::check(&feed).unwrap();
    let package = packed(&feed, "luci-i18n-wansplit-pt-br");
    let (_, control) = control_member(&package, "control").unwrap();
    for line in [&format!("Version: {VERSION}"), "Depends: libc, luci-app-wansplit", "Architecture: all"] {
        assert!(control.lines().any(|field| field == line), "no {line:?} in\n{control}");
    }
    let found = files(&open(&package).data);
    let defaults = text(&found["/etc/uci-defaults/luci-i18n-wansplit-pt-br"].1);
    assert_eq!(
        defaults,
        "uci set luci.languages.pt_br='Português do Brasil (Brazilian Portuguese)'; uci commit luci\n"
    );
    assert_eq!(
        entries(&found["/usr/lib/lua/luci/i18n/wansplit.pt-br.lmo"].1),
        [
            // By their hashes, which LuCI's own po2lmo gives as well.
            (0x0000_0000, 0, "nplurals=2; plural=(n > 1);".to_owned()),
            (0x4300_fce6, 1, "Configuração \"rápida\"".to_owned()),
            (0x6633_59c9, 1, "Estado".to_owned()),
            (0x8ca9_597b, 2, "%d ligação".to_owned()),
            (0x9aee_2044, 2, "%d ligações".to_owned()),
        ]
    );
    assert_eq!(found.len(), 2);
}

/// The entries of an .lmo: hash, plural forms, text.
fn entries(lmo: &[u8]) -> Vec<(u32, u32, String)> {
    let number = |at: usize| u32::from_be_bytes(lmo[at..at + 4].try_into().unwrap());
    let (start, end) = (number(lmo.len() - 4) as usize, lmo.len() - 4);
    let entry = |at: usize| {
        let (from, length) = (number(at + 8) as usize, number(at + 12) as usize);
        (number(at), number(at + 4), text(&lmo[from..from + length]))
    };
    (start..end).step_by(16).map(entry).collect()
}

#[test]
fn a_translation_that_cannot_be_packed() {
    for (language, catalogue, word) in [
        ("tlh", CATALOGUE, "po/tlh"),
        ("pt_BR", "msgid \"a\"\nmsgstr b\n", "wansplit.po:2"),
        ("pt_BR", "msgid \"a\"\nmsgstr \"\"\n", "nothing is translated"),
    ] {
        let scratch = Scratch::new();
        let (feed, mut packing) = translated(&scratch, language, catalogue);
        let said = refuses(&mut packing);
        assert!(said.starts_with("scripts/package: ") && said.contains(word), "{said}");
        assert!(!feed.exists());
    }
}
