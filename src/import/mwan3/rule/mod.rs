//! `config rule`: the first that matches wins, there and here.

pub mod address;
mod target;

use super::dialect::Dialect;
use super::globals::Globals;
use super::interface::Links;
use super::names::Names;
use super::policy::{LONGEST_NAME, Policy};
use super::set::Sets;
use crate::config::model::Mask;
use crate::config::options::{Arity, SectionKind};
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};
use crate::import::{Context, Kind, Section};
use target::Targets;

/// What rules are read with.
pub struct Importer<'a> {
    pub dialect: &'a Dialect,
    pub globals: &'a Globals,
    pub policies: &'a [Policy],
    pub links: &'a Links,
    pub context: &'a Context<'a>,
}

/// A rule as it is read.
struct Draft<'f, 'a> {
    source: &'f Foreign<'a>,
    /// The IP versions it can match: IPv4, IPv6.
    families: [bool; 2],
    /// Why it is switched off; empty if it is not.
    off: String,
    /// Whether it looks at what the router's own packets do not have, or what ip rules do not see.
    only_from_lan: bool,
    /// Its options, as they are written here.
    options: Vec<(&'static str, String)>,
}

impl Draft<'_, '_> {
    /// The IP versions its addresses are of.
    fn of_addresses(&self) -> [bool; 2] {
        let mut families = [false; 2];
        for (option, value) in &self.options {
            if let Some(family) = address::family(value).filter(|_| matches!(*option, "src_ip" | "dest_ip")) {
                families[family] = true;
            }
        }
        families
    }
}

/// The rule cannot be said here, which has been reported.
struct Left;

impl Importer<'_> {
    /// The rules in their order.
    pub fn rules(&self, document: &Document, sets: &mut Sets, names: &mut Names, report: &mut Report) -> Vec<Section> {
        let mut rules = Vec::new();
        for source in &Foreign::all(&document.sections, "rule") {
            if let Ok(draft) = self.read(source, sets, report) {
                rules.extend(self.sections(&draft, names, report).unwrap_or_default());
            }
            // Of a rule that is left out nothing more is said.
            if source.one(self.dialect.use_policy).is_some() {
                report.unseen(source, self.dialect.program);
            }
        }
        rules
    }

    fn read<'f, 'a>(
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
                let text =
                    format!("'{word}' is no address or network, and names are not looked up: the rule is left out");
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

    /// A rule's section; two, if its IP versions go different ways. None if the rule is not in force there.
    fn sections(&self, draft: &Draft, names: &mut Names, report: &mut Report) -> Result<Vec<Section>, Left> {
        let source = draft.source;
        let Targets { targets, off } = self.targets(source, draft.families, report)?;
        let off = if draft.off.is_empty() { off } else { draft.off.clone() };
        let differ = draft.families == [true, true] && targets[0].name != targets[1].name;
        let mut sections = Vec::new();
        for family in if differ { &[Some(0), Some(1)][..] } else { &[None] } {
            let second = *family == Some(1);
            let name = if second { names.fresh(&format!("{}_ipv6", source.name)) } else { source.name.clone() };
            let mut section = Section::new(SectionKind::Rule, &name);
            if !off.is_empty() {
                section.comment(off.as_str()).option("enabled", "0");
            }
            let families = family.map_or(draft.families, |family| [family == 0, family == 1]);
            if families != [true, true] && families != draft.of_addresses() {
                section.option("family", if families[0] { "ipv4" } else { "ipv6" });
            }
            for (option, value) in &draft.options {
                match SectionKind::Rule.option(option).map(|spec| spec.arity) {
                    Some(Arity::Single) => section.option(option, value.as_str()),
                    _ => section.list(option, value.as_str()),
                };
            }
            let target = &targets[usize::from(!families[0])];
            sticky(source, target.balances, &mut section, second, report);
            if !draft.only_from_lan {
                section.option("from", "any");
                if target.balances {
                    let text = "the router's own connections do not balance: they take the first link that works";
                    report.whole(Kind::Changed, text);
                }
            }
            section.option("use", target.name.as_str());
            sections.push(section);
        }
        Ok(sections)
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
        let Some(port) = address::port(word) else {
            let text = format!("'{word}' is no port; services are not known by name here. The rule is left out");
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

fn bits(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Stickiness, where there is a choice to stick to.
fn sticky(source: &Foreign, balances: bool, section: &mut Section, again: bool, report: &mut Report) {
    let timeout = source.one("timeout").unwrap_or("600");
    if !source.is("sticky", false) {
        return;
    }
    if !balances {
        if !again {
            report.dropped(source, "sticky", "there is nothing to choose from: what it uses has one link at a time");
        }
        return;
    }
    let seconds = timeout.parse::<u32>().ok().filter(|seconds| *seconds > 0).unwrap_or_else(|| {
        report.changed(source, "timeout", format!("'{timeout}' is no number of seconds: it is 600 here"));
        600
    });
    section
        .option("sticky", "1")
        .option("timeout", if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") });
}
