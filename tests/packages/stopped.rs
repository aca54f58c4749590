//! Stopped at any moment, a feed is the old one or the new one, or none if there was none.

use crate::feeds::check;
use crate::packing::{ARCHITECTURE, DATE, PROGRAM, ROOT, Scratch, pack, packer, refuses, succeeds, text};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a run takes, and how much of that it writes.
struct Run {
    whole: Duration,
    writing: Duration,
}

/// Runs the packer; kills it so long after it has begun, or has begun to write.
fn run(mut packer: Command, output: &Path, after_start: Option<Duration>, after_writing: Option<Duration>) -> Run {
    let new = output.join(format!(".{ARCHITECTURE}.new"));
    let begun = Instant::now();
    let mut child = packer.stdout(Stdio::null()).spawn().unwrap();
    let mut writes: Option<Instant> = None;
    while child.try_wait().unwrap().is_none() {
        if writes.is_none() && new.exists() {
            writes = Some(Instant::now());
        }
        let late = |since: Instant, limit: Option<Duration>| limit.is_some_and(|limit| since.elapsed() >= limit);
        if late(begun, after_start) || writes.is_some_and(|since| late(since, after_writing)) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Run { whole: begun.elapsed(), writing: writes.map_or(Duration::ZERO, |since| since.elapsed()) }
}

/// A program that takes a while to be written: nothing in it can be compressed.
fn large_program(scratch: &Scratch, size: usize) -> PathBuf {
    let mut program = vec![0_u8; size];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut program).unwrap();
    scratch.file("large/program", program)
}

#[test]
fn killed_at_any_moment_no_half_feed_is_left() {
    let scratch = Scratch::new();
    let program = large_program(&scratch, 4_000_000);
    let output = scratch.join("killed");
    let feed = output.join(ARCHITECTURE);
    let packing = |round: u32| {
        let mut packer = packer(Path::new(ROOT), &program, &output);
        packer.env("SOURCE_DATE_EPOCH", (DATE + u64::from(round)).to_string());
        packer
    };
    let undisturbed = run(packing(0), &output, None, None);
    check(&feed).unwrap();
    assert!(undisturbed.writing > Duration::from_millis(1), "it is written at once: {:?}", undisturbed.writing);
    for round in 1..=6 {
        run(packing(round), &output, Some(undisturbed.whole * round / 7), None);
        assert!(!feed.exists() || check(&feed).is_ok(), "killed in part {round} of 7");
    }
    for round in 0..8 {
        run(packing(round), &output, None, Some(undisturbed.writing * round / 8));
        assert!(!feed.exists() || check(&feed).is_ok(), "killed in part {round} of 8 of the writing");
    }
    // What they left behind is no hindrance, and is cleared away.
    succeeds(&mut packing(0));
    check(&feed).unwrap();
    let names: Vec<_> = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}: the feed and the lock");
}

/// Names and sizes, if the folder is the same one before and after it is listed.
fn listing(folder: &Path) -> Option<BTreeMap<String, u64>> {
    let before = fs::metadata(folder).ok()?.ino();
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        files.insert(entry.file_name().into_string().unwrap(), entry.metadata().ok()?.len());
    }
    (fs::metadata(folder).ok()?.ino() == before).then_some(files)
}

#[test]
fn who_looks_meanwhile_sees_the_old_feed_or_the_new_one() {
    let scratch = Scratch::new();
    let (small, large) = (scratch.file("small/program", PROGRAM), large_program(&scratch, 16_000_000));
    let output = scratch.join("packages");
    let feed = output.join(ARCHITECTURE);
    succeeds(&mut packer(Path::new(ROOT), &small, &output));
    let old = listing(&feed).unwrap();
    let mut child = packer(Path::new(ROOT), &large, &output).stdout(Stdio::null()).spawn().unwrap();
    let mut seen = Vec::new();
    while child.try_wait().unwrap().is_none() {
        seen.extend(listing(&feed));
        seen.dedup();
    }
    let new = listing(&feed).unwrap();
    assert_ne!(old, new);
    assert!(seen == [old.clone()] || seen == [old, new], "{seen:#?}");
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

/// A file system of 600 kB, with a feed on it; its next version has a program that does not fit.
#[test]
fn on_a_full_disk_the_old_feed_stays() {
    let scratch = Scratch::new();
    let small = scratch.file("small/program", PROGRAM);
    let large = large_program(&scratch, 600_000);
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
        "set -e; mount -t tmpfs -o size=600k none '{disk}'
         {first}; {second} 2>&1 && exit 3
         ls -A '{disk}'; cp -r '{disk}' '{copy}'",
        disk = disk.display(),
        copy = copy.display(),
        first = packing(&small),
        second = packing(&large),
    );
    let mut unshare = Command::new("unshare");
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
    let mut holder = Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
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
