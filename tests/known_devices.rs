//! An interface that goes down and comes back changes nothing in nftables: its device and prefixes are remembered, by the
//! program itself or by the ip rules that an earlier run left in the kernel.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use serde_json::{Value, json};
use wansplit::config::{self, model::Config, model::Family};
use wansplit::map::Set;
use wansplit::network::firewall::Firewall;
use wansplit::network::gather::{Absent, Sources, gather};
use wansplit::network::known::Known;
use wansplit::network::{Facts, netifd};
use wansplit::plan::ip_rules::remembered;
use wansplit::plan::path::Paths;
use wansplit::plan::{Plan, plan};

const RECORDED: &str = include_str!("fixtures/network/network.interface-dump.json");
const SYNTHETIC: &str = include_str!("fixtures/network/network.interface-dump-synthetic.json");

/// A router: its configuration and netifd's account of it.
struct Router {
    config: Config,
    dump: Value,
}

impl Router {
    /// Each of these interfaces is a link, with a policy of all and rules by policy and by interface.
    fn new(dump: &str, interfaces: &[&str]) -> Self {
        let mut text = String::new();
        for interface in interfaces {
            text += &format!("config link 'link_{interface}'\n option interface '{interface}'\n");
            text += &format!(
                "config rule 'but_{interface}'\n list src_iface '!{interface}'\n list dest_port '80'\n option use 'all'\n"
            );
        }
        let uses: String = interfaces.iter().map(|interface| format!(" list use 'link_{interface}'\n")).collect();
        text += &format!("config policy 'all'\n{uses}");
        let reading = config::read(text.as_bytes());
        assert_eq!(reading.diagnostics, []);
        Self { config: reading.config.unwrap(), dump: serde_json::from_str(dump).unwrap() }
    }

    /// Interfaces in netifd's account, to be changed.
    fn interface(&mut self, name: &str) -> &mut Value {
        let mut all = self.dump["interface"].as_array_mut().unwrap().iter_mut();
        all.find(|interface| interface["interface"] == name).unwrap()
    }

    /// What netifd still tells of an interface once it is down; dynamic ones are gone.
    fn down(&self, names: &[&str]) -> Self {
        let told = |interface: &Value| {
            if !names.contains(&interface["interface"].as_str().unwrap()) {
                return Some(interface.clone());
            }
            // A protocol that makes a device of its own leaves the layer 2 device.
            let kept = ["interface", "proto", "device"].map(|key| (key.to_string(), interface[key].clone()));
            let mut down = Value::Object(kept.into_iter().collect());
            down["up"] = json!(false);
            (interface["dynamic"] != true).then_some(down)
        };
        let all: Vec<Value> = self.dump["interface"].as_array().unwrap().iter().filter_map(told).collect();
        Self { config: self.config.clone(), dump: json!({ "interface": all }) }
    }

    fn facts(&self, known: &Known) -> Facts {
        let interfaces = netifd::parse(&self.dump.to_string()).unwrap().interfaces;
        let sources = Sources {
            netifd: Some(&interfaces),
            devices: &[],
            addresses: &[],
            ipv6: true,
            without_ipv6: &Set::new(),
            absent: Absent::Believed,
            known,
            firewall: &Firewall::silent(),
        };
        gather(&self.config, &sources)
    }

    fn plan(&self, known: &Known) -> Plan {
        plan(&self.config, &self.facts(known)).unwrap()
    }

    /// What the kernel would tell after this plan.
    fn kernels(&self, plan: &Plan) -> Known {
        remembered(&self.config, &Paths::new(&self.config).unwrap(), &plan.ip_rules)
    }

    fn devices(&self, known: &Known) -> Vec<[Option<String>; 2]> {
        self.facts(known).links.into_iter().map(|link| [link.v4.device, link.v6.device]).collect()
    }
}

/// With these interfaces down, nftables stays as it is; so it does at the next look, and when they are back.
fn nothing_changes(up: &Router, names: &[&str]) {
    let nothing = Known::nothing();
    let (facts, before) = (up.facts(&nothing), up.plan(&nothing));
    let down = up.down(names);
    assert_ne!(down.plan(&nothing).ip_rules, before.ip_rules, "{names:?} matter");
    for mut known in [Known::of(&up.config, &facts), up.kernels(&before)] {
        for _ in 0..2 {
            let plan = down.plan(&known);
            assert_eq!(plan.ruleset, before.ruleset, "{names:?} down");
            // Only addresses and routes go.
            let gone: Vec<_> = before.ip_rules.iter().filter(|rule| !plan.ip_rules.contains(rule)).collect();
            assert!(
                gone.iter().all(|rule| rule.from.is_some_and(|(_, length)| length == rule.family.width())),
                "{gone:?}"
            );
            assert!(plan.ip_rules.iter().all(|rule| before.ip_rules.contains(rule)));
            assert!(plan.routes.len() < before.routes.len());
            assert_eq!(up.plan(&known), before, "{names:?} back");
            assert_eq!(down.facts(&down.kernels(&plan)), down.facts(&known));
            known = Known::of(&down.config, &down.facts(&known));
        }
    }
}

