//! Tables become links; tables whose default route has several ways become policies.

use super::routing::{Goal, Hop, MAIN, Route, Routing, Table};
use crate::config::model::{Family, is_device_name};
use crate::config::options::{PRIORITY, SectionKind, ValueKind};
use crate::import::address::family;
use crate::import::foreign::Report;
use crate::import::names::Names;
use crate::import::{Kind, Section};
use std::net::IpAddr;

/// A link of the result.
#[derive(Debug)]
pub struct Link {
    pub name: String,
    table: Option<Table>,
    pub device: Option<String>,
    pub gateways: [Option<IpAddr>; 2],
    mark: Option<u32>,
    priority: Option<u32>,
    fallback: &'static str,
    comments: Vec<String>,
}

/// Links' names and their weights.
pub type Members = Vec<(String, u32)>;

/// What tables lead to.
#[derive(Debug, Default)]
pub struct Links {
    pub links: Vec<Link>,
    /// Policies: the table, the name, the members.
    policies: Vec<(Table, String, Members)>,
    /// wansplit's bits of the mark.
    mask: Option<u32>,
}

impl Links {
    /// Reads the tables.
    pub fn of(routing: &Routing, names: &mut Names, report: &mut Report) -> Self {
        let mut links = Self::default();
        let mut shared = Vec::new();
        for table in tables(routing) {
            let own: Vec<&Route> = routing.routes.iter().filter(|route| route.table == table).collect();
            if own.iter().any(|route| route.hops.len() > 1) {
                shared.push((table, own));
            } else {
                links.add(routing, table, &own, names, report);
            }
        }
        for (table, own) in shared {
            links.add_policy(routing, table, &own, names);
        }
        links.pin(routing, report);
        links
    }

    fn add(&mut self, routing: &Routing, table: Table, own: &[&Route], names: &mut Names, report: &mut Report) {
        let mut link = Link {
            name: String::new(),
            device: None,
            gateways: [None, None],
            mark: None,
            priority: None,
            fallback: "main",
            comments: Vec::new(),
            table: None,
        };
        let mut unknown = false;
        for route in own {
            add_comments(&mut link.comments, &route.comments);
            let Some(hop) = route.hops.first().filter(|_| route.kind == "unicast") else {
                link.fallback = route.kind;
                continue;
            };
            let gateway = &mut link.gateways[usize::from(route.family == Family::V6)];
            let other = |device: &String| hop.device.as_ref().is_some_and(|own| own != device);
            if gateway.is_some() || link.device.as_ref().is_some_and(other) {
                let text = "the table has a default route already: write a link of its own for this one, and a policy with both";
                report.at(Kind::Dropped, route.line, "a second default route", text);
                continue;
            }
            *gateway = hop.gateway.filter(|address| family(*address) == route.family);
            link.device = link.device.take().or_else(|| hop.device.clone()).filter(|name| is_device_name(name));
            unknown |= hop.unknown && hop.gateway.is_none();
        }
        let called = routing.name_of(&table).map(str::to_owned).or_else(|| link.device.clone());
        let called = called.unwrap_or_else(|| match &table {
            Table::Number(number) => format!("table {number}"),
            Table::Name(name) => name.clone(),
        });
        link.name = names.fresh(&called);
        let line = own.first().map_or(0, |route| route.line);
        let what = format!("link '{}'", link.name);
        if link.device.is_none() {
            let text = "no default route of its table names a device; the name is taken for that of an interface: put the \
                        right one there";
            report.at(Kind::Look, line, &what, text);
        } else if unknown {
            let text = "its gateway is only known when the script runs: if netifd manages the link, write option interface \
                        instead of device";
            report.at(Kind::Look, line, &what, text);
        }
        link.table = Some(table);
        self.links.push(link);
    }

