//! A policy's ports and protocols.

use super::entries::ports;
use super::policy::LeftOut;
use crate::config::diagnostics::quote;
use crate::config::options::PROTOCOLS_WITH_PORTS;
use crate::config::protocol_number;
use crate::import::foreign::{Foreign, Report};

/// The ports of an option.
pub fn read_ports(section: &Foreign, option: &str, report: &mut Report) -> Result<Vec<String>, LeftOut> {
    ports(section, option).map_err(|word| {
        let text = format!("{} is no port; the policy is left out", quote(word));
        report.dropped(section, option, text);
        LeftOut
    })
}

/// The protocols a policy names; none for all of them.
pub fn protocols(section: &Foreign, report: &mut Report) -> Result<Vec<String>, LeftOut> {
    let mut protocols = Vec::new();
    for text in section.many("proto") {
        for word in text.split([' ', '\t', ',', '/']).filter(|word| !word.is_empty()) {
            let word = word.to_ascii_lowercase();
            if ["auto", "all", "any"].contains(&word.as_str()) {
                return Ok(Vec::new());
            }
            if protocol_number(&word).is_none() {
                let text =
                    format!("{} is no protocol known here: write its number; the policy is left out", quote(&word));
                report.dropped(section, "proto", text);
                return Err(LeftOut);
            }
            protocols.push(word);
        }
    }
    Ok(protocols)
}

/// Ports need a protocol that has them.
pub fn keep_those_with_ports(
    protocols: &mut Vec<String>,
    section: &Foreign,
    report: &mut Report,
) -> Result<(), LeftOut> {
    let has_ports =
        |name: &str| protocol_number(name).is_some_and(|n| PROTOCOLS_WITH_PORTS.iter().any(|(_, own)| *own == n));
    let before = protocols.len();
    protocols.retain(|name| has_ports(name));
    if protocols.is_empty() && before > 0 {
        report.dropped(section, "proto", "this protocol has no ports, but ports are named; the policy is left out");
        return Err(LeftOut);
    }
    if protocols.len() < before {
        report.changed(section, "proto", "only those protocols are kept that have ports");
    }
    Ok(())
}
