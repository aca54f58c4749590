//! What a host's kernel holds, as text to compare, and what changes in it meanwhile.

use crate::host::Host;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Everything wansplit might touch on a host: ip rules and routes of both families, nft without its counters,
/// every kernel parameter of the network, the table names. Each line says which of these it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(Vec<String>);

/// Takes a snapshot of a host.
#[must_use]
pub fn snapshot(host: &Host) -> Snapshot {
    let mut lines = Vec::new();
    let mut part = |what: &str, text: &str| lines.extend(text.split('\n').map(|line| format!("{what}: {line}")));
    for what in ["-4 rule show", "-6 rule show", "-4 route show table all", "-6 route show table all"] {
        let arguments: Vec<&str> = ["-details", "-Numeric"].into_iter().chain(what.split(' ')).collect();
        part(what, &host.command("ip", &arguments));
    }
    part("nft", &host.command("nft", &["--stateless", "list", "ruleset"]));
    let parameters = host.run(|| {
        let mut parameters = Vec::new();
        read_parameters(Path::new("/proc/sys/net"), &mut parameters);
        parameters.sort();
        parameters.join("\n")
    });
    part("parameter", &parameters);
    part("rt_tables", &fs::read_to_string("/etc/iproute2/rt_tables").unwrap_or_else(|error| error.to_string()));
    Snapshot(lines)
}

impl Snapshot {
    /// The lines that are only here (`+`) and only there (`-`); where it is the order that differs, that is said.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<String> {
        let only = |sign: char, these: &Self, those: &Self| -> Vec<String> {
            these.0.iter().filter(|line| !those.0.contains(line)).map(|line| format!("{sign} {line}")).collect()
        };
        let mut difference = [only('+', self, before), only('-', before, self)].concat();
        if difference.is_empty() && self != before {
            let at = self.0.iter().zip(&before.0).find(|(now, then)| now != then);
            difference.push(format!("the order differs: {at:?}"));
        }
        difference
    }

    /// The same with its lines sorted: maps and chains are listed in the order they were made in, which means nothing.
    #[must_use]
    pub fn in_any_order(&self) -> Self {
        let mut lines = self.0.clone();
        lines.sort();
        Self(lines)
    }

    /// The same without kernel parameters, which have one value or another.
    #[must_use]
    pub fn without_parameters(&self) -> Self {
        self.without(&["parameter: "])
    }

    /// The same without lines that contain one of these.
    #[must_use]
    pub fn without(&self, texts: &[&str]) -> Self {
        let kept = self.0.iter().filter(|line| !texts.iter().any(|text| line.contains(text)));
        Self(kept.cloned().collect())
    }

    /// All of it, to be kept over a reboot and read by [`Snapshot::from_text`].
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.join("\n")
    }

    /// What [`Snapshot::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.split('\n').map(str::to_owned).collect())
    }
}

/// Panics with the difference unless both are the same.
pub fn assert_same(now: &Snapshot, before: &Snapshot, when: &str) {
    let difference = now.since(before);
    assert!(difference.is_empty(), "{when}:\n{}", difference.join("\n"));
}

fn read_parameters(directory: &Path, parameters: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_parameters(&path, parameters);
        } else if !path.ends_with("nf_conntrack_count")
            && let Ok(value) = fs::read_to_string(&path)
        {
            parameters.push(format!("{} = {}", path.display(), value.trim_end()));
        }
    }
}

/// Notes every change of ip rules, routes, addresses and links, or of nft, while it runs.
#[derive(Debug)]
pub struct Monitor<'a> {
    host: &'a Host,
    program: &'static str,
    child: Child,
    lines: Receiver<String>,
    sentinels: u32,
}

impl<'a> Monitor<'a> {
    /// Watches rules, routes, addresses and links of both families.
    #[must_use]
    pub fn ip(host: &'a Host) -> Self {
        Self::start(host, "ip", &["monitor", "rule", "route", "address", "link"])
    }

    /// Watches nft.
    #[must_use]
    pub fn nft(host: &'a Host) -> Self {
        Self::start(host, "nft", &["monitor"])
    }

    /// The changes since it started, a line each.
    #[must_use]
    pub fn stop(mut self) -> Vec<String> {
        self.until_sentinel()
    }

    fn start(host: &'a Host, program: &'static str, arguments: &[&str]) -> Self {
        let mut child = host.start(Command::new(program).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()));
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut monitor = Self { host, program, child, lines, sentinels: 0 };
        // Nobody tells when it has begun to listen.
        monitor.until_sentinel();
        monitor
    }

    /// Makes a change of its own until it shows up: the lines before it are all there is.
    fn until_sentinel(&mut self) -> Vec<String> {
        let mut before = Vec::new();
        for _ in 0..200 {
            self.sentinels += 1;
            // The number tells this one from an earlier one that comes late.
            let mark = format!("{}", 31_000 + self.sentinels);
            let lines = if self.program == "ip" {
                self.host.ip(&format!("rule add pref {mark} lookup main\nrule del pref {mark}"));
                2
            } else {
                self.host.nft(&format!("add table ip sentinel{mark}\ndelete table ip sentinel{mark}"));
                3
            };
            let mut seen = 0;
            while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(100)) {
                if line.contains(&mark) || (line.starts_with("# new generation") && seen > 0) {
                    seen += 1;
                } else if !is_sentinel(&line) {
                    before.push(line);
                }
                if seen == lines {
                    return before;
                }
            }
        }
        panic!("{} monitor on {} says nothing", self.program, self.host.name());
    }
}

impl Drop for Monitor<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_sentinel(line: &str) -> bool {
    line.contains("sentinel31") || line.trim_start_matches("Deleted ").starts_with("31")
}
