//! Where a path leads now: its course, by what the machine and the probes say of its links. Routes are made from it,
//! and `explain` and `status` answer from it.

use super::path::{Path, Purpose, Share, Tier};
use crate::config::model::{Fallback, Family, LinkId};
use crate::network::{Facts, Standing};

/// A tier as it is now: one default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierNow {
    /// The route's metric: the tier's place in the course, from 1, where its links are good; for those that are second
    /// choice as many more as the course has tiers. So a route keeps its place, whatever becomes of the others.
    pub metric: u32,
    /// Its links that have a way out, never none. Those without carrier are among them: the kernel skips them by itself.
    pub members: Tier,
}

/// The tiers of a path now, best first: those of its course with their good links only, then the same ones with only
/// those that are second choice. Dead links are in none. A path for probes has its link however it stands.
#[must_use]
pub fn tiers_now(path: &Path, facts: &Facts, family: Family) -> Vec<TierNow> {
    let own = path.links().next();
    let counts = |member: &Share, wanted: Standing| {
        let side = facts.side(member.link, family).filter(|side| side.hop().is_some());
        side.is_some_and(|side| {
            let standing = match (path.course.purpose, side.standing) {
                (Purpose::Probes, _) => Standing::Good,
                (Purpose::Kept | Purpose::Displaced(_), Standing::Poor) if Some(member.link) == own => Standing::Good,
                (_, standing) => standing,
            };
            standing == wanted
        })
    };
    let choices = [Standing::Good, Standing::Poor].into_iter();
    let tiers = choices.flat_map(|standing| path.course.tiers.iter().map(move |tier| (standing, tier)));
    let now = (1..).zip(tiers).map(|(metric, (standing, tier))| {
        let members = tier.iter().filter(|member| counts(member, standing)).copied().collect();
        TierNow { metric, members }
    });
    now.filter(|tier| !tier.members.is_empty()).collect()
}

/// Where a path leads now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To one of these links, those of the first tier that has one that works.
    Links(Vec<LinkId>),
    /// To none: the fallback.
    Fallback(Fallback),
}

