//! `config interface`: a link, or one family of it.

use super::dialect::Dialect;
use super::names::Names;
use super::tracking;
use crate::config::model::{Family, is_interface_name};
use crate::config::options::SectionKind;
use crate::import::foreign::{Foreign, Report};
use crate::import::{Context, Section};
use crate::network::gather::are_twins;
use crate::network::netifd::Interface as NetifdInterface;

/// What became of the interfaces.
pub struct Links {
    links: Vec<Link>,
    /// The interfaces in the order of the file.
    interfaces: Vec<Interface>,
}

/// A link: one interface, or one for each family.
struct Link {
    name: String,
    /// Its interfaces, by their places; the one that gives it its name first.
    members: Vec<usize>,
}

/// An interface of the source.
struct Interface {
    name: String,
    /// Whether it is for IPv4, and for IPv6.
    families: [bool; 2],
    /// The place of its link; none if it is switched off.
    link: Option<usize>,
    /// Whether it says nothing of running connections.
    unflushed: bool,
}

/// Takes the interfaces together into links.
pub fn links(
    sections: &[Foreign],
    dialect: &Dialect,
    context: &Context,
    names: &mut Names,
    report: &mut Report,
) -> Links {
    let interfaces = sections.iter().map(|section| Interface {
        name: section.name.clone(),
        families: families(section, dialect, report),
        link: None,
        unflushed: section.many("flush_conntrack").is_empty(),
    });
    let mut all = Links { links: Vec::new(), interfaces: interfaces.collect() };
    let is_usable = |section: &Foreign| section.is("enabled", false) && is_interface_name(&section.name);
    let enabled: Vec<bool> = sections.iter().map(is_usable).collect();
    let partner = |own: usize| {
        let wanted = |other: usize| enabled[other] && all.interfaces[other].families == [true, false];
        let candidates = (0..sections.len()).filter(|other| *other != own && wanted(*other));
        let only_ipv6 = all.interfaces[own].families == [false, true];
        candidates.filter(|_| only_ipv6).find_map(|other| Some((other, joins(sections, other, own, context)?)))
    };
    let partners: Vec<_> = (0..sections.len()).map(partner).collect();
    for (n, section) in sections.iter().enumerate() {
        if !is_interface_name(&section.name) {
            report.dropped(section, "", "this cannot be the name of an interface: no link here");
        } else if !enabled[n] {
            let text = match partners[n] {
                Some((main, _)) => format!(
                    "it is switched off there, and the policies are without it; but its IPv6 belongs to link '{}' here",
                    all.interfaces[main].name
                ),
                None => "it is switched off there: no link here, and the policies are without it".into(),
            };
            report.dropped(section, "enabled", text);
        } else if partners[n].is_none() {
            all.interfaces[n].link = Some(all.links.len());
            all.links.push(Link { name: names.usable(section, "link", report), members: vec![n] });
        }
    }
    for (n, section) in sections.iter().enumerate() {
        if let (true, Some((main, by_name))) = (enabled[n], partners[n]) {
            let link = all.interfaces[main].link;
            all.interfaces[n].link = link;
            if let Some(link) = link.and_then(|link| all.links.get_mut(link)) {
                link.members.push(n);
            }
            if by_name {
                let text = format!(
                    "taken for the IPv6 of link '{}' by its name; if it is on another device, make it a link of its own",
                    sections[main].name
                );
                report.changed(section, "", text);
            }
        }
    }
    for (section, _) in sections.iter().zip(&enabled).filter(|(_, enabled)| **enabled) {
        known_to_netifd(section, &all, context, report);
    }
    all
}

impl Links {
    /// The link an interface became, and its families; `Err(true)` if the interface is switched off, `Err(false)` if
    /// there is none.
    pub fn of(&self, interface: &str) -> Result<(&str, [bool; 2]), bool> {
        let own = self.interfaces.iter().find(|own| own.name == interface).ok_or(false)?;
        let link = own.link.and_then(|link| self.links.get(link)).ok_or(true)?;
        Ok((&link.name, own.families))
    }

