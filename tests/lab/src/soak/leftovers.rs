//! What the daemon must not gather in the long run.

use crate::daemon::Daemon;
use std::fs;

/// Open files: the control socket, netlink, signals, a poll of probes for three links in both families.
const MOST_FILES: usize = 60;
/// Far more than it takes.
const MOST_KIB: u64 = 40 * 1024;
/// Files in `/var/run/wansplit`.
const MOST_PLACES: usize = 12;

/// What it holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Holding {
    /// Resident memory that is no file's, in KiB.
    pub(super) anonymous_kib: u64,
    /// Open files.
    pub(super) files: usize,
    children: Vec<String>,
    places: Vec<String>,
}

impl Holding {
    /// Now.
    pub(super) fn of(daemon: &Daemon) -> Self {
        let id = daemon.id();
        let list = |path: &str| fs::read_dir(path).into_iter().flatten().flatten();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let comm =
            |child: &str| fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default().trim().to_owned();
        Self {
            anonymous_kib: daemon.usage().anonymous_kib,
            files: list(&format!("/proc/{id}/fd")).count(),
            children: children.split_whitespace().map(comm).collect(),
            places: list("/var/run/wansplit").map(name).collect(),
        }
    }

    /// What is too much.
    pub(super) fn objections(&self) -> Vec<String> {
        let mut objections = Vec::new();
        let mut check = |fits: bool, what: &str| {
            if !fits {
                objections.push(format!("too much: {what}: {self:?}"));
            }
        };
        check(self.files <= MOST_FILES, "open files");
        check(self.anonymous_kib <= MOST_KIB, "memory");
        check(self.children.is_empty(), "children at rest");
        let temporary = |place: &String| place.contains("tmp") || place.contains(".new");
        check(self.places.len() <= MOST_PLACES && !self.places.iter().any(temporary), "files in /var/run/wansplit");
        objections
    }
}
