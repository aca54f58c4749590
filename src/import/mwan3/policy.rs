//! `config policy`: which links, in which order or by which weights. mwan4 calls it a strategy.

use super::dialect::Dialect;
use super::interface::Links;
use super::member::Member;
use super::names::Names;
use crate::config::options::SectionKind;
use crate::config::source::Document;
use crate::import::foreign::{Foreign, Report};
use crate::import::{Kind, Section};
use crate::sort;

/// Longer names of policies and rules are passed over there, since a chain cannot have them.
pub const LONGEST_NAME: usize = 15;
/// The largest weight here.
const MOST_WEIGHT: u32 = 256;

/// What a policy became.
pub struct Policy {
    /// Its name there.
    pub name: String,
    /// Where IPv4 goes, and where IPv6 goes.
    pub targets: [Target; 2],
}

/// Where packets of one IP version go.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// A policy here; or what becomes of packets that have no link: `unreachable`, say.
    pub name: String,
    /// Whether it balances.
    pub balances: bool,
}

/// A link's place in a policy, for one IP version.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    link: String,
    /// 0 is the first.
    tier: usize,
    weight: u32,
}

/// Writes the policies, and says what became of each.
pub fn policies(
    document: &Document,
    dialect: &Dialect,
    links: &Links,
    members: &[Member],
    names: &mut Names,
    report: &mut Report,
) -> (Vec<Section>, Vec<Policy>) {
    let mut sections = Vec::new();
    let mut policies = Vec::new();
    // The policies that have no members for IPv4, and for IPv6.
    let mut lacking = [Vec::new(), Vec::new()];
    for source in &Foreign::all(&document.sections, dialect.policy) {
        let fallback = fallback(source, report);
        let used = used(source, dialect, members, report);
        report.unseen(source, dialect.program);
        if source.name.len() > LONGEST_NAME {
            let text = format!(
                "{} passes over names of more than {LONGEST_NAME} characters; here it is a policy, and the rules that \
                 use it are switched off",
                dialect.program
            );
            report.changed(source, "", text);
        }
        let [ipv4, ipv6] = [0, 1].map(|family| entries(&used, family));
        let without: Vec<&str> = used.iter().filter(|member| member.link.is_none()).map(|m| m.name.as_str()).collect();
        let mut write = |name: String, entries: &[Entry], report: &mut Report| {
            let balances =
                entries.iter().any(|entry| entries.iter().any(|o| o.tier == entry.tier && o.link != entry.link));
            let mut section = Section::new(SectionKind::Policy, &name);
            if !without.is_empty() {
                section.comment(format!("without {}: no link here", without.join(", ")));
            }
            write_use(&mut section, entries, balances);
            section.option("fallback", fallback);
            if entries.iter().any(|entry| entry.weight > MOST_WEIGHT) {
                let text = format!("weights go up to {MOST_WEIGHT} here: they are scaled down");
                report.changed(source, dialect.use_member, text);
            }
            sections.push(section);
            Target { name, balances }
        };
        let targets = if ipv4.is_empty() && ipv6.is_empty() {
            let text = format!("none of its members is a link: what uses it goes to {fallback}, as there");
            report.changed(source, "", text);
            let target = Target { name: fallback.into(), balances: false };
            [target.clone(), target]
        } else {
            let name = names.usable(source, "policy", report);
            match common(&ipv4, &ipv6, links) {
                Some(both) => {
                    for (lacking, entries) in lacking.iter_mut().zip([&ipv4, &ipv6]) {
                        if entries.is_empty() {
                            lacking.push(source.name.clone());
                        }
                    }
                    let target = write(name, both, report);
                    [target.clone(), target]
                }
                None => {
                    let second = names.fresh(&format!("{name}_ipv6"));
                    let text = format!("its members are others for IPv6: a policy of its own, '{second}', has those");
                    report.changed(source, dialect.use_member, text);
                    let target = write(name, &ipv4, report);
                    [target, write(second, &ipv6, report)]
                }
            }
        };
        policies.push(Policy { name: source.name.clone(), targets });
    }
    for (policies, family) in lacking.iter().zip(["IPv4", "IPv6"]).filter(|(policies, _)| !policies.is_empty()) {
        let there = if dialect.nftables { "by main" } else { "to last_resort" };
        let text = format!(
            "no members for {family} in {}: what rules send there of that goes {there}, and here by the same links as far \
             as they have {family}, else to fallback",
            policies.join(", ")
        );
        report.whole(Kind::Look, text);
    }
    (sections, policies)
}

/// What becomes of packets when no link is up.
fn fallback(source: &Foreign, report: &mut Report) -> &'static str {
    match source.one("last_resort") {
        None | Some("unreachable") => "unreachable",
        Some("blackhole") => "blackhole",
        Some("default") => "main",
        Some(other) => {
            report.changed(source, "last_resort", format!("'{other}' means unreachable"));
            "unreachable"
        }
    }
}

