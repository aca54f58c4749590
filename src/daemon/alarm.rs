//! Wakes the daemon up when a rule begins or ceases to hold, and when somebody sets the clock.

use crate::clock::Now;
use crate::config::model::{Config, Rule};
use crate::network::Facts;
use nix::Result;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The alarm. Where no rule asks for the time there is no timer, and a clock that is set is no news.
#[derive(Default)]
pub struct Alarm {
    timer: Option<TimerFd>,
}

/// When the first of the rules changes, in seconds since 1970; nothing if none ever does.
pub fn next(config: &Config, now: Now) -> Option<i64> {
    config.rules.iter().filter_map(|rule| rule.schedule?.changes_after(now)).min()
}

/// Which rules begin and cease to hold, a line each: `rule nights holds now, until Sun 06:00`.
pub fn news(config: &Config, before: &Facts, after: &Facts) -> Vec<String> {
    let turned = config.rules.iter().filter(|rule| before.is_time_for(rule) != after.is_time_for(rule));
    let line = |rule: &Rule| {
        let change = rule.schedule?.changes_after(after.now)?;
        let holds = if after.is_time_for(rule) { "holds now" } else { "holds no more" };
        Some(format!("rule {} {holds}, until {}", rule.name, after.now.zone.local(change)))
    };
    turned.filter_map(line).collect()
}

impl Alarm {
    /// Rings at this instant, or when the clock is set; nothing: never.
    pub fn set(&mut self, at: Option<i64>) -> Result<()> {
        let timer = self.timer.take();
        let Some(at) = at else { return Ok(()) };
        let timer = match timer {
            Some(timer) => timer,
            None => TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?,
        };
        // After a jump of the clock (NTP after the start: from 1970 to now) everything may be different: the kernel then
        // lets the timer ring as "cancelled".
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        // 0 would be "never".
        let at = Duration::from_secs(u64::try_from(at).unwrap_or(0).max(1));
        timer.set(Expiration::OneShot(TimeSpec::from_duration(at)), flags)?;
        self.timer = Some(timer);
        Ok(())
    }

    /// What to wait for.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.timer.as_ref().map(AsFd::as_fd)
    }

    /// It has rung, and has been heard.
    pub fn heard(&self) {
        // Whether it was the time or the clock is the same to us.
        let _ = self.timer.as_ref().map(TimerFd::wait);
    }
}
