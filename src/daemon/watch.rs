//! The links under watch: for each link and family a judge, and where probes are asked for, their rounds.

use crate::config::model::{Config, Family, Link, LinkId, Method, TrackedHost, Tracking};
use crate::health::{Condition, Judge, Moment, Presence, Probe, Round, Rounds};
use crate::network::{Down, Facts, Side, Standing, State};
use crate::plan::Plan;
use crate::probe::{Prober, Token, Way};
use crate::survey::Standings;
use log::debug;
use std::net::IpAddr;
use std::time::Duration;

/// Rounds of several links do not start at the same moment.
const STAGGER: Duration = Duration::from_millis(37);

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
    /// What was told last.
    pub told: Condition,
    /// Whether the link means to carry this family at all.
    pub offered: bool,
}

/// The probes of a watch.
struct Probing {
    rounds: Rounds,
    hosts: Vec<TrackedHost>,
    /// How they leave; nothing while the link is away.
    way: Option<Way>,
    losses: Losses,
}

/// The failed rounds since the last good one, for words.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// Probes asked.
    pub asked: u32,
    /// Probes lost.
    pub lost: u32,
    /// The hosts that did not answer.
    pub hosts: Vec<IpAddr>,
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

    /// Tells the judges what the facts say.
    pub fn notice(&mut self, facts: &Facts, now: Moment) {
        for watch in &mut self.all {
            if let Some(side) = facts.side(watch.link, watch.family) {
                watch.notice(side, now);
            }
        }
    }

    /// Learns how probes leave now.
    pub fn find_ways(&mut self, config: &Config, facts: &Facts, plan: &Plan, own: &[IpAddr], now: Moment) {
        for watch in &mut self.all {
            watch.find_way(config, facts, plan, own, now);
        }
    }

    /// What the probes have shown.
    #[must_use]
    pub fn standings(&self) -> Standings {
        self.all.iter().map(|watch| ((watch.name.clone(), watch.family), watch.judge.standing())).collect()
    }

    /// Takes in answers, ends rounds whose time is over, and sends what is due.
    pub fn turn(&mut self, prober: &mut Prober, now: Moment) {
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
    fn new(
        id: LinkId,
        link: &Link,
        family: Family,
        known: Option<Self>,
        restored: &Standings,
        now: Moment,
    ) -> Self {
        if let Some(known) = known
            && known.tracking == link.tracking
        {
            return Self { link: id, ..known };
        }
        let mut judge = Judge::new(link.tracking.as_ref().filter(|own| is_asked(own, family)), now);
        let before = restored.get(&(link.name.clone(), family)).copied().unwrap_or_default();
        if before != Standing::Good {
            judge.restore(before, now);
        }
        let told = judge.condition().clone();
        let probing = link.tracking.as_ref().and_then(|tracking| Probing::new(tracking, id, family, now));
        let tracking = link.tracking.clone();
        Self { link: id, family, name: link.name.clone(), tracking, judge, probing, told, offered: false }
    }

    fn notice(&mut self, side: &Side, now: Moment) {
        self.offered = side.state != State::Down(Down::NotOffered);
        self.judge.presence(
            now,
            match &side.state {
                State::Up(_) => Presence::There,
                State::NoCarrier(_) => Presence::NoCarrier,
                State::Down(why) => Presence::Gone(*why),
            },
        );
    }

    fn find_way(&mut self, config: &Config, facts: &Facts, plan: &Plan, own: &[IpAddr], now: Moment) {
        let Some(probing) = &mut self.probing else { return };
        let hop = match facts.side(self.link, self.family).map(|side| &side.state) {
            Some(State::Up(hop)) => Some(hop),
            _ => None,
        };
        let mark = plan.paths.probe(self.link).map_or(0, |path| plan.paths[path].mark.bits());
        let way = hop.map(|hop| {
            let source = source(facts, self.link, self.family, own);
            Way { device: hop.device.clone(), mark, source }
        });
        if config[self.link].tracking.as_ref().is_some_and(|tracking| tracking.method == Method::Arp) {
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
        match (&way, &probing.way) {
            (None, _) => probing.rounds.pause(),
            (Some(_), _) => probing.rounds.resume(now),
        }
        probing.way = way;
    }

    fn turn(&mut self, place: usize, prober: &mut Prober, now: Moment) {
        self.judge.tick(now);
        let (Some(probing), Some(tracking)) = (&mut self.probing, &self.tracking) else { return };
        for round in probing.rounds.finished(now) {
            probing.losses.count(&round, &probing.hosts);
            self.judge.round(now, &round);
        }
        let Some(way) = &probing.way else { return };
        for probe in probing.rounds.due(now) {
            let Some(host) = probing.hosts.get(probe.host) else { continue };
            if let Err(unsent) = prober.ask(now, token(place, probe), way, tracking.method, *host, tracking.timeout) {
                debug!("link {} ({}): {unsent}", self.name, self.family);
                probing.rounds.unsent(now, probe);
            }
        }
    }

    /// The probes that were lost since the last good round.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.probing.as_ref().map_or_else(Losses::default, |probing| probing.losses.clone())
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
        let place = u32::try_from(id.0 * 2 + usize::from(family == Family::V6)).unwrap_or(0);
        let mut rounds = Rounds::new(tracking, count, now + STAGGER * (place % 16));
        rounds.pause();
        Some(Self { rounds, hosts, way: None, losses: Losses::default() })
    }
}

impl Losses {
    fn count(&mut self, round: &Round, hosts: &[TrackedHost]) {
        if round.is_void() {
            return;
        }
        if round.is_good() {
            *self = Self::default();
            return;
        }
        self.asked = self.asked.saturating_add(u32::try_from(hosts.len()).unwrap_or(u32::MAX));
        for host in round.lost().filter_map(|n| hosts.get(n)) {
            self.lost = self.lost.saturating_add(1);
            if !self.hosts.contains(&host.address) {
                self.hosts.push(host.address);
            }
        }
    }
}

/// Whether a family is watched: it needs a host of that family, but for ARP, which asks the gateway.
fn is_asked(tracking: &Tracking, family: Family) -> bool {
    tracking.method == Method::Arp
        || tracking.hosts.iter().any(|host| host.address.is_ipv4() == (family == Family::V4))
}

/// Many providers give IPv6 routers a prefix and no address: then one of the router's own out of that prefix. Else the
/// kernel's choice for the device is right.
fn source(facts: &Facts, link: LinkId, family: Family, own: &[IpAddr]) -> Option<IpAddr> {
    let side = facts.side(link, family)?;
    if family == Family::V4 || !side.addresses.is_empty() {
        return None;
    }
    let prefixes = &facts.links.get(link.0)?.prefixes;
    let of_link = |address: &&IpAddr| match address {
        IpAddr::V6(v6) => prefixes.iter().any(|prefix| {
            crate::interval::ipv6_prefix(*prefix).contains(crate::interval::from_ipv6(*v6))
        }),
        IpAddr::V4(_) => false,
    };
    own.iter().find(of_link).copied()
}
