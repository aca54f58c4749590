//! The verdict on one link in one family: what its rounds of probes and the machine's word for it make it.
//!
//! ```text
//!             down rounds failed, or the link went away
//!   Up, Degraded, Unproven, Held ------------------------> Down
//!
//!   Down (away)   -- it is there again ------------------> Held if it fell too often, else Unproven (unwatched: Up)
//!   Down (silent) -- up rounds good ---------------------> Held if it fell too often, else Up
//!   Unproven      -- up rounds good ---------------------> Up
//!   Held          -- its time is over -------------------> Up, or Unproven without its good rounds
//!   Up           <-- loss or latency, with hysteresis ---> Degraded
//!   Up, Degraded <-- it has carried all that it may -----> UsedUp
//! ```

use super::Moment;
use super::average::{Statistics, WINDOW};
use super::damping::{Damping, FIRST_HOLD};
use super::meter::Spent;
use super::rounds::{Outcome, Round};
use crate::config::model::Tracking;
use crate::network::{Down, Standing};
use std::time::Duration;

/// How many probes there must be before loss and latency count.
const LEAST_PROBES: u8 = 10;
/// How many rounds a link stays degraded at least: by then nothing of what made it so is looked back at.
const LEAST_ROUNDS_DEGRADED: u32 = WINDOW as u32;
/// A silent link that falls too often must answer without a failure for as long as it is going to be held before it
/// counts as answering again, but no longer than this: perhaps it is the last one left.
const LONGEST_PROOF: Duration = Duration::from_secs(30);

/// What the machine says of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Packets can leave by it.
    There,
    /// There is a way, but the device has no carrier.
    NoCarrier,
    /// There is no way, and why.
    Gone(Down),
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Up,
    /// It works badly.
    Degraded(Quality),
    /// It works, but has carried all that it may in this period.
    UsedUp(Spent),
    /// It came back after it was away, and has not yet had `up` good rounds. Links nobody watches are never unproven.
    Unproven,
    /// It fell too often, and is not trusted for a while. It may go away and come back meanwhile: only when it stays
    /// away it is down.
    Held {
        /// Until when, if it does not fall again.
        until: Moment,
        /// How often it fell in the last minute.
        falls: u32,
    },
    /// It does not work.
    Down(Cause),
}

/// What is bad about a link that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// It loses more than `max_loss`.
    Loss,
    /// Its mean round-trip time is above `max_latency`.
    Latency,
}

/// Why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its probes are not answered.
    Silent,
    /// It has no carrier.
    NoCarrier,
    /// There is no way by it.
    Gone(Down),
}

/// The state machine of one link in one family.
#[derive(Debug, Clone)]
pub struct Judge {
    limits: Option<Limits>,
    condition: Condition,
    since: Moment,
    /// What the machine said last; none before its first word.
    presence: Option<Presence>,
    /// Since when the link is away; counts only while it is held.
    away: Option<Moment>,
    /// The verdict of a daemon before this one.
    restored: Standing,
    /// How many of the last rounds failed in a row.
    failures: u32,
    /// How many of the last rounds were good in a row.
    goods: u32,
    /// It has had `up` good rounds in a row since it last fell.
    proven: bool,
    last_failure: Moment,
    /// Rounds since it became degraded.
    degraded: u32,
    /// It has carried all that it may.
    spent: Option<Spent>,
    measured: Statistics,
    damping: Damping,
}

/// What of the configuration counts here.
#[derive(Debug, Clone, Copy)]
struct Limits {
    down: u32,
    up: u32,
    loss: Option<u8>,
    latency: Option<Duration>,
}

impl Limits {
    fn of(tracking: &Tracking) -> Self {
        Self {
            down: tracking.down.max(1),
            up: tracking.up.max(1),
            loss: tracking.max_loss,
            latency: tracking.max_latency,
        }
    }
}

impl Judge {
    /// A link of which nothing is known yet. `tracking` is none if nobody watches the link in this family: there are
    /// no hosts of it.
    #[must_use]
    pub fn new(tracking: Option<&Tracking>, now: Moment) -> Self {
        Self {
            limits: tracking.map(Limits::of),
            condition: Condition::Down(Cause::Gone(Down::default())),
            since: now,
            presence: None,
            away: None,
            restored: Standing::Good,
            failures: 0,
            goods: 0,
            proven: false,
            last_failure: now,
            degraded: 0,
            spent: None,
            measured: Statistics::default(),
            damping: Damping::default(),
        }
    }

