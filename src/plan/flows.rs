//! Which established connections are to choose their link anew.
//!
//! A connection keeps its link as long as it lives. When the link cannot carry it any more, its conntrack entry is
//! deleted: its next packet is classified like a new one's, the other end answers that with a reset, and the client
//! begins again at once instead of waiting for minutes.

use super::path::{Path, Paths, Purpose, Tier};
use super::state::TABLE_MAIN;
use super::tiers::{Outcome, outcome};
use crate::config::model::{Config, Fallback, Family, LinkId, Mark};
use crate::kernel::netlink::link::Link;
use crate::kernel::netlink::route::{ForeignKind, ForeignRoute};
use crate::map::{Map, Set};
use crate::network::{Facts, Side};
use crate::sort;

/// The connections of one link in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// The link.
    pub link: LinkId,
    /// The family.
    pub family: Family,
    /// The marks they carry.
    pub marks: Vec<Mark>,
}

/// What main offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alternatives {
    /// The devices of main's default routes that are up, the best route's first.
    pub main: Map<Family, Vec<String>>,
}

impl Alternatives {
    /// From the kernel's routes and devices.
    #[must_use]
    pub fn from_routes(routes: &[ForeignRoute], devices: &[Link]) -> Self {
        let mut defaults: Vec<&ForeignRoute> =
            routes.iter().filter(|route| route.table == TABLE_MAIN && route.destination.1 == 0).collect();
        sort::by_key(&mut defaults, |route| route.metric);
        let mut main: Map<Family, Vec<String>> = Map::new();
        for route in defaults {
            let ForeignKind::Via(hops) = &route.kind else { continue };
            let up = |name: &str| devices.iter().any(|device| device.name == name && device.up && device.carrier);
            let names = hops.iter().map(|hop| &hop.device).filter(|name| up(name)).cloned();
            main.or_insert_with(route.family, Default::default).extend(names);
        }
        Self { main }
    }

    /// Whether what main sends gets through. Main knows nothing of probes: it sends by its best route that has carrier,
    /// even if that link is dead.
    fn work(&self, facts: &Facts, family: Family) -> bool {
        let Some(best) = self.main.get(&family).and_then(|devices| devices.first()) else { return false };
        let on_it = |side: &&Side| side.device.as_ref() == Some(best);
        let mut owners = (0..facts.links.len()).filter_map(|n| facts.side(LinkId(n), family)).filter(on_it).peekable();
        owners.peek().is_none() || owners.any(Side::is_usable)
    }
}

/// The connections on links that cannot carry them now, while something else can. Where nothing else can, or would only
/// refuse them, they stay as they are: when the link is back, they go on.
///
/// Each mark is judged for itself: a link's connections may be bound to it by one rule and free to move by another.
#[must_use]
pub fn doomed(config: &Config, paths: &Paths, facts: &Facts, alternatives: &Alternatives) -> Vec<Doomed> {
    let mut doomed = Vec::new();
    for link in (0..config.links.len()).map(LinkId) {
        for family in Family::BOTH {
            if !facts.speaks(family) || is_usable(facts, link, family) {
                continue;
            }
            let main_works = alternatives.work(facts, family);
            let taken = |path: &Path| {
                let others = path.links().any(|other| other != link && is_usable(facts, other, family));
                others || (main_works && path.course.fallback == Fallback::Main)
            };
            let services = paths.iter().filter(|(_, path)| path.course.purpose != Purpose::Probes);
            let through = services.filter(|(_, path)| path.links().any(|own| own == link) && taken(path));
            let marks = Set::from_iter(through.map(|(id, _)| paths[paths.stays_on(id, link)].mark));
            if !marks.is_empty() {
                doomed.push(Doomed { link, family, marks: marks.into_iter().collect() });
            }
        }
    }
    doomed
}

/// The connections that would go by `link` if they began now, and are on another link because `link` could not take them:
/// to be called when it is back, if its owner wants that (`flush_conntrack 'up'`).
///
/// They are known by their marks (see [`Purpose::Displaced`]), so nobody else's are among them: neither those that a rule
/// put on the other link, nor what came in by it. Among the links of one tier of a balanced policy none is preferred: what
/// moved there stays. Only to an earlier tier connections come back.
#[must_use]
pub fn returning(config: &Config, paths: &Paths, facts: &Facts, link: LinkId, family: Family) -> Vec<Doomed> {
    let leads_to = |path: &Path, link| match outcome(path, facts, family) {
        Outcome::Links(links) => links.contains(&link),
        Outcome::Fallback(_) => false,
    };
    let mut returning = Vec::new();
    for other in (0..config.links.len()).map(LinkId) {
        let comes_back = |path: &Path| {
            let Purpose::Displaced(from) = path.course.purpose else { return false };
            let holds = |tier: &Tier, link| tier.iter().any(|share| share.link == link);
            let mut before = paths[from].course.tiers.iter().take_while(|tier| !holds(tier, other));
            path.links().next() == Some(other)
                && before.any(|tier| holds(tier, link))
                && paths.siblings(from).into_iter().any(|own| leads_to(&paths[own], link))
        };
        let marks: Vec<Mark> = paths.iter().filter(|(_, path)| comes_back(path)).map(|(_, path)| path.mark).collect();
        if !marks.is_empty() {
            returning.push(Doomed { link: other, family, marks });
        }
    }
    returning
}

