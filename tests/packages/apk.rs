//! The package for apk.

use crate::adb::{self, Adb, Value};
use crate::contents::{CONFFILES, DEPENDS, Files, assert_holds, directories, expected};
use crate::ipk::VERSION;
use crate::packing::{ARCHITECTURE, DATE, PROGRAM, Scratch, hex, only, pack, sha256};
use std::fs;
use std::path::Path;

pub fn open(path: &Path) -> Adb {
    adb::read(&fs::read(path).unwrap()).unwrap()
}

/// Mode of something that is root's.
fn mode(acl: &Value) -> u32 {
    assert_eq!((acl.field(2).text(), acl.field(3).text()), ("root".into(), "root".into()));
    u32::try_from(acl.field(1).number()).unwrap()
}

/// The files by absolute path, their contents as the data blocks have them and as their hashes say.
fn files(apk: &Adb) -> Files {
    let mut files = Files::new();
    let mut data = apk.data.iter();
    let root = apk.root();
    for (path_number, path) in (1_u32..).zip(root.field(2).elements()) {
        for (file_number, file) in (1_u32..).zip(path.field(3).elements()) {
            let name = format!("/{}/{}", path.field(1).text(), file.field(1).text());
            let content = if file.field(3).number() == 0 {
                Vec::new()
            } else {
                let block = data.next().unwrap();
                assert_eq!(block[..8], [path_number.to_le_bytes(), file_number.to_le_bytes()].concat(), "{name}");
                block[8..].to_vec()
            };
            assert_eq!(content.len() as u64, file.field(3).number(), "{name}");
            assert_eq!(file.field(4).number(), DATE, "{name}");
            assert_eq!(hex(file.field(5).bytes()), sha256(&content), "{name}");
            files.insert(name, (mode(file.field(2)), content));
        }
    }
    assert!(data.next().is_none(), "more data than files");
    files
}

/// What OpenWrt's scripts and sysupgrade read of a package.
fn with_lists(mut files: Files) -> Files {
    let list: String = files.keys().map(|path| format!("{path}\n")).collect();
    let hashes = |path: &&str| format!("{path} {}\n", sha256(&files[*path].1));
    let conffiles_static: String = CONFFILES.iter().map(hashes).collect();
    let mut add = |end: &str, text: String| {
        files.insert(format!("/lib/apk/packages/wansplit.{end}"), (0o644, text.into_bytes()));
    };
    add("list", list);
    add("conffiles", CONFFILES.join("\n") + "\n");
    add("conffiles_static", conffiles_static);
    files
}

#[test]
fn it_holds_every_file_with_its_mode() {
    let scratch = Scratch::new();
    let apk = open(&only(&pack(&scratch), ".apk"));
    assert_holds(&files(&apk), &with_lists(expected(PROGRAM.as_bytes())));
}

#[test]
fn every_directory_is_there_and_sorted() {
    let scratch = Scratch::new();
    let apk = open(&only(&pack(&scratch), ".apk"));
    let wanted: Vec<String> = directories(&with_lists(expected(b"")))
        .into_iter()
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect();
    let root = apk.root();
    let found: Vec<String> = root.field(2).elements().iter().map(|path| path.field(1).text()).collect();
    assert_eq!(found, wanted);
    assert!(root.field(2).elements().iter().all(|path| mode(path.field(2)) == 0o755));
}

#[test]
fn it_says_what_the_makefile_says() {
    let scratch = Scratch::new();
    let path = only(&pack(&scratch), ".apk");
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("wansplit-{VERSION}.apk"));
    let apk = open(&path);
    assert_eq!(apk.schema, "pckg");
    assert!(apk.unique_id_is_right());
    let info = apk.root().field(1).clone();
    assert_eq!(info.field(1).text(), "wansplit");
    assert_eq!(info.field(2).text(), VERSION);
    assert_eq!(info.field(5).text(), ARCHITECTURE);
    assert_eq!(info.field(6).text(), "GPL-2.0-or-later");
    let size: usize = files(&apk).values().map(|(_, content)| content.len()).sum();
    assert_eq!(info.field(12).number(), size as u64);
    // apk wants them by name.
    let mut depends = DEPENDS.to_vec();
    depends.sort_unstable();
    let found: Vec<String> = info.field(15).elements().iter().map(|dependency| dependency.field(1).text()).collect();
    assert_eq!(found, depends);
}
