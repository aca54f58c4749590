//! A look: read the world, compute what the kernel shall hold, send the difference, and tell what has become of the
//! links.

use super::alarm::{self, Alarm};
use super::settling;
use super::triggers::Look;
use super::{Current, Daemon, PAUSE};
use crate::commands::apply;
use crate::config::model::{Config, Family, LinkId};
use crate::health::Condition;
use crate::kernel::Error;
use crate::kernel::lock::{self, Lock};
use crate::network::Standing;
use crate::network::known::Known;
use crate::plan::{self, Plan, moves};
use crate::reconcile::{self, Failed, Report};
use crate::survey::{self, Account, Survey, Trust};
use log::{debug, info};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often facts are read anew when a device changes while we work.
const ATTEMPTS: u32 = 3;
/// How soon to try again after a look that came to nothing.
const RETRY: Duration = Duration::from_secs(1);
/// netifd is asked again less and less often, as long as it does not answer: asking blocks.
const LONGEST: Duration = Duration::from_secs(30);
/// Another run of wansplit holds the lock: it will not be long.
const BUSY: Duration = Duration::from_millis(100);

/// An nft that fails at once is tried again after at most this long ...
const IMPATIENT: Duration = Duration::from_secs(8);
/// ... and one that hangs, for which everything had to wait, after this long.
const HUNG: Duration = Duration::from_secs(60);

/// The last run of nft failed.
pub struct NftFault {
    /// Until then it is left alone.
    until: Instant,
    /// That is so long.
    pause: Duration,
    /// What is to be said of it.
    words: String,
}

/// Why a look came to nothing, and what to do about it.
enum Fault {
    /// Say so, and try again.
    Trouble(String),
    /// The lock is held.
    Busy,
}

impl Daemon {
    /// Looks at the world and puts right what is not as it should be.
    pub(super) fn look(&mut self, look: Look) {
        if !self.resting {
            self.try_look(look);
        }
        self.triggers.looked(Instant::now());
        // What was changed by this is no news.
        self.monitor.ignore(self.kernel.ports());
    }

    fn try_look(&mut self, look: Look) {
        self.complaints.clear();
        self.read_config(look.config);
        let outcome = self.look_with_config(look);
        self.failing = outcome.is_err();
        match outcome {
            Ok(()) => {}
            // Nothing was looked at: what was said last still holds.
            Err(Fault::Busy) => return self.triggers.again_at(Instant::now() + BUSY, look),
            Err(Fault::Trouble(why)) => {
                self.complaints.push(why);
                self.triggers.again_at(Instant::now() + RETRY, look);
            }
        }
        self.complain();
    }

