//! Paths: what joins services (nftables) to links (routing tables).
//!
//! A path is one mark, one routing table and an ordered list of tiers of links. A link has a path of its own;
//! a failover policy is one path; a balanced policy is one path for each link of its first tier. Paths with the same tiers and the
//! same fallback are one path, however many policies use it: every ip rule is paid for by every packet.
//!
//! A link that is watched has a second path, for its probes: it leads to the link whatever is thought of it, or else a
//! dead link could never prove that it works again. Where a link's owner wants its connections back when it is back, those
//! that left by another link meanwhile are on paths of their own.

mod builder;

use super::allot::Shortage;
use crate::config::model::{Config, Fallback, LinkId, Mark, PolicyId, Rule, Spread, Sticky, Target, Underlay};
use crate::map::Map;
use crate::network::Facts;
use crate::sort;

/// Index of a path in [`Paths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub usize);

/// The links tried together: one default route, by weight if there are several.
pub type Tier = Vec<Share>;

/// A link of a tier, and how much it takes of what the tier carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    /// The link.
    pub link: LinkId,
    /// Its weight among the others, 1 to 256.
    pub weight: u16,
}

/// What makes a path: two paths with the same course are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Course {
    /// The tiers in order of preference, none of them empty.
    pub tiers: Vec<Tier>,
    /// What happens after the last one.
    pub fallback: Fallback,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Connections of a link or a policy.
    Service,
    /// A link's probes.
    Probes,
    /// Established connections on the link of the first tier, which stay there when it becomes second choice. See
    /// [`Paths::stays_on`].
    Kept,
    /// The established connections of another path, a policy's, on a link that was not its first choice: so that they can
    /// be told from all others on that link, and called back. See [`Flush::up`](crate::config::model::Flush). Where the
    /// policy has a path for each link of its first tier, it is the first of them, and they share this one.
    Displaced(PathId),
    /// The new connections of rules whose clients stay on a link; the place in [`Paths::sticky`]. A mark of their own, so
    /// that it is known of each which link its client is to be remembered on.
    Sticky(usize),
}

/// What is remembered of the clients of rules with the same target and the same `sticky`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The policy.
    pub policy: PolicyId,
    /// Who is remembered, and for how long.
    pub sticky: Sticky,
    /// By what a new client's link is drawn.
    pub spread: Spread,
    /// Its paths with their weights, and the link each begins with.
    pub paths: Vec<(PathId, u16, LinkId)>,
}

/// One mark, one routing table and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// A name for people: the link's, the policy's, `policy@link` for one member of a policy, `policy@link.kept` for its
    /// established connections, or `link.probes`.
    pub name: String,
    /// Its tiers and fallback.
    pub course: Course,
    /// The mark its packets carry.
    pub mark: Mark,
    /// Its routing table.
    pub table: u32,
    /// Where its fwmark rule stands, if the owner pinned it.
    pub priority: Option<u32>,
    /// Which path a connection that was classified to this one is on once it has left by a link, where that is not the
    /// link's own path. See [`Paths::stays_on`].
    stays: Map<LinkId, PathId>,
}

/// How new connections are handed to paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All by one path.
    One(PathId),
    /// By weight: `(path, weight)`.
    Spread(Spread, Vec<(PathId, u16)>),
}

/// All paths of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    all: Vec<Path>,
    /// The path of each link, by [`LinkId`].
    links: Vec<PathId>,
    /// The path of each link's probes, by [`LinkId`].
    probes: Vec<Option<PathId>>,
    /// How each policy hands out its connections, by [`PolicyId`].
    policies: Vec<Choice>,
    sticky: Vec<Memory>,
    /// The router's own path of each policy that it uses: ip rules cannot spread, so it is the members in order. Nor may the
    /// route: the kernel looks it up again once it has chosen the source address, and could then take another hop.
    router: Vec<Option<PathId>>,
    unreachable: Option<PathId>,
    blackhole: Option<PathId>,
}

impl std::ops::Index<PathId> for Paths {
    type Output = Path;
    fn index(&self, id: PathId) -> &Path {
        &self.all[id.0]
    }
}

impl Paths {
    /// All paths of a configuration, with their marks and tables.
    ///
    /// # Errors
    /// When the mask has fewer marks than there are paths.
    pub fn new(config: &Config) -> Result<Self, Shortage> {
        builder::build(config)
    }

    /// Every path.
    pub fn iter(&self) -> impl Iterator<Item = (PathId, &Path)> {
        self.all.iter().enumerate().map(|(n, path)| (PathId(n), path))
    }

    /// A link's own path.
    #[must_use]
    pub fn of_link(&self, link: LinkId) -> PathId {
        self.links[link.0]
    }

    /// The path of a link's probes, if it is watched: their sockets carry its mark.
    #[must_use]
    pub fn probe(&self, link: LinkId) -> Option<PathId> {
        self.probes.get(link.0).copied().flatten()
    }

