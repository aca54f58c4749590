//! `config policy`.

use super::entries::{Entry, Kind, entries};
use super::links::{Links, Target};
use super::lists::Lists;
use super::product::{self, DESTINATION, SOURCE, Side};
use super::protocols::{keep_those_with_ports, protocols, read_ports};
use super::settings::Settings;
use crate::config::diagnostics::quote;
use crate::config::model::Family;
use crate::config::options::SectionKind;
use crate::import::Section;
use crate::import::foreign::{Foreign, Report};
use crate::import::names::Names;

/// Makes rules of policies, and sets of the lists they download.
pub struct Importer<'i, 'a> {
    settings: &'i Settings,
    links: &'i mut Links<'a>,
    names: &'i mut Names,
    lists: Lists,
    /// Whether it has been said that domains were resolved once.
    domains_said: bool,
}

/// A policy has to be left out; why has been said.
pub struct LeftOut;

/// What a policy is when it has been read.
struct Policy<'a> {
    name: String,
    enabled: bool,
    from: &'static str,
    protocols: Vec<String>,
    source_ports: Vec<String>,
    destination_ports: Vec<String>,
    target: Target,
    source: Vec<Entry<'a>>,
    destination: Vec<Entry<'a>>,
}

impl<'i, 'a> Importer<'i, 'a> {
    pub fn new(settings: &'i Settings, links: &'i mut Links<'a>, names: &'i mut Names) -> Self {
        Self { settings, links, names, lists: Lists::default(), domains_said: false }
    }

    /// The sets that policies have filled from lists.
    pub fn into_sets(self) -> Vec<Section> {
        self.lists.sets
    }

    /// The rules of a policy.
    pub fn policy(&mut self, section: &Foreign, report: &mut Report) -> Vec<Section> {
        let rules = self.read(section, report).map(|policy| self.rules(policy, section, report));
        report.unseen(section, "pbr");
        rules.unwrap_or_default()
    }

