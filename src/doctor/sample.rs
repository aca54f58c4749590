//! What the tests of this module work on: a router with two links, `eth0` and `eth1`, and a LAN, with which nothing is wrong.
#![allow(clippy::unwrap_used)]

use super::{Router, findings, page};
use crate::config::model::Config;
use crate::kernel::netlink::address::Address;
use crate::kernel::netlink::link::Link as Device;
use crate::kernel::netlink::route::{ForeignKind, ForeignRoute};
use crate::network::netifd::Interface;
use crate::network::zones::Zones;
use crate::network::{Facts, LinkFacts};
use crate::plan::plan;
use crate::plan::sample;
use crate::plan::state::TABLE_MAIN;

pub(super) struct Sample {
    pub config: Config,
    pub facts: Facts,
    pub router: Router,
}

impl Sample {
    /// Links `A` and `B`, and what else the configuration has.
    pub fn new(more: &str) -> Self {
        let config = sample::config(&(sample::links(2, "") + more), false);
        let mut facts = sample::facts("GG");
        facts.links.resize_with(config.links.len(), LinkFacts::default);
        for link in &mut facts.links {
            link.translates6 = true;
        }
        let devices = ["lo", "eth0", "eth1", "br-lan"].into_iter().zip(1..).map(|(name, index)| device(name, index));
        let default = ForeignRoute {
            family: crate::config::model::Family::V4,
            table: TABLE_MAIN,
            metric: 0,
            destination: ([0, 0, 0, 0].into(), 0),
            source_length: 0,
            kind: ForeignKind::Via(Vec::new()),
            protocol: 4,
        };
        let interface = |name: &str, device: &str, proto: &str| Interface {
            name: name.into(),
            up: true,
            l3_device: Some(device.into()),
            proto: proto.into(),
            ..Interface::default()
        };
        let interfaces = vec![
            interface("lan", "br-lan", "static"),
            interface("wan", "eth0", "dhcp"),
            interface("wanb", "eth1", "dhcp"),
        ];
        let router =
            Router { devices: devices.collect(), routes: Some(vec![default]), interfaces, ..Router::default() };
        let mut sample = Self { config, facts, router };
        sample.addresses(&[("eth0", "10.0.0.2", 24), ("eth1", "10.0.1.2", 24), ("br-lan", "192.168.1.1", 24)]);
        sample
    }

    pub fn device(&mut self, name: &str) -> &mut Device {
        self.router.devices.iter_mut().find(|device| device.name == name).unwrap()
    }

    pub fn interface(&mut self, name: &str) -> &mut Interface {
        self.router.interfaces.iter_mut().find(|own| own.name == name).unwrap()
    }

    /// The devices have these addresses, and no others.
    pub fn addresses(&mut self, addresses: &[(&str, &str, u8)]) {
        let address = |(name, address, prefix): &(&str, &str, u8)| Address {
            index: self.router.devices.iter().find(|device| device.name == *name).unwrap().index,
            address: address.parse().unwrap(),
            prefix: *prefix,
            tentative: false,
            deprecated: false,
        };
        self.router.addresses = addresses.iter().map(address).collect();
    }

    /// The firewall's configuration.
    pub fn firewall(mut self, text: &str) -> Self {
        self.router.zones = Zones::read(text.as_bytes());
        self
    }
}

fn device(name: &str, index: u32) -> Device {
    Device {
        index,
        name: name.into(),
        up: true,
        carrier: true,
        operational: true,
        loopback: name == "lo",
        gatewayless: false,
        tunnel: None,
        mtu: 1500,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    }
}

/// The findings about a sample begin with these words, and each is explained in `docs/checks.md`.
pub(super) fn says(sample: &Sample, beginnings: &[&str]) {
    let plan = plan(&sample.config, &sample.facts).unwrap();
    let found = findings(&sample.config, &sample.facts, &plan, &sample.router);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    let as_expected = messages.len() == beginnings.len()
        && messages.iter().zip(beginnings).all(|(message, beginning)| message.starts_with(beginning));
    assert!(as_expected, "{messages:#?} instead of {beginnings:#?}");
    for finding in &found {
        assert!(finding.help.is_some(), "{finding:?} does not say what to do");
        assert!(page::explains(&finding.message), "docs/checks.md has no line for: {}", finding.message);
    }
}
