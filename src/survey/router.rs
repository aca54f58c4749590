//! Reads of the router what `doctor` judges: its settings, the configurations beside ours, others' rules and routes.

use super::ask_netifd;
use crate::bus::Caller;
use crate::config::model::{Config, Family};
use crate::doctor::{Lacks, Router, Settings, writers};
use crate::kernel::sysctl::{Key, ROOT, Sysctls};
use crate::kernel::{Error, Kernel, nft};
use crate::network::Facts;
use crate::network::dnsmasq::Dnsmasq;
use crate::network::netifd::Dump;
use crate::network::zones::Zones;
use crate::plan::Plan;
use crate::plan::ruleset::{TABLE, json};
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// Whether other programs may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only the kernel, and files: what takes no time.
    Quick,
    /// Also `nft` and netifd.
    Thorough,
}

/// What there is to know. Other packages' configurations are looked for in `folder`, beside our own.
#[must_use]
pub fn router(
    kernel: &mut Kernel,
    config: &Config,
    facts: &Facts,
    plan: &Plan,
    dump: Option<&Dump>,
    folder: &Path,
    depth: Depth,
) -> Router {
    let read = |package: &str| fs::read(folder.join(package)).ok();
    let interfaces = match dump {
        Some(dump) => dump.interfaces.clone(),
        None if depth == Depth::Thorough => {
            ask_netifd(&mut Caller::new(None)).map_or_else(|_| Vec::new(), |dump| dump.interfaces)
        }
        None => Vec::new(),
    };
    let mut router = Router {
        interfaces,
        zones: read("firewall").map_or_else(Zones::default, |text| Zones::read(&text)),
        dnsmasq: read("dhcp").and_then(|text| Dnsmasq::read(&text)),
        ..Router::default()
    };
    let devices = kernel.links().unwrap_or_default();
    let is_here = |name: &Option<String>| devices.iter().any(|device| Some(&device.name) == name.as_ref());
    // With another router's account of its interfaces, this machine's kernel says nothing about that.
    if !facts.links.iter().any(|link| is_here(&link.v4.device) || is_here(&link.v6.device)) {
        return router;
    }
    router.routes = kernel.foreign_routes(&devices).ok();
    let rules = kernel.rules().unwrap_or_default();
    router.addresses = kernel.addresses().unwrap_or_default();
    router.devices = devices;
    // As long as nothing of ours is applied, nothing was wanted.
    router.settings = settings(if config.globals.enabled && !rules.ours.is_empty() { Some(plan) } else { None });
    router.rules = rules.foreign;
    router.lacks = Lacks {
        nftables: None,
        ctnetlink: matches!(kernel.flow_total(), Err(Error::NoCtnetlink { .. })),
        wireguard: !Path::new("/sys/module/wireguard").exists(),
    };
    // Others may not ask.
    if depth == Depth::Thorough && nix::unistd::geteuid().is_root() {
        router.writers = nft::rules().map_or_else(|_| Vec::new(), |text| writers(&text));
        // What it holds of ours already, it can do.
        if matches!(kernel.nft_table(TABLE, &|_| false), Ok(None)) {
            let document = json::document(&json::everything(&plan.ruleset));
            router.lacks.nftables = nft::check(&document).err().map(|fault| fault.to_string());
        }
    }
    router
}

fn settings(plan: Option<&Plan>) -> Settings {
    let connections = number("netfilter/nf_conntrack_count").zip(number("netfilter/nf_conntrack_max"));
    let sysctls = Sysctls::default();
    let is_on = |device: &str, name: &str| {
        let key = Key { family: Family::V4, device: device.to_owned(), name: name.to_owned() };
        sysctls.read(&key).is_none_or(|value| value != "0")
    };
    let wanted = plan.map_or(&[][..], |plan| &plan.sysctls).iter().filter(|sysctl| sysctl.name == "src_valid_mark");
    let missing = wanted.filter(|sysctl| !is_on("all", sysctl.name) && !is_on(&sysctl.device, sysctl.name));
    Settings {
        forwarding: [number("ipv4/ip_forward"), number("ipv6/conf/all/forwarding")],
        hash_policy: [number("ipv4/fib_multipath_hash_policy"), number("ipv6/fib_multipath_hash_policy")],
        // Without a limit it says 0.
        connections: connections.filter(|(_, most)| *most > 0),
        unmarked: missing.map(|sysctl| sysctl.device.clone()).collect(),
    }
}

fn number(name: &str) -> Option<u32> {
    u32::from_str(fs::read_to_string(Path::new(ROOT).join(name)).ok()?.trim()).ok()
}
