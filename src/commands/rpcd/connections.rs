//! `connections`: what runs over which link now. The daemon has no part in it, nothing is changed, and nothing is locked.

use super::arguments::Arguments;
use crate::bus::Caller;
use crate::commands::Place;
use crate::config;
use crate::config::model::{Config, Family, LinkId, Part, SetId};
use crate::explain::connection::{Around, Ground, Network};
use crate::interval::{Interval, IntervalSet, from_ipv4, from_ipv6};
use crate::kernel::netlink::address::Address;
use crate::kernel::netlink::elements::Place as Elements;
use crate::kernel::netlink::link;
use crate::kernel::{Kernel, connection};
use crate::plan::path::Paths;
use crate::plan::ruleset::{TABLE, kept};
use crate::report::connections::{Connections, Filter};
use crate::survey::{self, Account, Survey, Trust};
use serde_json::Value;
use std::io::ErrorKind;
use std::net::IpAddr;

/// How many connections are listed if nobody says how many, and at most.
const USUAL: u32 = 200;
const MOST: u32 = 500;

/// The connections that fit the filter, and the sums of all.
pub fn answer(place: &Place, arguments: &Arguments) -> Result<Value, String> {
    let config = configuration(place)?;
    let mut kernel = Kernel::new();
    let survey = survey(&mut kernel, &config, place)?;
    let paths = Paths::new(&config).map_err(|shortage| shortage.to_string())?;
    let around = around(&mut kernel, &config, &survey)?;
    let ground = Ground::new(&config, &paths, &survey.facts, around);
    let filter = Filter {
        link: arguments.text("link"),
        rule: arguments.text("rule"),
        local: arguments.boolean("local"),
        text: arguments.text("text"),
        limit: arguments.number("limit").unwrap_or(USUAL).min(MOST) as usize,
    };
    let mut found = Connections::new(&config, filter);
    let mut visit = |connection| {
        if let Some(attribution) = ground.judge(&connection) {
            found.add(connection, attribution);
        }
    };
    kernel.each_connection(&mut visit).map_err(|error| error.to_string())?;
    Ok(found.json(connection::are_counted()))
}

/// The configuration; an empty one where there is no file.
fn configuration(place: &Place) -> Result<Config, String> {
    let text = match std::fs::read(&place.config) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(format!("cannot read the configuration {}: {error}", place.config)),
    };
    let wrong = || format!("the configuration {} cannot be understood: wansplit check says why", place.config);
    config::read(&text).config.ok_or_else(wrong)
}

/// What is known of the links, but for what probes have shown: connections stay where they are, whatever that is.
fn survey(kernel: &mut Kernel, config: &Config, place: &Place) -> Result<Survey, String> {
    let account = match &place.network {
        Some(file) => Account::Known(survey::account_in(file)?),
        None => survey::account_of_netifd(config, &mut Caller::new(None)),
    };
    let known = survey::remembered(kernel, config);
    let firewall = survey::firewall(&place.firewall());
    survey::survey(kernel, config, &account, Trust::Kernel, &known, &firewall).map_err(|error| error.to_string())
}

/// Who is around, besides the links.
fn around(kernel: &mut Kernel, config: &Config, survey: &Survey) -> Result<Around, String> {
    let addresses = kernel.addresses().map_err(|error| error.to_string())?;
    let networks = addresses.iter().filter_map(|own| {
        let device = link::name(&survey.devices, own.index)?;
        let of_link = |n| {
            let side = survey.facts.side(LinkId(n), own.family());
            side.is_some_and(|side| side.device.as_deref() == Some(device))
        };
        let inside = !(0..config.links.len()).any(of_link);
        inside.then(|| Network { family: own.family(), addresses: network(own), device: device.to_owned() })
    });
    // Only where a rule asks for them.
    let wants_macs = config.rules.iter().any(|rule| rule.matches.macs.is_some());
    let macs = if wants_macs { kernel.ethernet_addresses().map_err(|error| error.to_string())? } else { Vec::new() };
    Ok(Around {
        networks: networks.collect(),
        own: addresses.iter().map(|own| own.address).collect(),
        macs: macs.into_iter().collect(),
        sets: sets(kernel, config),
    })
}

/// The addresses of the network that an address is in.
fn network(own: &Address) -> Interval {
    let number = match own.address {
        IpAddr::V4(address) => from_ipv4(address),
        IpAddr::V6(address) => from_ipv6(address),
    };
    let hosts = own.family().width().saturating_sub(own.prefix);
    let others = u128::MAX.checked_shl(hosts.into()).map_or(u128::MAX, |network| !network);
    Interval::new(number & !others, number | others)
}

/// What the sets hold now, by the kernel's own word, and by the entries of the configuration, which may not be applied yet.
/// Each is read once: to ask for each connection would take more, as a rule.
fn sets(kernel: &mut Kernel, config: &Config) -> Vec<(SetId, Family, IntervalSet)> {
    let mut sets = Vec::new();
    for (n, set) in config.sets.iter().enumerate() {
        for family in Family::BOTH {
            let mut addresses = set.entries(family).clone();
            for part in Part::BOTH.into_iter().filter(|part| set.has(*part, family)) {
                let name = kept::name(config, SetId(n), part, family);
                let held =
                    kernel.nft_elements(Elements { table: TABLE, set: &name, family, intervals: part == Part::Listed });
                let held = held.ok().flatten().unwrap_or_default();
                addresses = addresses.union(&IntervalSet::from_iter(held));
            }
            if !addresses.is_empty() {
                sets.push((SetId(n), family, addresses));
            }
        }
    }
    sets
}
