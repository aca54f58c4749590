//! What a rule looks at.

use super::{Importer, Left, address};
use crate::config::diagnostics::quote;
use crate::config::model::{Mask, is_interface_name};
use crate::import::foreign::{Foreign, Report};
use crate::import::mwan3::dialect::Dialect;
use crate::import::mwan3::policy::LONGEST_NAME;
use crate::import::mwan3::set::Sets;
use crate::import::ports as written;

/// A rule as it is read.
pub struct Draft<'f, 'a> {
    pub source: &'f Foreign<'a>,
    /// The IP versions it can match: IPv4, IPv6.
    pub families: [bool; 2],
    /// Why it is switched off; empty if it is not.
    pub off: String,
    /// Whether it looks at what the router's own packets do not have, or what ip rules do not see.
    pub only_from_lan: bool,
    /// Its options, as they are written here.
    pub options: Vec<(&'static str, String)>,
}

impl Draft<'_, '_> {
    /// The IP versions its addresses are of.
    pub fn of_addresses(&self) -> [bool; 2] {
        let mut families = [false; 2];
        for (option, value) in &self.options {
            if let Some(family) = address::family(value).filter(|_| matches!(*option, "src_ip" | "dest_ip")) {
                families[family] = true;
            }
        }
        families
    }
}

impl Importer<'_> {
    /// Reads what a rule looks at.
    pub(super) fn read<'f, 'a>(
        &self,
        source: &'f Foreign<'a>,
        sets: &mut Sets,
        report: &mut Report,
    ) -> Result<Draft<'f, 'a>, Left> {
        let mut draft =
            Draft { source, families: [true; 2], off: String::new(), only_from_lan: false, options: Vec::new() };
        if !source.is("enabled", true) {
            draft.off = "switched off there".into();
        } else if source.name.len() > LONGEST_NAME {
            draft.off =
                format!("{} passes it over: its name has more than {LONGEST_NAME} characters", self.dialect.program);
            let text = format!("{}; it would work here, but is switched off, as there", draft.off);
            report.changed(source, "", text);
        }
        self.families(&mut draft, report);
        let proto = self.protocol(&mut draft, report)?;
        for option in ["src_ip", "dest_ip"] {
            self.addresses(&mut draft, option, report)?;
        }
        if draft.families == [false, false] {
            report.dropped(
                source,
                "family",
                "no packet matches it: its addresses and its family contradict each other",
            );
            return Err(Left);
        }
        for option in ["src_port", "dest_port"] {
            ports(&mut draft, option, proto, self.dialect, report)?;
        }
        if let Some(interface) = source.one("src_iface") {
            if !is_interface_name(interface) {
                let text = format!("{} cannot be the name of an interface: the rule is left out", quote(interface));
                report.dropped(source, "src_iface", text);
                return Err(Left);
            }
            draft.only_from_lan = true;
            draft.options.push(("src_iface", interface.to_owned()));
            self.arrival(source, interface, report);
        }
        let mut of_set = None;
        for (there, here) in [("ipset", "dest_set"), ("ipset_src", "src_set")] {
            if let Some(set) = source.one(there) {
                sets.named(source, there, set, report);
                draft.options.push((here, set.to_owned()));
                of_set = of_set.or(Some(there));
            }
        }
        if let Some(option) = of_set {
            draft.only_from_lan = true;
            let text = "ip rules know no sets: the router's own connections pass this rule by, and take the next one";
            report.changed(source, option, text);
        }
        mark(&mut draft, report)?;
        if source.is("logging", false) {
            if self.globals.logging {
                draft.options.push(("log", "1".into()));
            } else {
                report.dropped(source, "logging", "the logging of globals is off, so nothing is logged there");
            }
        }
        Ok(draft)
    }

    /// What `family` says.
    fn families(&self, draft: &mut Draft, report: &mut Report) {
        let words = draft.source.words("family");
        let is = |word: &str| words.contains(&word);
        let any = words.is_empty() || is("any") || (is("ipv4") && is("ipv6"));
        draft.families = [any || is("ipv4"), any || is("ipv6")];
        if draft.families == [false, false] {
            draft.families = [true; 2];
            draft.off = "its family is none".into();
            let text =
                format!("'{}' is no family: the rule matches nothing there, and is switched off here", words.join(" "));
            report.changed(draft.source, "family", text);
        }
    }

