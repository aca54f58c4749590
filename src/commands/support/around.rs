//! What is around wansplit: netifd's interfaces, other packages, the log.

use super::program::output;
use crate::bus::Caller;
use crate::commands::Place;
use crate::json;
use crate::sort;
use crate::support::report::{Section, beginning, ending};
use crate::support::{firewall, netifd};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long netifd may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of a list is shown.
const KEPT: usize = 32 * 1024;
/// How many of the log's last lines are shown.
const LINES: usize = 80;
/// Where services are started from at boot: `S21wansplit`.
const STARTED: &str = "/etc/rc.d";

/// Packages that have a say in where packets go.
const NEIGHBOURS: [&str; 24] = [
    "mwan3",
    "mwan4",
    "pbr",
    "vpn-policy-routing",
    "keen-pbr",
    "firewall",
    "network",
    "dnsmasq",
    "odhcpd",
    "unbound",
    "https-dns-proxy",
    "sqm",
    "qosify",
    "nft-qos",
    "banip",
    "tailscale",
    "zerotier",
    "openvpn",
    "xl2tpd",
    "ipsec",
    "frr",
    "bird",
    "passwall",
    "wansplit",
];

/// netifd's account of the interfaces, or why it could not be had.
pub fn netifd(place: &Place) -> Result<Value, String> {
    match &place.network {
        Some(file) => {
            let text = fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
            json::parse(&text).map_err(|error| format!("{file}: {error}"))
        }
        None => Caller::new(None)
            .call("network.interface", "dump", &Value::Null, PATIENCE)
            .map_err(|error| error.to_string()),
    }
}

/// The sections.
pub fn sections(place: &Place, netifd: &Result<Value, String>) -> Vec<Section> {
    let interfaces = match netifd {
        Ok(dump) => netifd::lines(dump).join("\n"),
        Err(why) => why.clone(),
    };
    vec![
        Section::new("netifd's interfaces", beginning(&interfaces, KEPT)),
        Section::new("services", services()),
        Section::new("zones and offloading in the firewall's configuration", zones(place)),
        Section::new(format!("the last {LINES} lines of wansplit's log"), log()),
    ]
}

fn services() -> String {
    let entries = fs::read_dir(STARTED).into_iter().flatten().flatten();
    let mut started: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    sort::by(&mut started, Ord::cmp);
    let starts = |name: &str| {
        let is = |entry: &&String| {
            let number = entry.strip_prefix('S').and_then(|rest| rest.strip_suffix(name));
            number.is_some_and(|number| number.bytes().all(|c| c.is_ascii_digit()))
        };
        started.iter().find(is)
    };
    let installed = NEIGHBOURS.into_iter().filter(|name| Path::new("/etc/init.d").join(name).exists());
    let line = |name| match starts(name) {
        Some(entry) => format!("{name}: starts at boot ({entry})\n"),
        None => format!("{name}: installed, does not start at boot\n"),
    };
    installed.map(line).collect()
}

fn zones(place: &Place) -> String {
    let text = fs::read(place.firewall()).unwrap_or_default();
    beginning(&firewall::lines(&String::from_utf8_lossy(&text)), KEPT)
}

fn log() -> String {
    ending(&output("logread", &["-e", "wansplit"]), LINES)
}
