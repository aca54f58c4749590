//! Stopped at any moment, a feed is the old one or the new one, or none if there was none.

use crate::feeds::check;
use crate::packing::{ARCHITECTURE, DATE, PROGRAM, ROOT, Scratch, pack, packer, refuses, succeeds, text};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn killed_at_any_moment_no_half_feed_is_left() {
    let scratch = Scratch::new();
    let program = scratch.file("program", PROGRAM);
    let output = scratch.join("killed");
    let begun = Instant::now();
    pack(&scratch);
    let long = begun.elapsed();
    let mut killed = 0;
    for round in 0..12_u32 {
        let mut child = packer(Path::new(ROOT), &program, &output)
            .env("SOURCE_DATE_EPOCH", (DATE + u64::from(round)).to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(long * round / 10);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let feed = output.join(ARCHITECTURE);
        if feed.exists() {
            check(&feed).unwrap();
        }
    }
    assert!(killed > 2, "only {killed} were killed in time");
    // What they left behind is no hindrance, and is cleared away.
    succeeds(&mut packer(Path::new(ROOT), &program, &output));
    check(&output.join(ARCHITECTURE)).unwrap();
    let names: Vec<_> = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}: the feed and the lock");
}

/// The one moment without a folder is between two renames: the next run puts the old one back before anything else.
#[test]
fn stopped_between_the_renames_the_old_feed_comes_back() {
    let scratch = Scratch::new();
    let feed = pack(&scratch);
    let output = feed.parent().unwrap();
    fs::rename(&feed, output.join(format!(".{ARCHITECTURE}.old"))).unwrap();
    fs::create_dir(output.join(format!(".{ARCHITECTURE}.new"))).unwrap();
    let mut other = packer(Path::new(ROOT), &scratch.file("program", PROGRAM), output);
    other.env("SOURCE_DATE_EPOCH", "nonsense");
    refuses(&mut other);
    let mut other = packer(Path::new(ROOT), &scratch.file("program", PROGRAM), output);
    // Another architecture: this one's folder is not written anew.
    other.args(["--architecture", "another"]);
    succeeds(&mut other);
    check(&feed).unwrap();
    check(&output.join("another")).unwrap();
}

/// A file system of 40 kB, with a feed on it; its next version has a program that does not fit.
#[test]
fn on_a_full_disk_the_old_feed_stays() {
    let scratch = Scratch::new();
    let small = scratch.file("small/program", PROGRAM);
    // Nothing that could be compressed.
    let mut large = vec![0_u8; 60_000];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut large).unwrap();
    let large = scratch.file("large/program", large);
    let disk = scratch.join("disk");
    fs::create_dir(&disk).unwrap();
    let copy = scratch.join("copy");
    let packing = |program: &Path| {
        let packer = packer(Path::new(ROOT), program, &disk);
        let words: Vec<String> = std::iter::once(packer.get_program())
            .chain(packer.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        words.join(" ")
    };
    let script = format!(
        "set -e; mount -t tmpfs -o size=40k none '{disk}'
         {first}; {second} 2>&1 && exit 3
         ls -A '{disk}'; cp -r '{disk}' '{copy}'",
        disk = disk.display(),
        copy = copy.display(),
        first = packing(&small),
        second = packing(&large),
    );
    let mut unshare = std::process::Command::new("unshare");
    let output = succeeds(unshare.args(["--map-root-user", "--mount", "sh", "-c", &script]));
    let said = text(&output.stdout);
    assert!(said.contains("cannot be written: No space left on device"), "{said}");
    assert!(said.ends_with(&format!(".lock\n{ARCHITECTURE}\n")), "{said}");
    check(&copy.join(ARCHITECTURE)).unwrap();
}

#[test]
fn two_at_once_do_not_mix() {
    let scratch = Scratch::new();
    let program = scratch.file("program", PROGRAM);
    let feed = pack(&scratch);
    let output = feed.parent().unwrap();
    let lock = output.join(".lock");
    let mut holder =
        std::process::Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let said = loop {
        // Until the holder has the lock, a run succeeds.
        let output = packer(Path::new(ROOT), &program, output).output().unwrap();
        if !output.status.success() {
            break text(&output.stderr);
        }
        assert!(Instant::now() < deadline);
    };
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(said.contains("is being written by another scripts/package"), "{said}");
    check(&feed).unwrap();
}
