//! When which host is asked, and what came of it: the schedule of probes of one link in one family.
//!
//! Every `interval` a round asks every host once; several rounds may be on their way. A round that is late raises a
//! suspicion, and then the next rounds follow fast: a silent death is known after at most
//! `interval + lateness + (down - 2) × spacing + timeout`, not after `down` whole intervals.
//!
//! The schedule has a clock of its own, which stands still while a call is overdue. So a caller that was kept from
//! calling (a busy router, a stopped process) makes neither a burst of probes nor rounds that failed only because
//! nobody looked.

mod sent;

use super::Moment;
use super::average::{Average, History, Statistics, statistics};
use crate::config::model::Tracking;
use sent::Sent;
use std::collections::VecDeque;
use std::time::Duration;

// Each host is a bit of a number.
const _: () = assert!(Tracking::MOST_HOSTS <= 32);

/// One question to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The round it belongs to; the numbers wrap round.
    pub round: u32,
    /// The host, from 0: its place among the link's hosts of this family.
    pub host: usize,
}

/// A round that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took until enough hosts had answered, if they did.
    pub rtt: Option<Duration>,
    /// What this round and those before it measured together.
    pub statistics: Statistics,
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Enough hosts answered in time.
    Good,
    /// Too few did.
    Failed,
    /// It says nothing: too much of it could not be sent, for reasons of this machine.
    Void,
}

/// The schedule of probes of one link in one family.
#[derive(Debug, Clone)]
pub struct Rounds {
    interval: Duration,
    timeout: Duration,
    down: u32,
    up: u32,
    reliability: u32,
    /// A bit for each host.
    everyone: u32,
    /// No round is due before this.
    start: Moment,
    /// When the next regular round is due; none while paused.
    next: Option<Moment>,
    last_sent: Moment,
    /// Something of the last round could not be sent: no hurry then, it would only be tried again and again.
    stuck: bool,
    /// The rounds on their way, in the order they were sent. Those at the front may have been reported already, and
    /// wait for the rest of their answers only to know each host's loss.
    sent: VecDeque<Sent>,
    next_number: u32,
    /// How many of the last reported rounds failed in a row.
    failures: u32,
    /// How many of the last reported rounds were good in a row.
    goods: u32,
    /// `down` rounds have failed, and `up` good ones have not followed yet: there is nothing left to hurry for.
    silent: bool,
    average: Average,
    histories: Vec<History>,
    /// The schedule's own time, when it was last looked at.
    now: Moment,
    /// How far the schedule's own time is behind the caller's.
    lag: Duration,
}

impl Rounds {
    /// The schedule for this many hosts of one family ([`Method::Arp`](crate::config::model::Method::Arp) has one, the
    /// gateway; more than [`Tracking::MOST_HOSTS`] are not asked); the first round is due at `start`. Without hosts there are
    /// no rounds. An interval shorter than a [`Tracking::MOST_ROUNDS`]th of the timeout is made that long.
    #[must_use]
    pub fn new(tracking: &Tracking, hosts: usize, start: Moment) -> Self {
        let hosts = hosts.min(Tracking::MOST_HOSTS);
        let count = u32::try_from(hosts).unwrap_or(0);
        Self {
            interval: tracking.interval.max(tracking.timeout / Tracking::MOST_ROUNDS),
            timeout: tracking.timeout,
            down: tracking.down.max(1),
            up: tracking.up.max(1),
            reliability: tracking.reliability.clamp(1, count.max(1)),
            everyone: u32::MAX.checked_shr(u32::BITS - count).unwrap_or(0),
            start,
            next: Some(start),
            last_sent: Moment::ZERO,
            stuck: false,
            sent: VecDeque::new(),
            next_number: 0,
            failures: 0,
            goods: 0,
            silent: false,
            average: Average::default(),
            histories: vec![History::default(); hosts],
            now: Moment::ZERO,
            lag: Duration::ZERO,
        }
    }

    /// The probes to send now: one for each host, if a round is due.
    pub fn due(&mut self, now: Moment) -> Vec<Probe> {
        let now = self.look(now);
        if self.next_round().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        self.sent.push_back(Sent::new(number, now));
        (self.last_sent, self.stuck) = (now, false);
        self.next = Some(now + self.interval);
        (0..self.histories.len()).map(|host| Probe { round: number, host }).collect()
    }

