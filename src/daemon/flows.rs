//! Established connections of links that cannot carry them: made to choose again, once the new routes are in.

use super::Daemon;
use crate::config::model::{Config, Family, LinkId};
use crate::map::{Map, Set};
use crate::plan::Plan;
use crate::plan::flows::{Doomed, returning};
use crate::reconcile::flows;
use crate::survey::Survey;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A packet that was on its way when the routes changed may still have made a connection on the dead link.
const AGAIN: Duration = Duration::from_secs(1);

/// What has been swept, and what is to be swept once more.
#[derive(Default)]
pub struct Sweeps {
    /// The links and families whose connections were moved since they went down.
    done: Set<(LinkId, Family)>,
    again: Vec<(Instant, Doomed)>,
    /// The last addresses of each link: by then the kernel may have dropped them.
    addresses: Map<LinkId, Vec<IpAddr>>,
}

impl Sweeps {
    /// When to sweep once more.
    pub fn deadline(&self) -> Option<Instant> {
        self.again.iter().map(|(at, _)| *at).min()
    }
}

impl Daemon {
    /// Moves the connections of links that have gone down since the last look, and to those that have come back where
    /// their owner wants that. Returns how many there were, if there was anything to move.
    pub(super) fn move_flows(
        &mut self,
        config: &Config,
        survey: &Survey,
        plan: &Plan,
        returned: &[(LinkId, Family)],
        now: Instant,
    ) -> Option<u64> {
        for (n, link) in survey.facts.links.iter().enumerate() {
            let known: Vec<IpAddr> = link.v4.addresses.iter().chain(&link.v6.addresses).copied().collect();
            if !known.is_empty() {
                self.sweeps.addresses.insert(LinkId(n), known);
            }
        }
        let doomed = flows::doomed(&mut self.kernel, config, plan, &survey.facts);
        let fresh = |doomed: &&Doomed| !self.sweeps.done.contains(&(doomed.link, doomed.family));
        let mut sweeps: Vec<Doomed> = doomed.iter().filter(fresh).cloned().collect();
        self.sweeps.done = doomed.iter().map(|doomed| (doomed.link, doomed.family)).collect();
        self.sweeps.again.extend(sweeps.iter().map(|doomed| (now + AGAIN, doomed.clone())));
        flows::forget(&mut self.kernel, config, plan, &sweeps);
        for (link, family) in returned {
            sweeps.extend(returning(config, &plan.paths, &survey.facts, *link, *family));
        }
        let mask = config.globals.mask.bits();
        self.reset(&sweeps, mask)
    }

    /// Sweeps once more what was swept a second ago.
    pub(super) fn sweep(&mut self, now: Instant) {
        if self.sweeps.deadline().is_none_or(|at| at > now) {
            return;
        }
        let (due, later) = std::mem::take(&mut self.sweeps.again).into_iter().partition(|(at, _)| *at <= now);
        self.sweeps.again = later;
        let config = self.current.as_ref().and_then(|current| current.loaded.config.as_ref());
        let Some(mask) = config.map(|config| config.globals.mask.bits()) else { return };
        let due: Vec<(Instant, Doomed)> = due;
        // Only what is still down: meanwhile new ones may have been made on the others.
        let still = |doomed: &Doomed| self.sweeps.done.contains(&(doomed.link, doomed.family));
        let due: Vec<Doomed> = due.into_iter().map(|(_, doomed)| doomed).filter(still).collect();
        self.reset(&due, mask);
    }

    fn reset(&mut self, doomed: &[Doomed], mask: u32) -> Option<u64> {
        let known = &self.sweeps.addresses;
        let addresses = |link| known.get(&link).cloned().unwrap_or_default();
        let (count, outcome) = flows::reset(&mut self.kernel, doomed, mask, &addresses);
        if let Err(error) = outcome {
            self.complaints.push(format!("established connections stay where they are: {error}"));
        }
        count
    }
}
