//! Where dnsmasq reads more configuration from.
//!
//! On OpenWrt each instance has a directory in memory: `/tmp/dnsmasq.d` up to 22.03, `/tmp/dnsmasq.SECTION.d` since, or
//! what its option `confdir` says. Its generated configuration names it; before the first start there may be none.

use super::file::NAME;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the generated configurations are: `dnsmasq.conf.SECTION`, or `dnsmasq.conf` for an only one.
const GENERATED: &str = "/var/etc";
const GENERATED_NAME: &str = "dnsmasq.conf";
/// Where the directories are.
const MEMORY: &str = "/tmp";

/// Where our file goes, and why it does not go where one would expect it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub directories: Vec<PathBuf>,
    pub complaints: Vec<String>,
}

/// The directories that the configuration names; OpenWrt's, if it names none.
pub fn places(named: &[String]) -> Places {
    if named.is_empty() {
        let mut places = of_openwrt();
        if places.directories.is_empty() && places.complaints.is_empty() {
            places.complaints.push(
                "there is no directory here that dnsmasq reads more configuration from: name one in globals, as list \
                 dnsmasq_dir '/etc/dnsmasq.d'"
                    .into(),
            );
        }
        return places;
    }
    let mut places = Places::default();
    for directory in named {
        if Path::new(directory).is_dir() {
            places.directories.push(directory.into());
        } else {
            places.complaints.push(format!(
                "there is no directory {directory}: make it, and have dnsmasq read it by its line conf-dir={directory}"
            ));
        }
    }
    places
}

/// OpenWrt's directories.
pub fn of_openwrt() -> Places {
    let mut places = Places::default();
    let generated = files_in(GENERATED, &|name| name.starts_with(GENERATED_NAME));
    for text in generated.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        for value in text.lines().filter_map(|line| line.strip_prefix("conf-dir=")) {
            let (directory, filters) = value.split_once(',').unwrap_or((value, ""));
            let place = PathBuf::from(directory);
            if places.directories.contains(&place) || !place.is_dir() {
                continue;
            }
            if !in_memory(directory) {
                // Who takes dnsmasq-full or wansplit away would be left with a line no dnsmasq starts with, for good.
                places.complaints.push(format!(
                    "dnsmasq reads {directory}, which is not in memory: if wansplit shall write there, name it in globals, as list dnsmasq_dir '{directory}'"
                ));
            } else if reads(filters, NAME) {
                places.directories.push(place);
            } else {
                places.complaints.push(format!(
                    "dnsmasq does not read {directory}/{NAME}: let its option confdir be the directory alone, or include *.conf"
                ));
            }
        }
    }
    if generated.is_empty() {
        let is_one = |name: &str| name == "dnsmasq.d" || (name.starts_with("dnsmasq.") && name.ends_with(".d"));
        places.directories.extend(files_in(MEMORY, &is_one).into_iter().filter(|path| path.is_dir()));
    }
    places
}

/// Whether dnsmasq reads a file: of its filters `*.conf` means only such names, and `.bak` all but such.
fn reads(filters: &str, name: &str) -> bool {
    let filters = filters.split(',').filter(|filter| !filter.is_empty());
    let (only, not): (Vec<&str>, Vec<&str>) = filters.partition(|filter| filter.starts_with('*'));
    (only.is_empty() || only.iter().any(|end| name.ends_with(&end[1..]))) && !not.iter().any(|end| name.ends_with(end))
}

/// On OpenWrt `/var` is in memory too.
fn in_memory(directory: &str) -> bool {
    ["/tmp/", "/var/", "/run/"].iter().any(|start| directory.starts_with(start)) && !directory.contains("/..")
}

fn files_in(directory: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(wanted));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    crate::sort::by(&mut paths, Ord::cmp);
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_a_directory_are_dnsmasqs() {
        for (filters, is_read) in [
            ("", true),
            ("*.conf", true),
            ("*.d,*.conf", true),
            ("*.txt", false),
            (".bak,.old", true),
            (".conf", false),
            ("*", true),
        ] {
            assert_eq!(reads(filters, NAME), is_read, "{filters}");
        }
    }

    #[test]
    fn only_what_is_in_memory_is_written_to_unasked() {
        assert!(in_memory("/tmp/dnsmasq.cfg01411c.d") && in_memory("/var/dnsmasq.d"));
        assert!(!in_memory("/etc/dnsmasq.d") && !in_memory("/tmpfs/d") && !in_memory("/tmp/../etc/dnsmasq.d"));
    }
}
