//! `config pbr`: what holds for all policies.

use super::links::{Links, Target};
use super::network::Network;
use crate::config::diagnostics::quote;
use crate::config::model::is_interface_name;
use crate::config::options::SectionKind;
use crate::import::Section;
use crate::import::foreign::{Foreign, Report};
use crate::import::names::Names;
use crate::sort;

/// What `config pbr` says about traffic.
pub struct Settings {
    /// The main link.
    pub uplink: String,
    /// The interface that is the main link's IPv6.
    pub uplink6: String,
    /// Whether policies hold for IPv6.
    pub ipv6: bool,
    /// Whether nothing may leave by another link while one is down.
    pub strict: bool,
    /// Whether dnsmasq fills the sets of domains; else they were resolved once.
    pub dnsmasq: bool,
    /// Interfaces that are a target, whatever pbr thinks of them.
    pub supported: Vec<String>,
    /// Interfaces that are no target.
    pub ignored: Vec<String>,
}

/// The end of the name of an option that sends a DSCP value by an interface.
const DSCP: &str = "_dscp";

/// Options that say how pbr works, not what goes where: these, and those that begin so.
const INNER: [&str; 15] = [
    "boot_timeout",
    "config_",
    "debug_",
    "lan_device",
    "name",
    "nft_",
    "procd_boot",
    "procd_lan_",
    "procd_reload",
    "rule_create_option",
    "secure_reload",
    "uplink_mark",
    "verbosity",
    "wan_mark",
    "webui_",
];

/// wansplit's bits of the packet mark, if nothing else is written.
const OWN_MASK: u32 = 0xff00_0000;
/// pbr clears this many priorities below its own; ours begin at 800 and take some hundreds.
const WINDOW: u32 = 255;
const OWN_PRIORITIES: u32 = 2000;

impl Settings {
    /// Reads the section; without one everything is as pbr has it if nothing is written.
    pub fn read(section: Option<&Foreign>, report: &mut Report) -> Self {
        let one = |names: [&str; 2]| names.iter().find_map(|name| section.and_then(|section| section.one(name)));
        let words = |name| section.map_or(Vec::new(), |section| section.words(name));
        let is = |name, default| section.map_or(default, |section| section.is(name, default));
        let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        let resolver = one(["resolver_set", "resolver_ipset"]).unwrap_or("none");
        let uplink = ["uplink_interface", "procd_wan_interface"];
        let named = one(uplink).unwrap_or("wan");
        if let Some(section) = section.filter(|_| !is_interface_name(named)) {
            let text = format!("{} cannot be the name of an interface: taken for wan", quote(named));
            report.changed(section, uplink[0], text);
        }
        let settings = Self {
            uplink: if is_interface_name(named) { named } else { "wan" }.to_owned(),
            uplink6: one(["uplink_interface6", "procd_wan6_interface"]).unwrap_or("wan6").to_owned(),
            ipv6: is("ipv6_enabled", false),
            strict: is("strict_enforcement", true),
            dnsmasq: resolver.starts_with("dnsmasq."),
            supported: owned(words("supported_interface")),
            ignored: owned(words("ignored_interface")),
        };
        if let Some(section) = section {
            settings.say(section, report);
        }
        settings
    }

    fn say(&self, section: &Foreign, report: &mut Report) {
        if section.is("enabled", false) {
            let text =
                "pbr is still switched on: end it before this is switched on (service pbr stop; service pbr disable)";
            report.look(section, "enabled", text);
        }
        if section.words("resolver_instance").iter().any(|instance| *instance != "*") {
            let text = "domains are known to every dnsmasq here, not only to some instances";
            report.changed(section, "resolver_instance", text);
        }
        let netifd = ["netifd_enabled", "netifd_strict_enforcement"];
        if netifd.iter().any(|option| section.is(option, false)) {
            let text = "pbr has written into /etc/config/network: run service pbr netifd uninstall before you remove it, \
                        and look for ip4table, ip6table and rules named pbr_ there";
            report.look(section, netifd[0], text);
        }
        if let Some(length) = section.one("prefixlength").filter(|length| *length != "1") {
            let text = format!("wansplit passes by default routes of the main table only; pbr by all up to /{length}");
            report.changed(section, "prefixlength", text);
        }
        let hexadecimal = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        if section.one("fw_mask").and_then(hexadecimal).is_some_and(|mask| mask & OWN_MASK != 0) {
            let text = "pbr's bits of the mark are wansplit's too (0xff000000): never run both, or change this first";
            report.look(section, "fw_mask", text);
        }
        for option in ["uplink_ip_rules_priority", "wan_ip_rules_priority"] {
            let priority = section.one(option).and_then(|text| text.parse::<u32>().ok());
            if priority.is_some_and(|priority| priority.saturating_sub(WINDOW) < OWN_PRIORITIES) {
                let text = "at each start pbr deletes all ip rules of the 255 priorities below it, wansplit's too: never \
                            run both, or raise it";
                report.look(section, option, text);
            }
        }
        let mut inner = Vec::new();
        for option in section.unseen() {
            if option.starts_with("netifd_") || option.ends_with(DSCP) || option == "icmp_interface" {
                continue;
            }
            if INNER.iter().any(|own| option.starts_with(own)) {
                inner.push(option);
            } else {
                report.dropped(section, option, "it is no option of pbr that is known here");
            }
        }
        if !inner.is_empty() {
            let text = format!("not needed here, they say how pbr works, not what goes where: {}", inner.join(", "));
            report.dropped(section, "", text);
        }
    }

    /// The rules that come before all policies: the router's own ICMP, and DSCP values.
    pub fn first_rules(
        &self,
        section: &Foreign,
        links: &mut Links,
        names: &mut Names,
        network: &Network,
        report: &mut Report,
    ) -> Vec<Section> {
        let mut rules = Vec::new();
        if let Some(interface) = section.one("icmp_interface")
            && let Some(target) = links.usable(interface, names, section, "icmp_interface", report)
        {
            let mut rule = Section::new(SectionKind::Rule, &names.fresh("icmp_interface"));
            rule.option("from", "router").list("proto", "icmp");
            rules.push(self.finished(rule, target));
        }
        let mut options: Vec<&str> = section.names().filter(|option| option.ends_with(DSCP)).collect();
        sort::by_key(&mut options, |option| network.place(option.trim_end_matches(DSCP)));
        if options.len() > 1 && !network.is_known() {
            let text = "which of these options comes first depends on the order of /etc/config/network: name that file \
                        behind this one, or look at the order of the rules";
            report.look(section, options[0], text);
        }
        for option in options {
            let interface = option.trim_end_matches(DSCP);
            let value =
                section.one(option).filter(|text| text.parse().is_ok_and(|value: u8| (1..=63).contains(&value)));
            let Some(value) = value else {
                report.dropped(section, option, "it is no DSCP value from 1 to 63, so pbr passes it over too");
                continue;
            };
            if let Some(target) = links.usable(interface, names, section, option, report) {
                let mut rule = Section::new(SectionKind::Rule, &names.fresh(option));
                rule.list("dscp", value);
                rules.push(self.finished(rule, target));
            }
        }
        rules
    }

    fn finished(&self, mut rule: Section, target: Target) -> Section {
        if !self.ipv6 {
            rule.option("family", "ipv4");
        }
        rule.option("use", target.0);
        rule
    }
}