    /// Continues with the verdict of a daemon before this one, or of a judge with another configuration. To be called
    /// before the first [`Judge::presence`]; without it a link that is there at first sight is believed.
    #[must_use]
    pub fn restore(mut self, standing: Standing) -> Self {
        self.restored = standing;
        self
    }

    /// From now on the link is watched, or is not: a gateway that was to be asked has come or gone.
    pub fn watch(&mut self, tracking: Option<&Tracking>) {
        self.limits = tracking.map(Limits::of);
    }

    /// Whether the link has carried all that it may. Told again and again: how much that is changes.
    pub fn ration(&mut self, now: Moment, spent: Option<Spent>) {
        self.spent = spent;
        if matches!(self.condition, Condition::Up | Condition::Degraded(_) | Condition::UsedUp(_)) {
            self.trust(now);
        }
    }

    /// The machine's word for the link, also when it has not changed.
    pub fn presence(&mut self, now: Moment, presence: Presence) {
        let before = self.presence.replace(presence);
        let cause = match presence {
            Presence::There if before == Some(Presence::There) => return,
            Presence::There => return self.arrive(now, before.is_none()),
            Presence::NoCarrier => Cause::NoCarrier,
            Presence::Gone(down) => Cause::Gone(down),
        };
        if before == Some(Presence::There) {
            self.leave(now, cause);
        } else if matches!(self.condition, Condition::Down(_)) {
            self.enter(now, Condition::Down(cause));
        }
    }