    fn read<'s>(&mut self, section: &Foreign<'s>, report: &mut Report) -> Result<Policy<'s>, LeftOut> {
        let mut enabled = section.is("enabled", true);
        let was_enabled = enabled;
        let chain = section.one("chain").unwrap_or("prerouting").to_ascii_lowercase();
        let from = if chain == "output" { "router" } else { "lan" };
        let protocols = protocols(section, report);
        let source_ports = read_ports(section, "src_port", report);
        let destination_ports = read_ports(section, "dest_port", report);
        let source = self.side(section, "src_addr", from, report);
        let destination = self.side(section, "dest_addr", from, report);
        let interface = section.one("interface").unwrap_or_else(|| {
            report.changed(
                section,
                "",
                "it names no interface: up to 1.2.2 pbr then took wan, later it passed it over",
            );
            "wan"
        });
        let name = section.one("name").unwrap_or(&section.name).to_owned();
        // Everything is read before the first fault counts, so that all are said.
        let (mut protocols, source_ports, destination_ports) = (protocols?, source_ports?, destination_ports?);
        let (source, destination) = (source?, destination?);
        let target = self.links.target(interface, self.names).map_err(|why| {
            report.dropped(section, "interface", why);
            LeftOut
        })?;

        let mut passed_over = |enabled: &mut bool, option: &str, why: &str| {
            if was_enabled {
                report.changed(section, option, format!("{why}; so the rule is switched off here"));
            }
            *enabled = false;
        };
        if !["prerouting", "output"].contains(&chain.as_str()) {
            let why = "in this chain a packet's way has been chosen already, so the policy never did anything";
            passed_over(&mut enabled, "chain", why);
        }
        if source.is_empty() && destination.is_empty() && source_ports.is_empty() && destination_ports.is_empty() {
            passed_over(&mut enabled, "", "it names no address and no port, so pbr passes it over");
        }
        let is_ipv6 = |entry: &Entry| entry.kind == Kind::Address(Family::V6);
        if !self.settings.ipv6 && source.iter().chain(&destination).any(is_ipv6) {
            let why = "it has IPv6 addresses while ipv6_enabled is 0, so pbr passes it over";
            passed_over(&mut enabled, "", why);
        }
        if !source_ports.is_empty() || !destination_ports.is_empty() {
            keep_those_with_ports(&mut protocols, section, report)?;
        } else if !protocols.is_empty() && enabled {
            let text =
                "pbr forgets the protocol if no port is named, and moves everything; here only the protocol is meant";
            report.changed(section, "proto", text);
        }
        Ok(Policy { name, enabled, from, protocols, source_ports, destination_ports, target, source, destination })
    }

    fn rules(&mut self, policy: Policy, section: &Foreign, report: &mut Report) -> Vec<Section> {
        // A policy that pbr passes over because of its IPv6 addresses is written as it was meant.
        let ipv6 = self.settings.ipv6 || !policy.enabled;
        let lists = [policy.source, policy.destination].map(|entries| self.with_sets(&entries, section, report));
        let [source, destination] = &lists;
        let mut source = Side { entries: borrowed(source), options: SOURCE };
        let mut destination = Side { entries: borrowed(destination), options: DESTINATION };
        let except = [source.take_exceptions(), destination.take_exceptions()];
        let names = &mut *self.names;
        let mut begin = |name: &str| {
            let mut rule = Section::new(SectionKind::Rule, &names.fresh(name));
            if !policy.enabled {
                rule.option("enabled", "0");
            }
            if policy.from != "lan" {
                rule.option("from", policy.from);
            }
            let lists = [
                ("proto", &policy.protocols),
                ("src_port", &policy.source_ports),
                ("dest_port", &policy.destination_ports),
            ];
            for (option, values) in lists {
                for value in values {
                    rule.list(option, value.as_str());
                }
            }
            rule
        };
        // Sets and domains are no exceptions within a rule, so these go by main before it.
        let mut before = Vec::new();
        let excepted = format!("{}, except", policy.name);
        if let [Some(own), _] = &except {
            before.extend(product::rules(own, &destination, ipv6, || begin(&excepted)));
        }
        if let [_, Some(own)] = &except {
            before.extend(product::rules(&source, own, ipv6, || begin(&excepted)));
        }
        if !before.is_empty() && policy.enabled {
            let text = "lists and domains with a '!' have a rule of their own before it that leads to main: policies behind \
                        this one do not get their packets";
            report.changed(section, "", text);
        }
        for rule in &mut before {
            rule.option("use", "main");
        }
        let mut rules = product::rules(&source, &destination, ipv6, || begin(&policy.name));
        if rules.is_empty() {
            report.dropped(
                section,
                "",
                "no packet can match it: its sources are of one IP version, its destinations of the other",
            );
        }
        for rule in &mut rules {
            rule.option("use", policy.target.0.as_str());
        }
        before.extend(rules);
        before
    }

    /// The entries of one side that can be said here.
    fn side<'s>(
        &mut self,
        section: &Foreign<'s>,
        option: &'static str,
        from: &str,
        report: &mut Report,
    ) -> Result<Vec<Entry<'s>>, LeftOut> {
        let is_source = option == "src_addr";
        let all = entries(section, option);
        let plain = all.iter().any(|entry| !entry.negated);
        if plain && all.iter().any(|entry| entry.negated) {
            let text = "plain and negated entries are mixed: it means the plain ones without the negated ones, as from \
                        pbr 1.2.3 on; before, it matched nearly everything";
            report.changed(section, option, text);
        }
        let mut kept = Vec::with_capacity(all.len());
        for entry in &all {
            let written = quote(entry.text);
            let problem = match entry.kind {
                Kind::Unknown if entry.text.is_empty() => {
                    "a '!' stands alone: write it directly before the entry".into()
                }
                Kind::Unknown => format!("{written} is no address, device or domain"),
                Kind::Mac | Kind::Device if !is_source => format!("{written} can only be a source; pbr refuses it too"),
                Kind::Mac | Kind::Device if from == "router" => {
                    format!("the router's own packets have no {written} as sender")
                }
                Kind::Name | Kind::Url if from == "router" => {
                    format!("the router's own packets cannot be looked up in lists and by domains, as {written}")
                }
                Kind::Name if is_source => {
                    format!(
                        "{written} is a host's name: write its address into src_ip, or its Ethernet address into src_mac"
                    )
                }
                _ => {
                    kept.push(*entry);
                    continue;
                }
            };
            // Without an exception, or without the last of its plain entries, a policy would match more than it did.
            let vital = entry.negated || entry.text.is_empty();
            let left = all.iter().any(|other| !other.negated && other != entry);
            if vital || !left {
                report.dropped(section, option, format!("{problem}; the policy is left out"));
                return Err(LeftOut);
            }
            report.dropped(section, option, problem);
        }
        if plain && !kept.iter().any(|entry| !entry.negated) {
            report.dropped(section, option, "nothing is left of it; the policy is left out");
            return Err(LeftOut);
        }
        if !is_source && !self.settings.dnsmasq && !self.domains_said && kept.iter().any(|e| e.kind == Kind::Name) {
            self.domains_said = true;
            let text = "without resolver_set pbr resolves domains once at its start, and without their subdomains; here \
                        dnsmasq fills them as clients ask, subdomains included: it takes dnsmasq-full";
            report.changed(section, option, text);
        }
        Ok(kept)
    }

    /// The entries with their texts, the names of sets for lists that are downloaded.
    fn with_sets<'s>(
        &mut self,
        entries: &[Entry<'s>],
        section: &Foreign,
        report: &mut Report,
    ) -> Vec<(Entry<'s>, String)> {
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            let text = if entry.kind == Kind::Url {
                self.lists.set(entry.text, self.names, section, report)
            } else {
                entry.text.into()
            };
            all.push((*entry, text));
        }
        all
    }
}

fn borrowed<'a>(entries: &'a [(Entry<'_>, String)]) -> Vec<Entry<'a>> {
    entries.iter().map(|(entry, text)| Entry { negated: entry.negated, kind: entry.kind, text }).collect()
}