    /// A host has answered, this long after it was asked. Answers to rounds that are over are ignored.
    pub fn answered(&mut self, now: Moment, probe: Probe, rtt: Duration) {
        self.look(now);
        let Some((sent, bit)) = self.waiting(probe) else { return };
        sent.answered |= bit;
        if sent.outcome.is_none() {
            sent.rtt = Some(sent.rtt.map_or(rtt, |before| before.max(rtt)));
        }
        self.record(probe.host, false);
        self.decide(probe.round);
    }

    /// A host will not answer, for certain: it refused, or a router on the way said that it cannot be reached.
    pub fn failed(&mut self, now: Moment, probe: Probe) {
        self.look(now);
        let Some((sent, bit)) = self.waiting(probe) else { return };
        sent.lost |= bit;
        self.record(probe.host, true);
        self.decide(probe.round);
    }

    /// A probe could not be sent for a reason of this machine (no memory, no route yet), so it says nothing of the
    /// link. The round is void unless the other hosts decide it.
    pub fn unsent(&mut self, now: Moment, probe: Probe) {
        self.look(now);
        let Some((sent, bit)) = self.waiting(probe) else { return };
        sent.unsent |= bit;
        self.stuck |= probe.round == self.next_number.wrapping_sub(1);
        self.decide(probe.round);
    }

    /// The rounds that are over and have not been reported yet, in the order they were sent. Call it only after every
    /// answer that is waiting has been read.
    pub fn finished(&mut self, now: Moment) -> Vec<Round> {
        let now = self.look(now);
        let mut reports = Vec::new();
        for index in 0..self.sent.len() {
            self.expire(index, now);
            let Some(sent) = self.sent.get_mut(index).filter(|sent| !sent.reported) else { continue };
            // In order: a round that is decided waits for those before it.
            let Some(outcome) = sent.outcome else { break };
            sent.reported = true;
            let rtt = sent.rtt.filter(|_| outcome == Outcome::Good);
            reports.push(self.report(outcome, rtt));
        }
        let everyone = self.everyone;
        while self.sent.front().is_some_and(|sent| sent.reported && sent.pending(everyone) == 0) {
            self.sent.pop_front();
        }
        reports
    }

