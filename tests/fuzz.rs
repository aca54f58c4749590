//! What fuzzing has found stays found: every input of `fuzz/corpus` and `fuzz/findings` goes through its target again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, missing_docs)]

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use targets::TARGETS;

/// A corpus is for all who clone the repository: it has few files, and small ones.
const MOST_FILES: usize = 60;
const LARGEST: u64 = 8 * 1024;

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}

/// One target's inputs. The name of the file that breaks it stands last in what the test prints.
fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let corpus = files(&folder("corpus").join(name));
    assert!((1..=MOST_FILES).contains(&corpus.len()), "{} files: scripts/fuzz --minimise {name}", corpus.len());
    for file in corpus.into_iter().chain(files(&folder("findings").join(name))) {
        let input = fs::read(&file).unwrap();
        assert!(input.len() as u64 <= LARGEST, "{} is large", file.display());
        println!("{}", file.display());
        (target.run)(&input);
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        mod corpus {
            $(#[test]
            fn $name() {
                super::replay(stringify!($name));
            })*
        }
    };
}

targets! {
    config plan router netifd netlink blobmsg ubus_service ubus_call import_mwan3 import_pbr import_script arguments probe
    lists files clock support
}

#[test]
fn every_target_has_its_test_and_every_folder_its_target() {
    let targets: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(targets, NAMES.iter().copied().collect());
    for kind in ["corpus", "findings", "dictionaries"] {
        for path in files(&folder(kind)) {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(targets.contains(name), "{} belongs to no target", path.display());
        }
    }
}
