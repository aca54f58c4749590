//! What has become of a link, in words. Pure.

use super::events::Action;
use super::watch::Watch;
use crate::explain::way::down_words;
use crate::health::{Cause, Condition, Quality, Spent};
use crate::report::text::{bytes, round_bytes};
use std::time::Duration;

/// What to tell of a condition; nothing for one that is only passed through.
#[must_use]
pub fn action(condition: &Condition) -> Option<Action> {
    match condition {
        Condition::Up => Some(Action::Up),
        Condition::Degraded(_) | Condition::UsedUp(_) => Some(Action::Degraded),
        Condition::Held { .. } => Some(Action::Held),
        Condition::Down(_) => Some(Action::Down),
        Condition::Unproven => None,
    }
}

/// The condition's word in the status.
#[must_use]
pub fn state(condition: &Condition) -> &'static str {
    match condition {
        Condition::Up => "up",
        Condition::Degraded(_) => "degraded",
        Condition::UsedUp(_) => "used up",
        Condition::Unproven => "unproven",
        Condition::Held { .. } => "held",
        Condition::Down(_) => "down",
    }
}

/// Why a link is in a condition, having been in another.
#[must_use]
pub fn reason(condition: &Condition, before: Option<&Condition>, watch: &Watch) -> String {
    match condition {
        Condition::Down(Cause::NoCarrier) => "no carrier".into(),
        Condition::Down(Cause::Gone(why)) => down_words(*why).into(),
        Condition::Down(Cause::Silent) => silent(watch),
        Condition::Degraded(Quality::Loss) => {
            let limit = watch.tracking().and_then(|tracking| tracking.max_loss).unwrap_or(100);
            let loss = watch.statistics().map_or(0, |statistics| statistics.loss_percent);
            format!("{loss} % of its probes are lost (the limit is {limit} %)")
        }
        Condition::Degraded(Quality::Latency) => {
            let limit = watch.tracking().and_then(|tracking| tracking.max_latency).unwrap_or_default();
            let rtt = watch.statistics().and_then(|statistics| statistics.rtt).unwrap_or_default();
            format!("a round trip takes {} (the limit is {})", time(rtt), time(limit))
        }
        Condition::UsedUp(spent) => format!("used up: {}", used(*spent)),
        Condition::Unproven => "it is back, and has to prove itself".into(),
        Condition::Held { falls, .. } => format!("it fell {falls} times in the last minute"),
        Condition::Up => up(before).into(),
    }
}

/// "6 of 6 probes lost to 1.1.1.1, 9.9.9.9".
fn silent(watch: &Watch) -> String {
    let (rounds, hosts) = watch.failures();
    let names: Vec<String> = hosts.iter().map(|host| host.address.to_string()).collect();
    let names = names.join(", ");
    match watch.tracking().map_or(1, |tracking| tracking.reliability) {
        _ if rounds == 0 => "its probes are not answered".into(),
        0 | 1 => {
            let probes = u64::from(rounds) * u64::try_from(hosts.len()).unwrap_or(0);
            format!("{probes} of {probes} probes lost to {names}")
        }
        needed => format!("in {rounds} rounds fewer than {needed} of {names} answered"),
    }
}

fn up(before: Option<&Condition>) -> &'static str {
    match before {
        Some(Condition::Down(Cause::Silent)) => "its probes are answered again",
        Some(Condition::Down(Cause::NoCarrier)) => "carrier is back",
        Some(Condition::Down(Cause::Gone(_))) => "it is there again",
        Some(Condition::Degraded(_)) => "it answers well again",
        Some(Condition::UsedUp(_)) => "it may carry more again",
        Some(Condition::Held { .. }) => "it has been steady",
        Some(Condition::Up | Condition::Unproven) | None => "it is there",
    }
}

/// "10.0 GB of 10 GB this month".
#[must_use]
pub fn used(Spent { used, quota }: Spent) -> String {
    format!("{} of {} {}", bytes(used), round_bytes(quota.bytes), quota.per.current())
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
