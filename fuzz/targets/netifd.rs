//! netifd's answer to `network.interface dump`, and all that is made of it.

use std::fmt::Write;
use wansplit::config::model::{Family, is_device_name};
use wansplit::config::read;
use wansplit::map::Set;
use wansplit::network::firewall::Firewall;
use wansplit::network::gather::{Absent, Sources, gather};
use wansplit::network::known::Known;
use wansplit::network::netifd::parse;
use wansplit::network::{Facts, Side, State};
use wansplit::plan::plan;

/// Takes one input.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let dump = match parse(&text) {
        Ok(dump) => dump,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    if let Ok(answer) = serde_json::from_str(&text) {
        assert!(wansplit::support::netifd::lines(&answer).len() >= dump.interfaces.len());
    }
    // A link for each of the first interfaces, and one that is not there.
    let mut uci = String::from("config link 'absent'\n\toption interface 'absent'\n");
    for (n, interface) in dump.interfaces.iter().take(4).enumerate() {
        let name = interface.name.replace('\'', r"'\''");
        let _ = writeln!(uci, "config link 'l{n}'\n\toption interface '{name}'\n\tlist track_ip '1.1.1.1'");
    }
    let Some(config) = read(uci.as_bytes()).config else { return };
    let (none, nothing, firewall) = (Set::new(), Known::nothing(), Firewall::silent());
    let sources = Sources {
        netifd: Some(&dump.interfaces),
        devices: &[],
        addresses: &[],
        ipv6: true,
        without_ipv6: &none,
        absent: Absent::Believed,
        known: &nothing,
        firewall: &firewall,
    };
    let facts = gather(&config, &sources);
    sound(&facts, config.links.len());
    // What is remembered while netifd says nothing, and what counts again when it speaks.
    let known = Known::of(&config, &facts);
    let silent = gather(&config, &Sources { netifd: None, known: &known, ..sources });
    sound(&silent, config.links.len());
    assert_eq!(gather(&config, &Sources { known: &known, ..sources }), facts, "it remembers what is still so");
    for facts in [facts, silent] {
        plan(&config, &facts).expect("a few links have marks enough");
    }
}

fn sound(facts: &Facts, links: usize) {
    assert_eq!(facts.links.len(), links);
    for link in &facts.links {
        side(&link.v4, Family::V4);
        side(&link.v6, Family::V6);
        assert!(link.prefixes.iter().all(|(_, length)| *length <= 128));
    }
    assert!(facts.interfaces.iter().all(|(_, device)| is_device_name(device)));
}

fn side(side: &Side, family: Family) {
    assert!(side.device.as_deref().is_none_or(is_device_name));
    assert!(side.addresses.iter().all(|address| Family::of(*address) == family));
    if let State::Up(hop) | State::NoCarrier(hop) = &side.state {
        assert!(is_device_name(&hop.device));
        assert!(hop.gateway.is_none_or(|gateway| Family::of(gateway) == family && !gateway.is_unspecified()));
    }
}
