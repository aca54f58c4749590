//! Runs `scripts/package`, and reads what it wrote.

use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub const ARCHITECTURE: &str = "test_native";
pub const DATE: u64 = 1_700_000_000;

/// What most tests pack as the program.
pub const PROGRAM: &str = "#!/bin/sh\necho a program\n";

/// A folder that goes when the test ends.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wansplit-packages-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with this content.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `scripts/package`, of this checkout or of a copy, for a program and an architecture of the test's own.
pub fn packer(checkout: &Path, program: &Path, output: &Path) -> Command {
    let mut command = script(checkout);
    command.arg("--program").arg(program).args(["--architecture", ARCHITECTURE]);
    command.arg("--output").arg(output);
    command
}

pub fn script(checkout: &Path) -> Command {
    let mut command = Command::new(checkout.join("scripts/package"));
    command.env("SOURCE_DATE_EPOCH", DATE.to_string());
    command
}

/// What the packer needs of a checkout, somewhere else, so that a test may change it.
pub fn copy_of_checkout(scratch: &Scratch) -> PathBuf {
    let copy = scratch.join("checkout");
    fs::create_dir_all(&copy).unwrap();
    for part in ["Cargo.toml", "files", "openwrt", "scripts"] {
        succeeds(Command::new("cp").arg("-r").arg(Path::new(ROOT).join(part)).arg(&copy));
    }
    copy
}

pub fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, text(&output.stderr));
    output
}

/// What it says when it refuses.
pub fn refuses(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{command:?} has done it");
    assert!(!said.contains("Traceback"), "{said}");
    said
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Packs the short program; the feed's folder.
pub fn pack(scratch: &Scratch) -> PathBuf {
    let program = scratch.file("program", PROGRAM);
    let output = scratch.join("packages");
    succeeds(&mut packer(Path::new(ROOT), &program, &output));
    output.join(ARCHITECTURE)
}

/// The one file of a folder whose name ends so; of the packages, that of the program.
pub fn only(folder: &Path, end: &str) -> PathBuf {
    only_of(folder, "wansplit", end)
}

/// The one file of a folder whose name begins and ends so.
pub fn only_of(folder: &Path, start: &str, end: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(start) && name.ends_with(end)
    });
    assert_eq!(found.len(), 1, "{end} in {}: {found:?}", folder.display());
    found.remove(0)
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

/// A member of a tar.
#[derive(Debug)]
pub struct Member {
    pub name: String,
    pub mode: u32,
    pub directory: bool,
    pub content: Vec<u8>,
}

/// The members of a tar.gz, all of which are root's and of the date.
pub fn untar(bytes: &[u8]) -> Vec<Member> {
    let tar = gunzip(bytes);
    let mut archive = tar::Archive::new(&tar[..]);
    let member = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), DATE);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let directory = header.entry_type().is_dir();
        Member { name, mode: header.mode().unwrap(), directory, content }
    };
    archive.entries().unwrap().map(member).collect()
}

/// SHA-256, as lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let scratch = Scratch::new();
    let output = succeeds(Command::new("sha256sum").arg(scratch.file("bytes", bytes)));
    text(&output.stdout).split(' ').next().unwrap().to_owned()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
