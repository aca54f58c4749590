//! What `ubus call network.interface dump` prints.
//!
//! netifd leaves fields out as it likes (most of them while an interface is down) and newer versions add some, so
//! every field is optional and unknown ones are passed over.

mod fields;

use crate::config::model::{Family, is_device_name};
use crate::{json, sort};
use fields::Fields;
use serde_json::Value;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// One netifd interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// Its name: `wan`.
    pub name: String,
    /// Whether netifd has brought it up. Carrier is another matter.
    pub up: bool,
    /// Its layer 2 device, `eth1`; or `@wan` if it lies on another interface.
    pub device: Option<String>,
    /// The device that packets leave by, `pppoe-wan`. Known only while it is up.
    pub l3_device: Option<String>,
    /// Its protocol: `dhcp`, `pppoe`.
    pub proto: String,
    /// Whether a protocol made it, not the configuration (`wan_6`).
    pub dynamic: bool,
    /// Its routes' metric.
    pub metric: u32,
    /// Its addresses, of both families.
    pub addresses: Vec<Address>,
    /// Its default routes, of both families; those in use first, the best metric first among them.
    pub defaults: Vec<DefaultRoute>,
    /// The name servers that it gave, and that are in use.
    pub name_servers: Vec<IpAddr>,
    /// Prefixes the provider delegated.
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    /// Parts of delegated prefixes that this interface hands out.
    pub assignments: Vec<(Ipv6Addr, u8)>,
}

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix.
    pub mask: u8,
    /// The other end of a point-to-point link (`ptpaddress`).
    pub peer: Option<IpAddr>,
}

/// A default route as netifd knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRoute {
    /// Its family.
    pub family: Family,
    /// Its gateway; netifd writes `0.0.0.0` and `::` for none.
    pub gateway: Option<IpAddr>,
    /// Whether netifd put it into the kernel. With `option defaultroute '0'` it only says that there is one.
    pub active: bool,
    /// Its metric.
    pub metric: u32,
}

/// All interfaces, and what could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dump {
    /// The interfaces in netifd's order.
    pub interfaces: Vec<Interface>,
    /// One sentence for each interface that was left out.
    pub warnings: Vec<String>,
}

/// This is no dump at all.
#[derive(Debug)]
pub enum NotADump {
    /// The text is not JSON.
    Syntax(serde_json::Error),
    /// It has no list `interface`.
    NoList,
}

impl std::error::Error for NotADump {}

impl fmt::Display for NotADump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not what `ubus call network.interface dump` prints: ")?;
        match self {
            Self::Syntax(error) => write!(f, "{error}"),
            Self::NoList => f.write_str("it has no list \"interface\""),
        }
    }
}

impl Interface {
    /// Its best default route of a family.
    #[must_use]
    pub fn default_route(&self, family: Family) -> Option<&DefaultRoute> {
        self.defaults.iter().find(|route| route.family == family)
    }

    /// Its addresses of a family that reach beyond the link.
    pub fn global_addresses(&self, family: Family) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |address| is_global(address.address, family))
    }
}

fn is_global(address: IpAddr, family: Family) -> bool {
    match address {
        IpAddr::V4(_) => family == Family::V4,
        IpAddr::V6(v6) => family == Family::V6 && !v6.is_unicast_link_local(),
    }
}

/// Reads a dump from text. An interface with a field of the wrong type is left out, with a warning.
///
/// # Errors
/// The text is not JSON, or has no list `interface`.
pub fn parse(text: &str) -> Result<Dump, NotADump> {
    read(&json::parse(text).map_err(NotADump::Syntax)?)
}

/// Reads netifd's answer. An interface with a field of the wrong type is left out, with a warning.
///
/// # Errors
/// It has no list `interface`.
pub fn read(answer: &Value) -> Result<Dump, NotADump> {
    let interfaces = answer["interface"].as_array().ok_or(NotADump::NoList)?;
    let mut dump = Dump::default();
    for (place, value) in interfaces.iter().enumerate() {
        match interface(value) {
            Ok(interface) => dump.interfaces.push(interface),
            Err(why) => dump.warnings.push(format!("interface number {} is passed over: {why}", place + 1)),
        }
    }
    Ok(dump)
}

