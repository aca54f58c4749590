//! What the firewall's own configuration (`/etc/config/firewall`) says of IPv6: on which links senders are translated.
//!
//! Only fw4's `masq6` can be seen there. Prefix translation is written as nftables rules or SNAT sections of its own, of
//! which nobody can tell whether they take every sender: there the link's owner says `masq6 '1'`.

use crate::config;
use crate::config::diagnostics::Severity;
use crate::config::source::{Document, RawSection};

/// The zones that translate every IPv6 sender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Firewall {
    zones: Vec<Zone>,
    /// Why nothing is known of it, if its configuration is there and of no use.
    pub fault: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone {
    /// netifd's interfaces.
    networks: Vec<String>,
    /// Devices; `wg+` is all that begin with `wg`.
    devices: Vec<String>,
}

impl Firewall {
    /// One that translates nothing.
    #[must_use]
    pub const fn silent() -> Self {
        Self { zones: Vec::new(), fault: None }
    }

    /// From the text of its file. One with a syntax error says nothing: the firewall takes nothing from it either.
    #[must_use]
    pub fn read(file: &str, text: &[u8]) -> Self {
        let (document, findings) = config::parse(text);
        match findings.into_iter().find(|finding| finding.severity == Severity::Fatal) {
            Some(fault) => Self::unknown(format!("{file}, line {}: {}", fault.at.line, fault.message)),
            None => Self { zones: zones(&document), fault: None },
        }
    }

    /// One that cannot be read, and why.
    #[must_use]
    pub fn unknown(why: String) -> Self {
        Self { zones: Vec::new(), fault: Some(why) }
    }

    /// Whether IPv6 senders are translated on the link of these interfaces, or of this device.
    #[must_use]
    pub fn translates(&self, interfaces: &[&str], device: Option<&str>) -> bool {
        let is_device = |pattern: &String| match (pattern.strip_suffix('+'), device) {
            (Some(beginning), Some(device)) => device.starts_with(beginning),
            (None, Some(device)) => pattern == device,
            (_, None) => false,
        };
        self.zones.iter().any(|zone| {
            zone.networks.iter().any(|name| interfaces.contains(&name.as_str())) || zone.devices.iter().any(is_device)
        })
    }
}

fn zones(document: &Document) -> Vec<Zone> {
    let translating = document.sections.iter().filter(|section| section.kind.value == "zone" && translates(section));
    translating.map(|zone| Zone { networks: words(zone, "network"), devices: words(zone, "device") }).collect()
}

/// Whether a zone translates every IPv6 sender. With `masq_src` or `masq_dest` that concern IPv6, it takes only some.
fn translates(zone: &RawSection) -> bool {
    let is_ipv4 = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit() || b"!./-".contains(&byte));
    let some_only = ["masq_src", "masq_dest"].into_iter().any(|option| !words(zone, option).iter().all(is_ipv4));
    let ipv4_only = words(zone, "family").iter().any(|family| family == "inet" || family.contains('4'));
    is(zone, "masq6", YES) && !some_only && !ipv4_only && !is(zone, "enabled", NO)
}

/// What fw4 takes for yes (`parse_bool` in fw4.uc).
pub(super) const YES: [&str; 4] = ["1", "on", "true", "yes"];
/// And for no.
pub(super) const NO: [&str; 4] = ["0", "off", "false", "no"];

/// Whether an option is one of these words.
pub(super) fn is(section: &RawSection, option: &str, accepted: [&str; 4]) -> bool {
    words(section, option).iter().any(|word| accepted.contains(&word.as_str()))
}

/// An option's values, whether written as a list or between blanks.
pub(super) fn words(section: &RawSection, option: &str) -> Vec<String> {
    let options = section.options.iter().filter(|own| own.name.value == option);
    let values = options.flat_map(|own| &own.values);
    values.flat_map(|value| value.words()).map(|word| word.value.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firewall(zone: &str) -> Firewall {
        Firewall::read("/etc/config/firewall", format!("config defaults\n\toption input 'REJECT'\n\n{zone}").as_bytes())
    }

    #[test]
    fn a_zone_is_found_by_its_networks_and_devices() {
        let list =
            firewall("config zone\n option name 'wan'\n list network 'wan'\n list network 'wan6'\n option masq6 '1'");
        let option =
            firewall("config zone 'x'\n option network 'wan  wan6'\n option device 'eth7 wg+'\n option masq6 'yes'");
        for (firewall, interfaces, device, translates) in [
            (&list, &["wan"][..], None, true),
            (&list, &["wanb", "wan6"], Some("eth1"), true),
            (&list, &["wanb"], Some("wan"), false),
            (&list, &[], None, false),
            (&option, &["wan6"], None, true),
            (&option, &["wanb"], Some("eth7"), true),
            (&option, &["wanb"], Some("eth71"), false),
            (&option, &[], Some("wg0"), true),
            (&option, &[], Some("w"), false),
        ] {
            assert_eq!(firewall.translates(interfaces, device), translates, "{firewall:?} {interfaces:?} {device:?}");
        }
    }

    #[test]
    fn a_zone_translates_only_what_it_says() {
        for (options, translates) in [
            ("", false),
            ("option masq6 '1'", true),
            ("option masq6 'on'", true),
            ("option masq6 '0'", false),
            ("option masq6 'enabled'", false),
            ("option masq6 ''", false),
            ("option masq '1'", false),
            ("option masq6 '1'\n option enabled '0'", false),
            ("option masq6 '1'\n option family 'ipv4'", false),
            ("option masq6 '1'\n option family 'any'", true),
            ("option masq6 '1'\n list masq_src '!192.168.1.0/24'", true),
            ("option masq6 '1'\n list masq_src 'fd00::/8'", false),
            ("option masq6 '1'\n option masq_dest '10.0.0.0/8 !2001:db8::/32'", false),
            ("option masq6 '1'\n list masq_src 'lan'", false),
        ] {
            let firewall = firewall(&format!("config zone\n list network 'wan'\n {options}\n"));
            assert_eq!(firewall.translates(&["wan"], None), translates, "{options}");
            assert_eq!(firewall.fault, None);
        }
    }

    #[test]
    fn only_zones_count_and_a_broken_file_says_nothing() {
        let other = firewall("config redirect\n list network 'wan'\n option masq6 '1'\n");
        assert_eq!(other, Firewall::default());
        let zone = "config zone\n list network 'wan'\n option masq6 '1'\n";
        for broken in ["option 'unterminated", "nonsense here", "config zone 'a b'"] {
            let firewall = firewall(&format!("{zone}{broken}\n"));
            assert!(!firewall.translates(&["wan"], None));
            let fault = firewall.fault.unwrap_or_default();
            assert!(fault.starts_with("/etc/config/firewall, line 7: "), "{fault}");
        }
        for text in [&b"\xff\xfe\x00"[..], b"", b"{", b"\n\n#"] {
            assert!(!Firewall::read("f", text).translates(&["wan"], Some("wan")));
        }
    }
}
