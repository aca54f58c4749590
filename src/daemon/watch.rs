//! A link under watch in one family: its judge and, where probes are asked for, their rounds.

mod watches;

pub use watches::Watches;

use super::events::Action;
use super::words;
use crate::config::model::{Family, Link, LinkId, Method, TrackedHost, Tracking};
use crate::health::{Cause, Condition, Judge, Moment, Outcome, Presence, Probe, Rounds, Statistics, start_offset};
use crate::interval::{from_ipv6, ipv6_prefix};
use crate::network::{Down, Facts, LinkFacts, Side, Standing, State};
use crate::plan::Plan;
use crate::probe::{Prober, Token, Way};
use crate::survey::Standings;
use log::warn;
use std::net::IpAddr;

/// Rounds in a row that could not be sent before that is said. A few are usual while a link comes up.
const WORTH_A_WORD: u32 = 10;

/// What a token has room for of a watch's number.
const NUMBER: u32 = 0xff_ffff;

/// One link in one family.
pub struct Watch {
    /// Its own number, by which answers find it: its place, and the link's, change with the configuration.
    number: u32,
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
    source: Option<IpAddr>,
    /// Whether the judge has heard of it. Not so in the first second or two after the router's start, before the link
    /// has an address: nothing has happened to it then.
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
    /// That was said, since the link was there last.
    said: bool,
}

/// Which probe an answer belongs to, in one number: 24 bits for the watch, 8 for the host, 32 for the round.
fn token(watch: u32, probe: Probe) -> Token {
    let host = u64::try_from(probe.host & 0xff).unwrap_or(0);
    Token(u64::from(watch & NUMBER) << 40 | host << 32 | u64::from(probe.round))
}

impl Watch {
    fn new(
        number: u32,
        id: LinkId,
        link: &Link,
        family: Family,
        known: Option<Self>,
        restored: &Standings,
        now: Moment,
    ) -> Self {
        let (before, told) = match known {
            Some(known) if known.tracking == link.tracking => return Self { link: id, ..known },
            // Another way of asking makes no dead link alive.
            Some(known) => (known.judge.standing(), known.told),
            None => {
                let before = restored.get(&(link.name.clone(), family)).copied().unwrap_or_default();
                // What an earlier daemon has told needs no telling again.
                (before, (before == Standing::Dead).then_some(Condition::Down(Cause::Silent)))
            }
        };
        let judge = Judge::new(link.tracking.as_ref().filter(|own| is_asked(own, family)), now).restore(before);
        let probing = link.tracking.as_ref().and_then(|tracking| Probing::new(tracking, id, family, now));
        let tracking = link.tracking.clone();
        Self {
            number,
            link: id,
            family,
            name: link.name.clone(),
            tracking,
            judge,
            probing,
            told,
            settled: Standing::Good,
            offered: false,
            source: None,
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
            _ => self.source.is_none(),
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
        let way = hop.map(|hop| Way { device: hop.device.clone(), mark, source: self.source });
        let mut way = way.filter(|way| way.source.is_some() || tracking.method == Method::Arp);
        if tracking.method == Method::Arp {
            let gateway = hop.and_then(|hop| hop.gateway);
            let hosts: Vec<TrackedHost> =
                gateway.into_iter().map(|address| TrackedHost { address, port: None }).collect();
            if hosts != probing.hosts {
                probing.hosts = hosts;
                probing.way = None;
            }
        }
        way = way.filter(|_| !probing.hosts.is_empty());
        if way == probing.way {
            return;
        }
        // What was asked the old way will not be answered.
        probing.rounds.pause();
        if way.is_some() {
            probing.rounds.resume(now);
        }
        (probing.way, probing.said) = (way, false);
    }

    fn turn(&mut self, prober: &mut Prober, now: Moment) {
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
            if let Err(unsent) =
                prober.ask(now, token(self.number, probe), way, tracking.method, *host, tracking.timeout)
            {
                if probing.unsent >= WORTH_A_WORD && !probing.said {
                    probing.said = true;
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
        let hosts: Vec<TrackedHost> = tracking.hosts_of(family).copied().collect();
        // ARP asks one: the gateway, which is not known yet.
        let count = hosts.len().max(1);
        let place = id.0 * 2 + usize::from(family == Family::V6);
        let mut rounds = Rounds::new(tracking, count, now + start_offset(place, tracking.interval));
        rounds.pause();
        Some(Self { rounds, hosts, way: None, failures: 0, unsent: 0, said: false })
    }
}

/// Whether a family is watched: it needs a host of that family, but for ARP, which asks the gateway.
fn is_asked(tracking: &Tracking, family: Family) -> bool {
    tracking.method == Method::Arp || tracking.hosts_of(family).next().is_some()
}

/// The address that a link's probes leave with. Left to itself the kernel would take another link's while this one has
/// none yet. Many providers give IPv6 routers a prefix and no address: then one of the router's own out of that prefix.
fn source(link: &LinkFacts, family: Family, own: &[IpAddr]) -> Option<IpAddr> {
    let side = if family == Family::V4 { &link.v4 } else { &link.v6 };
    let of_prefix = |address: &&IpAddr| match address {
        IpAddr::V6(v6) => link.prefixes.iter().any(|prefix| ipv6_prefix(*prefix).contains(from_ipv6(*v6))),
        IpAddr::V4(_) => false,
    };
    let delegated = || own.iter().find(of_prefix).filter(|_| family == Family::V6);
    own.iter().find(|address| side.addresses.contains(address)).or_else(delegated).copied()
}
