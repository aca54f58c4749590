//! How an interface is watched.

use crate::config::FALSE;
use crate::import::Section;
use crate::import::foreign::{Foreign, Report};
use std::net::IpAddr;

/// A method of asking.
struct Method {
    there: &'static str,
    here: &'static str,
    /// The port that is asked there, if it is not the usual one here.
    port: Option<u16>,
    /// What is different; empty if nothing is.
    difference: &'static str,
}

const fn method(there: &'static str, here: &'static str, port: Option<u16>, difference: &'static str) -> Method {
    Method { there, here, port, difference }
}

const GATEWAY: &str = "the gateway is asked, and nobody else: the hosts of track_ip are not";

const METHODS: [Method; 8] = [
    method("ping", "ping", None, ""),
    method("arping", "arp", None, GATEWAY),
    method("httping", "http", None, ""),
    method("nping-tcp", "tcp", Some(80), ""),
    method("nping-udp", "ping", None, "there is no probe by UDP here: asked by ping"),
    method("nping-icmp", "ping", None, ""),
    method("nping-arp", "arp", None, GATEWAY),
    method("nslookup", "dns", None, ""),
];

const HTTPS: Method = method("httping", "tcp", None, "");

/// A number: the option, what it is there when it is not written, its bounds here, and its unit.
struct Number {
    option: &'static str,
    default: u32,
    most: u32,
    unit: &'static str,
}

const NUMBERS: [Number; 4] = [
    Number { option: "interval", default: 10, most: 3600, unit: "s" },
    Number { option: "timeout", default: 4, most: 60, unit: "s" },
    Number { option: "down", default: 5, most: 100, unit: "" },
    Number { option: "up", default: 5, most: 100, unit: "" },
];

/// Details without a counterpart: their usual value there, and what holds here.
const DETAILS: [(&str, &str, &str); 8] = [
    ("count", "1", "each host is asked once a round here"),
    ("size", "56", "probes have one size here"),
    ("max_ttl", "60", "probes have the system's hop limit here"),
    ("failure_interval", "", "after a lost round the next ones follow faster here by themselves"),
    ("recovery_interval", "", "rounds keep their interval here until a link is back"),
    ("keep_failure_interval", "0", "a link that is down is asked at its interval here"),
    ("track_gateway", "0", "the gateway is not asked besides: a peer that answers goes into track_ip"),
    (
        "snat6",
        "0",
        "the router's own IPv6 gets the right address by ip rules here; for hosts there is masq6 of the zone",
    ),
];

/// Below this many seconds of `interval` times `down` nobody waits for long.
const SLOW: u32 = 10;

/// Writes how a link is watched. Its first source with hosts gives the values, each of them hosts.
pub fn tracking(section: &mut Section, sources: &[(&Foreign, [bool; 2])], report: &mut Report) {
    let watched = sources.iter().map(|(source, _)| *source).find(|source| !source.many("track_ip").is_empty());
    if let Some(main) = watched {
        let method = method_of(main, report);
        let mut hosts = Vec::new();
        for (source, families) in sources {
            hosts.extend(hosts_of(source, *families, report));
        }
        if method.here == "arp" {
            section.option("track_method", "arp");
        } else {
            for host in &hosts {
                section.list("track_ip", place(*host, method.port));
            }
        }
        if !hosts.is_empty() {
            if !matches!(method.here, "arp" | "ping") {
                section.option("track_method", method.here);
            }
            numbers(section, main, method, &hosts, report);
        }
        for (twin, _) in sources.iter().filter(|(source, _)| source.line() != main.line()) {
            differing(main, twin, report);
        }
    }
    for (source, _) in sources {
        details(source, report);
        if source.one("initial_state") == Some("offline") {
            let text = if source.many("track_ip").is_empty() {
                "without track_ip it stays offline for ever there; here the link is used when it is up"
            } else {
                "a link that has not been asked yet counts as up here; one that comes back must answer first"
            };
            report.changed(source, "initial_state", text);
        }
    }
    flush(section, sources, report);
}

fn method_of(source: &Foreign, report: &mut Report) -> &'static Method {
    let [ping, ..] = &METHODS;
    let https = source.is("httping_ssl", false);
    let Some(word) = source.one("track_method") else { return ping };
    if word == "httping" && https {
        report.changed(source, "httping_ssl", "probes do not speak TLS: a TCP connection to port 443 is made instead");
        return &HTTPS;
    }
    let Some(method) = METHODS.iter().find(|method| method.there == word) else {
        report.changed(source, "track_method", format!("'{word}' is no method: asked by ping"));
        return ping;
    };
    if !method.difference.is_empty() {
        report.changed(source, "track_method", method.difference);
    }
    method
}

/// The hosts of one interface.
fn hosts_of(source: &Foreign, families: [bool; 2], report: &mut Report) -> Vec<IpAddr> {
    let values = source.words("track_ip");
    if !values.is_empty() && !source.is_list("track_ip") {
        report.changed(
            source,
            "track_ip",
            "mwan3 reads it only as a list, and asks nobody; here these hosts are asked",
        );
    }
    let mut hosts = Vec::new();
    for value in values {
        match value.parse::<IpAddr>() {
            Ok(host) if families[usize::from(host.is_ipv6())] => hosts.push(host),
            Ok(_) => {
                report.dropped(source, "track_ip", format!("{value} is of the other IP version than the interface"))
            }
            Err(_) => report.dropped(
                source,
                "track_ip",
                format!("'{value}' is no address: names are not looked up, since DNS may be what fails"),
            ),
        }
    }
    hosts
}

