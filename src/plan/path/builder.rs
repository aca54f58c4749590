//! Finds the paths of a configuration.

use super::{Choice, Course, Memory, Path, PathId, Paths, Purpose, Share, Tier};
use crate::config::model::{
    Config, Fallback, Link, LinkId, Mark, Member, Mode, Policy, PolicyId, Rule, Target, Underlay,
};
use crate::map::Map;
use crate::plan::allot::{self, Allotment, Shortage};
use crate::sort;

/// All paths of a configuration, with their marks and tables.
pub(super) fn build(config: &Config) -> Result<Paths, Shortage> {
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
    let mut nowhere = |target, fallback| {
        let used = config.rules.iter().any(|rule| rule.target == target);
        used.then(|| builder.path(Course::service(Vec::new(), fallback), || fallback.to_string()))
    };
    let unreachable = nowhere(Target::Unreachable, Fallback::Unreachable);
    let blackhole = nowhere(Target::Blackhole, Fallback::Blackhole);
    let probes = (0..config.links.len()).map(|n| builder.probes(LinkId(n))).collect();

    let sticky = builder.sticky(&policies);

    let Builder { mut all, links, .. } = builder;
    let request = |(n, draft): (usize, &Draft)| draft.request(config, &all, &links, &sticky, PathId(n));
    let requests: Vec<allot::Request> = all.iter().enumerate().map(request).collect();
    let allotments = allot::allot(config.globals.mask, &requests)?;
    for (path, Allotment { mark, table }) in all.iter_mut().zip(&allotments) {
        path.mark = Some(*mark);
        path.table = *table;
    }
    let all = all.into_iter().filter_map(Draft::finish).collect();
    Ok(Paths { all, links, probes, policies, sticky, router, unreachable, blackhole })
}

/// A path before it has its numbers.
struct Draft {
    name: String,
    course: Course,
    stays: Map<LinkId, PathId>,
    mark: Option<Mark>,
    table: u32,
    priority: Option<u32>,
}

impl Draft {
    /// What decides its numbers: never its place in the file, only names.
    fn request(
        &self,
        config: &Config,
        all: &[Self],
        links: &[PathId],
        sticky: &[Memory],
        id: PathId,
    ) -> allot::Request {
        let own = links.iter().position(|path| *path == id).map(|n| &config.links[n]);
        let key = match own {
            Some(link) => link.name.clone(),
            None => self.course.key(config, all, sticky),
        };
        let extra = self.course.purpose != Purpose::Service;
        allot::Request { key, mark: own.and_then(|l| l.mark), table: own.and_then(|l| l.table), extra }
    }

    fn finish(self) -> Option<Path> {
        let Self { name, course, stays, mark, table, priority } = self;
        Some(Path { name, course, mark: mark?, table, priority, stays })
    }
}

impl Course {
    fn service(tiers: Vec<Tier>, fallback: Fallback) -> Self {
        Self { tiers, fallback, purpose: Purpose::Service }
    }

    /// A text that is the same for the same course, whatever the policies are called and wherever they stand.
    fn key(&self, config: &Config, all: &[Draft], sticky: &[Memory]) -> String {
        let mut key = String::new();
        for tier in &self.tiers {
            let mut members: Vec<String> =
                tier.iter().map(|m| format!("{}*{}", config[m.link].name, m.weight)).collect();
            sort::by(&mut members, Ord::cmp);
            key.push_str(&members.join("+"));
            key.push('>');
        }
        match self.purpose {
            Purpose::Service => key + &self.fallback.to_string(),
            Purpose::Probes => key + "probes",
            Purpose::Kept => format!("{key}kept {}", self.fallback),
            Purpose::Displaced(from) => {
                let from = all.get(from.0).map_or_else(String::new, |from| from.course.key(config, all, sticky));
                format!("{key}of {from}")
            }
            Purpose::Sticky(place) => match sticky.get(place) {
                Some(Memory { policy, sticky, .. }) => format!("{key}sticky {} {sticky:?}", config[*policy].name),
                None => key,
            },
        }
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
        let stays = Map::new();
        self.all.push(Draft { name: name(), course, stays, mark: None, table: 0, priority: None });
        PathId(self.all.len() - 1)
    }

    fn link(&mut self, id: LinkId) -> PathId {
        let link = &self.config[id];
        let course = Course::service(vec![vec![alone(id)]], link.fallback);
        let path = self.path(course, || link.name.clone());
        self.all[path.0].priority = link.priority;
        path
    }

    /// The path of a link's probes. It needs no fallback: a probe's socket is bound to the link's device.
    fn probes(&mut self, id: LinkId) -> Option<PathId> {
        let link = &self.config[id];
        link.tracking.as_ref()?;
        let course = Course { tiers: vec![vec![alone(id)]], fallback: Fallback::Main, purpose: Purpose::Probes };
        Some(self.path(course, || format!("{}.probes", link.name)))
    }

    /// How the policy hands out connections, and the one path for the router itself, if it needs one.
    fn policy(&mut self, id: PolicyId) -> (Choice, Option<PathId>) {
        let policy = &self.config[id];
        let first = policy.tiers().next().unwrap_or_default();
        let choice = match policy.mode {
            Mode::Balance(spread) if first.len() > 1 => {
                let members = first.iter().map(|m| (self.member(policy, m.link), m.weight)).collect();
                Choice::Spread(spread, members)
            }
            Mode::Balance(_) | Mode::Failover => Choice::One(self.path(by_tiers(policy, None), || policy.name.clone())),
        };
        let of_router = |rule: &Rule| rule.target == Target::Policy(id) && rule.origin.includes_router();
        // The packets of a tunnel are the router's own too.
        let of_tunnel = |link: &Link| link.via == Some(Underlay::Policy(id));
        let own = match choice {
            Choice::One(path) if self.all[path.0].course == in_order(policy) => Some(path),
            _ if !self.config.rules.iter().any(of_router) && !self.config.links.iter().any(of_tunnel) => None,
            _ => Some(self.path(in_order(policy), || policy.name.clone())),
        };
        self.keep(policy, &choice);
        (choice, own)
    }