    fn look_with_config(&mut self, look: Look) -> Result<(), Fault> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let config = current.loaded.config.take();
        let outcome = config.as_ref().map_or(Ok(()), |config| self.look_with(config, &mut current, look));
        current.loaded.config = config;
        self.current = Some(current);
        outcome
    }

    fn look_with(&mut self, config: &Config, current: &mut Current, look: Look) -> Result<(), Fault> {
        if apply::nothing_to_do(config).is_some() {
            return self.take_away();
        }
        // First: as long as another run holds it, netifd need not be asked again and again.
        let lock = lock_now()?;
        if look.network || current.state.is_none() {
            self.ask_netifd(config, &mut current.account);
            self.read_firewall();
        }
        if let (Account::Unknown(why), Some(_)) = (&current.account, survey::links_of_netifd(config).next()) {
            return Err(Fault::Trouble(format!("the interfaces are not known, nothing is changed: {why}")));
        }
        // The kernel's rules tell as much, as long as nobody flushes them: netifd does when it restarts.
        let known = match &current.state {
            Some((survey, _)) => Known::of(config, &survey.facts),
            None => survey::remembered(&mut self.kernel, config),
        };
        let mut tries = 0;
        let mut trouble = None;
        let mut made_sets = false;
        let (survey, plan) = loop {
            tries += 1;
            let (survey, plan) = self.intend(config, &current.account, &known, current.state.as_ref())?;
            // Once it was applied, a configuration needs no nft for its links to come and go.
            let applied = current.state.is_some();
            let outcome = match self.nft_fault.as_ref().filter(|fault| applied && Instant::now() < fault.until) {
                Some(fault) => {
                    trouble = Some(fault.words.clone());
                    reconcile::apply_routing(&mut self.kernel, &plan)
                }
                None => {
                    let outcome = reconcile::apply(&mut self.kernel, &plan);
                    self.note_nft(&outcome);
                    outcome
                }
            };
            match outcome {
                Ok(report) => {
                    report.changed.iter().for_each(|line| debug!("{line}"));
                    if !report.missing.is_empty() {
                        // A full file system, say: nobody announces that it has room again.
                        self.triggers.again_at(Instant::now() + LONGEST, Look::default());
                    }
                    made_sets |= report.made_sets;
                    self.complaints.extend(report.warnings.into_iter().chain(report.missing));
                    if current.state.is_none() {
                        // Later on what becomes of a link is told as an event.
                        // The log has a word for how much they matter already.
                        let words = survey.findings.iter().map(|finding| finding.in_words());
                        self.complaints.extend(words.map(|words| words.trim_start_matches("warning: ").to_owned()));
                    }
                    break (survey, plan);
                }
                Err(failed) if tries < ATTEMPTS && apply::device_changed(&failed.error) => {}
                // Now without it.
                Err(failed) if applied && tries < ATTEMPTS && matches!(failed.error, Error::Nft { .. }) => {}
                Err(failed) => return Err(Fault::Trouble(words_of(&failed))),
            }
        };
        if let Err(errno) = self.alarm.set(alarm::next(config, survey.facts.now)) {
            self.complaints
                .push(format!("rules that hold at certain times are looked at every 5 minutes only: {errno}"));
        }
        self.watches.settle();
        if trouble.is_none() {
            self.tell_dnsmasq(config, &plan, made_sets);
        }
        drop(lock);
        let before = current.state.take();
        if let Some((before, _)) = &before {
            alarm::news(config, &before.facts, &survey.facts).iter().for_each(|line| info!("{line}"));
        }
        self.settle(config, before.as_ref(), &survey, &plan);
        current.state = Some((survey, plan));
        trouble.map_or(Ok(()), |words| Err(Fault::Trouble(words)))
    }

    /// Remembers that nft does not work, and for how long it is left alone.
    fn note_nft(&mut self, outcome: &Result<Report, Failed>) {
        self.nft_fault = match outcome {
            Err(failed) if matches!(failed.error, Error::Nft { .. }) => {
                let longer = self.nft_fault.take().map_or(RETRY, |fault| (fault.pause * 2).min(IMPATIENT));
                let pause = if failed.unclear { HUNG } else { longer };
                Some(NftFault { until: Instant::now() + pause, pause, words: words_of(failed) })
            }
            Err(_) => self.nft_fault.take(),
            Ok(_) => None,
        };
    }

    /// The facts, with what the probes have shown, and the plan.
    fn intend(
        &mut self,
        config: &Config,
        account: &Account,
        known: &Known,
        before: Option<&(Survey, Plan)>,
    ) -> Result<(Survey, Plan), Fault> {
        let trouble = |error: Error| Fault::Trouble(error.to_string());
        let now = self.moment(Instant::now());
        let survey = survey::survey(&mut self.kernel, config, account, Trust::Kernel, known, &self.firewall);
        let mut survey = survey.map_err(trouble)?;
        self.monitor.compare_with(&std::mem::take(&mut survey.devices));
        settling::await_addresses(&mut survey.facts, &survey.addresses);
        if let Some((before, _)) = before {
            let again = self.settling.hold(&mut survey.facts, &before.facts, Instant::now());
            // The account of the interfaces is the same until netifd says otherwise.
            again.into_iter().for_each(|at| self.triggers.again_at(at, Look::default()));
        }
        self.watches.notice(&survey.facts, &survey.addresses, now);
        survey::judge(config, &mut survey.facts, &self.watches.standings());
        let before = before.map(|(survey, plan)| (&survey.facts, plan));
        let plan = plan::replan(config, &survey.facts, before).map_err(|shortage| {
            Fault::Trouble(format!("nothing is changed: {shortage}; choose a mask with more bits"))
        })?;
        Ok((survey, plan))
    }

    /// Asks netifd, or reads the file that stands in for it. What was known is kept if that fails.
    fn ask_netifd(&mut self, config: &Config, account: &mut Account) {
        let answer = match &self.place.network {
            Some(file) => survey::account_in(file).map_or_else(Account::Unknown, Account::Known),
            None => survey::account_of_netifd(config, &mut self.caller),
        };
        match (answer, &account) {
            (Account::Unknown(why), Account::Known(_)) => {
                self.complaints.push(format!("{why}; what was known of the interfaces before still counts"));
                let look = Look { config: false, network: true };
                self.triggers.again_at(Instant::now() + self.patience, look);
                self.patience = (self.patience * 2).min(LONGEST);
            }
            (answer, _) => (*account, self.patience) = (answer, PAUSE),
        }
    }

    /// Switched off is a wanted state too: nothing of ours in the kernel.
    fn take_away(&mut self) -> Result<(), Fault> {
        let _lock = lock_now()?;
        self.alarm = Alarm::default();
        let told = self.dnsmasq.forget();
        self.complaints.extend(told.missing);
        let report = reconcile::remove(&mut self.kernel).map_err(|failed| Fault::Trouble(words_of(&failed)))?;
        if !report.changed.is_empty() {
            info!("switched off in its configuration: all traffic goes by the main table");
        }
        Ok(())
    }

    /// After the routes: the probes' ways, the dead links' flows, and the news.
    fn settle(&mut self, config: &Config, before: Option<&(Survey, Plan)>, survey: &Survey, plan: &Plan) {
        let now = Instant::now();
        let moment = self.moment(now);
        self.watches.find_ways(&survey.facts, plan, moment);
        let ways = self.watches.ways();
        self.prober.forget(&|way| !ways.contains(way));
        let returned = self.returned(config);
        let flows = self.move_flows(config, survey, plan, &returned, now);
        // After a change of the configuration there is no telling what moved where.
        let moved = match before {
            Some((old, old_plan)) if old_plan.paths == plan.paths => {
                moves::moves(config, &plan.paths, &old.facts, &survey.facts)
            }
            _ => Vec::new(),
        };
        self.announce(config, &survey.facts, moved, flows, now);
    }

    /// Links that were not in use and are again.
    fn returned(&self, config: &Config) -> Vec<(LinkId, Family)> {
        let back = |watch: &&super::watch::Watch| {
            config[watch.link].flush.up
                && watch.judge.standing() == Standing::Good
                && !matches!(watch.told, None | Some(Condition::Up))
        };
        self.watches.iter().filter(back).map(|watch| (watch.link, watch.family)).collect()
    }
}

/// The lock, without waiting for it.
fn lock_now() -> Result<Lock, Fault> {
    Lock::acquire(Path::new(lock::PATH), Duration::ZERO).map_err(|error| match error {
        Error::Locked { .. } => Fault::Busy,
        error => Fault::Trouble(error.to_string()),
    })
}

fn words_of(failed: &Failed) -> String {
    let state = if failed.unclear || !failed.left.is_empty() {
        "the rest is mended in the next try"
    } else {
        "the state from before is in place"
    };
    format!("{}; {state}", failed.error)
}