fn is_usable(facts: &Facts, link: LinkId, family: Family) -> bool {
    facts.side(link, family).is_some_and(Side::is_usable)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, facts, links, policy};

    /// main's default by these devices, best first.
    fn main_by(devices: &[&str]) -> Alternatives {
        let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
        Alternatives { main: Family::BOTH.map(|family| (family, devices.clone())).into_iter().collect() }
    }

    /// `A: A, web` for connections on link A with the marks of the paths A and web. Both families are alike here.
    fn told(config: &Config, found: impl Fn(&Paths) -> Vec<Doomed>) -> Vec<String> {
        let paths = Paths::new(config).unwrap();
        let name = |mark: &Mark| paths.iter().find(|(_, path)| path.mark == *mark).unwrap().1.name.clone();
        let words = |doomed: &Doomed| {
            let mut names: Vec<String> = doomed.marks.iter().map(name).collect();
            names.sort();
            format!("{}: {}", config[doomed.link].name, names.join(", "))
        };
        let found = found(&paths);
        let of = |family| found.iter().filter(|d| d.family == family).map(words).collect::<Vec<_>>();
        assert_eq!(of(Family::V4), of(Family::V6));
        of(Family::V4)
    }

    fn doomed_now(config: &Config, states: &str, main: &[&str]) -> Vec<String> {
        told(config, |paths| doomed(config, paths, &facts(states), &main_by(main)))
    }

    #[test]
    fn connections_move_if_another_link_can_take_them() {
        let config = config(&(links(3, "") + &policy("web", &["A", "B"], "")), true);
        for dead in ["D", "C", "-"] {
            let now = |others: &str, main: &[&str]| doomed_now(&config, &format!("{dead}{others}"), main);
            assert_eq!(now("GG", &[]), ["A: A"]);
            assert_eq!(now("PG", &[]), ["A: A"]);
            assert_eq!(now("DG", &[]), [""; 0], "C is not among web's links");
            assert_eq!(now("DG", &["eth2"]), ["A: A", "B: B"], "main leads out by C");
            assert_eq!(now("DG", &["lan7"]), ["A: A", "B: B"], "or by what is no link");
            assert_eq!(now("DG", &["eth0", "eth2"]), [""; 0], "main's best way is the dead link itself");
            assert_eq!(now("DD", &["eth1"]), [""; 0]);
        }
        assert_eq!(doomed_now(&config, "GPG", &["eth0"]), [""; 0]);
    }

    #[test]
    fn what_would_only_be_refused_stays() {
        let text = links(2, " option fallback 'unreachable'")
            + &policy("web", &["A", "B"], "")
            + &policy("bound", &["A"], " option fallback 'unreachable'");
        let config = config(&text, true);
        // web's connections on A are on a path of web's; the link's own path holds those that are bound to it.
        assert_eq!(doomed_now(&config, "DG", &["eth1"]), ["A: web@A.kept"]);
        assert_eq!(doomed_now(&config, "GD", &["eth0"]), ["B: web@B.kept"]);
        assert_eq!(doomed_now(&config, "DD", &[]), [""; 0]);
        assert_eq!(doomed_now(&config, "DD", &["lan7"]), ["A: web@A.kept", "B: web@B.kept"]);
    }

    #[test]
    fn balanced_connections_move_to_the_other_members() {
        let text =
            links(2, "") + &policy("shared", &["A", "B"], " option mode 'balance'\n option fallback 'blackhole'");
        let config = config(&text, true);
        assert_eq!(doomed_now(&config, "DG", &[]), ["A: shared@A.kept"]);
        assert_eq!(doomed_now(&config, "DG", &["eth1"]), ["A: A, shared@A.kept"]);
    }

    #[test]
    fn a_family_that_the_kernel_does_not_speak_has_none() {
        let config = config(&(links(2, "") + &policy("web", &["A", "B"], "")), true);
        let paths = Paths::new(&config).unwrap();
        let found = doomed(&config, &paths, &Facts { ipv6: false, ..facts("DG") }, &main_by(&[]));
        assert_eq!(found.iter().map(|doomed| doomed.family).collect::<Vec<_>>(), [Family::V4]);
    }

    /// The classic recipe: each of two policies prefers another link.
    fn recalling(options: &str) -> Config {
        let text = links(2, "")
            + &policy("web", &["A", "B"], options)
            + &policy("mail", &["B", "A"], options)
            + &policy("also_web", &["A", "B"], options);
        let mut config = config(&text, true);
        config.links[0].flush.up = true;
        config
    }

    fn returning_now(config: &Config, states: &str, link: usize) -> Vec<String> {
        told(config, |paths| {
            Family::BOTH.map(|family| returning(config, paths, &facts(states), LinkId(link), family)).concat()
        })
    }

    #[test]
    fn what_was_displaced_comes_back_and_nothing_else() {
        for options in ["", " option fallback 'unreachable'"] {
            let config = recalling(options);
            assert_eq!(returning_now(&config, "GG", 0), ["B: web@B"]);
            assert_eq!(returning_now(&config, "PG", 0), [""; 0], "not preferred yet");
            assert_eq!(returning_now(&config, "GG", 1), [""; 0], "B's owner does not want that");
            // They move on if the link dies that they were displaced to.
            let dead = doomed_now(&config, "GD", &[]);
            assert_eq!(dead.len(), 1);
            assert!(dead[0].contains("web@B"), "{dead:?}");
        }
    }

    #[test]
    fn they_come_back_to_an_earlier_tier_but_not_within_one() {
        for options in ["", " option fallback 'unreachable'\n"] {
            let uses = ["A 3", "B", "C tier 2", "D tier 2"].map(|text| format!(" list use '{text}'\n")).concat();
            let text = links(4, "") + "config policy 'web'\n option mode 'balance'\n" + &uses + options;
            let mut config = config(&text, true);
            let count = |config: &Config| Paths::new(config).unwrap().iter().count();
            let before = count(&config);
            config.links[1].flush.up = true;
            assert_eq!(
                count(&config),
                before + if options.is_empty() { 2 } else { 0 },
                "a mark for C's and one for D's"
            );
            assert_eq!(returning_now(&config, "DGGG", 1), ["C: web@C", "D: web@D"]);
            assert_eq!(returning_now(&config, "GGGG", 1), ["C: web@C", "D: web@D"], "A was back before, silently");
            assert_eq!(returning_now(&config, "DPGG", 1), [""; 0], "not preferred yet");
            config.links[2].flush.up = true;
            assert_eq!(returning_now(&config, "DDGG", 2), [""; 0], "D is no worse than C");
            // They are moved if the link dies that they were displaced to, like any other.
            assert!(
                doomed_now(&config, "GGDG", &[]).iter().any(|line| line.starts_with("C: ") && line.contains("web@C"))
            );
            let paths = Paths::new(&config).unwrap();
            for (id, path) in paths.iter().filter(|(_, path)| matches!(path.name.as_str(), "web@A" | "web@B")) {
                let stays = &paths[paths.stays_on(id, LinkId(2))];
                assert!(matches!(stays.course.purpose, Purpose::Displaced(_)), "{}", path.name);
            }
        }
    }

    #[test]
    fn displaced_connections_are_told_from_those_that_chose_the_link() {
        for options in ["", " option fallback 'unreachable'"] {
            let config = recalling(options);
            let paths = Paths::new(&config).unwrap();
            let path = |name: &str| paths.iter().find(|(_, path)| path.name == name).unwrap().0;
            let (web, mail, displaced) = (path("web"), path("mail"), path("web@B"));
            assert_eq!(paths[displaced].course.purpose, Purpose::Displaced(web));
            assert_eq!(paths[displaced].course.tiers, paths[mail].course.tiers);
            assert_eq!(paths[displaced].course.fallback, paths[web].course.fallback);
            assert_eq!(paths.stays_on(web, LinkId(1)), displaced);
            assert_eq!(paths.stays_on(displaced, LinkId(1)), displaced, "also as long as they are new");
            assert_ne!(paths.stays_on(mail, LinkId(1)), displaced);
            assert_ne!(paths.stays_on(web, LinkId(0)), displaced);
        }
        let mut plain = recalling("");
        let watched = Paths::new(&plain).unwrap();
        plain.links[0].flush.up = false;
        let plain = Paths::new(&plain).unwrap();
        assert_eq!(watched.iter().count(), plain.iter().count() + 1);
        for (_, path) in plain.iter() {
            let same = watched.iter().find(|(_, own)| own.name == path.name).unwrap().1;
            assert_eq!((path.mark, path.table), (same.mark, same.table), "{}", path.name);
        }
    }
}
