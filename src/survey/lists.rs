//! Reads what sets of addresses list: the entries of the configuration and those of files. A list may have 100,000 lines,
//! so it is read when it is needed and not kept.

use crate::config;
use crate::config::diagnostics::{Diagnostic, Severity, quote};
use crate::config::model::{AddressSet, Config, Family, Listed, Part};
use crate::interval::{Interval, IntervalSet};
use crate::plan::ruleset::digest::Digest;

/// How many wrong lines of a file are told.
const TOLD: usize = 5;
/// The longest file, in bytes: a million networks.
const LONGEST: u64 = 32 * 1024 * 1024;

/// What a set lists in both families, and what is wrong with its files.
#[derive(Debug, Default)]
pub struct Content {
    /// IPv4 and IPv6.
    pub addresses: [IntervalSet; 2],
    /// In sentences.
    pub problems: Vec<String>,
    /// A file could not be read: what it would add is not known.
    pub is_partial: bool,
}

/// Reads the lists of all sets, so that a plan knows whether it has to fill them, and says what is wrong with them.
pub fn complete(config: &mut Config) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for set in &mut config.sets {
        if !Family::BOTH.into_iter().any(|family| set.has(Part::Listed, family)) {
            continue;
        }
        let content = content(set);
        set.listed = [0, 1].map(|n| content.addresses.get(n).map_or_else(Listed::default, summary));
        if content.is_partial {
            // Never the digest of a whole list: as soon as the file is there, it is read.
            set.listed.iter_mut().for_each(|listed| listed.is_partial = true);
        }
        let finding = |problem: &String| {
            Diagnostic::new(Severity::Error, set.at, problem)
                .in_section(format!("set {}", quote(&set.name)))
                .on_option("file")
        };
        findings.extend(content.problems.iter().map(finding));
    }
    findings
}

fn summary(addresses: &IntervalSet) -> Listed {
    let mut digest = Digest::default();
    for interval in addresses.iter() {
        digest.number(interval.first());
        digest.number(interval.last());
    }
    let count = u32::try_from(addresses.interval_count()).unwrap_or(u32::MAX);
    Listed { digest: digest.value(), count, is_partial: false }
}

/// What a set lists now.
#[must_use]
pub fn content(set: &AddressSet) -> Content {
    let mut content = Content::default();
    let mut intervals: [Vec<Interval>; 2] = Family::BOTH.map(|family| set.entries(family).iter().collect());
    for file in &set.files {
        match read(file) {
            Ok(text) => lines(file, &text, &mut intervals, &mut content.problems),
            Err(why) => {
                content.problems.push(format!("cannot read {file}: {why}; what the set has of it stays"));
                content.is_partial = true;
            }
        }
    }
    content.addresses = intervals.map(IntervalSet::from_iter);
    content
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no file".into());
    }
    if about.len() > LONGEST {
        return Err(format!("it has more than {} MiB", LONGEST >> 20));
    }
    std::fs::read(file).map_err(|error| error.to_string())
}

/// The entries of a file: one a line; `#` begins a comment.
#[doc(hidden)]
pub fn lines(file: &str, text: &[u8], intervals: &mut [Vec<Interval>; 2], problems: &mut Vec<String>) {
    let mut wrong: usize = 0;
    // Editors on Windows put a mark in front of UTF-8.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1_usize..) {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or(&[]).trim_ascii();
        if line.is_empty() {
            continue;
        }
        match std::str::from_utf8(line).map_err(drop).and_then(|line| config::entry(line).ok_or(())) {
            Ok((Family::V4, interval)) => intervals[0].push(interval),
            Ok((Family::V6, interval)) => intervals[1].push(interval),
            Err(()) => {
                wrong += 1;
                if wrong <= TOLD {
                    let line = quote(&String::from_utf8_lossy(line.get(..60).unwrap_or(line)));
                    problems
                        .push(format!("{file}, line {number}: {line} is no address, network or range; it is left out"));
                }
            }
        }
    }
    if wrong > TOLD {
        problems.push(format!("{file}: {} more such lines", wrong - TOLD));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_line_by_line() {
        let file = std::env::temp_dir().join(format!("wansplit-lists-{}", std::process::id()));
        let text =
            b"\xef\xbb\xbf203.0.113.0/24 # networks\n192.0.2.0/25\n\n 192.0.2.128/25 # the rest\r\n2001:db8::/32\n10.0.0.9-10.0.0.1\n\xff\n";
        std::fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let uci =
            format!("config set 's'\n list entry '198.51.100.7'\n list file '{path}'\n list file '/nowhere/at/all'\n");
        let mut config = config::read(uci.as_bytes()).config.unwrap();
        let findings = complete(&mut config);
        let content = content(&config.sets[0]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(content.addresses.each_ref().map(IntervalSet::interval_count), [3, 1]);
        assert!(content.is_partial && config.sets[0].listed[0].is_partial);
        let words: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        let [backwards, bytes, absent] = words.as_slice() else { unreachable!("{words:?}") };
        assert!(backwards.contains("line 6: '10.0.0.9-10.0.0.1' is no address"), "{backwards}");
        assert!(bytes.contains("line 7"), "{bytes}");
        assert!(absent.starts_with("cannot read /nowhere/at/all: "), "{absent}");
    }
}
