//! The links under watch: for each link and family a judge, and where probes are asked for, their rounds.

use super::events::Action;
use super::words;
use crate::config::model::{Config, Family, Link, LinkId, Method, TrackedHost, Tracking};
use crate::health::{Cause, Condition, Judge, Moment, Outcome, Presence, Probe, Rounds, Statistics, start_offset};
use crate::interval::{from_ipv6, ipv6_prefix};
use crate::network::{Down, Facts, LinkFacts, Side, Standing, State};
use crate::plan::Plan;
use crate::probe::{Prober, Token, Way};
use crate::survey::Standings;
use log::{debug, warn};
use std::net::IpAddr;

/// Rounds in a row that could not be sent before that is said. A few are usual while a link comes up.
const WORTH_A_WORD: u32 = 10;

/// What a token has room for of a watch's number.
const NUMBER: u32 = 0xff_ffff;

/// Every link in both families.
#[derive(Default)]
pub struct Watches {
    all: Vec<Watch>,
    /// How many watches there have been.
    made: u32,
}

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

impl Watches {
    /// Goes over to a configuration: what is known of links that stay is kept.
    pub fn configure(&mut self, config: &Config, restored: &Standings, now: Moment) {
        let mut old = std::mem::take(&mut self.all);
        for (n, link) in config.links.iter().enumerate() {
            for family in Family::BOTH {
                let known = old.iter().position(|watch| watch.name == link.name && watch.family == family);
                let known = known.map(|place| old.swap_remove(place));
                self.made = self.made.wrapping_add(1);
                self.all.push(Watch::new(self.made, LinkId(n), link, family, known, restored, now));
            }
        }
    }

    /// Watches nothing any more, and forgets what was known.
    pub fn clear(&mut self) {
        self.all.clear();
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

    /// Tells the judges what the facts say. `own` are the router's addresses that can be used already.
    pub fn notice(&mut self, facts: &Facts, own: &[IpAddr], now: Moment) {
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
        for watch in &mut self.all {
            watch.turn(prober, now);
        }
        self.all.iter().any(Watch::is_unsettled)
    }

    fn probe_of(&mut self, token: Token) -> Option<(&mut Watch, Probe)> {
        let number = token.0 >> 40;
        let host = usize::try_from(token.0 >> 32 & 0xff).ok()?;
        let round = u32::try_from(token.0 & 0xffff_ffff).ok()?;
        let watch = self.all.iter_mut().find(|watch| u64::from(watch.number & NUMBER) == number)?;
        Some((watch, Probe { round, host }))
    }
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
        let hosts: Vec<TrackedHost> =
            tracking.hosts.iter().filter(|host| host.address.is_ipv4() == (family == Family::V4)).copied().collect();
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
    tracking.method == Method::Arp || tracking.hosts.iter().any(|host| host.address.is_ipv4() == (family == Family::V4))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::sample::{config, links};

    const HOSTS: &str = " list track_ip '1.1.1.1'\n list track_ip '2606:4700:4700::1111'";

    #[test]
    fn an_answer_finds_its_watch_whatever_became_of_the_configuration() {
        let mut config = config(&links(3, HOSTS), true);
        let mut watches = Watches::default();
        watches.configure(&config, &Standings::new(), Moment::ZERO);
        let of = |watch: &Watch| (token(watch.number, Probe { round: u32::MAX, host: 31 }), watch.name.clone());
        let asked: Vec<_> = watches.iter().map(|watch| (of(watch), watch.family)).collect();
        config.links.rotate_left(1);
        config.links.pop();
        // Another way of asking: what was asked before is of no use.
        config.links[1].tracking.as_mut().unwrap().down += 1;
        watches.configure(&config, &Standings::new(), Moment::ZERO);
        let (gone, changed) = ("A", config.links[1].name.clone());
        for ((token, name), family) in asked {
            let found = watches.probe_of(token).map(|(watch, probe)| (watch.name.clone(), watch.family, probe));
            let right = (name.clone(), family, Probe { round: u32::MAX, host: 31 });
            assert_eq!(found, (name != gone && name != changed).then_some(right));
        }
    }
}