    /// A default route with several ways is a policy that balances.
    fn add_policy(&mut self, routing: &Routing, table: Table, own: &[&Route], names: &mut Names) {
        let mut members = Members::new();
        let place = |route: &Route| usize::from(route.family == Family::V6);
        let hops = own.iter().flat_map(|route| route.hops.iter().map(|hop| (place(route), hop)));
        for (place, hop) in hops {
            let Some(device) = hop.device.as_ref().filter(|name| is_device_name(name)) else { continue };
            let name = self.of_hop(place, hop, device, names);
            if !members.iter().any(|(own, _)| *own == name) {
                members.push((name, hop.weight.clamp(1, 256)));
            }
        }
        let called = routing.name_of(&table).unwrap_or("balance").to_owned();
        self.policies.push((table, names.fresh(&called), members));
    }

    fn of_hop(&mut self, place: usize, hop: &Hop, device: &str, names: &mut Names) -> String {
        let gateway = hop.gateway.filter(|address| address.is_ipv6() == (place == 1));
        if let Some(link) = self.links.iter_mut().find(|link| link.device.as_deref() == Some(device)) {
            link.gateways[place] = link.gateways[place].or(gateway);
            return link.name.clone();
        }
        let name = names.fresh(device);
        let mut gateways = [None, None];
        gateways[place] = gateway;
        self.links.push(Link {
            name: name.clone(),
            table: None,
            device: Some(device.into()),
            gateways,
            mark: None,
            priority: None,
            fallback: "main",
            comments: Vec::new(),
        });
        name
    }

    /// Keeps the script's marks, tables and priorities.
    fn pin(&mut self, routing: &Routing, report: &mut Report) {
        let ValueKind::Number(lowest, highest) = PRIORITY else { return };
        let (mut bits, mut priorities) = (0_u32, Vec::new());
        for rule in &routing.rules {
            let (Some((value, mask)), Goal::Table(table)) = (rule.mark, &rule.goal) else { continue };
            let Some(link) = self.links.iter_mut().find(|link| link.table.as_ref() == Some(table)) else { continue };
            add_comments(&mut link.comments, &rule.comments);
            if value == 0 || link.mark.is_some() {
                continue;
            }
            link.mark = Some(value);
            bits |= if mask == u32::MAX { value } else { mask };
            let free = |priority: &u32| (lowest..=highest).contains(priority) && !priorities.contains(priority);
            if let Some(priority) = rule.pinned.filter(free) {
                link.priority = Some(priority);
                priorities.push(priority);
            }
        }
        let mask = run_of_bytes(bits);
        // Two links with one mark, or marks all over the word, which others need too: then they are chosen anew.
        let mut marks: Vec<u32> = self.links.iter().filter_map(|link| link.mark).collect();
        let count = marks.len();
        crate::sort::by_key(&mut marks, |mark| *mark);
        marks.dedup();
        if marks.len() < count || mask.count_ones() > WIDEST {
            self.links.iter_mut().for_each(|link| link.mark = None);
            report.whole(
                Kind::Changed,
                "the script's marks are not kept: they lie far apart, or two links have the same",
            );
        } else if bits != 0 && mask & !0xff00_0000 != 0 {
            self.mask = Some(mask);
            let text = format!(
                "the script's marks are kept, so wansplit's bits of the mark are {mask:#x}: whoever else uses these (mwan3 \
                 0x3f00, pbr 0xff0000) must not; take out mask and the links' mark to have it choose others"
            );
            report.whole(Kind::Look, text);
        }
    }

    /// What a rule's `use` names for a goal.
    pub fn target(&self, goal: &Goal) -> String {
        let table = match goal {
            Goal::Nowhere(word) => return (*word).into(),
            Goal::Table(table) => table,
        };
        let link = self.links.iter().find(|link| link.table.as_ref() == Some(table)).map(|link| &link.name);
        let policy = || self.policies.iter().find(|(own, _, _)| own == table).map(|(_, name, _)| name);
        link.or_else(policy).map_or_else(|| "main".into(), String::clone)
    }

