//! What a stage's lab has besides: hosts that people ask, and netifd's word with the page's names of the interfaces.

use lab::{LAN2_GATEWAY, Lab, TUNNEL, Wan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The hosts that the manual's links ask, which the lab's Internet is not by itself.
pub fn reach_well_known_hosts(lab: &Lab) {
    for host in ["1.1.1.1/32", "9.9.9.9/32", "2606:4700:4700::1111/128", "2620:fe::fe/128"] {
        lab.internet.ip(&format!("addr add {host} dev lo{}", if host.contains(':') { " nodad" } else { "" }));
        for wan in lab.wans() {
            let n = wan.0;
            let via = if host.contains(':') { format!("fd09:{n}::2") } else { format!("10.9.{n}.2") };
            lab.provider(n).host.ip(&format!("route add {host} via {via}"));
        }
    }
}

/// What netifd would say, with the page's names of the interfaces.
pub fn dump(lab: &Lab, interfaces: &BTreeMap<String, String>, has_tunnel: bool, down: &[&str]) -> Value {
    let mut dump = lab.network_dump(&[]);
    let renamed: BTreeMap<String, String> = interfaces
        .iter()
        .flat_map(|(place, name)| match place.parse::<u8>() {
            Ok(number) => {
                let [v4, v6] = Wan(number).interfaces();
                vec![(v4.to_owned(), name.clone()), (v6.to_owned(), format!("{name}6"))]
            }
            Err(_) => vec![(place.clone(), name.clone())],
        })
        .collect();
    let list = dump["interface"].as_array_mut().expect("interfaces");
    for entry in list.iter_mut() {
        let name = entry["interface"].as_str().unwrap_or_default().to_owned();
        if let Some(new) = renamed.get(&name) {
            entry["interface"] = new.as_str().into();
            if let Some(prefix) = entry.get_mut("ipv6-prefix").and_then(|list| list.get_mut(0)) {
                prefix["class"] = new.as_str().into();
            }
        }
    }
    assert!(
        list.iter().all(|entry| entry["ipv4-address"][0]["address"] != json!(LAN2_GATEWAY[0]) || entry["up"] == true)
    );
    if has_tunnel {
        let [v4, v6] = TUNNEL.router();
        let up = !down.contains(&"wg0");
        list.push(if up {
            json!({"interface": "wg0", "up": true, "proto": "wireguard", "device": "wg0", "l3_device": "wg0",
                "ipv4-address": [{"address": v4, "mask": 24}], "ipv6-address": [{"address": v6, "mask": 64}], "route": []})
        } else {
            json!({"interface": "wg0", "up": false, "proto": "wireguard"})
        });
    }
    dump
}
