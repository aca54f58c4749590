//! `config globals`.

use super::dialect::Dialect;
use super::names::Names;
use super::rule::matches::bits;
use crate::config::model::Mask;
use crate::config::options::SectionKind;
use crate::config::source::Document;
use crate::import::Section;
use crate::import::foreign::{Foreign, Report};

/// What the rest of the import needs of it.
pub struct Globals {
    /// Whether rules may log.
    pub logging: bool,
    /// The rule that comes before all others.
    pub bypass: Option<Section>,
}

/// The bits that are taken unless the file says otherwise.
const USUAL_MASK: &str = "0x3f00";

/// Options without a counterpart, and what to know of that.
const WITHOUT_COUNTERPART: [(&str, &str); 9] = [
    ("loglevel", "the kernel's log has one level here"),
    ("source_routing", "links are chosen by mark and source address here, so it is not needed"),
    ("rtmon_interval", "routes are followed as they change"),
    ("local_source", "rules hold for the router's own packets too (from 'any')"),
    ("iif_rule_base", "see option rule_priority"),
    ("fwmark_rule_base", "see option rule_priority"),
    ("unreachable_rule_base", "see option rule_priority"),
    ("ipv6_routing", "addresses of a delegated prefix leave by its link here, always"),
    ("verbose_logging", "see option log_level"),
];

/// Reads the section, or what holds without it.
pub fn globals(document: &Document, dialect: &Dialect, names: &mut Names, report: &mut Report) -> Globals {
    let mut globals = Globals { logging: false, bypass: None };
    for section in &Foreign::all(&document.sections, "globals") {
        globals.logging = section.is("logging", false);
        mask(section, report);
        for (option, why) in WITHOUT_COUNTERPART {
            if section.one(option).is_some() {
                report.dropped(section, option, why);
            }
        }
        if section.one("enabled").is_some() {
            report.dropped(section, "enabled", "the result is switched off until you have looked at it");
        }
        for table in section.words("rt_table_lookup") {
            report.dropped(
                section,
                "rt_table_lookup",
                format!(
                    "networks in table {table} go by main only if an ip rule before 800 looks there (strongSwan's table \
                     220 has one); else write a first rule with them as dest_ip and use 'main'"
                ),
            );
        }
        globals.bypass = bypass(section, names, report).or(globals.bypass);
        report.unseen(section, dialect.program);
    }
    globals
}

fn mask(section: &Foreign, report: &mut Report) {
    let Some(mask) = section.one("mmx_mask").filter(|mask| !mask.eq_ignore_ascii_case(USUAL_MASK)) else { return };
    let usual = Mask::default();
    let usable = bits(mask).and_then(Mask::new);
    let text = match usable {
        Some(mask) => format!("the mark's bits are {usual} here; if another program has those: option mask '{mask}'"),
        None => format!("the mark's bits are {usual} here, one unbroken run; option mask can choose another"),
    };
    report.dropped(section, "mmx_mask", text);
}

/// Networks that go by main.
fn bypass(section: &Foreign, names: &mut Names, report: &mut Report) -> Option<Section> {
    let mut rule = Section::new(SectionKind::Rule, &names.fresh("bypass_network"));
    rule.comment("globals, bypass_network");
    let mut any = false;
    for network in section.words("bypass_network") {
        if super::rule::address::family(network).is_some() {
            rule.list("dest_ip", network);
            any = true;
        } else {
            report.dropped(section, "bypass_network", format!("'{network}' is no address or network"));
        }
    }
    rule.option("from", "any").option("use", "main");
    any.then_some(rule)
}
