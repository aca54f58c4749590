//! The links under watch: for each link and family a judge, and where probes are asked for, their rounds.

use super::events::Action;
use super::words;
use crate::config::model::{Config, Family, Link, LinkId, Method, TrackedHost, Tracking};
use crate::health::{Cause, Condition, Judge, Moment, Outcome, Presence, Probe, Rounds, Statistics, start_offset};
use crate::interval::{from_ipv6, ipv6_prefix};
use crate::kernel::netlink::address::Address;
use crate::network::{Down, Facts, LinkFacts, Side, Standing, State};
use crate::plan::Plan;
use crate::probe::{Prober, Token, Way};
use crate::survey::Standings;
use log::{debug, warn};
use std::net::IpAddr;

/// Rounds in a row that could not be sent before that is said. A few are usual while a link comes up.
const WORTH_A_WORD: u32 = 10;

/// Every link in both families.
#[derive(Default)]
pub struct Watches {
    all: Vec<Watch>,
}

/// One link in one family.
pub struct Watch {
    /// The link.
    pub link: LinkId,
    /// The family.
    pub family: Family,
    /// The link's name: it outlives changes of the configuration.
    name: String,
    tracking: Option<Tracking>,
    /// What is thought of it.
    pub judge: Judge,
    probing: Option<Probing>,
    /// What was told last; nothing at first.
    pub told: Option<Condition>,
    /// The standing that the routes were last made for.
    pub settled: Standing,
    /// Whether the link means to carry this family at all.
    pub offered: bool,
    /// The address that probes leave with.
    source: Source,
    /// Whether the judge has heard of it. When the router starts, links get their addresses a moment later: until then
    /// nothing has happened to them.
    seen: bool,
}

/// The probes of a watch.
struct Probing {
    rounds: Rounds,
    hosts: Vec<TrackedHost>,
    /// How they leave; nothing while the link is away.
    way: Option<Way>,
    /// Failed rounds since the last good one.
    failures: u32,
    /// Rounds in a row that could not be sent.
    unsent: u32,
}

