//! All links under watch, in both families.

use super::{NUMBER, Watch, source};
use crate::config::model::{Config, Family, LinkId};
use crate::health::{Moment, Probe};
use crate::network::Facts;
use crate::plan::Plan;
use crate::probe::{Prober, Token, Way};
use crate::survey::Standings;
use log::debug;
use std::net::IpAddr;

/// Every link in both families.
#[derive(Default)]
pub struct Watches {
    all: Vec<Watch>,
    /// How many watches there have been.
    made: u32,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::token;
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