/// A host, with its port if it is not the usual one.
fn place(host: IpAddr, port: Option<u16>) -> String {
    match port {
        Some(port) => std::net::SocketAddr::new(host, port).to_string(),
        None => host.to_string(),
    }
}

fn numbers(section: &mut Section, source: &Foreign, method: &Method, hosts: &[IpAddr], report: &mut Report) {
    let wanted = number(source, "reliability", 1, 1, u32::MAX, report);
    let ipv6 = hosts.iter().filter(|host| host.is_ipv6()).count();
    let fewest = [ipv6, hosts.len() - ipv6].into_iter().filter(|count| *count > 0).min().unwrap_or(1);
    let most = if method.here == "arp" { 1 } else { u32::try_from(fewest).unwrap_or(1) };
    if wanted > most {
        let text = format!("more than {most} cannot answer in each IP version: it is {most} here");
        report.changed(source, "reliability", text);
    }
    if wanted.min(most) > 1 {
        section.option("reliability", wanted.min(most).to_string());
    }
    let mut values = [0; NUMBERS.len()];
    for (value, spec) in values.iter_mut().zip(&NUMBERS) {
        *value = number(source, spec.option, spec.default, 1, spec.most, report);
        section.option(spec.option, format!("{value}{}", spec.unit));
    }
    let [interval, _, down, _] = values;
    if interval.saturating_mul(down) > SLOW {
        let text =
            "slow to find a dead link, and kept as it is: without interval, timeout, down and up it takes 3 seconds";
        report.look(source, "interval", text);
    }
    if source.is("check_quality", false) {
        if !matches!(source.one("track_method"), None | Some("ping" | "httping")) {
            report.dropped(source, "check_quality", "it works with ping and httping only");
            return;
        }
        let latency = number(source, "failure_latency", 1000, 1, 60_000, report);
        let loss = number(source, "failure_loss", 40, 1, 100, report);
        section.option("max_latency", format!("{latency}ms")).option("max_loss", loss.to_string());
        let text = "above these a link is offline there; here it is used only if nothing better is left, and back when \
                    it has been below them for a while (recovery_latency and recovery_loss are not needed)";
        report.changed(source, "check_quality", text);
    }
}

/// A whole number between two bounds, or the default.
fn number(source: &Foreign, option: &str, default: u32, least: u32, most: u32, report: &mut Report) -> u32 {
    let Some(text) = source.one(option) else { return default };
    let Ok(number) = text.parse::<u32>() else {
        report.changed(source, option, format!("'{text}' is no whole number: it is {default} here"));
        return default;
    };
    let possible = number.clamp(least, most);
    if possible != number {
        report.changed(source, option, format!("{number} is out of bounds: it is {possible} here"));
    }
    possible
}

/// Says so where the IPv6 interface of a link has other values than the link.
fn differing(main: &Foreign, twin: &Foreign, report: &mut Report) {
    let watched = !twin.many("track_ip").is_empty();
    let options = NUMBERS.iter().map(|number| number.option).chain(["track_method", "reliability"]);
    for option in options.filter(|_| watched) {
        if let Some(value) = twin.one(option).filter(|value| main.one(option) != Some(value)) {
            let text =
                format!("'{value}' is not what '{}' has, whose values count for both IP versions here", main.name);
            report.changed(twin, option, text);
        }
    }
}

/// What has no counterpart. Values of no effect are looked at, so that nothing is said of them.
fn details(source: &Foreign, report: &mut Report) {
    for (option, usual, instead) in DETAILS {
        let interval = source.one("interval");
        if let Some(value) = source.one(option).filter(|value| *value != usual) {
            let same_interval = option.ends_with("_interval") && interval == Some(value);
            let idle = same_interval || (usual == "0" && FALSE.contains(&value));
            if !idle {
                report.dropped(source, option, instead);
            }
        }
    }
    const IDLE: [&str; 13] = [
        "track_method",
        "httping_ssl",
        "reliability",
        "interval",
        "timeout",
        "down",
        "up",
        "check_quality",
        "failure_latency",
        "recovery_latency",
        "failure_loss",
        "recovery_loss",
        "flush_conntrack",
    ];
    IDLE.iter().for_each(|option| _ = source.one(option));
}

/// When running connections are made to choose anew.
fn flush(section: &mut Section, sources: &[(&Foreign, [bool; 2])], report: &mut Report) {
    let words: Vec<(&Foreign, &str)> = sources
        .iter()
        .flat_map(|(source, _)| source.words("flush_conntrack").into_iter().map(move |word| (*source, word)))
        .collect();
    let said = |meant: &[&str]| words.iter().any(|(_, word)| meant.contains(word));
    let (down, up) = (said(&["ifdown", "disconnected", "always"]), said(&["ifup", "connected", "always"]));
    for (source, word) in &words {
        if !matches!(*word, "ifdown" | "disconnected" | "ifup" | "connected" | "always" | "never") {
            report.dropped(source, "flush_conntrack", format!("'{word}' is no such moment"));
        }
    }
    for word in [(down, "down"), (up, "up"), (!down && !up && said(&["never"]), "none")] {
        if word.0 {
            section.list("flush_conntrack", word.1);
        }
    }
    if let Some((source, _)) = words.first().filter(|_| down || up) {
        report.changed(source, "flush_conntrack", "connections of this link only are moved, not everybody's");
    }
}