#[test]
fn pppoe_keeps_its_device_and_its_prefix() {
    let mut up = Router::new(SYNTHETIC, &["wan"]);
    up.interface("wan")["ipv6-prefix"] = json!([{"address": "2001:db8:77::", "mask": 56}]);
    nothing_changes(&up, &["wan"]);
    assert_ne!(up.down(&["wan"]).plan(&Known::nothing()).ruleset, up.plan(&Known::nothing()).ruleset, "it would else");
}

#[test]
fn ethernet_keeps_its_prefixes() {
    let up = Router::new(RECORDED, &["wan", "wanb"]);
    for names in [&["wan", "wan6"][..], &["wan6"], &["wanb", "wanb6"], &["wan", "wan6", "wanb", "wanb6"]] {
        nothing_changes(&up, names);
    }
}

#[test]
fn a_tunnel_over_the_link_keeps_its_device() {
    let mut up = Router::new(RECORDED, &["mobile"]);
    up.dump = json!({"interface": [
        {"interface": "mobile", "up": true, "device": "wwan0", "l3_device": "wwan0", "proto": "qmi"},
        {"interface": "mobile_6", "up": true, "dynamic": true, "device": "wwan0", "l3_device": "wwan0", "proto": "static",
            "ipv6-address": [{"address": "2001:db8::5", "mask": 64}],
            "route": [{"target": "::", "mask": 0, "nexthop": "::"}]},
        {"interface": "mobile_6_4", "up": true, "dynamic": true, "device": "mobile_6", "l3_device": "464-mobile_6_4",
            "proto": "464xlat", "ipv4-address": [{"address": "192.0.0.1", "mask": 32}],
            "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "0.0.0.0"}]}]});
    nothing_changes(&up, &["mobile", "mobile_6", "mobile_6_4"]);
    nothing_changes(&up, &["mobile_6_4"]);
}

/// Two dial-up links whose devices are named in the order they come up.
fn dial_up(devices: [Option<&str>; 2]) -> Router {
    let interface = |(name, device): (&str, Option<&str>)| match device {
        None => json!({"interface": name, "up": false, "proto": "ppp"}),
        Some(device) => json!({"interface": name, "up": true, "proto": "ppp", "device": device, "l3_device": device,
            "ipv4-address": [{"address": "10.0.0.2", "mask": 32}],
            "ipv6-prefix": [{"address": format!("2001:db8:{}::", &device[3..]), "mask": 56}],
            "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "0.0.0.0"}]}),
    };
    let all: Vec<Value> = ["a", "b"].into_iter().zip(devices).map(interface).collect();
    let mut router = Router::new(RECORDED, &["a", "b"]);
    router.dump = json!({ "interface": all });
    router
}

#[test]
fn what_another_link_has_now_is_forgotten() {
    let told = |router: &Router, known: &Known| {
        let facts = router.facts(known);
        let device = |n: usize| facts.links[n].v4.device.clone().unwrap_or_default();
        let prefix =
            |n: usize| facts.links[n].prefixes.iter().map(|(address, _)| address.to_string()).collect::<String>();
        ([device(0), device(1)], [prefix(0), prefix(1)], Known::of(&router.config, &facts))
    };
    let (devices, _, known) = told(&dial_up([Some("ppp0"), Some("ppp1")]), &Known::nothing());
    assert_eq!(devices, ["ppp0", "ppp1"]);
    let (devices, prefixes, known) = told(&dial_up([None, None]), &known);
    assert_eq!(
        (devices, prefixes),
        (["ppp0", "ppp1"].map(String::from), ["2001:db8::", "2001:db8:1::"].map(String::from))
    );
    // b comes up first this time.
    let (devices, prefixes, known) = told(&dial_up([None, Some("ppp0")]), &known);
    assert_eq!((devices, prefixes), (["", "ppp0"].map(String::from), ["", "2001:db8::"].map(String::from)));
    let (devices, _, known) = told(&dial_up([None, None]), &known);
    assert_eq!(devices, ["", "ppp0"], "a does not get it back");
    let (devices, prefixes, _) = told(&dial_up([Some("ppp0"), Some("ppp1")]), &known);
    assert_eq!(
        (devices, prefixes),
        (["ppp0", "ppp1"].map(String::from), ["2001:db8::", "2001:db8:1::"].map(String::from))
    );
}

#[test]
fn what_an_interface_that_is_no_link_has_now_is_forgotten() {
    let mut known = Known::nothing();
    known.device("link_wan", Family::V4, "br-lan");
    known.device("link_wan", Family::V6, "pppoe-wan");
    let down = Router::new(SYNTHETIC, &["wan"]).down(&["wan"]);
    assert_eq!(down.devices(&known), [[None, Some("pppoe-wan".to_string())]]);
}

#[test]
fn another_device_replaces_the_old_one() {
    let mut router = Router::new(RECORDED, &["wan"]);
    let known = Known::of(&router.config, &router.facts(&Known::nothing()));
    for name in ["wan", "wan6"] {
        router.interface(name)["device"] = json!("eth7");
    }
    let down = router.down(&["wan", "wan6"]);
    assert_eq!(down.devices(&known), [[Some("eth7".to_string()), Some("eth7".to_string())]]);
    let gone = Router { config: router.config.clone(), dump: json!({"interface": []}) };
    assert_eq!(gone.devices(&known), [[Some("wan".to_string()), Some("wan".to_string())]], "netifd is restarting");
}
