//! What has become of a link, in words. Pure.

use super::events::Action;
use super::watch::Watch;
use crate::health::{Cause, Condition};
use crate::network::Down;
use crate::report::status::down_words;
use std::time::Duration;

/// What to tell of a condition; nothing for one that is only passed through.
#[must_use]
pub fn action(condition: &Condition) -> Option<Action> {
    match condition {
        Condition::Up => Some(Action::Up),
        Condition::Degraded(_) => Some(Action::Degraded),
        Condition::Held { .. } => Some(Action::Held),
        Condition::Down(_) => Some(Action::Down),
        Condition::Unproven => None,
    }
}

/// Why a link is in a condition, having been in another.
#[must_use]
pub fn reason(condition: &Condition, _before: &Condition, watch: &Watch) -> String {
    match condition {
        Condition::Down(Cause::NoCarrier) => "no carrier".into(),
        Condition::Down(Cause::Gone(why)) => gone(*why).into(),
        Condition::Down(Cause::Silent) => {
            let losses = watch.losses();
            let hosts: Vec<String> = losses.hosts.iter().map(ToString::to_string).collect();
            format!("{} of {} probes lost to {}", losses.lost, losses.asked, hosts.join(", "))
        }
        other => state(other, watch),
    }
}

fn state(condition: &Condition, watch: &Watch) -> String {
    format!("{condition:?} {}", watch.family)
}

/// Why a link that is gone is gone.
fn gone(why: Down) -> &'static str {
    down_words(why)
}

/// A time as people write it: 12 ms, 1.5 s.
#[must_use]
pub fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => format!("{} us", time.as_micros()),
        ms @ 1..1000 => format!("{ms} ms"),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}
