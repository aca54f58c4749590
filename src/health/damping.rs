//! Flap damping: a link that comes and goes too often is held back for a while after it has come.
//!
//! Each fall adds to a penalty that fades, so a few falls cost nothing and rare ones never add up. The idea is BGP's
//! (RFC 2439); the numbers are for links that people wait for.

use super::Moment;
use std::time::Duration;

/// What one fall adds to the penalty.
const FALL: u32 = 1000;
/// Above this a link is held: with quick falls, from the fourth on.
const THRESHOLD: u32 = 3000;
/// No more than this is remembered: after a minute and a half of quiet a link falls free again.
const MOST: u32 = 8000;
/// Below this at a fall, all before is forgotten.
const FORGIVEN: u32 = 1000;
/// What a second leaves of a penalty, in 65536ths: half of it after a minute.
const LEFT_AFTER_A_SECOND: u32 = 64_783;
/// After this many seconds nothing is left of the largest penalty.
const FADED: u64 = 900;
/// How long a link is held at first.
pub(super) const FIRST_HOLD: Duration = Duration::from_secs(5);
/// How long it is held at most.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(300);
/// For [`Damping::lately`]: a minute in parts of ten seconds.
const PARTS: usize = 6;
const SECONDS_A_PART: u64 = 10;

/// The penalty of one link in one family.
#[derive(Debug, Clone, Default)]
pub(super) struct Damping {
    penalty: u32,
    /// Up to which second the penalty has faded.
    faded: u64,
    /// How long it is held now, and since when that long.
    hold: Option<(Duration, Moment)>,
    /// How often it fell in each part of the last minute, and the number of the newest part.
    falls: [u16; PARTS],
    part: u64,
}

impl Damping {
    /// The link has fallen.
    pub(super) fn fall(&mut self, now: Moment) {
        self.fade(now);
        if self.penalty < FORGIVEN {
            self.hold = None;
        }
        self.penalty = (self.penalty + FALL).min(MOST);
        if self.penalty > THRESHOLD {
            self.hold = Some(match self.hold {
                None => (FIRST_HOLD, now),
                // Held twice as long only if it went on falling for as long as it was to be held: so it is held about as
                // long as it has been falling, and a plug that bounces for a second costs a few seconds.
                Some((hold, since)) if now.saturating_sub(since) >= hold => ((hold * 2).min(LONGEST_HOLD), now),
                Some(unchanged) => unchanged,
            });
        }
        self.turn(now);
        if let Some(newest) = self.falls.first_mut() {
            *newest = newest.saturating_add(1);
        }
    }

    /// How long the link must be held, if it came (or fell) now.
    pub(super) fn hold(&mut self, now: Moment) -> Option<Duration> {
        self.fade(now);
        self.hold.filter(|_| self.penalty > THRESHOLD).map(|(hold, _)| hold)
    }

    /// How often it fell in the last minute.
    pub(super) fn lately(&mut self, now: Moment) -> u32 {
        self.turn(now);
        self.falls.iter().map(|count| u32::from(*count)).sum()
    }

    /// Second by second, so that it makes no difference how often it is asked.
    fn fade(&mut self, now: Moment) {
        let seconds = now.as_secs().saturating_sub(self.faded);
        self.faded += seconds;
        if seconds > FADED {
            self.penalty = 0;
        }
        for _ in 0..seconds.min(FADED) {
            self.penalty = (self.penalty * LEFT_AFTER_A_SECOND) >> 16;
        }
    }

    fn turn(&mut self, now: Moment) {
        let part = now.as_secs() / SECONDS_A_PART;
        let passed = usize::try_from(part.saturating_sub(self.part)).unwrap_or(PARTS).min(PARTS);
        self.falls.rotate_right(passed % PARTS);
        self.falls.iter_mut().take(passed).for_each(|count| *count = 0);
        self.part = self.part.max(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    /// Whether the link is ever held when it falls every so many seconds.
    fn is_held(every: u64) -> bool {
        let mut damping = Damping::default();
        (1..200).any(|n| {
            damping.fall(seconds(n * every));
            damping.hold(seconds(n * every + 1)).is_some()
        })
    }

    #[test]
    fn rare_falls_never_add_up() {
        assert!(!is_held(3600));
        assert!(!is_held(60));
        assert!(is_held(20));
        assert!(is_held(1));
    }

    #[test]
    fn three_quick_falls_are_free() {
        let mut damping = Damping::default();
        for n in 1..=3 {
            damping.fall(seconds(100) + Duration::from_millis(n * 300));
            assert_eq!(damping.hold(seconds(102)), None, "fall {n}");
        }
        damping.fall(seconds(102));
        assert_eq!(damping.hold(seconds(102)), Some(FIRST_HOLD));
        assert_eq!(damping.lately(seconds(102)), 4);
        assert_eq!(damping.lately(seconds(200)), 0);
    }

    #[test]
    fn it_is_held_longer_while_it_keeps_falling_and_never_longer_than_the_longest() {
        let mut damping = Damping::default();
        let mut holds = Vec::new();
        for tenth in 0..12_000 {
            let now = Duration::from_millis(tenth * 100);
            damping.fall(now);
            let hold = damping.hold(now).map(|hold| hold.as_secs());
            if holds.last() != Some(&hold) {
                holds.push(hold);
            }
        }
        assert_eq!(holds, [None, Some(5), Some(10), Some(20), Some(40), Some(80), Some(160), Some(300)]);
        // Steady for as long as it was held, it is forgiven.
        let later = seconds(1200 + 300);
        assert_eq!(damping.hold(later), None);
        damping.fall(later);
        assert_eq!(damping.hold(later), None);
    }

    #[test]
    fn a_penalty_fades_alike_however_often_it_is_looked_at() {
        let (mut often, mut once) = (Damping::default(), Damping::default());
        for _ in 0..6 {
            often.fall(seconds(7));
            once.fall(seconds(7));
        }
        for tenth in 0..600 {
            often.fade(seconds(7) + Duration::from_millis(tenth * 100));
        }
        often.fade(seconds(67));
        once.fade(seconds(67));
        assert_eq!(often.penalty, once.penalty);
        assert!((2950..=3000).contains(&once.penalty), "half after a minute: {}", once.penalty);
        once.fade(Duration::MAX);
        assert_eq!(once.penalty, 0);
    }
}
