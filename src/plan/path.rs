//! Paths: what joins services (nftables) to links (routing tables).
//!
//! A path is one mark, one routing table and an ordered list of tiers of links. A link has a path of its own;
//! a failover policy is one path; a balanced policy is one path for each member. Paths with the same tiers and the
//! same fallback are one path, however many policies use it: every ip rule is paid for by every packet.
//!
//! A link that is watched has a second path, for its probes: it leads to the link whatever is thought of it, or else a
//! dead link could never prove that it works again.

use super::allot::{self, Allotment, Shortage};
use crate::config::model::{Config, Fallback, LinkId, Mark, Member, Mode, Policy, PolicyId, Rule, Spread, Target};
use crate::sort;
use std::collections::BTreeMap;

/// Index of a path in [`Paths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub usize);

/// The links tried together: one default route, by weight if there are several.
pub type Tier = Vec<Member>;

/// What makes a path: two paths with the same course are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Course {
    /// The tiers in order of preference, none of them empty.
    pub tiers: Vec<Tier>,
    /// What happens after the last one.
    pub fallback: Fallback,
    /// Whether it is for a link's probes.
    pub probes: bool,
}

/// One mark, one routing table and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// A name for people: the link's, the policy's, `policy@link` for one member of a policy, or `link.probes`.
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
    stays: BTreeMap<LinkId, PathId>,
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
    /// The router's own path of each policy that it uses: ip rules cannot spread, so it is the members in order.
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
        let mut builder = Builder { config, all: Vec::new(), links: Vec::new() };
        for n in 0..config.links.len() {
            let path = builder.link(LinkId(n));
            builder.links.push(path);
        }
        let mut policies = Vec::new();
        let mut router = Vec::new();
        for n in 0..config.policies.len() {
            let (choice, own) = builder.policy(PolicyId(n));
            policies.push(choice);
            router.push(own);
        }
        let mut nowhere =
            |target, fallback| {
                config.rules.iter().any(|rule| rule.target == target).then(|| {
                    builder.path(Course { tiers: Vec::new(), fallback, probes: false }, || fallback.to_string())
                })
            };
        let unreachable = nowhere(Target::Unreachable, Fallback::Unreachable);
        let blackhole = nowhere(Target::Blackhole, Fallback::Blackhole);
        let probes = (0..config.links.len()).map(|n| builder.probes(LinkId(n))).collect();

        let Builder { mut all, links, .. } = builder;
        let requests: Vec<allot::Request> =
            all.iter().enumerate().map(|(n, draft)| draft.request(config, &links, PathId(n))).collect();
        let allotments = allot::allot(config.globals.mask, &requests)?;
        for (path, Allotment { mark, table }) in all.iter_mut().zip(&allotments) {
            path.mark = Some(*mark);
            path.table = *table;
        }
        let all = all.into_iter().filter_map(Draft::finish).collect();
        Ok(Self { all, links, probes, policies, router, unreachable, blackhole })
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

    /// The path a connection stays on after it left by `link`, having been classified to `path`.
    ///
    /// Mostly that is the link's own path. But a path with another fallback than main (a kill switch) must hold its
    /// established flows too: their packets carry a mark whose table has the same fallback and, before it, the policy's
    /// other links.
    #[must_use]
    pub fn stays_on(&self, path: PathId, link: LinkId) -> PathId {
        self[path].stays.get(&link).copied().unwrap_or_else(|| self.of_link(link))
    }

    /// The path of a host whose IPv6 address is out of a prefix that `link` delegated, if the choice lets it leave by
    /// that link; `None` is the main table. A kill switch allows only its own links; anything else follows the prefix,
    /// because a provider takes no other provider's addresses.
    #[must_use]
    pub fn for_prefix(&self, choice: Option<&Choice>, link: LinkId) -> Option<PathId> {
        let first = match choice {
            None => return Some(self.of_link(link)),
            Some(Choice::One(path)) => *path,
            Some(Choice::Spread(_, paths)) => paths.first()?.0,
        };
        if self[first].links().any(|own| own == link) {
            Some(self.stays_on(first, link))
        } else {
            (self[first].course.fallback == Fallback::Main).then(|| self.of_link(link))
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

/// A path before it has its numbers.
struct Draft {
    name: String,
    course: Course,
    stays: BTreeMap<LinkId, PathId>,
    mark: Option<Mark>,
    table: u32,
    priority: Option<u32>,
}

impl Draft {
    /// What decides its numbers: never its place in the file, only names.
    fn request(&self, config: &Config, links: &[PathId], id: PathId) -> allot::Request {
        let own = links.iter().position(|path| *path == id).map(|n| &config.links[n]);
        let key = match own {
            Some(link) => link.name.clone(),
            None => self.course.key(config),
        };
        let probes = self.course.probes;
        allot::Request { key, mark: own.and_then(|l| l.mark), table: own.and_then(|l| l.table), probes }
    }

    fn finish(self) -> Option<Path> {
        let Self { name, course, stays, mark, table, priority } = self;
        Some(Path { name, course, mark: mark?, table, priority, stays })
    }
}

impl Course {
    /// A text that is the same for the same course, whatever the policies are called and wherever they stand.
    fn key(&self, config: &Config) -> String {
        let mut key = String::new();
        for tier in &self.tiers {
            let mut members: Vec<String> =
                tier.iter().map(|m| format!("{}*{}", config[m.link].name, m.weight)).collect();
            sort::by(&mut members, Ord::cmp);
            key.push_str(&members.join("+"));
            key.push('>');
        }
        if self.probes { key + "probes" } else { key + &self.fallback.to_string() }
    }
}

struct Builder<'a> {
    config: &'a Config,
    all: Vec<Draft>,
    /// The links' own paths, by [`LinkId`].
    links: Vec<PathId>,
}

impl Builder<'_> {
    fn path(&mut self, course: Course, name: impl FnOnce() -> String) -> PathId {
        if let Some(known) = self.all.iter().position(|path| path.course == course) {
            return PathId(known);
        }
        let stays = BTreeMap::new();
        self.all.push(Draft { name: name(), course, stays, mark: None, table: 0, priority: None });
        PathId(self.all.len() - 1)
    }

    fn link(&mut self, id: LinkId) -> PathId {
        let link = &self.config[id];
        let course = Course { tiers: vec![vec![alone(id)]], fallback: link.fallback, probes: false };
        let path = self.path(course, || link.name.clone());
        self.all[path.0].priority = link.priority;
        path
    }

    /// The path of a link's probes. It needs no fallback: a probe's socket is bound to the link's device.
    fn probes(&mut self, id: LinkId) -> Option<PathId> {
        let link = &self.config[id];
        link.tracking.as_ref()?;
        let course = Course { tiers: vec![vec![alone(id)]], fallback: Fallback::Main, probes: true };
        Some(self.path(course, || format!("{}.probes", link.name)))
    }

    /// How the policy hands out connections, and the one path for the router itself, if it needs one.
    fn policy(&mut self, id: PolicyId) -> (Choice, Option<PathId>) {
        let policy = &self.config[id];
        let in_order = |builder: &mut Self| builder.path(in_order(policy, None), || policy.name.clone());
        let (choice, own) = match policy.mode {
            Mode::Balance(spread) if policy.members.len() > 1 => {
                let of_router = |rule: &Rule| rule.target == Target::Policy(id) && rule.origin.includes_router();
                let own = self.config.rules.iter().any(of_router).then(|| in_order(self));
                let members = policy.members.iter().map(|m| (self.member(policy, m.link), m.weight)).collect();
                (Choice::Spread(spread, members), own)
            }
            Mode::Balance(_) | Mode::Failover => {
                let own = in_order(self);
                (Choice::One(own), Some(own))
            }
        };
        let used: Vec<PathId> = match &choice {
            Choice::One(path) => vec![*path],
            Choice::Spread(_, paths) => paths.iter().map(|(path, _)| *path).collect(),
        };
        let mut stays = Vec::new();
        for member in &policy.members {
            if policy.fallback == Fallback::Main && self.config[member.link].fallback == Fallback::Main {
                continue;
            }
            stays.push((member.link, self.member(policy, member.link)));
        }
        for path in used.into_iter().chain(stays.iter().map(|(_, path)| *path)) {
            self.all[path.0].stays.extend(stays.iter().copied().filter(|(link, stay)| self.links[link.0] != *stay));
        }
        (choice, own)
    }

    /// The path of one member: that link first, then what else the policy has.
    fn member(&mut self, policy: &Policy, first: LinkId) -> PathId {
        let course = match policy.mode {
            Mode::Failover => in_order(policy, Some(first)),
            Mode::Balance(_) => {
                let others: Tier = policy.members.iter().filter(|m| m.link != first).copied().collect();
                let tiers = [vec![alone(first)], normal(others)];
                let tiers = tiers.into_iter().filter(|t| !t.is_empty()).collect();
                Course { tiers, fallback: policy.fallback, probes: false }
            }
        };
        self.path(course, || format!("{}@{}", policy.name, self.config[first].name))
    }
}

/// The policy's links one after the other; `first`, if given, before the rest.
fn in_order(policy: &Policy, first: Option<LinkId>) -> Course {
    let rest = policy.members.iter().map(|m| m.link).filter(|link| Some(*link) != first);
    let tiers = first.into_iter().chain(rest).map(|link| vec![alone(link)]).collect();
    Course { tiers, fallback: policy.fallback, probes: false }
}

/// The only link of its tier: its weight says nothing there.
fn alone(link: LinkId) -> Member {
    Member { link, weight: 1 }
}

/// A tier in one form: sorted, and a single member without a weight.
fn normal(mut tier: Tier) -> Tier {
    sort::by_key(&mut tier, |member| member.link);
    if let [only] = tier.as_mut_slice() {
        only.weight = 1;
    }
    tier
}
