//! Whom dnsmasq asks for names, by its own configuration (`/etc/config/dhcp`).

use super::firewall::{YES, is, words};
use crate::config;
use crate::config::diagnostics::Severity;

/// What its configuration says of the name servers that it asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dnsmasq {
    /// Servers it asks for everything; those for single domains are left out.
    pub servers: Vec<String>,
    /// Whether it leaves alone the servers that the interfaces give.
    pub ignores_given: bool,
}

impl Dnsmasq {
    /// From the text of its file; nothing if no dnsmasq is configured there.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let (document, findings) = config::parse(text);
        if findings.iter().any(|finding| finding.severity == Severity::Fatal) {
            return None;
        }
        let section = document.sections.iter().find(|section| section.kind.value == "dnsmasq")?;
        let mut servers = words(section, "server");
        servers.retain(|server| !server.starts_with('/'));
        // Another file of servers than netifd's is somebody else's to fill.
        let file = words(section, "resolvfile");
        let elsewhere = file.iter().any(|file| !file.ends_with("/resolv.conf.auto"));
        Some(Self { servers, ignores_given: elsewhere || is(section, "noresolv", YES) })
    }
}