fn interface(value: &Value) -> Result<Interface, String> {
    let fields = Fields::of(value, "interface")?;
    let metric = fields.number("metric")?.unwrap_or(0);
    let is_device = |name: &String| is_device_name(name);
    // `@wan` is no device, but says which interface this one lies on.
    let is_place = |name: &String| is_device_name(name.strip_prefix('@').unwrap_or(name));
    let mut addresses = Vec::new();
    for entry in fields.list("ipv4-address")?.into_iter().chain(fields.list("ipv6-address")?) {
        addresses.extend(address(&entry)?);
    }
    Ok(Interface {
        name: fields.needed_text("interface")?.to_owned(),
        up: fields.is("up")?,
        device: fields.owned_text("device")?.filter(is_place),
        l3_device: fields.owned_text("l3_device")?.filter(is_device),
        proto: fields.owned_text("proto")?.unwrap_or_default(),
        dynamic: fields.is("dynamic")?,
        metric,
        addresses,
        defaults: default_routes(&fields, metric)?,
        name_servers: fields.texts("dns-server").filter_map(|text| text.parse().ok()).collect(),
        prefixes: prefixes(&fields, "ipv6-prefix")?,
        assignments: prefixes(&fields, "ipv6-prefix-assignment")?,
    })
}

fn address(fields: &Fields) -> Result<Option<Address>, String> {
    let (address, mask) = (fields.needed_text("address")?, fields.length("mask")?);
    let peer = fields.text("ptpaddress")?.and_then(|text| text.parse().ok());
    Ok(address.parse().ok().map(|address| Address { address, mask, peer }))
}

fn prefixes(fields: &Fields, name: &str) -> Result<Vec<(Ipv6Addr, u8)>, String> {
    let mut prefixes = Vec::new();
    for entry in fields.list(name)? {
        let (address, mask) = (entry.needed_text("address")?, entry.length("mask")?);
        prefixes.extend(address.parse().ok().filter(|_| mask <= 128).map(|address| (address, mask)));
    }
    Ok(prefixes)
}

/// The default routes; a route without a metric has the interface's.
fn default_routes(fields: &Fields, metric: u32) -> Result<Vec<DefaultRoute>, String> {
    let active = fields.list("route")?;
    let inactive = fields.object("inactive")?.map_or(Ok(Vec::new()), |inactive| inactive.list("route"))?;
    let mut routes = Vec::new();
    for (active, list) in [(true, active), (false, inactive)] {
        for route in list {
            routes.extend(default_route(&route, active, metric)?);
        }
    }
    sort::by_key(&mut routes, |route: &DefaultRoute| (!route.active, route.metric));
    Ok(routes)
}

