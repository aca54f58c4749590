//! What goes elsewhere now, in words: for the line that tells of a link's fate.

use super::path::{Choice, Path, Paths};
use super::tiers::{Outcome, outcome};
use crate::config::model::{Config, Fallback, Family, LinkId, Target};
use crate::network::{Down, Facts, State};
use crate::sort;

/// How many names stand in one phrase.
const NAMED: usize = 4;

/// What new connections go elsewhere after a change of the facts: `web moved to EMB`, `mail moved to OI (IPv6)`,
/// `voip: unreachable`. A phrase for each place; what no rule uses is left out.
#[must_use]
pub fn moves(config: &Config, paths: &Paths, before: &Facts, after: &Facts) -> Vec<String> {
    let mut phrases: Vec<(String, Vec<&str>)> = Vec::new();
    for (target, names) in subjects(config, after) {
        let Some(choice) = paths.of_target(target) else { continue };
        let paths = match choice {
            Choice::One(path) => vec![&paths[path]],
            Choice::Spread(_, members) => members.into_iter().map(|(path, _)| &paths[path]).collect(),
        };
        for place in (Subject { config, paths }).phrases(before, after) {
            match phrases.iter_mut().find(|(known, _)| *known == place) {
                Some((_, known)) => known.extend(&names),
                None => phrases.push((place, names.clone())),
            }
        }
    }
    phrases.into_iter().map(|(place, names)| list(&names) + &place).collect()
}

/// What rules lead to, and what it is called: a policy by its own name, a link by the names of its rules.
fn subjects<'a>(config: &'a Config, now: &'a Facts) -> Vec<(Target, Vec<&'a str>)> {
    let mut subjects: Vec<(Target, Vec<&str>)> = Vec::new();
    for (_, rule) in now.rules_of(config) {
        let known = subjects.iter_mut().find(|(target, _)| *target == rule.target);
        match (rule.target, known) {
            (Target::Main | Target::Unreachable | Target::Blackhole, _) | (Target::Policy(_), Some(_)) => {}
            (Target::Policy(policy), None) => subjects.push((rule.target, vec![&config[policy].name])),
            (Target::Link(_), None) => subjects.push((rule.target, vec![&rule.name])),
            (Target::Link(_), Some((_, names))) => names.push(&rule.name),
        }
    }
    subjects
}

/// What goes one way.
struct Subject<'a> {
    config: &'a Config,
    paths: Vec<&'a Path>,
}

/// Where connections go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Links(Vec<LinkId>),
    Fallback(Fallback),
}

impl Subject<'_> {
    /// What has become of it, without its name: one phrase if both families have gone the same way.
    fn phrases(&self, before: &Facts, after: &Facts) -> Vec<String> {
        let changed = Family::BOTH.map(|family| {
            let place = self.place(after, family);
            (self.place(before, family) != place).then_some((family, place))
        });
        match changed {
            [Some((_, one)), Some((_, other))] if one == other => vec![self.words(&one)],
            changed => {
                let phrase = |(family, place): (Family, Place)| {
                    let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
                    let alone = ![before, after].into_iter().any(|facts| self.is_served(facts, other));
                    if alone { self.words(&place) } else { format!("{} ({family})", self.words(&place)) }
                };
                changed.into_iter().flatten().map(phrase).collect()
            }
        }
    }

    fn place(&self, facts: &Facts, family: Family) -> Place {
        let mut links: Vec<LinkId> = Vec::new();
        let mut fallback = Fallback::Main;
        for path in &self.paths {
            match outcome(path, facts, family) {
                Outcome::Links(own) => links.extend(own),
                Outcome::Fallback(own) => fallback = own,
            }
        }
        sort::by(&mut links, Ord::cmp);
        links.dedup();
        if links.is_empty() { Place::Fallback(fallback) } else { Place::Links(links) }
    }

    /// Whether any of its links is meant to carry a family.
    fn is_served(&self, facts: &Facts, family: Family) -> bool {
        let mut links = self.paths.iter().flat_map(|path| path.links());
        let offered = |link| facts.side(link, family).is_some_and(|side| side.state != State::Down(Down::NotOffered));
        facts.speaks(family) && links.any(offered)
    }

    fn words(&self, place: &Place) -> String {
        match place {
            Place::Links(links) => {
                let names: Vec<&str> = links.iter().map(|link| self.config[*link].name.as_str()).collect();
                format!(" moved to {}", names.join(" + "))
            }
            Place::Fallback(Fallback::Main) => " moved to main".into(),
            Place::Fallback(fallback) => format!(": {fallback}"),
        }
    }
}