    /// The link of a device.
    pub fn by_device(&self, device: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.device.as_deref() == Some(device))
    }

    /// Whether IPv6 packets could leave by any link.
    pub fn have_ipv6(&self) -> bool {
        self.links.iter().any(|link| link.gateways[1].is_some() || link.gateways[0].is_none())
    }

    /// The globals, links and policies as sections.
    pub fn sections(&self) -> Vec<Section> {
        let mut globals = Section::new(SectionKind::Globals, "globals");
        globals.option("enabled", "0");
        if let Some(mask) = self.mask {
            globals.option("mask", format!("{mask:#x}"));
        }
        let mut sections = vec![globals];
        sections.extend(self.links.iter().map(section));
        for (_, name, members) in &self.policies {
            sections.push(balance(name, members));
        }
        sections
    }
}

/// A policy that balances. Of its kind the script's own: each connection by itself.
pub fn balance(name: &str, members: &[(String, u32)]) -> Section {
    let mut policy = Section::new(SectionKind::Policy, name);
    for (link, weight) in members {
        policy.list("use", if *weight == 1 { link.clone() } else { format!("{link} {weight}") });
    }
    policy.option("mode", "balance").option("balance_by", "connection");
    policy
}

/// A name as one an interface can have.
fn as_interface(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().take(15).map(plain).collect()
}

fn section(link: &Link) -> Section {
    let mut section = Section::new(SectionKind::Link, &link.name);
    for comment in &link.comments {
        section.comment(comment.as_str());
    }
    match &link.device {
        Some(device) => {
            section.option("device", device.as_str());
            for (option, gateway) in ["gateway", "gateway6"].into_iter().zip(link.gateways) {
                if let Some(gateway) = gateway {
                    section.option(option, gateway.to_string());
                }
            }
        }
        None => drop(section.option("interface", as_interface(&link.name))),
    }
    if let Some(mark) = link.mark {
        section.option("mark", if mark < 10 { mark.to_string() } else { format!("{mark:#x}") });
    }
    if let Some(Table::Number(table)) = link.table {
        section.option("table", table.to_string());
    }
    if let Some(priority) = link.priority {
        section.option("priority", priority.to_string());
    }
    if link.fallback != "main" {
        section.option("fallback", link.fallback);
    }
    section
}

/// The tables that routes and rules name, in the order of the script.
fn tables(routing: &Routing) -> Vec<Table> {
    let mut all: Vec<(usize, &Table)> = routing.routes.iter().map(|route| (route.line, &route.table)).collect();
    all.extend(routing.rules.iter().filter_map(|rule| match &rule.goal {
        Goal::Table(table) => Some((rule.line, table)),
        Goal::Nowhere(_) => None,
    }));
    crate::sort::by_key(&mut all, |(line, _)| *line);
    let mut tables: Vec<Table> = Vec::new();
    for (_, table) in all {
        let of_kernel = *table == MAIN || matches!(table, Table::Number(0 | 253 | 255));
        if !of_kernel && !tables.contains(table) {
            tables.push(table.clone());
        }
    }
    tables
}

/// More bits than these are not ours to take.
const WIDEST: u32 = 16;

/// The whole bytes from the lowest of these bits to the highest.
fn run_of_bytes(bits: u32) -> u32 {
    if bits == 0 {
        return 0xff00_0000;
    }
    let (low, high) = (bits.trailing_zeros() / 8 * 8, 32 - bits.leading_zeros() / 8 * 8);
    (u32::MAX << low) & (u32::MAX >> (32 - high))
}

fn add_comments(all: &mut Vec<String>, more: &[String]) {
    for comment in more {
        if !all.contains(comment) {
            all.push(comment.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_bytes() {
        assert_eq!(
            [3, 0x100, 0x101, 0x8000_0000, 0].map(run_of_bytes),
            [0xff, 0xff00, 0xffff, 0xff00_0000, 0xff00_0000]
        );
    }
}