/// Where a path leads now, as far as the facts tell. The kernel's own lookup knows more (connected and static routes).
#[must_use]
pub fn outcome(path: &Path, facts: &Facts, family: Family) -> Outcome {
    let up = |link: &LinkId| facts.side(*link, family).is_some_and(|side| side.has_carrier());
    let tiers = tiers_now(path, facts, family).into_iter();
    let mut working =
        tiers.map(|tier| tier.members.iter().map(|member| member.link).filter(up).collect::<Vec<LinkId>>());
    match working.find(|links| !links.is_empty()) {
        Some(links) => Outcome::Links(links),
        None => Outcome::Fallback(path.course.fallback),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::model::{Config, PolicyId};
    use crate::plan::path::{Choice, PathId, Paths};
    use crate::plan::sample::{config, facts, links, policy};

    fn three() -> (Config, Paths) {
        let text = links(3, "") + &policy("order", &["A", "B", "C"], "") + &policy("alone", &["B"], "") + BALANCED;
        let config = config(&text, true);
        let paths = Paths::new(&config).unwrap();
        (config, paths)
    }

    const BALANCED: &str =
        "config policy 'shared'\n list use 'A'\n list use 'B 3'\n list use 'C'\n option mode 'balance'\n";

    /// `1A 5B` for link A in metric 1 and B in metric 5; links of one tier are written together.
    fn now(path: &Path, states: &str) -> String {
        let tiers = tiers_now(path, &facts(states), Family::V4).into_iter().map(|tier| {
            let names = tier.members.iter().map(|member| ["A", "B", "C", "D", "E"][member.link.0]);
            format!("{}{}", tier.metric, names.collect::<String>())
        });
        tiers.collect::<Vec<_>>().join(" ")
    }

    fn of_policy(paths: &Paths, policy: usize) -> PathId {
        match paths.of_policy(PolicyId(policy)) {
            Choice::One(path) => *path,
            Choice::Spread(_, paths) => paths[0].0,
        }
    }

    #[test]
    fn a_route_keeps_its_place_whatever_becomes_of_the_others() {
        let (_, paths) = three();
        let order = &paths[of_policy(&paths, 0)];
        for (states, expected) in [
            ("GGG", "1A 2B 3C"),
            ("PGG", "2B 3C 4A"),
            ("PPG", "3C 4A 5B"),
            ("PPP", "4A 5B 6C"),
            ("DGP", "2B 6C"),
            ("DPD", "5B"),
            ("DDD", ""),
            ("CGG", "1A 2B 3C"),
            ("-PG", "3C 5B"),
        ] {
            assert_eq!(now(order, states), expected, "{states}");
        }
        // The path of the first member: that link, then the two others together.
        let shared = &paths[of_policy(&paths, 2)];
        for (states, expected) in
            [("GGG", "1A 2BC"), ("GPG", "1A 2C 4B"), ("PPP", "3A 4BC"), ("DGG", "2BC"), ("GDC", "1A 2C")]
        {
            assert_eq!(now(shared, states), expected, "{states}");
        }
        assert_eq!(tiers_now(shared, &facts("GGG"), Family::V4)[1].members[0].weight, 3);
    }

    #[test]
    fn the_second_tier_waits_for_the_whole_first_one() {
        let uses = [("A", ""), ("B", " 3"), ("C", " tier 4"), ("D", " 2 tier 4"), ("E", " tier 9")];
        let uses = uses.map(|(name, more)| format!(" list use '{name}{more}'\n")).concat();
        let text = links(5, "")
            + "config policy 'tiers'\n option mode 'balance'\n"
            + &uses
            + "config policy 'metrics'\n option mode 'balance'\n list use 'B tier 2'\n list use 'A'\n list use 'C tier 3'\n"
            + &policy("order", &["A", "B", "C"], "")
            + "config rule 'own'\n option from 'router'\n option use 'tiers'\n";
        let config = config(&text, true);
        let paths = Paths::new(&config).unwrap();
        let Choice::Spread(_, first) = paths.of_policy(PolicyId(0)) else { panic!("it is spread") };
        let named: Vec<_> = first.iter().map(|(path, weight)| (paths[*path].name.as_str(), *weight)).collect();
        assert_eq!(named, [("tiers@A", 1), ("tiers@B", 3)], "new connections are handed to the first tier only");
        let of_b = &paths[first[1].0];
        for (states, expected) in [
            ("GGGGG", "1B 2A 3CD 4E"),
            ("GDGGG", "2A 3CD 4E"),
            ("DDGGG", "3CD 4E"),
            ("PPGGG", "3CD 4E 5B 6A"),
            ("DDDDG", "4E"),
            ("DDCPG", "3C 4E 7D"),
        ] {
            assert_eq!(now(of_b, states), expected, "{states}");
        }
        assert_eq!(tiers_now(of_b, &facts("GGGGG"), Family::V6)[2].members[1].weight, 2);
        // Tiers of one link each are the same as failover, and share its path.
        assert_eq!(paths.of_policy(PolicyId(1)), paths.of_policy(PolicyId(2)));
        // The router's own connections take one link after the other: they cannot be spread.
        let own = paths.of_router_target(crate::config::model::Target::Policy(PolicyId(0))).unwrap();
        assert_eq!(now(&paths[own], "GGGGG"), "1A 2B 3C 4D 5E");
    }

    #[test]
    fn the_outcome_is_what_the_kernel_takes_of_these_routes() {
        let (_, paths) = three();
        let order = &paths[of_policy(&paths, 0)];
        let leads = |states: &str| outcome(order, &facts(states), Family::V6);
        for (states, link) in [("GGG", 0), ("CGG", 1), ("PGG", 1), ("PCD", 0), ("DPG", 2), ("DPP", 1), ("-CP", 2)] {
            assert_eq!(leads(states), Outcome::Links(vec![LinkId(link)]), "{states}");
        }
        assert_eq!(leads("DC-"), Outcome::Fallback(Fallback::Main));
    }

    #[test]
    fn probes_leave_by_a_link_however_it_stands() {
        let (_, paths) = three();
        let probe = &paths[paths.probe(LinkId(1)).unwrap()];
        assert_eq!((probe.name.as_str(), probe.course.fallback), ("B.probes", Fallback::Main));
        for (states, expected) in [("GGG", "1B"), ("GPG", "1B"), ("GDG", "1B"), ("GCG", "1B"), ("G-G", "")] {
            assert_eq!(now(probe, states), expected, "{states}");
        }
    }

    #[test]
    fn what_is_established_stays_on_a_link_that_is_second_choice() {
        let text = links(3, "") + &policy("held", &["A", "B", "C"], " option fallback 'unreachable'");
        let config = config(&text, true);
        let paths = Paths::new(&config).unwrap();
        let new = of_policy(&paths, 0);
        let on = |link| &paths[paths.stays_on(new, LinkId(link))];
        assert_eq!(["held@A.kept", "held@B.kept", "held@C.kept"], [0, 1, 2].map(|link| on(link).name.as_str()));
        for (states, of_new, of_established) in [
            ("GGG", "1A 2B 3C", "1B 2A 3C"),
            ("GPG", "1A 3C 5B", "1B 2A 3C"),
            ("PPG", "3C 4A 5B", "1B 3C 5A"),
            ("GDG", "1A 3C", "2A 3C"),
            ("DDD", "", ""),
        ] {
            assert_eq!(
                (now(&paths[new], states).as_str(), now(on(1), states).as_str()),
                (of_new, of_established),
                "{states}"
            );
        }
    }

    #[test]
    fn watching_a_link_renumbers_nothing() {
        let text = links(3, "") + &policy("order", &["A", "B", "C"], " option fallback 'unreachable'");
        let (plain, watched) = (config(&text, false), config(&text, true));
        let (plain, watched) = (Paths::new(&plain).unwrap(), Paths::new(&watched).unwrap());
        assert!((0..3).all(|n| plain.probe(LinkId(n)).is_none() && watched.probe(LinkId(n)).is_some()));
        let count = plain.iter().count();
        assert_eq!(watched.iter().count(), count + 3);
        for ((_, before), (_, after)) in plain.iter().zip(watched.iter()) {
            assert_eq!(before, after);
        }
    }
}