    /// When [`Rounds::due`] or [`Rounds::finished`] has something to do next.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.work().map(|moment| moment + self.lag)
    }

    /// The link is not there: nothing is asked, and what is on its way is forgotten.
    pub fn pause(&mut self) {
        self.next = None;
        self.sent.clear();
    }

    /// The link is there again: the first round is due at once (but not before the schedule's start), and all measurements begin anew. Does nothing unless
    /// it was paused.
    pub fn resume(&mut self, now: Moment) {
        let now = self.look(now);
        if self.next.is_none() {
            self.next = Some(now.max(self.start));
            (self.failures, self.goods, self.silent) = (0, 0, false);
            self.forget();
        }
    }

    /// What has been measured lately.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        statistics(&self.average, &self.histories, self.reliability)
    }

    /// The schedule's own time: it never passes the moment for which something is still to be done.
    fn look(&mut self, now: Moment) -> Moment {
        let own = now.saturating_sub(self.lag).max(self.now);
        self.now = match self.work() {
            Some(work) if work < own => {
                self.lag += own - work;
                work
            }
            _ => own,
        };
        self.now
    }

    /// When there is something to do, in the schedule's own time.
    fn work(&self) -> Option<Moment> {
        let first = self.sent.iter().find(|sent| !sent.reported);
        let over = first.map(|first| if first.outcome.is_some() { self.now } else { first.at + self.timeout });
        let next = self.next_round();
        // A round that answers have just made suspicious may be due since before now.
        [over, next].into_iter().flatten().min().map(|work| work.max(self.now))
    }

    fn next_round(&self) -> Option<Moment> {
        let next = self.next.filter(|_| self.everyone != 0)?;
        Some(self.hurried().map_or(next, |hurried| hurried.min(next)))
    }

    /// When the next round is sent ahead of its time, because those since the last good one raise a suspicion that
    /// fewer than `down` of them cannot prove.
    fn hurried(&self) -> Option<Moment> {
        let (mut open, mut failed, mut oldest) = (0, 0, None);
        let mut answered = false;
        for sent in self.sent.iter().rev().take_while(|sent| !sent.reported) {
            match sent.outcome {
                Some(Outcome::Good) => {
                    answered = true;
                    break;
                }
                Some(Outcome::Failed) => failed += 1,
                Some(Outcome::Void) => {}
                None => (open, oldest) = (open + 1, Some(sent.at)),
            }
        }
        if !answered {
            failed += self.failures;
        }
        if self.silent || self.stuck || open + failed >= self.down {
            return None;
        }
        let suspicion = if failed > 0 { self.last_sent } else { oldest? + self.lateness() };
        Some(suspicion.max(self.last_sent + self.spacing()))
    }

    /// The time between two rounds in a hurry.
    fn spacing(&self) -> Duration {
        self.interval.min(self.timeout) / 4
    }

    /// When a round is late: after twice the usual time. A link whose usual time is near its timeout gets a quarter
    /// more than that, or it would be hurried for ever.
    fn lateness(&self) -> Duration {
        let half = self.timeout / 2;
        match self.average.smoothed() {
            None => half,
            Some(usual) if usual < half => (usual * 2).max(self.spacing()).min(half),
            Some(usual) => (usual + usual / 4).min(self.timeout),
        }
    }

    /// The round and the host's bit, if the answer is still waited for.
    fn waiting(&mut self, probe: Probe) -> Option<(&mut Sent, u32)> {
        let everyone = self.everyone;
        let bit = u32::try_from(probe.host).ok().and_then(|host| 1u32.checked_shl(host))?;
        let sent = self.find(probe.round)?;
        (sent.pending(everyone) & bit != 0).then_some((sent, bit))
    }

    fn find(&mut self, number: u32) -> Option<&mut Sent> {
        let first = self.sent.front()?.number;
        self.sent.get_mut(usize::try_from(number.wrapping_sub(first)).ok()?)
    }

    fn record(&mut self, host: usize, lost: bool) {
        if let Some(history) = self.histories.get_mut(host) {
            history.add(lost);
        }
    }

    fn decide(&mut self, number: u32) {
        let (everyone, reliability) = (self.everyone, self.reliability);
        if let Some(sent) = self.find(number) {
            sent.decide(everyone, reliability);
        }
    }

    /// Ends a round whose time is over: every answer that is still missing is lost.
    fn expire(&mut self, index: usize, now: Moment) {
        let timeout = self.timeout;
        let Some(sent) = self.sent.get_mut(index).filter(|sent| now >= sent.at + timeout) else { return };
        let missing = sent.pending(self.everyone);
        sent.lost |= missing;
        sent.decide(self.everyone, self.reliability);
        for (host, history) in self.histories.iter_mut().enumerate() {
            if missing >> host & 1 == 1 {
                history.add(true);
            }
        }
    }

    /// Takes the next round in order into account.
    fn report(&mut self, outcome: Outcome, rtt: Option<Duration>) -> Round {
        match outcome {
            Outcome::Good => {
                // Back from the dead: what was measured before and meanwhile says nothing of how well it works now.
                if self.failures >= self.down {
                    self.forget();
                }
                (self.goods, self.failures) = (self.goods.saturating_add(1), 0);
                self.silent &= self.goods < self.up;
                // More than a timeout is not the link's time but the caller's.
                if let Some(rtt) = rtt.filter(|rtt| *rtt <= self.timeout) {
                    self.average.add(rtt);
                }
            }
            Outcome::Failed => {
                (self.goods, self.failures) = (0, self.failures.saturating_add(1));
                self.silent |= self.failures >= self.down;
            }
            Outcome::Void => {}
        }
        Round { outcome, rtt, statistics: self.statistics() }
    }

    fn forget(&mut self) {
        self.average = Average::default();
        self.histories.fill(History::default());
    }
}

#[cfg(test)]
mod tests;