    /// What `proto` says. `icmp` is IPv4's alone where iptables is at work.
    fn protocol<'a>(&self, draft: &mut Draft<'_, 'a>, report: &mut Report) -> Result<Option<&'a str>, Left> {
        let source = draft.source;
        let Some(proto) = source.one("proto").filter(|proto| !proto.eq_ignore_ascii_case("all")) else {
            return Ok(None);
        };
        if !address::is_protocol(proto) {
            let text = format!("'{proto}' is no protocol that is known here: write its number. The rule is left out");
            report.dropped(source, "proto", text);
            return Err(Left);
        }
        draft.options.push(("proto", proto.to_owned()));
        if proto.eq_ignore_ascii_case("icmp") && !self.dialect.nftables {
            let text = if draft.families[0] {
                draft.families[1] = false;
                "ICMP of IPv4 only, as there; delete family and it is ICMPv6 too"
            } else {
                "there this matches nothing, as ICMPv6 has another number; here it is ICMPv6"
            };
            report.changed(source, "proto", text);
        }
        Ok(Some(proto))
    }

    /// Addresses of one option; they decide the IP version.
    fn addresses(&self, draft: &mut Draft, option: &'static str, report: &mut Report) -> Result<(), Left> {
        let source = draft.source;
        let words = source.words(option);
        let mut families = [words.is_empty(); 2];
        for word in words.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()) {
            // A migration of mwan4's writes `::/0` as `/0`.
            let word = if self.dialect.mwan4 && matches!(word, "/0" | ":/0") { "::/0" } else { word };
            let Some(family) = address::family(word) else {
                let text = if address::has_gaps(word) {
                    format!(
                        "'{word}' has a netmask with gaps, which no rule here can have: the rule is left out; to share \
                         clients out, use a policy with mode 'balance' and balance_by 'client'"
                    )
                } else {
                    format!("'{word}' is no address or network, and names are not looked up: the rule is left out")
                };
                report.dropped(source, option, text);
                return Err(Left);
            };
            families[family] = true;
            draft.options.push((option, word.to_owned()));
        }
        draft.families = [0, 1].map(|n| draft.families[n] && families[n]);
        Ok(())
    }

    /// Says so if the interface is none that packets of a LAN come in by.
    fn arrival(&self, source: &Foreign, interface: &str, report: &mut Report) {
        if self.links.has(interface) {
            report.look(
                source,
                "src_iface",
                "it is a link: what comes in by one is answered by it, and never comes to a rule",
            );
        } else if self.context.interfaces.is_some_and(|all| all.iter().all(|own| own.name != interface)) {
            report.look(source, "src_iface", format!("netifd has no interface '{interface}'"));
        }
    }
}

/// Ports, which count with tcp and udp only.
fn ports(
    draft: &mut Draft,
    option: &'static str,
    proto: Option<&str>,
    dialect: &Dialect,
    report: &mut Report,
) -> Result<(), Left> {
    let source = draft.source;
    let words = source.words(option);
    if words.is_empty() {
        return Ok(());
    }
    if !matches!(proto, Some("tcp" | "udp")) {
        let text =
            format!("{} reads ports only with proto tcp or udp: the rule matches all ports, as there", dialect.program);
        report.dropped(source, option, text);
        return Ok(());
    }
    for word in words.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()) {
        let Some(port) = written::port(word) else {
            let text = format!("'{word}' is no port that is known here: write its number. The rule is left out");
            report.dropped(source, option, text);
            return Err(Left);
        };
        draft.options.push((option, port));
    }
    Ok(())
}

/// A packet mark of somebody else.
fn mark(draft: &mut Draft, report: &mut Report) -> Result<(), Left> {
    let source = draft.source;
    let (value, mask) = match (source.one("fwmark"), source.one("fwmask")) {
        (None, None) => return Ok(()),
        (Some(value), Some(mask)) => (value, mask),
        (value, _) => {
            let option = if value.is_some() { "fwmark" } else { "fwmask" };
            report.dropped(
                source,
                option,
                "a mark needs fwmark and fwmask: the rule is passed over there, and left out here",
            );
            return Err(Left);
        }
    };
    if bits(value).is_none() || bits(mask).is_none() {
        report.dropped(source, "fwmark", format!("'{value}/{mask}' is no mark: the rule is left out"));
        return Err(Left);
    }
    if bits(mask).is_some_and(|mask| mask & Mask::default().bits() != 0) {
        let text = format!(
            "it has bits of wansplit's own, {}: the rule is left out; option mask can give it others",
            Mask::default()
        );
        report.dropped(source, "fwmask", text);
        return Err(Left);
    }
    draft.options.push(("mark", format!("{value}/{mask}")));
    Ok(())
}

/// A number in decimal, or in hexadecimal with `0x`.
pub fn bits(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