    /// Whether an interface of this name is a link.
    pub fn has(&self, interface: &str) -> bool {
        self.of(interface).is_ok()
    }

    /// The families that interfaces of a link were made for.
    pub fn families(&self, link: &str) -> [bool; 2] {
        let members = self.links.iter().filter(|own| own.name == link).flat_map(|own| &own.members);
        let families = members.filter_map(|member| self.interfaces.get(*member)).map(|interface| interface.families);
        families.fold([false; 2], |all, own| [all[0] || own[0], all[1] || own[1]])
    }

    /// Whether the file says of a link nothing about running connections.
    pub fn any_unflushed(&self) -> bool {
        self.interfaces.iter().any(|interface| interface.link.is_some() && interface.unflushed)
    }

    /// The links' sections.
    pub fn sections(&self, sources: &[Foreign], dialect: &Dialect, report: &mut Report) -> Vec<Section> {
        let mut sections = Vec::new();
        for link in &self.links {
            let mut section = Section::new(SectionKind::Link, &link.name);
            let members = link.members.iter().filter_map(|member| sources.get(*member));
            let members: Vec<_> = members.zip(link.members.iter().map(|n| self.interfaces[*n].families)).collect();
            if let [(main, _), twin @ ..] = members.as_slice() {
                if let Some((twin, _)) = twin.first() {
                    section.comment(format!("with {} for IPv6", twin.name));
                }
                section.option("interface", &main.name);
            }
            tracking::tracking(&mut section, &members, report);
            for (source, _) in &members {
                report.unseen(source, dialect.program);
            }
            sections.push(section);
        }
        sections
    }
}

/// The families an interface is for; one value, with mwan4 a list.
fn families(section: &Foreign, dialect: &Dialect, report: &mut Report) -> [bool; 2] {
    let words = section.words("family");
    let is = |word: &str| words.contains(&word);
    if let Some(wrong) = words.iter().find(|word| !matches!(**word, "ipv4" | "ipv6")) {
        report.changed(section, "family", format!("'{wrong}' is no family: taken for ipv4"));
    }
    if is("ipv6") && is("ipv4") && !dialect.mwan4 {
        report.changed(section, "family", "mwan3 has one family an interface; taken for both");
    }
    [is("ipv4") || !is("ipv6"), is("ipv6")]
}

/// Whether the second interface is the first one's IPv6; if so, whether only its name says so.
fn joins(sections: &[Foreign], main: usize, twin: usize, context: &Context) -> Option<bool> {
    let (main, twin) = (sections.get(main)?.name.as_str(), sections.get(twin)?.name.as_str());
    let known = |name: &str| context.interfaces.and_then(|all| all.iter().find(|interface| interface.name == name));
    match (known(main), known(twin)) {
        (Some(main), Some(twin)) => are_twins(main, twin).then_some(false),
        _ => {
            let rest = twin.strip_prefix(main)?;
            matches!(rest, "6" | "_6" | "v6" | "_v6" | "ipv6" | "_ipv6").then_some(true)
        }
    }
}

/// Says so if netifd has no such interface, or its link has an IP version that the file does not count on.
fn known_to_netifd(section: &Foreign, links: &Links, context: &Context, report: &mut Report) {
    let Some(interfaces) = context.interfaces else { return };
    let Some(own) = interfaces.iter().find(|interface| interface.name == section.name) else {
        report.look(section, "", "netifd has no interface of this name: the link will be down");
        return;
    };
    let of_link =
        |other: &&NetifdInterface| other.name == own.name || (are_twins(own, other) && !links.has(&other.name));
    let Ok((link, _)) = links.of(&section.name) else { return };
    let families = links.families(link);
    for (family, _) in Family::BOTH.into_iter().zip(families).filter(|(_, counted)| !counted) {
        let mut others = interfaces.iter().filter(of_link);
        if let Some(other) = others.find(|other| other.default_route(family).is_some()) {
            let text = format!("a link has both IP versions here: the {family} of '{}' belongs to it too", other.name);
            report.changed(section, "family", text);
        }
    }
}