    /// The marks that connections over a link carry; its probes are none.
    #[must_use]
    pub fn marks_of_link(&self, link: LinkId) -> Vec<Mark> {
        let own = self.of_link(link);
        let stays = self.all.iter().filter_map(|path| path.stays.get(&link));
        let mut marks: Vec<Mark> = std::iter::once(&own).chain(stays).map(|path| self[*path].mark).collect();
        sort::by(&mut marks, Ord::cmp);
        marks.dedup();
        marks
    }

    /// How a policy hands out its connections.
    #[must_use]
    pub fn of_policy(&self, policy: PolicyId) -> &Choice {
        &self.policies[policy.0]
    }

    /// What is remembered of clients.
    #[must_use]
    pub fn sticky(&self) -> &[Memory] {
        &self.sticky
    }

    /// What is remembered of the clients of a rule.
    #[must_use]
    pub fn memory_of(&self, rule: &Rule) -> Option<&Memory> {
        let (sticky, Target::Policy(policy)) = (rule.sticky?, rule.target) else { return None };
        self.sticky.iter().find(|memory| (memory.policy, memory.sticky) == (policy, sticky))
    }

    /// How connections from the LAN to a target are handed out; `None` is the main table, unmarked.
    #[must_use]
    pub fn of_target(&self, target: Target) -> Option<Choice> {
        match target {
            Target::Link(link) => Some(Choice::One(self.of_link(link))),
            Target::Policy(policy) => Some(self.of_policy(policy).clone()),
            Target::Unreachable => self.unreachable.map(Choice::One),
            Target::Blackhole => self.blackhole.map(Choice::One),
            Target::Main => None,
        }
    }

    /// The path of the router's own connections to a target; `None` is the main table.
    #[must_use]
    pub fn of_router_target(&self, target: Target) -> Option<PathId> {
        match target {
            Target::Policy(policy) => self.router[policy.0],
            Target::Link(link) => Some(self.of_link(link)),
            Target::Unreachable => self.unreachable,
            Target::Blackhole => self.blackhole,
            Target::Main => None,
        }
    }

    /// The path of a tunnel's own packets; `None` is the main table.
    #[must_use]
    pub fn of_underlay(&self, underlay: Underlay) -> Option<PathId> {
        match underlay {
            Underlay::Policy(policy) => self.router[policy.0],
            Underlay::Link(link) => Some(self.of_link(link)),
            Underlay::Main => None,
        }
    }

    /// The path a connection stays on after it left by `link`, having been classified to `path`.
    ///
    /// Mostly that is the link's own path. But a path with another fallback than main (a kill switch) must hold its
    /// established flows too: their packets carry a mark whose table has the same fallback and, before it, the policy's
    /// other links.
    #[must_use]
    pub fn stays_on(&self, path: PathId, link: LinkId) -> PathId {
        self[path].stays.get(&link).copied().unwrap_or_else(|| self.of_link(link))
    }

    /// A path and those that share out a policy's connections with it.
    #[must_use]
    pub fn siblings(&self, path: PathId) -> Vec<PathId> {
        let mut siblings = vec![path];
        for choice in &self.policies {
            let Choice::Spread(_, shared) = choice else { continue };
            if shared.iter().any(|(own, _)| *own == path) {
                siblings.extend(shared.iter().map(|(own, _)| *own));
            }
        }
        siblings
    }

    /// The path of a host whose IPv6 address is out of a prefix that `link` delegated; `None` is the choice itself: the
    /// main table, or what the choice makes of any other host.
    ///
    /// A provider takes no other provider's addresses, so the prefix decides, as far as the choice allows that: a kill
    /// switch allows only its own links. But where every other link that the choice may lead to translates, any of them
    /// will do.
    #[must_use]
    pub fn for_prefix(&self, choice: Option<&Choice>, link: LinkId, facts: &Facts) -> Option<PathId> {
        let first = match choice {
            None => None,
            Some(Choice::One(path)) => Some(*path),
            Some(Choice::Spread(_, paths)) => Some(paths.first()?.0),
        };
        // Main may lead anywhere.
        let all = || (0..self.links.len()).map(LinkId).collect();
        let mut others: Vec<LinkId> = first.map_or_else(all, |first| self[first].links().collect());
        others.retain(|other| *other != link);
        let translates = |other: &LinkId| facts.links.get(other.0).is_some_and(|other| other.translates6);
        if !others.is_empty() && others.iter().all(translates) {
            return None;
        }
        let Some(first) = first else { return Some(self.of_link(link)) };
        let free = self[first].course.fallback == Fallback::Main;
        let stays = self.stays_on(first, link);
        // Its address keeps it there: it was not displaced, if that makes no other difference.
        let displaced = matches!(self[stays].course.purpose, Purpose::Displaced(_)) && free;
        if self[first].links().any(|own| own == link) && !displaced {
            Some(stays)
        } else {
            free.then(|| self.of_link(link))
        }
    }

    /// Whether established flows of a path need a mark of their own: see [`Paths::stays_on`].
    #[must_use]
    pub fn keeps_own_flows(&self, path: PathId) -> bool {
        !self[path].stays.is_empty()
    }
}

impl Path {
    /// The links it leads to, in order of preference.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.course.tiers.iter().flatten().map(|member| member.link)
    }
}