    /// The paths of rules whose clients stay on a link, for each policy and each kind of memory.
    fn sticky(&mut self, policies: &[Choice]) -> Vec<Memory> {
        let mut memories: Vec<Memory> = Vec::new();
        for rule in self.config.rules.iter().filter(|rule| rule.origin.includes_lan()) {
            let (Some(sticky), Target::Policy(policy)) = (rule.sticky, rule.target) else { continue };
            let Some(Choice::Spread(spread, paths)) = policies.get(policy.0) else { continue };
            if memories.iter().any(|memory| (memory.policy, memory.sticky) == (policy, sticky)) {
                continue;
            }
            let place = memories.len();
            let mut own = Vec::new();
            for (path, weight) in paths {
                let Some(link) = self.all[path.0].course.tiers.first().and_then(|tier| tier.first()).map(|m| m.link)
                else {
                    continue;
                };
                let course = Course { purpose: Purpose::Sticky(place), ..self.all[path.0].course.clone() };
                let (name, stays) = (self.all[path.0].name.clone(), self.all[path.0].stays.clone());
                let path = self.path(course, || format!("{name}.sticky"));
                self.all[path.0].stays = stays;
                own.push((path, *weight, link));
            }
            memories.push(Memory { policy, sticky, spread: *spread, paths: own });
        }
        memories
    }

    /// Says on which paths the policy's connections stay once they have left by a link.
    fn keep(&mut self, policy: &Policy, choice: &Choice) {
        let used: Vec<PathId> = match choice {
            Choice::One(path) => vec![*path],
            Choice::Spread(_, paths) => paths.iter().map(|(path, _)| *path).collect(),
        };
        let mut stays = Vec::new();
        let mut displaced = Vec::new();
        // Among the links of a tier none is preferred: only those of an earlier one call their connections back.
        let mut recalled = false;
        for tier in policy.tiers() {
            for member in tier {
                if let (Some(from), true) = (used.first(), recalled) {
                    displaced.push((member.link, self.displaced(policy, *from, member.link)));
                } else if policy.fallback != Fallback::Main || self.config[member.link].fallback != Fallback::Main {
                    stays.push((member.link, self.kept(policy, member.link)));
                }
            }
            recalled |= tier.iter().any(|member| self.config[member.link].flush.up);
        }
        stays.retain(|(link, stay)| self.links[link.0] != *stay);
        for path in used.into_iter().chain(displaced.iter().map(|(_, path)| *path)) {
            self.all[path.0].stays.extend(displaced.iter().copied());
            self.stay(path, &stays);
        }
        for (_, path) in &stays {
            self.stay(*path, &stays);
        }
    }

    /// These paths hold the same connections whichever policy says so; displaced ones are the exception, and known already.
    fn stay(&mut self, path: PathId, stays: &[(LinkId, PathId)]) {
        for (link, stay) in stays {
            self.all[path.0].stays.or_insert_with(*link, || *stay);
        }
    }

    /// The path of the connections of a policy's path `from` that have left by a link which is not its first choice.
    fn displaced(&mut self, policy: &Policy, from: PathId, link: LinkId) -> PathId {
        let course = Course { purpose: Purpose::Displaced(from), ..by_tiers(policy, Some(link)) };
        self.path(course, || format!("{}@{}", policy.name, self.config[link].name))
    }

    /// The path of the established connections on one link of a policy whose fallback is to hold them, too. Not that of new
    /// ones: those leave a link that is second choice, and these must not. Whether the link is watched does not count,
    /// or its connections would lose their mark when that changes.
    fn kept(&mut self, policy: &Policy, link: LinkId) -> PathId {
        let mut course = by_tiers(policy, Some(link));
        if policy.members.len() > 1 {
            course.purpose = Purpose::Kept;
        }
        self.path(course, || format!("{}@{}.kept", policy.name, self.config[link].name))
    }

    /// The path of one member: that link first, then what else the policy has.
    fn member(&mut self, policy: &Policy, first: LinkId) -> PathId {
        self.path(by_tiers(policy, Some(first)), || format!("{}@{}", policy.name, self.config[first].name))
    }
}

/// The policy's tiers one after the other; `first`, if given, before the rest.
fn by_tiers(policy: &Policy, first: Option<LinkId>) -> Course {
    let rest = |tier: &[Member]| -> Tier {
        let others = tier.iter().filter(|member| Some(member.link) != first);
        others.map(|member| Share { link: member.link, weight: member.weight }).collect()
    };
    let tiers = policy.tiers().map(|tier| normal(rest(tier))).filter(|tier| !tier.is_empty());
    Course::service(first.map(|link| vec![alone(link)]).into_iter().chain(tiers).collect(), policy.fallback)
}

/// The policy's links one after the other.
fn in_order(policy: &Policy) -> Course {
    Course::service(policy.members.iter().map(|member| vec![alone(member.link)]).collect(), policy.fallback)
}

/// The only link of its tier: its weight says nothing there.
fn alone(link: LinkId) -> Share {
    Share { link, weight: 1 }
}

/// A tier in one form: sorted, and a single member without a weight.
fn normal(mut tier: Tier) -> Tier {
    sort::by_key(&mut tier, |share| share.link);
    if let [only] = tier.as_mut_slice() {
        only.weight = 1;
    }
    tier
}
