//! What the probes of a link measured lately: round-trip times and losses, in whole numbers.

use std::time::Duration;

/// How many probes of a host are looked back at.
pub(super) const WINDOW: u8 = 20;

/// What the probes of one link in one family measured lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// The smoothed round-trip time; none as long as nothing has answered.
    pub rtt: Option<Duration>,
    /// The last round-trip time.
    pub last_rtt: Option<Duration>,
    /// The loss in percent among the last probes, as `lost` of `rounds`.
    pub loss_percent: u8,
    /// How many of the last `rounds` probes were lost: those of the host that decides. With `reliability` 1 that is the
    /// host that answers best, else the next best and so on: a host that is dead for everybody says nothing of the link.
    pub lost: u8,
    /// How many of that host's probes are looked back at, at most 20.
    pub rounds: u8,
}

/// A smoothed round-trip time: each new one counts an eighth, as TCP does it (RFC 6298).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Average {
    /// In eighths of a microsecond, so that equal times give exactly that time.
    eighths: Option<u64>,
    last: Option<Duration>,
}

impl Average {
    pub(super) fn add(&mut self, rtt: Duration) {
        // A round-trip time is at most a timeout, so this never saturates.
        let micros = u64::try_from(rtt.as_micros()).unwrap_or(u64::from(u32::MAX)).min(u64::from(u32::MAX));
        self.eighths = Some(match self.eighths {
            None => micros * 8,
            Some(eighths) => eighths - eighths / 8 + micros,
        });
        self.last = Some(rtt);
    }

    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.eighths.map(|eighths| Duration::from_micros(eighths / 8))
    }
}

/// Which of a host's last probes were lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct History {
    /// The last one is the lowest bit; a lost one is 1.
    lost: u32,
    count: u8,
}

impl History {
    pub(super) fn add(&mut self, lost: bool) {
        self.lost = (self.lost << 1 | u32::from(lost)) & ((1 << WINDOW) - 1);
        self.count = (self.count + 1).min(WINDOW);
    }

    fn lost(self) -> u8 {
        self.lost.count_ones().try_into().unwrap_or(WINDOW)
    }

    fn percent(self) -> u8 {
        let percent = u32::from(self.lost()) * 100 / u32::from(self.count.max(1));
        percent.try_into().unwrap_or(100)
    }
}

/// Everything together. The host whose loss counts is the one that as many as `reliability` do not exceed.
pub(super) fn statistics(average: &Average, hosts: &[History], reliability: u32) -> Statistics {
    // A few hosts at most: the one with exactly `reliability` at least as good is found without sorting.
    let rank = |host: &History| hosts.iter().filter(|other| other.percent() <= host.percent()).count();
    let enough = usize::try_from(reliability).unwrap_or(usize::MAX);
    let deciding = hosts.iter().filter(|host| rank(host) >= enough).min_by_key(|host| host.percent());
    let deciding = deciding.copied().unwrap_or_default();
    Statistics {
        rtt: average.smoothed(),
        last_rtt: average.last,
        loss_percent: deciding.percent(),
        lost: deciding.lost(),
        rounds: deciding.count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(pattern: &str) -> History {
        let mut history = History::default();
        pattern.chars().for_each(|c| history.add(c == 'x'));
        history
    }

    #[test]
    fn equal_times_average_to_that_time() {
        let mut average = Average::default();
        assert_eq!(average.smoothed(), None);
        for _ in 0..100 {
            average.add(Duration::from_micros(12_345));
            assert_eq!(average.smoothed(), Some(Duration::from_micros(12_345)));
        }
        average.add(Duration::from_micros(20_345));
        assert_eq!(average.smoothed(), Some(Duration::from_micros(13_345)));
        assert_eq!(average.last, Some(Duration::from_micros(20_345)));
        average.add(Duration::MAX);
    }

    #[test]
    fn a_history_forgets_what_is_long_ago() {
        assert_eq!((history("").percent(), history("").count), (0, 0));
        assert_eq!((history("x...").percent(), history("x...").lost()), (25, 1));
        let long = history("xxxxxxxxxx....................");
        assert_eq!((long.percent(), long.count), (0, 20));
        assert_eq!(history(&"x".repeat(50)).percent(), 100);
    }

    #[test]
    fn the_loss_is_that_of_the_host_that_decides() {
        let hosts = [history("xxxx"), history("..x."), history("....")];
        let loss = |reliability| statistics(&Average::default(), &hosts, reliability).loss_percent;
        assert_eq!([loss(1), loss(2), loss(3)], [0, 25, 100]);
        assert_eq!(statistics(&Average::default(), &[], 1), Statistics::default());
    }
}