/// A route, if it leads everywhere. IPv6 ones may hold for one source prefix only; a link's own table needs no such
/// limit, its traffic was chosen before.
fn default_route(fields: &Fields, active: bool, metric: u32) -> Result<Option<DefaultRoute>, String> {
    let (target, mask) = (fields.needed_text("target")?, fields.length("mask")?);
    let metric = fields.number("metric")?.unwrap_or(metric);
    let gateway = fields.text("nexthop")?.and_then(|text| text.parse::<IpAddr>().ok());
    // As in the kernel; 1 or absent: an ordinary route.
    let is_ordinary = fields.number("type")?.unwrap_or(1) == 1;
    let Ok(target) = target.parse::<IpAddr>() else { return Ok(None) };
    if mask != 0 || !target.is_unspecified() || !is_ordinary {
        return Ok(None);
    }
    let family = if target.is_ipv4() { Family::V4 } else { Family::V6 };
    let gateway = gateway.filter(|gateway| !gateway.is_unspecified() && gateway.is_ipv4() == target.is_ipv4());
    Ok(Some(DefaultRoute { family, gateway, active, metric }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORDED: &str = include_str!("../../tests/fixtures/network/network.interface-dump.json");
    const SYNTHETIC: &str = include_str!("../../tests/fixtures/network/network.interface-dump-synthetic.json");

    #[test]
    fn the_recorded_dump_is_understood() {
        let dump = parse(RECORDED).unwrap();
        assert_eq!(dump.warnings, [""; 0]);
        let names: Vec<_> = dump.interfaces.iter().map(|i| &i.name[..]).collect();
        assert_eq!(names, ["lan", "loopback", "wan", "wan6", "wanb", "wanb6"]);
        let wan6 = &dump.interfaces[3];
        assert!(wan6.up && !wan6.dynamic && wan6.metric == 10 && wan6.proto == "static");
        assert_eq!(wan6.l3_device.as_deref(), Some("wan"));
        assert_eq!(wan6.prefixes, [("2001:db8:aa::".parse().unwrap(), 48)]);
        let route = DefaultRoute {
            family: Family::V6,
            gateway: Some("2001:db8:a::1".parse().unwrap()),
            active: true,
            metric: 10,
        };
        assert_eq!(wan6.defaults, [route]);
        assert_eq!(wan6.global_addresses(Family::V6).count(), 1);
        assert_eq!(dump.interfaces[0].assignments.len(), 3);
    }

    #[test]
    fn awkward_values_are_passed_over() {
        let dump = parse(SYNTHETIC).unwrap();
        assert_eq!(dump.warnings, [""; 0]);
        let wan = dump.interfaces.iter().find(|i| i.name == "wan").unwrap();
        let peer = wan.addresses.iter().find_map(|a| a.peer);
        assert!(peer.is_some(), "{wan:?}");
    }

    #[test]
    fn one_bad_interface_does_not_hide_the_others() {
        let text = r#"{"interface": [
            {"interface": "a", "up": "yes"},
            {"interface": "b", "future": {"x": [1, null]}, "ipv4-address": [{"address": "rubbish", "mask": 24}]},
            7, null, {"up": true},
            {"interface": "c", "route": [
                {"target": "0.0.0.0", "mask": 0, "nexthop": "0.0.0.0", "metric": 7},
                {"target": "0.0.0.0", "mask": 0, "nexthop": "10.0.0.1", "metric": 5},
                {"target": "0.0.0.0", "mask": 1, "nexthop": "10.0.0.2", "metric": 1},
                {"target": "::", "mask": 0, "nexthop": "::", "type": 7}],
              "inactive": {"route": [{"target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 1}]}}]}"#;
        let dump = parse(text).unwrap();
        assert_eq!(dump.warnings.len(), 4, "{:?}", dump.warnings);
        assert!(dump.warnings[0].starts_with("interface number 1 is passed over: invalid type: string \"yes\""));
        let [b, c] = &dump.interfaces[..] else { unreachable!("two are left") };
        assert_eq!((&b.name[..], b.up, b.addresses.len()), ("b", false, 0));
        let gateways: Vec<_> = c.defaults.iter().map(|r| (r.gateway.map(|g| g.to_string()), r.active)).collect();
        let expected = [(Some("10.0.0.1".into()), true), (None, true), (Some("fe80::1".into()), false)];
        assert_eq!(gateways, expected);
    }

    #[test]
    fn what_is_no_dump_is_an_error() {
        for text in ["", "{}", "[]", "{\"interface\": 1}", "config interface 'wan'", "{\"interface\": ["] {
            assert!(parse(text).unwrap_err().to_string().contains("ubus call network.interface dump"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_dump_never_panics(place in 0..RECORDED.len(), byte: u8) {
            let mut bytes = RECORDED.as_bytes().to_vec();
            bytes[place] = byte;
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
