//! What the tests of this module and its neighbours work on: configurations with watched links, and facts about them.
#![allow(clippy::unwrap_used)]

use crate::config::model::{Config, Method, Tracking};
use crate::config::read;
use crate::network::{Facts, Hop, LinkFacts, Side, Standing, State};
use std::time::Duration;

/// A configuration in UCI, with its links watched if `tracked` says so.
pub fn config(text: &str, tracked: bool) -> Config {
    let reading = read(text.as_bytes());
    assert_eq!(reading.diagnostics, []);
    let mut config = reading.config.unwrap();
    for link in &mut config.links {
        link.tracking = tracked.then(tracking);
    }
    config
}

fn tracking() -> Tracking {
    let second = Duration::from_secs(1);
    Tracking {
        method: Method::Arp,
        hosts: Vec::new(),
        interval: second,
        timeout: second,
        down: 3,
        up: 3,
        reliability: 1,
        max_loss: None,
        max_latency: None,
    }
}

/// Links `A`, `B` and so on by `eth0`, `eth1`, ... with these further options each.
pub fn links(count: u8, options: &str) -> String {
    let link = |n| {
        let (name, gateway) = (char::from(b'A' + n), format!("10.0.{n}.1"));
        format!(
            "config link '{name}'\n option device 'eth{n}'\n option gateway '{gateway}'\n option gateway6 'fe80::1'\n{options}\n"
        )
    };
    (0..count).map(link).collect()
}

/// A policy that uses these links in this order.
pub fn policy(name: &str, links: &[&str], options: &str) -> String {
    let uses: String = links.iter().map(|link| format!(" list use '{link}'\n")).collect();
    format!("config policy '{name}'\n{uses}{options}\n")
}

/// A rule for a port.
pub fn rule(name: &str, target: &str) -> String {
    format!("config rule '{name}'\n list proto 'tcp'\n list dest_port '80'\n option use '{target}'\n")
}

/// All links up in both families, with these standings: `G`ood, `P`oor, `D`ead, without `C`arrier, `-` down.
pub fn facts(states: &str) -> Facts {
    let links = states.chars().enumerate().map(|(n, letter)| {
        let device = format!("eth{n}");
        let hop = Hop { device: device.clone(), gateway: Some([10, 0, u8::try_from(n).unwrap(), 1].into()) };
        let state = match letter {
            'C' => State::NoCarrier(hop),
            '-' => State::Down(crate::network::Down::InterfaceDown),
            _ => State::Up(hop),
        };
        let standing = match letter {
            'P' => Standing::Poor,
            'D' => Standing::Dead,
            _ => Standing::Good,
        };
        let side = Side { device: Some(device), addresses: Vec::new(), state, standing };
        LinkFacts { v4: side.clone(), v6: side, ..LinkFacts::default() }
    });
    Facts { links: links.collect(), ipv6: true, ..Facts::default() }
}