/// `web, mail`, and not more than a few.
fn list(names: &[&str]) -> String {
    match names.get(NAMED..) {
        None | Some([]) => names.join(", "),
        Some(more) => {
            let named = names.get(..NAMED).unwrap_or_default();
            format!("{} and {} more", named.join(", "), more.len())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, facts, links, policy, rule};

    fn told(text: &str, before: &Facts, after: &Facts) -> Vec<String> {
        let config = config(text, true);
        moves(&config, &Paths::new(&config).unwrap(), before, after)
    }

    fn text() -> String {
        links(3, "")
            + &policy("web", &["A", "B"], "")
            + &policy("mail", &["B", "A"], "")
            + &policy("voip", &["A"], " option fallback 'unreachable'")
            + &policy("bulk", &["A", "B"], " option mode 'balance'")
            + &policy("unused", &["A", "C"], "")
            + &["web", "mail", "voip", "bulk", "A"].map(|target| rule(&format!("to_{target}"), target)).concat()
            + &rule("again", "web")
            + &rule("sink", "blackhole")
    }

    #[test]
    fn a_phrase_for_each_place() {
        let tell = |before: &str, after: &str| told(&text(), &facts(before), &facts(after));
        assert_eq!(tell("GGG", "DGG"), ["web, bulk moved to B", "voip: unreachable", "to_A moved to main"]);
        assert_eq!(tell("DGG", "GGG"), ["web, voip, to_A moved to A", "bulk moved to A + B"]);
        assert_eq!(tell("GGG", "GCG"), ["mail, bulk moved to A"]);
        assert_eq!(tell("GGG", "PGG"), ["web, bulk moved to B"], "bulk's first member prefers a good one");
        assert_eq!(tell("DDG", "D-G"), [""; 0]);
        assert_eq!(tell("GGG", "GGD"), [""; 0]);
    }

    #[test]
    fn the_family_is_named_where_only_one_has_moved() {
        let text = links(2, "") + &policy("web", &["A", "B"], "") + &rule("all", "web");
        let (up, mut down) = (facts("GG"), facts("DG"));
        down.links[0].v4.standing = crate::network::Standing::Good;
        assert_eq!(told(&text, &up, &down), ["web moved to B (IPv6)"]);
        // Both, but not to the same place.
        down.links[0].v4 = down.links[0].v6.clone();
        down.links[1].v6 = down.links[0].v6.clone();
        assert_eq!(told(&text, &up, &down), ["web moved to B (IPv4)", "web moved to main (IPv6)"]);
        // A family that none of the links is meant to carry needs no mention.
        let (mut up, mut down) = (facts("GG"), facts("DG"));
        for link in up.links.iter_mut().chain(&mut down.links) {
            link.v6.state = State::Down(Down::NotOffered);
        }
        assert_eq!(told(&text, &up, &down), ["web moved to B"]);
        up.ipv6 = false;
        down.ipv6 = false;
        assert_eq!(told(&text, &up, &down), ["web moved to B"]);
    }

    #[test]
    fn many_names_are_counted() {
        let rules: String = (0..7).map(|n| rule(&format!("r{n}"), "A")).collect();
        let said = told(&(links(1, "") + &rules), &facts("G"), &facts("D"));
        assert_eq!(said, ["r0, r1, r2, r3 and 3 more moved to main"]);
    }
}
