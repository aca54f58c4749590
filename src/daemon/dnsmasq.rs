//! The daemon's dealings with dnsmasq: what it is told follows the plan, and it is restarted when that has changed.
//! Nothing here is waited for.

use super::Daemon;
use super::triggers::Look;
use crate::config::model::Config;
use crate::plan::Plan;
use crate::plan::ruleset::Ruleset;
use crate::reconcile::Report;
use crate::resolver::restart::{self, Restart};
use crate::resolver::{self, Resolver};
use log::{info, warn};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Nobody announces another dnsmasq, one that cannot fill sets perhaps and does not start now, or a file that is gone:
/// where there are domains, that is looked at so often.
const SELDOM: Duration = Duration::from_secs(30);
/// A restart that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// What dnsmasq was told, and its restart.
#[derive(Debug, Default)]
pub struct Dnsmasq {
    /// What tells it.
    pub resolver: Resolver,
    told: Option<Told>,
    /// A restart is due. Seen under the lock: nobody was half-way through writing.
    due: bool,
    restart: Option<Restart>,
    /// When to try again after a restart that failed.
    again: Option<Instant>,
    /// What was last said of that.
    complaint: Option<String>,
}

#[derive(Debug)]
struct Told {
    ruleset: Rc<Ruleset>,
    directories: Vec<String>,
    at: Instant,
    missing: Vec<String>,
}

impl Daemon {
    /// Tells dnsmasq what the plan says, if that has changed or it is time to look.
    pub(super) fn tell_dnsmasq(&mut self, config: &Config, plan: &Plan, made_sets: bool) {
        let now = Instant::now();
        let needed = resolver::is_needed(plan);
        if needed {
            self.triggers.again_at(now + SELDOM, Look::default());
        }
        self.complaints.extend(self.dnsmasq.tell(config, plan, made_sets, needed, now));
        self.dnsmasq.due = restart::is_owed();
    }
}

impl Dnsmasq {
    fn tell(&mut self, config: &Config, plan: &Plan, made_sets: bool, needed: bool, now: Instant) -> Vec<String> {
        let same = |told: &&Told| {
            let due = needed && now.saturating_duration_since(told.at) >= SELDOM;
            Rc::ptr_eq(&told.ruleset, &plan.ruleset) && told.directories == config.globals.dnsmasq_dirs && !due
        };
        let as_before = !(made_sets || needed && self.resolver.has_another_program());
        if let Some(told) = self.told.as_ref().filter(|_| as_before).filter(same) {
            return told.missing.clone();
        }
        let Report { changed, missing, .. } = self.resolver.tell(config, plan, made_sets);
        changed.iter().for_each(|line| info!("{line}"));
        let (ruleset, directories) = (Rc::clone(&plan.ruleset), config.globals.dnsmasq_dirs.clone());
        self.told = Some(Told { ruleset, directories, at: now, missing: missing.clone() });
        missing
    }

    /// Takes back what dnsmasq was told.
    pub fn forget(&mut self) -> Report {
        self.told = None;
        let report = self.resolver.forget();
        self.due = restart::is_owed();
        report
    }

    /// Looks after a restart that is on its way, and begins the one that is due. While the daemon rests, that is the
    /// business of whoever told it to.
    pub fn turn(&mut self, now: Instant, resting: bool) {
        if let Some(restart) = &mut self.restart {
            let Some(outcome) = restart.turn(now) else { return };
            self.restart = None;
            match outcome {
                Ok(()) => {
                    info!("dnsmasq was restarted, for what it is told of domains");
                    self.complaint = None;
                }
                Err(why) => self.failed(why, now),
            }
        }
        let tried_again = self.again.is_some_and(|at| now >= at);
        if resting || !tried_again && (self.again.is_some() || !self.due) {
            return;
        }
        (self.again, self.due) = (None, false);
        match restart::begin(now) {
            Ok(restart) => self.restart = restart,
            Err(why) => self.failed(why, now),
        }
    }

    /// When there is something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.restart.as_ref().map(Restart::deadline).or(self.again)
    }

    fn failed(&mut self, why: String, now: Instant) {
        self.again = restart::is_owed().then(|| now + RETRY);
        if self.complaint.as_ref() != Some(&why) {
            warn!("{why}");
            self.complaint = Some(why);
        }
    }
}
