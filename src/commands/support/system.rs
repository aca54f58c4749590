//! The machine: release, kernel, memory, flash.

use crate::support::report::Section;
use nix::sys::statvfs::statvfs;
use std::fmt::Write;
use std::fs;

/// What tells of a release, in `/etc/os-release`.
const RELEASE: [&str; 6] =
    ["PRETTY_NAME", "VERSION_ID", "BUILD_ID", "OPENWRT_BOARD", "OPENWRT_ARCH", "OPENWRT_RELEASE"];
/// What tells of memory, in `/proc/meminfo`.
const MEMORY: [&str; 3] = ["MemTotal", "MemFree", "MemAvailable"];
/// Where flash is written to on OpenWrt, and what is in memory.
const PLACES: [&str; 3] = ["/", "/overlay", "/tmp"];

/// The section.
pub fn section() -> Section {
    let mut text = format!("wansplit {} for {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let release = read("/etc/os-release");
    for line in release.lines().filter(|line| RELEASE.iter().any(|name| line.split('=').next() == Some(name))) {
        let _ = writeln!(text, "{line}");
    }
    for (name, file) in
        [("model", "/tmp/sysinfo/model"), ("kernel", "/proc/sys/kernel/osrelease"), ("up, seconds", "/proc/uptime")]
    {
        let said = read(file);
        if let Some(line) = said.lines().next() {
            let _ = writeln!(text, "{name}: {line}");
        }
    }
    let memory = read("/proc/meminfo");
    for line in memory.lines().filter(|line| MEMORY.iter().any(|name| line.split(':').next() == Some(name))) {
        let _ = writeln!(text, "{line}");
    }
    for place in PLACES {
        if let Ok(found) = statvfs(place) {
            let block = wide(found.fragment_size());
            let size = |blocks: u64| blocks.saturating_mul(block) / 1024;
            let (free, all) = (size(wide(found.blocks_available())), size(wide(found.blocks())));
            let _ = writeln!(text, "{place}: {free} of {all} KiB free");
        }
    }
    Section::new("system", text)
}

/// The numbers of `statvfs` have 32 bits on some processors, and 64 on others.
fn wide(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

fn read(file: &str) -> String {
    fs::read(file).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}