impl Watches {
    /// Goes over to a configuration: what is known of links that stay is kept.
    pub fn configure(&mut self, config: &Config, restored: &Standings, now: Moment) {
        let mut old = std::mem::take(&mut self.all);
        for (n, link) in config.links.iter().enumerate() {
            for family in Family::BOTH {
                let known = old.iter().position(|watch| watch.name == link.name && watch.family == family);
                let known = known.map(|place| old.swap_remove(place));
                self.all.push(Watch::new(LinkId(n), link, family, known, restored, now));
            }
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Watch> {
        self.all.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Watch> {
        self.all.iter_mut()
    }

    /// When something is to be done, in time since the daemon's start.
    pub fn deadline(&self) -> Option<Moment> {
        let rounds = |watch: &Watch| watch.probing.as_ref().and_then(|probing| probing.rounds.deadline());
        self.all.iter().flat_map(|watch| [rounds(watch), watch.judge.deadline()]).flatten().min()
    }

    /// Tells the judges what the facts say. `own` are the router's addresses.
    pub fn notice(&mut self, facts: &Facts, own: &[Address], now: Moment) {
        for watch in &mut self.all {
            if let (Some(link), Some(side)) = (facts.links.get(watch.link.0), facts.side(watch.link, watch.family)) {
                watch.source = source(link, watch.family, own);
                watch.notice(side, now);
            }
        }
    }

    /// Learns how probes leave now.
    pub fn find_ways(&mut self, facts: &Facts, plan: &Plan, now: Moment) {
        for watch in &mut self.all {
            watch.find_way(facts, plan, now);
        }
    }

    /// How the probes leave.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        self.all.iter().filter_map(|watch| watch.probing.as_ref()?.way.clone()).collect()
    }

    /// The routes are as the verdicts want them.
    pub fn settle(&mut self) {
        self.all.iter_mut().for_each(|watch| watch.settled = watch.judge.standing());
    }

    /// What the probes have shown.
    #[must_use]
    pub fn standings(&self) -> Standings {
        self.all.iter().map(|watch| ((watch.name.clone(), watch.family), watch.judge.standing())).collect()
    }

    /// Takes in answers, ends rounds whose time is over, and sends what is due. Says whether a verdict has changed since
    /// it was told.
    pub fn turn(&mut self, prober: &mut Prober, now: Moment) -> bool {
        for answer in prober.collect() {
            let Some((watch, probe)) = self.probe_of(answer.token) else { continue };
            let Some(probing) = &mut watch.probing else { continue };
            match answer.outcome {
                Ok(time) => probing.rounds.answered(now, probe, time),
                Err(failure) => {
                    debug!("link {} ({}): {failure:?}", watch.name, watch.family);
                    probing.rounds.failed(now, probe);
                }
            }
        }
        prober.expire(now);
        for (n, watch) in self.all.iter_mut().enumerate() {
            watch.turn(n, prober, now);
        }
        self.all.iter().any(Watch::is_unsettled)
    }

    fn probe_of(&mut self, token: Token) -> Option<(&mut Watch, Probe)> {
        let place = usize::try_from(token.0 >> 48).ok()?;
        let host = usize::try_from(token.0 >> 32 & 0xffff).ok()?;
        let round = u32::try_from(token.0 & 0xffff_ffff).ok()?;
        Some((self.all.get_mut(place)?, Probe { round, host }))
    }
}

/// Which probe an answer belongs to, in one number.
fn token(watch: usize, probe: Probe) -> Token {
    let part = |n: usize, shift: u32| u64::try_from(n & 0xffff).unwrap_or(0) << shift;
    Token(part(watch, 48) | part(probe.host, 32) | u64::from(probe.round))
}

impl Watch {
    fn new(id: LinkId, link: &Link, family: Family, known: Option<Self>, restored: &Standings, now: Moment) -> Self {
        if let Some(known) = known
            && known.tracking == link.tracking
        {
            return Self { link: id, ..known };
        }
        let mut judge = Judge::new(link.tracking.as_ref().filter(|own| is_asked(own, family)), now);
        // What an earlier daemon has told needs no telling again.
        let mut told = None;
        let before = restored.get(&(link.name.clone(), family)).copied().unwrap_or_default();
        if before != Standing::Good {
            judge = judge.restore(before);
            told = (before == Standing::Dead).then_some(Condition::Down(Cause::Silent));
        }
        let probing = link.tracking.as_ref().and_then(|tracking| Probing::new(tracking, id, family, now));
        let tracking = link.tracking.clone();
        Self {
            link: id,
            family,
            name: link.name.clone(),
            tracking,
            judge,
            probing,
            told,
            settled: Standing::Good,
            offered: false,
            source: Source::Nowhere,
            seen: false,
        }
    }

    fn notice(&mut self, side: &Side, now: Moment) {
        self.offered = side.state != State::Down(Down::NotOffered);
        let tracking = self.tracking.as_ref().filter(|tracking| is_asked(tracking, self.family));
        let nobody = side.hop().is_some_and(|hop| match tracking.map(|tracking| tracking.method) {
            // On a point-to-point link there is no gateway to ask.
            Some(Method::Arp) => hop.gateway.is_none(),
            // Without an address of its own a probe would leave with another link's, and be lost.
            _ => self.source == Source::Nowhere,
        });
        self.judge.watch(tracking.filter(|_| !nobody));
        self.seen |= side.state != State::Down(Down::NoAddress);
        if !self.seen {
            return;
        }
        self.judge.presence(
            now,
            match &side.state {
                State::Up(_) => Presence::There,
                State::NoCarrier(_) => Presence::NoCarrier,
                State::Down(why) => Presence::Gone(*why),
            },
        );
    }

    fn find_way(&mut self, facts: &Facts, plan: &Plan, now: Moment) {
        let (Some(probing), Some(tracking)) = (&mut self.probing, &self.tracking) else { return };
        let hop = match facts.side(self.link, self.family).map(|side| &side.state) {
            Some(State::Up(hop)) => Some(hop),
            _ => None,
        };
        let mark = plan.paths.probe(self.link).map_or(0, |path| plan.paths[path].mark.bits());
        let way = match (hop, self.source) {
            (Some(hop), Source::Own(source)) => Some(Way { device: hop.device.clone(), mark, source: Some(source) }),
            (Some(hop), _) if tracking.method == Method::Arp => {
                Some(Way { device: hop.device.clone(), mark, source: None })
            }
            _ => None,
        };
        if tracking.method == Method::Arp {
            let gateway = hop.and_then(|hop| hop.gateway);
            let hosts: Vec<TrackedHost> =
                gateway.into_iter().map(|address| TrackedHost { address, port: None }).collect();
            if hosts != probing.hosts {
                probing.hosts = hosts;
                probing.way = None;
            }
        }
        let way = way.filter(|_| !probing.hosts.is_empty());
        if way == probing.way {
            return;
        }
        // What was asked the old way will not be answered.
        probing.rounds.pause();
        if way.is_some() {
            probing.rounds.resume(now);
        }
        probing.way = way;
    }

    fn turn(&mut self, place: usize, prober: &mut Prober, now: Moment) {
        self.judge.tick(now);
        let (Some(probing), Some(tracking)) = (&mut self.probing, &self.tracking) else { return };
        for round in probing.rounds.finished(now) {
            match round.outcome {
                Outcome::Good => (probing.failures, probing.unsent) = (0, 0),
                Outcome::Failed => (probing.failures, probing.unsent) = (probing.failures.saturating_add(1), 0),
                Outcome::Void => probing.unsent = probing.unsent.saturating_add(1),
            }
            self.judge.round(now, &round);
        }
        let Some(way) = &probing.way else { return };
        for probe in probing.rounds.due(now) {
            let Some(host) = probing.hosts.get(probe.host) else { continue };
            if let Err(unsent) = prober.ask(now, token(place, probe), way, tracking.method, *host, tracking.timeout) {
                if probing.unsent == WORTH_A_WORD {
                    warn!("link {} ({}): its probes cannot be sent: {unsent}", self.name, self.family);
                }
                probing.rounds.unsent(now, probe);
            }
        }
    }

    /// Whether there is something to do or to tell.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        let told = self.told.as_ref().and_then(words::action);
        let now = self.action();
        self.judge.standing() != self.settled || (now.is_some() && now != told)
    }

    /// What to tell of it; nothing while it is between two states.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        words::action(self.judge.condition()).filter(|_| self.seen)
    }

