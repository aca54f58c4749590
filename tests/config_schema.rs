//! The JSON Schema and the reader agree: what one takes, the other takes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "config_properties/json_schema.rs"]
mod json_schema;

use json_schema::violation;
use serde_json::{Value, json};
use wansplit::config::read;
use wansplit::config::schema::schema;

fn reader_takes(value: &Value) -> bool {
    read(value.to_string().as_bytes()).diagnostics.is_empty()
}

#[test]
fn the_example_keeps_to_the_schema() {
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/two-links.json")).unwrap();
    assert_eq!(violation(&schema(), &serde_json::from_slice(&text).unwrap()), None);
}

#[test]
fn the_schema_and_the_reader_agree() {
    let with_rule = |rule: Value| json!({ "links": { "a": { "interface": "wan" } }, "rules": [rule] });
    let with_set = |set: Value| json!({ "sets": { "s": set } });
    let with_link = |options: Value| {
        let mut link = json!({ "interface": "wan", "track_ip": ["1.1.1.1", "2606:4700:4700::1111"] });
        link.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        json!({ "links": { "a": link } })
    };
    let with_policy = |policy: Value| {
        let links = json!({ "a": { "interface": "wan" }, "b": { "interface": "wanb", "speed": "50M" } });
        json!({ "links": links, "policies": { "p": policy } })
    };
    let cases = [
        (true, json!({})),
        (true, json!({ "$schema": "wansplit.schema.json", "globals": { "enabled": true, "mask": 255 } })),
        (true, json!({ "globals": { "enabled": "yes", "mask": "0xff00", "rule_priority": "900" } })),
        (true, json!({ "links": { "Fibra óptica": { "device": "eth1", "gateway": "192.0.2.1" } } })),
        (true, json!({ "links": { "a": { "interface": "wan" } }, "policies": { "p": { "use": "a" } } })),
        (true, with_rule(json!({ "use": "a" }))),
        (true, with_rule(json!({ "name": "r", "use": "a", "proto": "tcp udp", "dest_port": [80, "443", "!1-7"] }))),
        (true, with_rule(json!({ "use": "main", "family": 4, "src_ip": "!10.0.0.0/30 10.0.0.0-10.0.0.9" }))),
        (
            true,
            with_rule(json!({ "use": "main", "enabled": 0, "src_mac": ["52-54-00-12-34-56"], "dscp": [46, "cs1"] })),
        ),
        (true, with_rule(json!({ "name": "r", "use": "a", "counter": true }))),
        (false, json!({ "globals": { "enabled": 2 } })),
        (false, json!({ "globals": { "mask": -1 } })),
        (false, json!({ "globals": { "rule_priority": 2 } })),
        (false, json!({ "globals": { "log_level": "loud" } })),
        (false, json!({ "globals": { "colour": "blue" } })),
        (false, json!({ "globals": [] })),
        (false, json!({ "links": [] })),
        (false, json!({ "links": { "main": { "interface": "wan" } } })),
        (false, json!({ "links": { "": { "interface": "wan" } } })),
        (false, json!({ "links": { " a": { "interface": "wan" } } })),
        (false, json!({ "links": { "a": {} } })),
        (false, json!({ "links": { "a": null } })),
        (false, json!({ "links": { "a": { "interface": "wan", "device": "eth1" } } })),
        (false, json!({ "links": { "a": { "interface": "wan", "gateway": "192.0.2.1" } } })),
        (false, json!({ "links": { "a": { "interface": "wan", "name": "b" } } })),
        (true, with_link(json!({}))),
        (true, with_link(json!({ "masq6": "auto" }))),
        (true, with_link(json!({ "masq6": 1 }))),
        (false, with_link(json!({ "masq6": "yes" }))),
        (true, with_link(json!({ "interval": 1, "timeout": 0.5, "down": 2, "up": "5", "reliability": 1 }))),
        (true, with_link(json!({ "interval": "1.5s", "max_loss": "40%", "max_latency": "200ms" }))),
        (true, with_link(json!({ "max_loss": 40, "flush_conntrack": ["down", "up"], "track_method": "tcp" }))),
        (true, with_link(json!({ "track_method": "dns", "track_ip": "1.1.1.1:53 [2606:4700:4700::1111]:53 1.0.0.1" }))),
        (true, with_link(json!({ "flush_conntrack": "none" }))),
        (true, with_link(json!({ "speed": "2.5G", "max": "10G", "max_per": "week" }))),
        (true, with_link(json!({ "speed": 300, "max": "1.5T" }))),
        (false, with_link(json!({ "speed": "300 Mbit/s" }))),
        (false, with_link(json!({ "speed": 0 }))),
        (false, with_link(json!({ "max": 10 }))),
        (false, with_link(json!({ "max": "10GB" }))),
        (false, with_link(json!({ "max": "10G", "max_per": "year" }))),
        (true, with_policy(json!({ "mode": "balance", "use": ["a 3", "b auto tier 2"] }))),
        (true, with_policy(json!({ "mode": "balance", "use": "b tier 9" }))),
        (false, with_policy(json!({ "mode": "balance", "use": ["a 3", ""] }))),
        (false, with_policy(json!({ "mode": "balance", "use": [3] }))),
        (true, with_link(json!({ "endpoint": ["203.0.113.7", "[2001:db8::7]:1194", "*:1194"], "via": "main" }))),
        (false, with_link(json!({ "endpoint": "vpn.example.net:1194" }))),
        (false, with_link(json!({ "track_ip": ["one.one.one.one"] }))),
        (false, with_link(json!({ "track_ip": ["1.1.1.1:port"] }))),
        (false, with_link(json!({ "track_method": "icmp" }))),
        (false, with_link(json!({ "interval": 0 }))),
        (false, with_link(json!({ "interval": "fast" }))),
        (false, with_link(json!({ "timeout": 61 }))),
        (false, with_link(json!({ "down": 0 }))),
        (false, with_link(json!({ "max_loss": 101 }))),
        (false, with_link(json!({ "max_loss": "40 %" }))),
        (false, with_link(json!({ "max_latency": [1] }))),
        (false, with_link(json!({ "flush_conntrack": "always" }))),
        (false, json!({ "links": { "a": { "device": "eth1", "gateway": "2001:db8::1" } } })),
        (false, json!({ "policies": { "p": {} } })),
        (false, json!({ "policies": { "p": { "use": [] } } })),
        (false, json!({ "rulez": [] })),
        (false, with_rule(json!({ "name": "r" }))),
        (false, with_rule(json!("r"))),
        (false, with_rule(json!({ "use": "a", "dest_port": 0 }))),
        (false, with_rule(json!({ "use": "a", "dest_port": [] }))),
        (false, with_rule(json!({ "use": "a", "dest_port": [[80]] }))),
        (false, with_rule(json!({ "use": "a", "dest_port": null }))),
        (false, with_rule(json!({ "use": "a", "dest_port": "http" }))),
        (false, with_rule(json!({ "use": "a", "src_mac": "52:54" }))),
        (false, with_rule(json!({ "use": "a", "src_ip": "example.org" }))),
        (false, with_rule(json!({ "use": ["a", "main"] }))),
        (false, with_rule(json!({ "use": "a", "from": "wan" }))),
        (false, with_rule(json!({ "name": "r", "use": "a", "counter": "often" }))),
        (true, with_rule(json!({ "use": "a", "dest_domain": ["example.org", "*.example.net"] }))),
        (true, with_rule(json!({ "use": "a", "mark": "!0x10000/0xff0000", "icmp_type": ["echo-request", 13] }))),
        (true, with_rule(json!({ "use": "a", "weekdays": ["mon-fri", "!Wednesday"], "start_time": "22:00" }))),
        (true, with_rule(json!({ "use": "a", "weekdays": "sat sun", "stop_time": "24:00", "log": true }))),
        (false, with_rule(json!({ "use": "a", "weekdays": [1, 2] }))),
        (false, with_rule(json!({ "use": "a", "start_time": 22 }))),
        (false, with_rule(json!({ "use": "a", "stop_time": "10pm" }))),
        (false, with_rule(json!({ "use": "a", "log": "often" }))),
        (true, with_set(json!({ "entry": ["192.0.2.0/24", "2001:db8::1-2001:db8::9"], "file": ["/etc/a list"] }))),
        (false, with_rule(json!({ "use": "a", "dest_domain": "https://example.org/" }))),
        (false, with_rule(json!({ "use": "a", "mark": "red" }))),
        (false, with_rule(json!({ "use": "a", "icmp_type": 256 }))),
        (false, with_set(json!({ "entry": "!192.0.2.1" }))),
        (false, with_set(json!({ "entry": "example.org" }))),
        (false, with_set(json!({ "file": "streams.list" }))),
    ];
    for (good, case) in cases {
        assert_eq!(reader_takes(&case), good, "the reader on {case}");
        assert_eq!(violation(&schema(), &case).is_none(), good, "the schema on {case}");
    }
}