    /// A round of probes is over. Rounds of a link that is away are ignored.
    pub fn round(&mut self, now: Moment, round: &Round) {
        let Some(limits) = self.limits.filter(|_| self.presence == Some(Presence::There)) else { return };
        match round.outcome {
            Outcome::Void => return,
            Outcome::Good => (self.goods, self.failures) = (self.goods.saturating_add(1), 0),
            Outcome::Failed => {
                (self.goods, self.failures) = (0, self.failures.saturating_add(1));
                self.last_failure = now;
            }
        }
        self.measured = round.statistics;
        self.degraded = self.degraded.saturating_add(1);
        self.proven |= self.goods >= limits.up;
        let silent = self.failures >= limits.down;
        match self.condition {
            Condition::Down(_) if self.goods >= limits.up => self.revive(now),
            // It answered again, though not yet for long enough to be revived: that is a fall like any other.
            Condition::Down(_) if silent && self.proven => self.fall(now, self.condition),
            Condition::Down(_) => {}
            _ if silent => self.fall(now, Condition::Down(Cause::Silent)),
            Condition::Unproven if self.proven => self.trust(now),
            Condition::Up | Condition::Degraded(_) | Condition::UsedUp(_) => self.trust(now),
            Condition::Unproven | Condition::Held { .. } => {}
        }
        self.tick(now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment) {
        let Condition::Held { until, .. } = self.condition else { return };
        match self.away {
            Some(away) if now >= away + FIRST_HOLD => self.enter(now, Condition::Down(self.absence())),
            None if now >= until => self.trust(now),
            _ => {}
        }
    }

    /// When [`Judge::tick`] has something to do, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        match self.condition {
            Condition::Held { until, .. } => Some(self.away.map_or(until, |away| away + FIRST_HOLD)),
            _ => None,
        }
    }

    /// The verdict.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Since when its condition is of this kind: another cause or a longer hold does not change it.
    #[must_use]
    pub fn since(&self) -> Moment {
        self.since
    }

    /// How far the link is trusted.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.condition {
            Condition::Up => Standing::Good,
            // Whether a held link is there at this moment is for the facts to say: it would change too often here.
            Condition::Degraded(_) | Condition::UsedUp(_) | Condition::Unproven | Condition::Held { .. } => {
                Standing::Poor
            }
            Condition::Down(Cause::Silent) => Standing::Dead,
            // Away: no route, or one that the kernel skips by itself and takes again within a millisecond when the
            // carrier is back. Where nobody watches that is as it should be; else the link has to prove itself first. One that is
            // used up will be second choice then too.
            Condition::Down(_) if self.limits.is_some() || self.spent.is_some() => Standing::Poor,
            Condition::Down(_) => Standing::Good,
        }
    }

    /// The link is there, after it was away or at first sight.
    fn arrive(&mut self, now: Moment, first_sight: bool) {
        self.away = None;
        (self.failures, self.goods, self.proven) = (0, 0, false);
        self.measured = Statistics::default();
        let condition = match (first_sight, self.restored) {
            (true, Standing::Dead) if self.limits.is_some() => Condition::Down(Cause::Silent),
            (true, Standing::Poor) if self.limits.is_some() => Condition::Unproven,
            (true, _) => {
                self.proven = true;
                return self.trust(now);
            }
            (false, _) if self.hold(now) => return,
            // Its hold is not over, though its penalty has faded.
            (false, _) if matches!(self.condition, Condition::Held { .. }) => return self.tick(now),
            (false, _) => return self.trust(now),
        };
        self.enter(now, condition);
    }

    /// The link is away.
    fn leave(&mut self, now: Moment, cause: Cause) {
        match self.condition {
            Condition::Down(_) => self.enter(now, Condition::Down(cause)),
            Condition::Held { .. } => {
                self.away = Some(now);
                self.damping.fall(now);
                self.hold(now);
            }
            _ => self.fall(now, Condition::Down(cause)),
        }
    }

    fn fall(&mut self, now: Moment, to: Condition) {
        self.damping.fall(now);
        self.proven = false;
        self.enter(now, to);
    }

    /// A silent link answers again.
    fn revive(&mut self, now: Moment) {
        let steady = now.saturating_sub(self.last_failure);
        let too_soon = self.damping.hold(now).is_some_and(|hold| steady < hold.min(LONGEST_PROOF));
        if !too_soon && !self.hold(now) {
            self.trust(now);
        }
    }

    /// Holds the link if it fell too often, or longer if it is held.
    fn hold(&mut self, now: Moment) -> bool {
        let Some(hold) = self.damping.hold(now) else { return false };
        let before = if let Condition::Held { until, .. } = self.condition { until } else { now };
        let (until, falls) = (before.max(now + hold), self.damping.lately(now));
        self.enter(now, Condition::Held { until, falls });
        true
    }

    /// Uses the link as well as it has shown to be.
    fn trust(&mut self, now: Moment) {
        let proven = self.proven || self.limits.is_none();
        let condition = match (self.flaw(), self.spent) {
            _ if !proven => Condition::Unproven,
            (_, Some(spent)) => Condition::UsedUp(spent),
            (Some(flaw), None) => Condition::Degraded(flaw),
            (None, None) => Condition::Up,
        };
        self.enter(now, condition);
    }

    /// What is bad about a link that answers. Loss must fall to half its limit and latency to three quarters, and some
    /// time must pass, before a degraded link is good again.
    fn flaw(&self) -> Option<Quality> {
        let limits = self.limits?;
        let was = if let Condition::Degraded(flaw) = self.condition { Some(flaw) } else { None };
        if was.is_some() && self.degraded < LEAST_ROUNDS_DEGRADED {
            return was;
        }
        let Statistics { lost, rounds, rtt, .. } = self.measured;
        if rounds < LEAST_PROBES {
            return was;
        }
        let (lost, rounds) = (u32::from(lost), u32::from(rounds));
        let losing = limits.loss.is_some_and(|limit| match was {
            // A single one says nothing: it would come and go in what is looked back at. And while there are fewer than
            // are looked back at, those to come are taken for answered, or a loss at the start would weigh too much.
            None => lost > 1 && lost * 100 > u32::from(limit) * u32::from(WINDOW),
            Some(_) => lost * 200 > u32::from(limit) * rounds,
        });
        let slow = limits.latency.zip(rtt).is_some_and(|(limit, rtt)| match was {
            None => rtt > limit,
            Some(_) => rtt > limit * 3 / 4,
        });
        match (losing, slow) {
            (false, false) => None,
            (true, _) if was != Some(Quality::Latency) || !slow => Some(Quality::Loss),
            _ => Some(Quality::Latency),
        }
    }

    fn absence(&self) -> Cause {
        match self.presence {
            Some(Presence::NoCarrier) => Cause::NoCarrier,
            Some(Presence::Gone(down)) => Cause::Gone(down),
            Some(Presence::There) | None => Cause::Silent,
        }
    }

    fn enter(&mut self, now: Moment, condition: Condition) {
        if std::mem::discriminant(&self.condition) != std::mem::discriminant(&condition) {
            self.since = now;
            self.degraded = 0;
        }
        self.condition = condition;
    }
}

#[cfg(test)]
mod tests;