/// The members of a policy.
fn used<'m>(source: &Foreign, dialect: &Dialect, members: &'m [Member], report: &mut Report) -> Vec<&'m Member> {
    let option = dialect.use_member;
    let names = source.words(option);
    if !names.is_empty() && !source.is_list(option) {
        let text =
            format!("{} reads it only as a list, so the policy has no members there; here it has", dialect.program);
        report.changed(source, option, text);
    }
    let mut used = Vec::new();
    for name in names {
        match members.iter().find(|member| member.name == name) {
            None => report.dropped(source, option, format!("there is no {} '{name}'", dialect.member)),
            Some(member) => used.push(member),
        }
    }
    used
}

/// The links of one IP version in the order of preference: of members with one link the first metric counts, and equal
/// metrics are added up.
fn entries(members: &[&Member], family: usize) -> Vec<Entry> {
    let mut found: Vec<(u32, Entry)> = Vec::new();
    for member in members {
        let Some((link, _)) = member.link.as_ref().filter(|(_, families)| families[family]) else { continue };
        match found.iter_mut().find(|(_, entry)| entry.link == *link) {
            Some((metric, entry)) if *metric == member.metric => {
                entry.weight = entry.weight.saturating_add(member.weight)
            }
            Some((metric, entry)) if *metric > member.metric => {
                (*metric, entry.weight) = (member.metric, member.weight)
            }
            Some(_) => {}
            None => found.push((member.metric, Entry { link: link.clone(), tier: 0, weight: member.weight })),
        }
    }
    sort::by_key(&mut found, |(metric, _)| *metric);
    let mut tier = 0;
    for n in 1..found.len() {
        tier += usize::from(found[n].0 != found[n - 1].0);
        found[n].1.tier = tier;
    }
    settled(found.into_iter().map(|(_, entry)| entry).collect())
}

/// Tiers without gaps, and no weight where there is nothing to share.
fn settled(mut entries: Vec<Entry>) -> Vec<Entry> {
    let all: Vec<usize> = entries.iter().map(|entry| entry.tier).collect();
    let mut tiers = all.clone();
    tiers.dedup();
    for entry in &mut entries {
        if all.iter().filter(|tier| **tier == entry.tier).count() == 1 {
            entry.weight = 1;
        }
        entry.tier = tiers.iter().position(|tier| *tier == entry.tier).unwrap_or_default();
    }
    entries
}

/// The entries that do for both IP versions: those of one, if the other has the same but for links without it.
fn common<'e>(ipv4: &'e [Entry], ipv6: &'e [Entry], links: &Links) -> Option<&'e [Entry]> {
    let within = |all: &[Entry], family: usize| {
        settled(all.iter().filter(|entry| links.families(&entry.link)[family]).cloned().collect())
    };
    if ipv6.is_empty() || within(ipv4, 1) == ipv6 {
        Some(ipv4)
    } else if ipv4.is_empty() || within(ipv6, 0) == ipv4 {
        Some(ipv6)
    } else {
        None
    }
}

/// Writes the links and how they are used.
fn write_use(section: &mut Section, entries: &[Entry], balances: bool) {
    let tiers = entries.iter().any(|entry| entry.tier > 0);
    for Entry { link, tier, weight } in entries {
        let weights = || entries.iter().filter(|other| other.tier == *tier).map(|other| other.weight);
        let weight = scaled(*weight, weights().max().unwrap_or(1), weights().fold(0, common_divisor));
        section.list(
            "use",
            match (balances, tier) {
                (false, _) => link.clone(),
                (true, 0) if !tiers => format!("{link} {weight}"),
                (true, _) => format!("{link} {weight} tier {}", tier + 1),
            },
        );
    }
    if balances {
        section.option("mode", "balance").option("balance_by", "connection");
    }
}

/// A weight within bounds, in the proportion it has to the largest of its tier; exactly, if their common divisor helps.
fn scaled(weight: u32, largest: u32, divisor: u32) -> u32 {
    if largest <= MOST_WEIGHT {
        return weight;
    }
    let (weight, largest) = (weight / divisor.max(1), largest / divisor.max(1));
    if largest <= MOST_WEIGHT {
        return weight;
    }
    let scaled = (u64::from(weight) * u64::from(MOST_WEIGHT) + u64::from(largest) / 2) / u64::from(largest);
    u32::try_from(scaled).unwrap_or(MOST_WEIGHT).max(1)
}

/// The largest number that divides both; 0 is divided by all.
fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_weights_keep_their_proportion() {
        let all = |weights: &[u32]| -> Vec<u32> {
            let largest = weights.iter().copied().max().unwrap_or(1);
            let divisor = weights.iter().copied().fold(0, common_divisor);
            weights.iter().map(|weight| scaled(*weight, largest, divisor)).collect()
        };
        assert_eq!(all(&[3, 2]), [3, 2]);
        assert_eq!(all(&[4, 2]), [4, 2]);
        assert_eq!(all(&[300, 100]), [3, 1]);
        assert_eq!(all(&[1000, 999]), [256, 256]);
        assert_eq!(all(&[1000, 1]), [256, 1]);
        assert_eq!(all(&[u32::MAX, 1]), [256, 1]);
    }
}
