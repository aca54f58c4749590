//! What the firewall's own configuration (`/etc/config/firewall`) lets pass between which interfaces, and how: what
//! links need of it. Read when somebody asks what is wrong; the daemon's own look is [`super::firewall`].

use super::firewall::{NO, YES, is, words};
use crate::config;
use crate::config::diagnostics::Severity;
use crate::config::source::RawSection;

/// The firewall's configuration, as far as links depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zones {
    /// The zones that are switched on.
    pub zones: Vec<Zone>,
    /// `config forwarding`: from which zone to which; `*` is all of them.
    pub forwardings: Vec<(String, String)>,
    /// Zones that a `config nat` translates for in its own way.
    pub nat: Vec<String>,
    /// Zones that some `config rule` lets forwarded packets into.
    pub allowed: Vec<String>,
    /// Whether what no zone says is forwarded.
    pub forwards_all: bool,
    /// Whether established connections are handed to the hardware.
    pub hardware_offload: bool,
}

/// One `config zone`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Its place among all zones of the file, from 0: `firewall.@zone[1]`.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// netifd's interfaces.
    pub networks: Vec<String>,
    /// Devices; `wg+` is all that begin with `wg`.
    pub devices: Vec<String>,
    /// Networks, for zones that go by addresses.
    pub subnets: Vec<String>,
    /// Whether IPv4 senders are translated.
    pub masq: bool,
    /// Only these senders are.
    pub masq_src: Vec<String>,
    /// Only on the way to these.
    pub masq_dest: Vec<String>,
    /// Whether TCP is told what the device can carry.
    pub mtu_fix: bool,
    /// Whether everything that comes in by it may reach the router.
    pub accepts_input: bool,
}

impl Zones {
    /// From the text of its file. Of one with a syntax error the firewall takes nothing.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let (document, findings) = config::parse(text);
        if findings.iter().any(|finding| finding.severity == Severity::Fatal) {
            return Self::default();
        }
        let of_kind = |kind: &'static str| {
            let sections = document.sections.iter().filter(move |section| section.kind.value == kind);
            sections.enumerate().filter(|(_, section)| !is(section, "enabled", NO))
        };
        let defaults = || of_kind("defaults").map(|(_, section)| section);
        let accepts = |section: &RawSection, option| value(section, option).eq_ignore_ascii_case("accept");
        let input = defaults().any(|section| accepts(section, "input"));
        let zone = |(place, section): (usize, &RawSection)| Zone {
            place,
            name: value(section, "name"),
            networks: words(section, "network"),
            devices: words(section, "device"),
            subnets: words(section, "subnet"),
            masq: is(section, "masq", YES),
            masq_src: words(section, "masq_src"),
            masq_dest: words(section, "masq_dest"),
            mtu_fix: is(section, "mtu_fix", YES),
            accepts_input: accepts(section, "input") || (input && value(section, "input").is_empty()),
        };
        let allowing = |section: &&RawSection| accepts(section, "target") && !value(section, "src").is_empty();
        Self {
            zones: of_kind("zone").map(zone).collect(),
            forwardings: of_kind("forwarding")
                .map(|(_, section)| (value(section, "src"), value(section, "dest")))
                .collect(),
            nat: of_kind("nat").map(|(_, section)| value(section, "src")).collect(),
            allowed: of_kind("rule")
                .map(|(_, section)| section)
                .filter(allowing)
                .map(|rule| value(rule, "dest"))
                .collect(),
            forwards_all: defaults().any(|section| accepts(section, "forward")),
            hardware_offload: defaults()
                .any(|section| is(section, "flow_offloading", YES) && is(section, "flow_offloading_hw", YES)),
        }
    }

    /// The zone of an interface, or of a device.
    #[must_use]
    pub fn of(&self, interfaces: &[&str], device: Option<&str>) -> Option<&Zone> {
        self.zones.iter().find(|zone| {
            zone.networks.iter().any(|name| interfaces.contains(&name.as_str()))
                || zone.devices.iter().any(|pattern| match (pattern.strip_suffix('+'), device) {
                    (Some(beginning), Some(device)) => device.starts_with(beginning),
                    (None, Some(device)) => pattern == device,
                    (_, None) => false,
                })
        })
    }

    /// Whether a zone may forward to another one.
    #[must_use]
    pub fn forwards(&self, from: &str, to: &str) -> bool {
        let is = |name: &str, wanted: &str| name == wanted || name == "*";
        self.forwardings.iter().any(|(source, destination)| is(source, from) && is(destination, to))
    }
}

fn value(section: &RawSection, option: &str) -> String {
    words(section, option).into_iter().next().unwrap_or_default()
}
