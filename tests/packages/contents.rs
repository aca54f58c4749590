//! What a package must hold: everything below `files/`, as it lies on the router, and the program.

use crate::packing::ROOT;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub const CONFFILES: &[&str] = &["/etc/config/wansplit"];
pub const DEPENDS: &[&str] = &["libc", "kmod-nf-conntrack-netlink", "kmod-nft-core", "nftables-json"];

/// Mode and content by absolute path.
pub type Files = BTreeMap<String, (u32, Vec<u8>)>;

/// Every file. Services are run, configuration is the owner's alone to read, all else is read.
pub fn expected(program: &[u8]) -> Files {
    let mut files = Files::new();
    collect(&Path::new(ROOT).join("files"), "", &mut files);
    assert!(files.len() >= 4, "{:?}", files.keys());
    files.insert("/usr/sbin/wansplit".into(), (0o755, program.to_vec()));
    files
}

fn collect(folder: &Path, path: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let inside = format!("{path}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &inside, files);
            continue;
        }
        let mode = match path {
            "/etc/init.d" => 0o755,
            "/etc/config" => 0o600,
            _ => 0o644,
        };
        files.insert(inside, (mode, fs::read(entry.path()).unwrap()));
    }
}

/// Compares without printing a whole program.
pub fn assert_holds(found: &Files, expected: &Files) {
    let short = |files: &Files| -> Vec<String> {
        files.iter().map(|(path, (mode, content))| format!("{path} {mode:o} {} bytes", content.len())).collect()
    };
    assert_eq!(short(found), short(expected));
    for (path, file) in expected {
        assert!(found[path] == *file, "{path} has another content");
    }
}

/// The directories that the paths need, with the root.
pub fn directories(files: &Files) -> Vec<String> {
    let mut directories: Vec<String> = vec![String::new()];
    for path in files.keys() {
        let mut at = path.as_str();
        while let Some((parent, _)) = at.rsplit_once('/') {
            directories.push(parent.to_owned());
            at = parent;
        }
    }
    directories.sort();
    directories.dedup();
    directories
}
