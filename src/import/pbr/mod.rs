//! /etc/config/pbr, from pbr 1.1 on.

mod entries;
mod links;
mod lists;
mod network;
mod others;
mod policy;
mod product;
mod protocols;
mod settings;

use super::foreign::{Foreign, Report};
use super::names::Names;
use super::{Context, Draft, Imported, Kind, Section};
use crate::config::diagnostics::Severity;
use crate::config::options::SectionKind;
use crate::config::parse;
use links::Links;
use network::Network;
use settings::Settings;

/// Says a configuration of pbr in wansplit's words. `/etc/config/network` may be given behind it: then the order of
/// interfaces and WireGuard's servers are known too.
///
/// # Errors
/// The text is no configuration of pbr, or broken; or another file was named that is not the network's.
pub fn import(text: &str, context: &Context) -> Result<Imported, String> {
    let (document, problems) = parse(text.as_bytes());
    if let Some(problem) = problems.iter().find(|problem| problem.severity == Severity::Fatal) {
        let help = problem.help.as_deref().unwrap_or_default();
        return Err(format!("line {}: {}; {help}", problem.at.line, problem.message));
    }
    let sections = &document.sections;
    let of_pbr = |section: &crate::config::source::RawSection| section.kind.value == "pbr";
    let policies: Vec<Foreign> = Foreign::all(sections, "policy").into_iter().map(Foreign::called).collect();
    if !sections.iter().any(of_pbr) && policies.is_empty() {
        return Err("it has no section of type pbr or policy".into());
    }
    let network = Network::read(context)?;
    let mut report = Report::default();
    let mut names = Names::new();

    let globals = Foreign::all(sections, "pbr");
    let settings = Settings::read(globals.first(), &mut report);
    let mut links = Links::new(&settings, context, &network, &mut names);
    let mut rules = Vec::new();
    if let Some(globals) = globals.first() {
        rules.extend(settings.first_rules(globals, &mut links, &mut names, &network, &mut report));
    }
    let mut importer = policy::Importer::new(&settings, &mut links, &mut names);
    for policy in &policies {
        rules.extend(importer.policy(policy, &mut report));
    }
    let sets = importer.into_sets();
    others::say(sections, &mut report);
    general(&settings, &links, &mut report);

    let mut switched_off = Section::new(SectionKind::Globals, "globals");
    switched_off.option("enabled", "0");
    let mut written = vec![switched_off];
    written.extend(links.into_sections(&settings, &mut report));
    written.extend(sets);
    written.extend(rules);
    Ok(Imported { draft: Draft { head: head(context.file), sections: written }, remarks: report.in_order() })
}

fn head(file: &str) -> Vec<String> {
    vec![
        format!("Made from {file} (pbr). Look through it; `wansplit check` and `wansplit show` tell what it would do."),
        "To change over: service pbr stop; service pbr disable".into(),
        "and then: uci set wansplit.globals.enabled='1'; uci commit wansplit; reload_config".into(),
        "The first rule that matches wins, as in pbr. What none matches goes by the main routing table.".into(),
    ]
}

/// What holds for every configuration.
fn general(settings: &Settings, links: &Links, report: &mut Report) {
    report.whole(
        Kind::Changed,
        "running connections stay on their link when rules change; pbr decides anew for every packet",
    );
    if links.has_tunnels() {
        report.whole(
            Kind::Look,
            "a VPN that writes 0.0.0.0/1 and 128.0.0.0/1 into the main table wins over every rule here (pbr passes by \
             these two): tell it not to (OpenVPN: route_nopull; WireGuard: route_allowed_ips 0)",
        );
    }
    if settings.strict {
        report.whole(
            Kind::Look,
            "strict_enforcement is on (it is if nothing is written): each link has fallback 'unreachable', so what a \
             rule sends there is refused while the link is down",
        );
    }
}
