//! The configuration in force: read again when its file has changed, and kept when the new one is of no use.

use super::flows::Sweeps;
use super::settling::Settling;
use super::{Current, Daemon};
use crate::commands::{Loaded, apply};
use crate::config::diagnostics::Severity;
use crate::config::model::{Config, Family, LinkId};
use crate::network::Standing;
use crate::plan::path::Paths;
use crate::plan::state::Route;
use crate::survey::{self, Account, Standings};
use log::error;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// What tells one text of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64, u64, i64, i64);

impl Stamp {
    fn of(file: impl AsRef<Path>) -> Option<Self> {
        let about = fs::metadata(file).ok()?;
        Some(Self(about.ino(), about.size(), about.mtime(), about.mtime_nsec()))
    }
}

impl Daemon {
    /// Reads the configuration, if there is another one than last time. A bad one changes nothing.
    pub(super) fn read_config(&mut self, anew: bool) {
        let stamp = Stamp::of(&self.place.config);
        let known = self.current.as_ref().map(|current| current.stamp);
        if !anew && known.is_some() && known == stamp {
            return;
        }
        let Some(stamp) = stamp else {
            return self.keep(format!("there is no configuration {}", self.place.config));
        };
        let mut loaded = match Loaded::load(&self.place) {
            Ok(loaded) => loaded,
            Err(why) => return self.keep(why),
        };
        let errors = loaded.diagnostics.iter().filter(|finding| finding.severity >= Severity::Error);
        let errors =
            errors.map(|finding| format!("{}, line {}: {}", self.place.config, finding.at.line, finding.in_words()));
        let Some(config) = &loaded.config else {
            // It is read again at every look, but that is said once.
            self.complaints.extend(errors);
            return self.keep(format!("no safe state can be computed from {}", self.place.config));
        };
        errors.for_each(|line| error!("{line}"));
        if loaded.is_blank {
            return self.keep(format!("{} is empty", self.place.config));
        }
        let is_idle = apply::nothing_to_do(config).is_some();
        if let Some(shortage) = Paths::new(config).err().filter(|_| !is_idle) {
            return self.keep(format!("{}: {shortage}; choose a mask with more bits", self.place.config));
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.loaded.config.as_ref() == Some(config)) {
            // It says what it said before: all that is known still counts. What is left out of it may be something else.
            current.loaded.diagnostics = loaded.diagnostics;
            current.stamp = stamp;
            return;
        }
        log::set_max_level(config.globals.log_level);
        let restored = if self.current.is_none() { self.restored(config) } else { Standings::new() };
        if is_idle {
            self.watches.clear();
            self.usage.rest();
            self.prober.forget(&|_| true);
        } else {
            let now = Instant::now();
            self.watches.configure(config, &restored, self.moment(now));
            self.meter_anew(config, now);
        }
        // Only findings are shown with it, and those have been told.
        loaded.text = Vec::new();
        let account = self.current.take().map_or(Account::NotNeeded, |current| current.account);
        self.current = Some(Current { loaded, stamp, account, state: None });
        (self.sweeps, self.settling) = (Sweeps::default(), Settling::default());
        self.nft_fault = None;
    }

    /// Reads the firewall's configuration, if there is another one than last time.
    pub(super) fn read_firewall(&mut self) {
        let file = self.place.firewall();
        let stamp = Stamp::of(&file);
        if stamp != self.firewall_stamp {
            (self.firewall, self.firewall_stamp) = (survey::firewall(&file), stamp);
        }
    }

    /// Goes on with the configuration there was, if there was one.
    fn keep(&mut self, why: String) {
        let what = if self.current.is_some() { "the one from before stays in force" } else { "nothing is changed" };
        self.complaints.push(format!("{why}; {what}"));
    }

    /// What an earlier daemon knew of the links: a link that is watched and whose own table has no route by it, while
    /// its probes' table has, was found dead. So the kernel remembers, and no file has to.
    fn restored(&mut self, config: &Config) -> Standings {
        let mut standings = Standings::new();
        let Ok(paths) = Paths::new(config) else { return standings };
        let held = self.kernel.links().and_then(|links| self.kernel.routes(&links));
        let Ok(held) = held else { return standings };
        let metric = |family: Family, table: u32| {
            let own = |route: &&Route| route.family == family && route.table == table && route.is_via();
            held.ours.iter().filter(own).map(|route| route.metric).min()
        };
        for (n, link) in config.links.iter().enumerate() {
            let Some(probes) = paths.probe(LinkId(n)) else { continue };
            for family in Family::BOTH {
                let own = metric(family, paths[paths.of_link(LinkId(n))].table);
                let standing = match (own, metric(family, paths[probes].table)) {
                    (None, Some(_)) => Standing::Dead,
                    (Some(2..), Some(_)) => Standing::Poor,
                    _ => continue,
                };
                standings.insert((link.name.clone(), family), standing);
            }
        }
        standings
    }
}
