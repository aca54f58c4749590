//! Which link a path leads to now, and why not another, in words.

use super::{Outcome, outcome};
use crate::config::model::{Config, Fallback, Family, LinkId};
use crate::network::{Down, Facts, Side, Standing, State};
use crate::plan::path::{Path, Purpose};
use crate::plan::tiers::tiers_now;

/// A path in one family, and what is known of its links.
pub struct Way<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The facts.
    pub facts: &'a Facts,
    /// The family.
    pub family: Family,
    /// The path.
    pub path: &'a Path,
    /// The sender belongs to the path's link, and no other link can carry it: see [`refusal`](crate::plan::refusal).
    pub refused: bool,
}

impl Way<'_> {
    /// The links it leads to now.
    #[must_use]
    pub fn links(&self) -> Vec<LinkId> {
        match self.outcome() {
            Outcome::Links(links) => links,
            Outcome::Fallback(_) => Vec::new(),
        }
    }

    /// The links it would rather lead to, and why it does not.
    #[must_use]
    pub fn not_taken(&self) -> Vec<(LinkId, &'static str)> {
        let now = self.links();
        let tiers = &self.path.course.tiers;
        // Before one that is second choice, a good one of any tier would have been taken.
        let taken = tiers.iter().position(|tier| tier.iter().any(|member| now.contains(&member.link)));
        let end = taken.filter(|_| self.all_good(&now)).map_or(tiers.len(), |place| place + 1);
        let links = tiers.iter().take(end).flatten().map(|member| member.link).filter(|link| !now.contains(link));
        links.filter_map(|link| Some((link, why_not(self.facts.side(link, self.family)?)?))).collect()
    }

    /// The same, a line each.
    #[must_use]
    pub fn passed_over(&self) -> Vec<String> {
        self.not_taken().into_iter().map(|(link, why)| format!("{}: {why}", self.config[link].name)).collect()
    }

    /// Where it leads now and, if that fails, then: the links that are used together, in the order in which they are taken.
    #[must_use]
    pub fn order(&self) -> Vec<Vec<LinkId>> {
        let up = |link: &LinkId| self.facts.side(*link, self.family).is_some_and(Side::has_carrier);
        let tiers = tiers_now(self.path, self.facts, self.family).into_iter();
        let tiers = tiers.map(|tier| tier.members.iter().map(|member| member.link).filter(up).collect::<Vec<_>>());
        tiers.filter(|links| !links.is_empty()).collect()
    }

    fn all_good(&self, links: &[LinkId]) -> bool {
        let good = |side: &Side| side.standing == Standing::Good;
        links.iter().all(|link| self.facts.side(*link, self.family).is_some_and(good))
    }

    /// Where it leads.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(self.path, self.facts, self.family)
    }

    /// The link it leads to, or what else happens.
    #[must_use]
    pub fn taken(&self) -> String {
        let (path, family) = (self.path, self.family);
        let name = |link: &LinkId| self.config[*link].name.as_str();
        match outcome(path, self.facts, family) {
            Outcome::Links(links) => {
                let names: Vec<&str> = links.iter().map(name).collect();
                let first = path.links().next();
                let why = match links.as_slice() {
                    [_] if path.course.purpose == Purpose::Probes => "no other takes its address, and it has a way out",
                    [_] if !self.all_good(&links) => "second choice now, but no good one is up",
                    [only] if Some(*only) == first && path.course.tiers.len() == 1 => "it is up",
                    [only] if Some(*only) == first => "the first of its order, and up",
                    [_] => "the first of its order that is up",
                    _ => "shared by the kernel's hash of sender and receiver",
                };
                format!("{}: {why}", names.join(", "))
            }
            Outcome::Fallback(Fallback::Main) if self.refused => {
                format!("none: none is up for {family}; the sender gets an error (no other link takes its address)")
            }
            Outcome::Fallback(fallback) => {
                let reason =
                    if path.course.tiers.is_empty() { "".into() } else { format!("none is up for {family}; ") };
                format!("none: {reason}{}", fallback_words(fallback))
            }
        }
    }
}

fn fallback_words(fallback: Fallback) -> &'static str {
    match fallback {
        Fallback::Main => "the main table decides (fallback main)",
        Fallback::Unreachable => "the sender gets an error (unreachable)",
        Fallback::Blackhole => "the packet is dropped (blackhole)",
    }
}

/// Why a link is not used, or only if there is no other; nothing if it is up and good.
#[must_use]
pub fn why_not(side: &Side) -> Option<&'static str> {
    match (&side.state, side.standing) {
        (State::Down(why), _) => Some(down_words(*why)),
        (State::NoCarrier(_), _) => Some("no carrier"),
        (State::Up(_), Standing::Dead) => Some("dead by its probes"),
        (State::Up(_), Standing::Poor) => Some("second choice now"),
        (State::Up(_), Standing::Good) => None,
    }
}

/// Why a link cannot carry a family.
#[must_use]
pub fn down_words(why: Down) -> &'static str {
    match why {
        Down::NotOffered => "not offered",
        Down::Misconfigured => "misconfigured",
        Down::NoSuchInterface => "no such interface",
        Down::InterfaceDown => "interface down",
        Down::NoSuchDevice => "no such device",
        Down::DeviceDown => "switched off",
        Down::NoAddress => "no address yet",
        Down::Ipv6Off => "IPv6 is off",
        Down::OwnGateway => "gateway is the router itself",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::model::PolicyId;
    use crate::plan::path::{Choice, Paths};
    use crate::plan::sample::{config, facts, links, policy};

    #[test]
    fn it_says_why_a_link_is_passed_over() {
        let config = config(&(links(3, "") + &policy("web", &["A", "B", "C"], "")), true);
        let paths = Paths::new(&config).unwrap();
        let Choice::One(path) = paths.of_policy(PolicyId(0)) else { unreachable!("it is in order") };
        let words = |states: &str| {
            let facts = facts(states);
            let way = Way { config: &config, facts: &facts, family: Family::V4, path: &paths[*path], refused: false };
            (way.passed_over(), way.taken())
        };
        let said = |states: &str, passed_over: &[&str], taken: &str| {
            let expected: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
            assert_eq!(words(states), (expected, taken.to_string()), "{states}");
        };
        said("GDP", &[], "A: the first of its order, and up");
        said("DGD", &["A: dead by its probes"], "B: the first of its order that is up");
        said("P-G", &["A: second choice now", "B: interface down"], "C: the first of its order that is up");
        said("DPC", &["A: dead by its probes", "C: no carrier"], "B: second choice now, but no good one is up");
        said(
            "DDC",
            &["A: dead by its probes", "B: dead by its probes", "C: no carrier"],
            "none: none is up for IPv4; the main table decides (fallback main)",
        );
    }
}
