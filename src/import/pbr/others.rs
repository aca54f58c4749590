//! Sections that are no policies: redirected DNS, and programs of the owner's.

use crate::config::source::RawSection;
use crate::import::foreign::{Foreign, Report};

/// Programs that come with pbr, by a part of their name, and what to do instead.
const INCLUDES: [(&str, &str); 4] = [
    ("aws", "write its networks into a file, a config set with list file, and a rule with dest_set"),
    ("netflix", "write its networks into a file, a config set with list file, and a rule with dest_set"),
    ("dnsprefetch", "it is not needed: a connection to a domain that dnsmasq has not resolved yet does not exist"),
    ("wg_server_and_client", "it is not needed: answers go back by the link a connection came in by"),
];

/// Says of all sections that are not imported why not.
pub fn say(sections: &[RawSection], report: &mut Report) {
    for dns in Foreign::all(sections, "dns_policy").into_iter().map(Foreign::called) {
        if dns.is("enabled", true) {
            let text = "whom a host asks for names is the firewall's business: write a config redirect with proto 'tcp \
                        udp', src_dport '53', the sources and dest_ip into /etc/config/firewall";
            report.dropped(&dns, "", text);
        }
    }
    for include in Foreign::all(sections, "include") {
        let path = include.one("path").unwrap_or_default();
        if include.is("enabled", true) {
            let file = path.rsplit('/').next().unwrap_or_default();
            let known = INCLUDES.iter().find(|(part, _)| file.contains(part));
            let instead = known.map_or("say as rules and sets what it does", |(_, text)| text);
            report.dropped(&include, "path", format!("a program cannot be converted: {instead}"));
        }
    }
    for (n, raw) in sections.iter().enumerate() {
        if !["pbr", "policy", "dns_policy", "include"].contains(&raw.kind.value.as_ref()) {
            report.dropped(&Foreign::new(raw, n + 1), "", "pbr has no sections of this type");
        }
    }
}
