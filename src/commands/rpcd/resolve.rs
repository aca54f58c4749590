//! `resolve`: the addresses behind a name, so that one can ask about a name where only addresses are routed.
//!
//! The router's own resolver is asked. On OpenWrt that is the dnsmasq which its devices ask too: they get the same addresses,
//! and a rule for a domain knows them from then on.

use super::arguments::Arguments;
use crate::commands::Place;
use crate::config::is_domain_name;
use crate::json::object;
use serde_json::Value;
use std::net::ToSocketAddrs;

/// The addresses of a name in the resolver's order, each once.
pub fn answer(_: &Place, arguments: &Arguments) -> Result<Value, String> {
    let name = arguments.text("name").ok_or("say which name, as example.com")?;
    if !is_domain_name(name.strip_suffix('.').unwrap_or(name)) {
        return Err(format!("'{name}' is not a name of a host: write one like example.com"));
    }
    let found = (name, 0).to_socket_addrs().map_err(|error| format!("no address of '{name}' is known: {error}"))?;
    let mut addresses: Vec<String> = Vec::new();
    for address in found.map(|end| end.ip().to_string()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(object! { "addresses": addresses })
}
