//! How much the metered links have carried: counted while the daemon runs, and remembered from one daemon to the next.
//!
//! The file is in memory, so that flash is spared: after a reboot a period begins at 0. It holds what the devices' counters
//! said, too: what passes while no daemon runs is counted by the next one, unless the device is made anew meanwhile.

use super::{Daemon, PAUSE};
use crate::clock::Local;
use crate::config::model::{Config, Family, LinkId, Period};
use crate::health::{Condition, Meter, Reading, Spent};
use crate::json::{self, object};
use crate::kernel::file;
use crate::kernel::netlink::link::Link as Device;
use crate::map::Map;
use crate::network::Facts;
use crate::survey;
use log::{info, warn};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where it is remembered. `/var/run` is in memory on OpenWrt.
const FILE: &str = "/var/run/wansplit/usage";
/// How often the counters are read.
const EVERY: Duration = Duration::from_secs(10);
/// How often it is written down at most.
const WRITTEN: Duration = Duration::from_secs(60);

/// The meters of all links that have one.
#[derive(Default)]
pub struct Usage {
    /// By the links' names: they outlive changes of the configuration.
    meters: Map<String, Meter>,
    /// When the counters are to be read next; never if no link is metered.
    next: Option<Instant>,
    /// Whether the file has been read.
    remembered: bool,
    /// When it was written last, and what; none if that did not work.
    written: Option<(Instant, Option<String>)>,
}

impl Usage {
    /// When there is something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Goes over to a configuration.
    fn configure(&mut self, config: &Config, now: Instant) {
        let metered = config.links.iter().any(|link| link.quota.is_some());
        self.next = metered.then_some(now);
        if metered && !std::mem::replace(&mut self.remembered, true) {
            self.meters = recall(Path::new(FILE)).unwrap_or_else(|why| {
                info!("what metered links carry is counted from 0: {why}");
                Map::new()
            });
        }
    }

    /// Nothing is to be counted any more.
    pub fn rest(&mut self) {
        self.next = None;
    }

    /// Whether a link has carried all that it may.
    fn spent(&self, config: &Config, link: LinkId) -> Option<Spent> {
        let link = &config[link];
        self.meters.get(&link.name)?.spent(link.quota?)
    }

    /// What each metered link has carried in its period.
    pub fn used(&self, config: &Config) -> Map<LinkId, u64> {
        let metered = config.links.iter().enumerate().filter(|(_, link)| link.quota.is_some());
        metered.filter_map(|(n, link)| Some((LinkId(n), self.meters.get(&link.name)?.used))).collect()
    }

    /// Takes the counters in.
    fn count(&mut self, config: &Config, facts: &Facts, devices: &[Device], time: Local) {
        for (n, link) in config.links.iter().enumerate() {
            let Some(quota) = link.quota else { continue };
            let own = |device: &&Device| {
                let sides = Family::BOTH.into_iter().filter_map(|family| facts.side(LinkId(n), family));
                sides.into_iter().any(|side| side.device.as_ref() == Some(&device.name))
            };
            let reading = |device: &Device| Reading { index: device.index, rx: device.rx_bytes, tx: device.tx_bytes };
            let readings: Vec<(&str, Reading)> =
                devices.iter().filter(own).map(|device| (device.name.as_str(), reading(device))).collect();
            let meter = self.meters.or_insert_with(link.name.clone(), Meter::default);
            meter.count(quota.per, time, &readings);
        }
    }

    /// Writes down what there is, if that has changed.
    fn write(&mut self, now: Instant) {
        let text = json::text(&self.json());
        let known = self.written.as_ref().and_then(|(_, known)| known.as_ref());
        if known == Some(&text) {
            return;
        }
        let failed = matches!(self.written, Some((_, None)));
        let text = match file::replace(Path::new(FILE), &text) {
            Ok(()) => Some(text),
            Err(error) => {
                if !failed {
                    warn!("what metered links carry is not remembered: {FILE} cannot be written: {error}");
                }
                None
            }
        };
        self.written = Some((now, text));
    }

    fn json(&self) -> Value {
        let device = |(name, own): (&String, &Reading)| object! { "name": name.as_str(), "index": own.index, "rx": own.rx, "tx": own.tx };
        let meters = self.meters.iter().map(|(name, meter)| {
            object! {
                "link": name.as_str(), "per": meter.per.word(), "since": meter.since, "used": meter.used,
                "devices": meter.devices.iter().map(device).collect::<Vec<_>>(),
            }
        });
        Value::Array(meters.collect())
    }
}

/// What an earlier daemon has written down.
fn recall(path: &Path) -> Result<Map<String, Meter>, String> {
    let text = file::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if text.is_empty() {
        return Err(format!("there is no {} yet", path.display()));
    }
    let value: Value = json::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let meters: Option<Map<String, Meter>> = value.as_array().and_then(|all| all.iter().map(meter).collect());
    meters.ok_or_else(|| format!("{} is not what was written there", path.display()))
}

fn meter(value: &Value) -> Option<(String, Meter)> {
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let device = |value: &Value| {
        let (rx, tx) = (value["rx"].as_u64()?, value["tx"].as_u64()?);
        Some((value["name"].as_str()?.to_owned(), Reading { index: number(&value["index"])?, rx, tx }))
    };
    let meter = Meter {
        per: Period::ALL.into_iter().find(|period| value["per"] == period.word())?,
        since: value["since"].as_i64()?,
        used: value["used"].as_u64()?,
        devices: value["devices"].as_array()?.iter().map(device).collect::<Option<_>>()?,
    };
    Some((value["link"].as_str()?.to_owned(), meter))
}

impl Daemon {
    /// Goes over to a configuration. What was used up in an earlier daemon's time needs no telling again.
    pub(super) fn meter_anew(&mut self, config: &Config, now: Instant) {
        self.usage.configure(config, now);
        let moment = self.moment(now);
        for watch in self.watches.iter_mut() {
            let spent = self.usage.spent(config, watch.link);
            watch.judge.ration(moment, spent);
            watch.told = watch.told.or(spent.map(Condition::UsedUp));
        }
    }

    /// Reads them once more, and writes down what there is: the daemon ends.
    pub(super) fn meter_last(&mut self) {
        if self.usage.next.is_some() {
            let now = Instant::now();
            self.usage.next = Some(now);
            self.meter(now);
            self.usage.write(now);
        }
    }

    /// Reads the counters, if it is time. What follows from them is acted on like what probes have shown.
    pub(super) fn meter(&mut self, now: Instant) {
        if self.usage.next.is_none_or(|at| at > now) {
            return;
        }
        self.usage.next = Some(now + PAUSE);
        let Some(current) = &self.current else { return };
        let (Some(config), Some((known, _))) = (&current.loaded.config, &current.state) else { return };
        self.usage.next = Some(now + EVERY);
        let Ok(devices) = self.kernel.links() else { return };
        // Periods begin at the router's own midnight.
        let time = survey::now(config).local();
        self.usage.count(config, &known.facts, &devices, time);
        let moment = now.saturating_duration_since(self.start);
        let mut news = false;
        for watch in self.watches.iter_mut() {
            let before = watch.judge.standing();
            watch.judge.ration(moment, self.usage.spent(config, watch.link));
            news |= watch.judge.standing() != before;
        }
        // What is going to be told is written down first: a daemon that is killed would tell it twice.
        if news || self.usage.written.as_ref().is_none_or(|(at, _)| now >= *at + WRITTEN) {
            self.usage.write(now);
        }
    }
}
