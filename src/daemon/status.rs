//! The status as the daemon knows it: with history, round-trip times and rates.

use super::{Current, Daemon, words};
use crate::commands::status::{self, Watched};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::{Family, LinkId};
use crate::health::Condition;
use crate::json::object;
use crate::kernel::netlink::link::Link as Device;
use crate::map::Map;
use crate::reconcile;
use crate::report::status::Seen;
use crate::report::text::duration;
use log::info;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A rate over less than this says little.
const SHORTEST: Duration = Duration::from_millis(500);
/// One over more than this says nothing about now.
const LONGEST: Duration = Duration::from_secs(120);

/// Counters of the devices when the status was last asked for: rates are counted from there.
#[derive(Debug, Default)]
pub struct Samples {
    at: Option<Instant>,
    bytes: Map<String, (u64, u64)>,
    rates: Map<String, (u64, u64)>,
}

impl Samples {
    /// Takes counters in; returns the rates.
    fn take(&mut self, devices: &[Device], now: Instant) -> Map<String, (u64, u64)> {
        let passed = self.at.map(|at| now.saturating_duration_since(at));
        if passed.is_some_and(|passed| passed < SHORTEST) {
            return self.rates.clone();
        }
        let milliseconds = passed.filter(|passed| *passed <= LONGEST).map(|passed| passed.as_millis());
        let rate = |new: u64, old: u64| {
            // A device that was made anew counts from 0.
            let bytes = u128::from(new.saturating_sub(old));
            u64::try_from(bytes * 1000 / milliseconds.unwrap_or(1).max(1)).unwrap_or(u64::MAX)
        };
        let rates = devices.iter().filter_map(|device| {
            let (rx, tx) = self.bytes.get(&device.name).filter(|_| milliseconds.is_some())?;
            Some((device.name.clone(), (rate(device.rx_bytes, *rx), rate(device.tx_bytes, *tx))))
        });
        let rates: Vec<_> = rates.collect();
        self.rates = Map::new();
        self.rates.extend(rates);
        self.bytes = Map::new();
        self.bytes.extend(devices.iter().map(|device| (device.name.clone(), (device.rx_bytes, device.tx_bytes))));
        self.at = Some(now);
        self.rates.clone()
    }
}

impl Daemon {
    /// The status; an explanation where there is none.
    pub(super) fn status(&mut self, now: Instant) -> Value {
        let Some(current) = self.current.take() else {
            return object! { "error": "no configuration could be read yet", "problems": self.told.as_slice() };
        };
        let status = self.status_of(&current, now);
        self.current = Some(current);
        status
    }

    fn status_of(&mut self, current: &Current, now: Instant) -> Value {
        let (Some(config), Some((survey, plan))) = (&current.loaded.config, &current.state) else {
            return object! { "error": "nothing is applied", "problems": self.told.as_slice() };
        };
        let wanted = (config.globals.enabled && !self.resting).then_some(plan);
        let mut drift = reconcile::difference(&mut self.kernel, wanted)
            .map_or_else(|error| vec![error.to_string()], |report| report.changed);
        let (seen, used) = (self.seen(now), self.usage.used(config));
        drift.extend(self.dnsmasq.resolver.difference(wanted.map(|plan| (config, plan))));
        let (samples, resting) = (&mut self.samples, self.resting);
        let resolver = &mut self.dnsmasq.resolver;
        let mut status = status::collect(&mut self.kernel, resolver, config, survey, plan, &drift, |devices| Watched {
            seen,
            daemon: Some(std::process::id()),
            resting,
            rates: samples.take(devices, now),
            used,
        });
        if let Some(problems) = status["problems"].as_array_mut() {
            self.add_problems(&current.loaded.diagnostics, problems);
        }
        status
    }

    /// Adds what of the configuration is left out, and what the last look had to complain of: that a new configuration is
    /// of no use and the old one stays in force, say.
    fn add_problems(&self, findings: &[Diagnostic], problems: &mut Vec<Value>) {
        let errors = findings.iter().filter(|finding| finding.severity >= Severity::Error).map(Diagnostic::in_words);
        // "FILE, line 3: error: ..." for the log, where nothing else says what it is about.
        let told = self.told.iter().map(|complaint| match complaint.split_once(": ") {
            Some(("note" | "warning" | "error" | "fatal", _)) => complaint.clone(),
            Some((place, error)) if error.starts_with("error: ") => format!("{error} ({place})"),
            _ => format!("warning: {complaint}"),
        });
        for new in errors.chain(told) {
            // The first look complains of all that the status finds anyway.
            if !problems.iter().any(|known| *known == new) {
                problems.push(new.into());
            }
        }
    }

    fn seen(&self, now: Instant) -> Map<(LinkId, Family), Seen> {
        let moment = self.moment(now);
        let mut seen = Map::new();
        for watch in self.watches.iter() {
            let condition = watch.judge.condition();
            let statistics = watch.statistics();
            let why = match condition {
                Condition::Up => None,
                // Its state says the rest.
                Condition::UsedUp(spent) => Some(words::used(*spent)),
                _ => Some(words::reason(condition, None, watch)),
            };
            seen.insert(
                (watch.link, watch.family),
                Seen {
                    state: words::state(condition),
                    why,
                    since: moment.saturating_sub(watch.judge.since()),
                    rtt: statistics.and_then(|statistics| statistics.rtt),
                    loss: statistics.map(|statistics| statistics.loss_percent),
                },
            );
        }
        seen
    }

    /// Writes the status to the log, a line each.
    pub(super) fn report(&mut self) {
        let now = Instant::now();
        let Some(config) = self.current.as_ref().and_then(|current| current.loaded.config.clone()) else {
            info!("no configuration could be read yet");
            return;
        };
        let moment = self.moment(now);
        for watch in self.watches.iter().filter(|watch| watch.offered) {
            let statistics = watch.statistics();
            let rtt = statistics
                .and_then(|statistics| statistics.rtt)
                .map_or(String::new(), |rtt| format!(", round trip {}", words::time(rtt)));
            let loss = statistics.map_or(String::new(), |statistics| format!(", {} % lost", statistics.loss_percent));
            let since = duration(moment.saturating_sub(watch.judge.since()).as_secs());
            let state = words::state(watch.judge.condition());
            info!("link {} ({}): {state} for {since}{rtt}{loss}", config[watch.link].name, watch.family);
        }
        if self.resting {
            info!("resting until `wansplit apply`");
        }
    }
}
