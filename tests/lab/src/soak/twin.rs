//! A router beside the router, on which what `wansplit show` prints is done by hand.

use super::configuration::LINKS;
use super::foreign;
use crate::address::Wan;
use crate::host::Host;
use crate::program::Wansplit;

/// It has the same devices, with nobody at the other ends.
pub(super) struct Twin(Host);

impl Twin {
    /// An empty one.
    pub(super) fn new() -> Self {
        let host = Host::new("twin");
        for link in 1..=LINKS {
            let device = Wan(link).device();
            host.ip(&format!(
                "link add {device} type veth peer name x{device}\nlink set {device} up\nlink set x{device} up"
            ));
        }
        Self(host)
    }

    /// What is only on the router (`+`), or only wanted (`-`).
    pub(super) fn difference(&self, wansplit: &Wansplit) -> Vec<String> {
        let shown = wansplit.run(&["show", "all", "--text"]);
        if shown.code != 0 {
            return vec![format!("show: {}", shown.stderr)];
        }
        let host = &self.0;
        for family in ["-4", "-6"] {
            for rule in foreign::rules(host) {
                let pref = rule.split_whitespace().nth(1).unwrap_or_default().trim_end_matches(':').to_owned();
                let _ = host.output("ip", &[family, "rule", "del", "pref", &pref]);
            }
            let _ = host.output("ip", &[family, "route", "flush", "table", "all", "proto", "119"]);
        }
        let _ = host.output("nft", &["delete", "table", "inet", "wansplit"]);
        let done = host.output_with_input("sh", &["-e"], &shown.stdout);
        if done.code != 0 {
            return vec![format!("what is shown cannot be done: {}", done.stderr)];
        }
        let router = wansplit.router();
        [
            compare(foreign::rules(router), foreign::rules(host)),
            compare(foreign::routes(router), foreign::routes(host)),
            compare(foreign::table(router), foreign::table(host)),
        ]
        .concat()
    }
}

/// As heaps: the order in which things were made means nothing.
pub(super) fn compare(held: Vec<String>, wanted: Vec<String>) -> Vec<String> {
    let mut missing = wanted;
    let mut difference = Vec::new();
    for line in held {
        match missing.iter().position(|other| *other == line) {
            Some(at) => drop(missing.swap_remove(at)),
            None => difference.push(format!("+ {line}")),
        }
    }
    difference.extend(missing.into_iter().map(|line| format!("- {line}")));
    difference
}
