//! When to look at the world again. Pure.
//!
//! Events only say "look": what has changed is read from the world, so a lost, doubled or reordered one changes nothing.
//! The first is acted on at once; a storm of them ends in a look at its start and one at its end.

use std::time::{Duration, Instant};

/// Events come in bunches (a device goes down: link, address and route messages): wait for the rest of the bunch.
const BUNCH: Duration = Duration::from_millis(5);
/// After a look, the next one waits until it has been quiet for this long ...
const QUIET: Duration = Duration::from_millis(150);
/// ... but at most this long after the first event.
const LONGEST: Duration = Duration::from_millis(900);
/// Nothing should ever be missed; what is all the same is found after this long.
const SELDOM: Duration = Duration::from_secs(300);
/// What is urgent waits only this long after a look.
const URGENT: Duration = Duration::from_millis(50);

/// What a look has to include.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// The configuration is to be read again, changed or not.
    pub config: bool,
    /// netifd is to be asked again.
    pub network: bool,
}

impl Look {
    /// A look that includes both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { config: self.config || other.config, network: self.network || other.network }
    }
}

/// What has happened since the last look.
#[derive(Debug, Default)]
pub struct Triggers {
    pending: Option<Pending>,
    last_look: Option<Instant>,
    /// A look that was put off, or a second try of one that came to nothing.
    again: Option<(Instant, Look)>,
}

#[derive(Debug)]
struct Pending {
    look: Look,
    first: Instant,
    latest: Instant,
    urgent: Option<Instant>,
}

impl Triggers {
    /// Something may have changed.
    pub fn touch(&mut self, now: Instant, look: Look) {
        let pending =
            self.pending.get_or_insert(Pending { look: Look::default(), first: now, latest: now, urgent: None });
        pending.look = pending.look.and(look);
        pending.latest = now;
    }

    /// Something has changed that costs packets as long as we do nothing.
    pub fn touch_urgently(&mut self, now: Instant, look: Look) {
        self.touch(now, look);
        if let Some(pending) = &mut self.pending {
            pending.urgent.get_or_insert(now);
        }
    }

    /// Look again then, or earlier if something happens: this look came to nothing, or not to everything.
    pub fn again_at(&mut self, at: Instant, look: Look) {
        let (earlier, before) = self.again.unwrap_or((at, Look::default()));
        self.again = Some((earlier.min(at), before.and(look)));
    }

    /// When to look.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let again = self.again.map(|(at, _)| at);
        let anyway = self.last_look.map(|at| at + SELDOM);
        [self.next(), again, anyway].into_iter().flatten().min()
    }

    fn next(&self) -> Option<Instant> {
        let pending = self.pending.as_ref()?;
        let calm = match self.last_look {
            Some(last) if pending.first < last + QUIET => (pending.latest + QUIET).min(pending.first + LONGEST),
            _ => pending.first + BUNCH,
        };
        let urgent = pending.urgent.map(|since| match self.last_look {
            Some(last) => (since + BUNCH).max(last + URGENT),
            None => since + BUNCH,
        });
        Some(urgent.map_or(calm, |urgent| urgent.min(calm)))
    }

    /// What to look at, if it is time.
    pub fn due(&mut self, now: Instant) -> Option<Look> {
        if self.deadline()? > now {
            return None;
        }
        let nothing_happened = self.pending.is_none() && self.again.is_none();
        let everything = Look { config: false, network: nothing_happened };
        let look = self.pending.take().map_or(everything, |pending| pending.look);
        Some(self.again.take().map_or(look, |(_, again)| look.and(again)))
    }

    /// A look has ended.
    pub fn looked(&mut self, now: Instant) {
        self.last_look = Some(now);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOTHING: Look = Look { config: false, network: false };

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Plays events (milliseconds, urgent) and returns when was looked; a look takes 10 ms.
    fn looks(events: &[(u64, bool)]) -> Vec<u64> {
        let start = Instant::now();
        let mut triggers = Triggers::default();
        let mut looks = Vec::new();
        let mut busy = 0;
        for now in 0..5_000 {
            for (_, urgent) in events.iter().filter(|(at, _)| *at == now) {
                match urgent {
                    true => triggers.touch_urgently(start + ms(now), NOTHING),
                    false => triggers.touch(start + ms(now), NOTHING),
                }
            }
            if now == busy && !looks.is_empty() {
                triggers.looked(start + ms(now));
            }
            if now >= busy && triggers.due(start + ms(now)).is_some() {
                looks.push(now);
                busy = now + 10;
            }
        }
        looks
    }

    #[test]
    fn a_single_event_is_acted_on_at_once() {
        assert_eq!(looks(&[(100, false)]), [105]);
        assert_eq!(looks(&[(100, false), (2_000, false)]), [105, 2_005]);
    }

    #[test]
    fn a_storm_of_a_second_ends_in_two_looks() {
        let storm: Vec<_> = (0..200).map(|n| (1_000 + n * 5, false)).collect();
        let looks = looks(&storm);
        assert!(looks.len() <= 3, "{looks:?}");
        assert!(*looks.last().unwrap() >= 1_995, "the last event was seen: {looks:?}");
    }

    #[test]
    fn the_urgent_does_not_wait_for_quiet() {
        let mut events: Vec<_> = (0..100).map(|n| (1_000 + n * 5, false)).collect();
        events.push((1_200, true));
        let looks = looks(&events);
        assert!(looks.contains(&1_205), "{looks:?}");
    }

    #[test]
    fn what_was_asked_for_in_a_storm_is_all_done() {
        let start = Instant::now();
        let mut triggers = Triggers::default();
        triggers.touch(start, Look { config: true, network: false });
        triggers.touch(start, Look { config: false, network: true });
        assert_eq!(triggers.due(start + ms(10)), Some(Look { config: true, network: true }));
        assert_eq!(triggers.due(start + ms(10)), None);
        assert_eq!(triggers.deadline(), None);
    }

    #[test]
    fn at_long_last_everything_is_looked_at_though_nothing_happened() {
        let start = Instant::now();
        let mut triggers = Triggers::default();
        triggers.looked(start);
        assert_eq!(triggers.due(start + SELDOM - ms(1)), None);
        assert_eq!(triggers.deadline(), Some(start + SELDOM));
        assert_eq!(triggers.due(start + SELDOM), Some(Look { config: false, network: true }));
    }
}
