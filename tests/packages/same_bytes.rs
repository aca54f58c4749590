//! The same input gives the same bytes, whoever packs it, where and when.

use crate::packing::{ARCHITECTURE, DATE, PROGRAM, ROOT, Scratch, copy_of_checkout, pack, packer, succeeds};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Modes and contents of a feed.
fn everything(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        (entry.file_name().into_string().unwrap(), (mode, fs::read(entry.path()).unwrap()))
    });
    files.collect()
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (everything(one), everything(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, (mode, content)) in &one {
        assert_eq!(*mode, 0o644, "{name}");
        assert!(other[name] == (*mode, content.clone()), "{name} differs");
    }
}

#[test]
fn packed_again() {
    let scratch = Scratch::new();
    let folder = pack(&scratch);
    let before = scratch.join("before");
    fs::rename(&folder, &before).unwrap();
    assert_same(&before, &pack(&scratch));
    // Over one that is there already, too.
    assert_same(&before, &pack(&scratch));
}

/// git keeps no times and, of modes, the executable bit alone; a checkout's modes follow from its owner's umask.
#[test]
fn packed_from_a_checkout_with_other_modes_and_times() {
    let (scratch, there) = (Scratch::new(), Scratch::new());
    let checkout = copy_of_checkout(&there);
    let odd = "find . -type f -path './files/*' -exec chmod 0640 {} + && find . -type d -exec chmod 0750 {} + &&
        find . -exec touch -h -d '2001-02-03' {} +";
    succeeds(Command::new("sh").args(["-c", odd]).current_dir(&checkout));
    let output = there.join("elsewhere");
    let program = there.file("somewhere/else", PROGRAM);
    let mut packing = Command::new("sh");
    packing.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(checkout.join("scripts/package"));
    packing.arg("--program").arg(program).args(["--architecture", ARCHITECTURE, "--output"]).arg(&output);
    succeeds(packing.env("SOURCE_DATE_EPOCH", DATE.to_string()).env("TZ", "Asia/Tokyo").env("LC_ALL", "C"));
    assert_same(&pack(&scratch), &output.join(ARCHITECTURE));
}

#[test]
fn without_a_date_it_is_that_of_the_last_commit() {
    let scratch = Scratch::new();
    let program = scratch.file("program", PROGRAM);
    let checkout = copy_of_checkout(&scratch);
    let git = "git init -q && git -c user.name=t -c user.email=t@t.example commit -q --allow-empty -m t";
    let dates = [("GIT_COMMITTER_DATE", format!("{DATE} +0000")), ("GIT_AUTHOR_DATE", "1500000000 +0000".into())];
    succeeds(Command::new("sh").args(["-c", git]).current_dir(&checkout).envs(dates));
    let output = scratch.join("dated");
    succeeds(packer(&checkout, &program, &output).env_remove("SOURCE_DATE_EPOCH"));
    assert_same(&pack(&scratch), &output.join(ARCHITECTURE));
    // And another date makes other packages.
    succeeds(packer(Path::new(ROOT), &program, &output).env("SOURCE_DATE_EPOCH", (DATE + 1).to_string()));
    let (one, other) = (everything(&pack(&scratch)), everything(&output.join(ARCHITECTURE)));
    assert!(one.iter().all(|(name, file)| other[name] != *file), "something does not know its date");
}
