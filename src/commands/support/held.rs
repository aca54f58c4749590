//! What the kernel holds: our nftables table, ip rules, routes, settings.

use super::program::output;
use crate::kernel::Kernel;
use crate::kernel::netlink::rule::{Action, ForeignRule};
use crate::kernel::sysctl::ROOT;
use crate::plan::iproute::ip;
use crate::plan::ruleset::TABLE;
use crate::plan::state::IpRule;
use crate::sort;
use crate::support::report::{Section, beginning};
use std::fmt::Write;
use std::fs;

/// How much of a list is shown.
const KEPT: usize = 32 * 1024;
/// Devices whose settings are shown, at most.
const DEVICES: usize = 40;

/// Settings of the whole machine that routing by marks and several links depend on.
const SETTINGS: [&str; 10] = [
    "ipv4/ip_forward",
    "ipv6/conf/all/forwarding",
    "ipv4/fwmark_reflect",
    "ipv6/fwmark_reflect",
    "ipv4/tcp_fwmark_accept",
    "ipv4/fib_multipath_hash_policy",
    "ipv6/fib_multipath_hash_policy",
    "netfilter/nf_conntrack_count",
    "netfilter/nf_conntrack_max",
    "netfilter/nf_conntrack_helper",
];

/// Settings of a device.
const OF_A_DEVICE: [(&str, &str); 6] = [
    ("ipv4", "rp_filter"),
    ("ipv4", "src_valid_mark"),
    ("ipv4", "ignore_routes_with_linkdown"),
    ("ipv6", "ignore_routes_with_linkdown"),
    ("ipv6", "disable_ipv6"),
    ("ipv6", "accept_ra"),
];

/// The sections.
pub fn sections(kernel: &mut Kernel) -> Vec<Section> {
    vec![
        Section::new(format!("nft list table inet {TABLE}"), output("nft", &["list", "table", "inet", TABLE])),
        Section::new("ip rules", rules(kernel)),
        Section::new("routes, IPv4 (without table local)", routes("-4")),
        Section::new("routes, IPv6 (without table local)", routes("-6")),
        Section::new("settings in /proc/sys/net", settings()),
    ]
}

/// By our own eyes: the `ip` of busybox leaves out what it does not know.
fn rules(kernel: &mut Kernel) -> String {
    let rules = match kernel.rules() {
        Ok(rules) => rules,
        Err(error) => return error.to_string(),
    };
    let place = |rule: &IpRule| (rule.family, rule.priority);
    let mut lines: Vec<_> = rules.ours.iter().map(|rule| (place(rule), format!("{rule} (ours)"))).collect();
    lines.extend(rules.foreign.iter().map(|foreign| (place(&foreign.rule), foreign_rule(foreign))));
    lines.extend(
        rules.odd.iter().map(|odd| {
            ((odd.family, odd.priority), format!("pref {} (unknown, with our protocol number)", odd.priority))
        }),
    );
    sort::by_key(&mut lines, |(place, _)| *place);
    let text: String = lines.iter().map(|((family, _), line)| format!("{} rule {line}\n", ip(*family))).collect();
    beginning(&text, KEPT)
}

fn foreign_rule(foreign: &ForeignRule) -> String {
    let ForeignRule { rule, complete, action, protocol } = foreign;
    let words = rule.to_string();
    let words = match action {
        Action::Lookup | Action::Unreachable => words,
        // Our type has no words for it.
        other => {
            format!("{} {other:?}", words.rsplit_once(" lookup ").map_or(words.as_str(), |(selectors, _)| selectors))
        }
    };
    format!("{words}{} (protocol {protocol})", if *complete { "" } else { " and more" })
}

fn routes(family: &str) -> String {
    let all = output("ip", &[family, "route", "show", "table", "all"]);
    let text: String =
        all.lines().filter(|line| !line.contains(" table local")).flat_map(|line| [line, "\n"]).collect();
    beginning(&text, KEPT)
}

fn settings() -> String {
    let mut text = String::new();
    for name in SETTINGS {
        if let Some(value) = read(name) {
            let _ = writeln!(text, "{name} {value}");
        }
    }
    for device in devices() {
        let values = OF_A_DEVICE.iter().filter_map(|(family, name)| {
            Some(format!("{family} {name} {}", read(&format!("{family}/conf/{device}/{name}"))?))
        });
        let values: Vec<String> = values.collect();
        let _ = writeln!(text, "{device}: {}", values.join(", "));
    }
    text
}

fn devices() -> Vec<String> {
    let entries = fs::read_dir(format!("{ROOT}/ipv4/conf")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    sort::by(&mut names, Ord::cmp);
    names.truncate(DEVICES);
    names
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(format!("{ROOT}/{name}")).ok().map(|value| value.trim().to_owned())
}
