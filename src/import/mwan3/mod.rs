//! /etc/config/mwan3: of OpenWrt's package, of its port to nftables, and of mwan4, which has other words for the same.

mod dialect;
mod globals;
mod interface;
mod member;
mod names;
mod policy;
mod rule;
mod set;
mod tracking;

use super::foreign::{Foreign, Report};
use super::{Context, Draft, Imported, Kind, Section};
use crate::config::options::SectionKind;
use crate::config::parse;
use crate::config::source::Document;
use dialect::Dialect;
use names::Names;

/// Says a configuration of mwan3 or mwan4 in wansplit's words.
///
/// # Errors
/// Nothing in it can be imported.
pub fn import(text: &str, context: &Context) -> Result<Imported, String> {
    let (document, _) = parse(text.as_bytes());
    let dialect = Dialect::of(&document);
    let mut report = Report::default();
    let mut names = Names::of(&document);

    let globals = globals::globals(&document, &dialect, &mut names, &mut report);
    let interfaces = Foreign::all(&document.sections, "interface");
    let links = interface::links(&interfaces, &dialect, context, &mut names, &mut report);
    let members = member::members(&document, &dialect, &links, &mut report);
    let (policy_sections, policies) = policy::policies(&document, &dialect, &links, &members, &mut names, &mut report);
    let mut sets = set::sets(&document, &dialect, context.more, &mut report);
    let rules = rule::Importer { dialect: &dialect, globals: &globals, policies: &policies, links: &links, context }
        .rules(&document, &mut sets, &mut names, &mut report);
    others(&document, &dialect, &mut report);
    general(&dialect, &links, &mut report);

    let mut sections = vec![switched_off()];
    sections.extend(links.sections(&interfaces, &dialect, &mut report));
    sections.extend(policy_sections);
    sections.extend(sets.into_sections());
    sections.extend(globals.bypass);
    sections.extend(rules);
    if sections.len() == 1 {
        return Err("there is nothing in it that could be imported: no enabled interface and no rule".into());
    }
    Ok(Imported { draft: Draft { head: head(&dialect, context.file), sections }, remarks: report.in_order() })
}

/// Two programs must never steer the same packets, so the result waits for its owner.
fn switched_off() -> Section {
    let mut globals = Section::new(SectionKind::Globals, "globals");
    globals.option("enabled", "0");
    globals
}

fn head(dialect: &Dialect, file: &str) -> Vec<String> {
    let program = dialect.program;
    vec![
        format!("Made by `wansplit import {program}` from {file}."),
        "Look through it, put it into /etc/config/wansplit, and see what `wansplit check` says. To change over:".into(),
        format!("    service {program} stop; service {program} disable"),
        "    uci set wansplit.globals.enabled='1'; uci commit wansplit; reload_config".into(),
        "As there, the first rule that matches wins, and networks in table main and multicast come before all rules."
            .into(),
    ]
}

/// Sections of types that do not exist.
fn others(document: &Document, dialect: &Dialect, report: &mut Report) {
    for raw in &document.sections {
        if !dialect.knows(&raw.kind.value) {
            report.dropped(&Foreign::new(raw, 1), "", format!("{} has no sections of this type", dialect.program));
        }
    }
}

/// What holds for every configuration.
fn general(dialect: &Dialect, links: &interface::Links, report: &mut Report) {
    let program = dialect.program;
    report.whole(
        Kind::Look,
        format!(
            "/etc/{program}.user is not converted: put scripts into /etc/hotplug.d/wansplit, they get ACTION (link_up, \
             link_down), LINK, FAMILY, INTERFACE and DEVICE"
        ),
    );
    if links.any_unflushed() {
        report.whole(
            Kind::Changed,
            "connections of a link that dies are moved to another one, those only; for none: list flush_conntrack 'none'",
        );
    }
}