    /// What its probes have measured; nothing if it has none.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        self.probing.as_ref().map(|probing| probing.rounds.statistics())
    }

    /// Failed rounds since the last good one, and whom they asked.
    #[must_use]
    pub fn failures(&self) -> (u32, &[TrackedHost]) {
        self.probing.as_ref().map_or((0, &[]), |probing| (probing.failures, &probing.hosts))
    }

    /// How it is watched.
    #[must_use]
    pub fn tracking(&self) -> Option<&Tracking> {
        self.tracking.as_ref()
    }
}

impl Probing {
    fn new(tracking: &Tracking, id: LinkId, family: Family, now: Moment) -> Option<Self> {
        if !is_asked(tracking, family) {
            return None;
        }
        let hosts: Vec<TrackedHost> =
            tracking.hosts.iter().filter(|host| host.address.is_ipv4() == (family == Family::V4)).copied().collect();
        // ARP asks one: the gateway, which is not known yet.
        let count = hosts.len().max(1);
        let place = id.0 * 2 + usize::from(family == Family::V6);
        let mut rounds = Rounds::new(tracking, count, now + start_offset(place, tracking.interval));
        rounds.pause();
        Some(Self { rounds, hosts, way: None, failures: 0, unsent: 0 })
    }
}

/// Whether a family is watched: it needs a host of that family, but for ARP, which asks the gateway.
fn is_asked(tracking: &Tracking, family: Family) -> bool {
    tracking.method == Method::Arp || tracking.hosts.iter().any(|host| host.address.is_ipv4() == (family == Family::V4))
}

/// The address that a link's probes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// This one.
    Own(IpAddr),
    /// One that cannot be used yet.
    NotYet,
    /// There is none.
    Nowhere,
}

/// Left to itself the kernel would take another link's address as long as the link's own is not yet known to be unique (a
/// second or two after it came), or is deprecated; no provider lets that through. So the choice is made here: an address
/// of the link's device, or one of the router's out of the prefix that the link was delegated. Many providers give no
/// other.
fn source(link: &LinkFacts, family: Family, own: &[Address]) -> Source {
    let side = if family == Family::V4 { &link.v4 } else { &link.v6 };
    let rank = |own: &Address| match own.address {
        _ if side.addresses.contains(&own.address) => Some((own.deprecated, false)),
        IpAddr::V6(v6) if family == Family::V6 => {
            let delegated = link.prefixes.iter().any(|prefix| ipv6_prefix(*prefix).contains(from_ipv6(v6)));
            delegated.then_some((own.deprecated, true))
        }
        IpAddr::V6(_) | IpAddr::V4(_) => None,
    };
    let mut known = own.iter().filter(|own| rank(own).is_some()).peekable();
    if known.peek().is_none() {
        return Source::Nowhere;
    }
    known
        .filter(|own| !own.tentative)
        .min_by_key(|own| rank(own))
        .map_or(Source::NotYet, |own| Source::Own(own.address))
}
