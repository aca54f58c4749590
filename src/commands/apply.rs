//! `wansplit apply`.

use super::{Exit, Loaded, Place, complain, facts, say};
use crate::config::model::{Config, LinkId};
use crate::daemon::control::{Request, client};
use crate::kernel::lock::{self, Lock};
use crate::kernel::{Error, Kernel};
use crate::logging;
use crate::network::{Facts, LinkFacts};
use crate::plan::Plan;
use crate::reconcile::{self, Failed, Report, flows};
use crate::resolver::{Resolver, restart};
use crate::survey::{self, Account, Trust};
use argh::FromArgs;
use nix::errno::Errno;
use std::mem::ManuallyDrop;
use std::path::Path;

/// How often facts are read anew when a device changes while we work.
const ATTEMPTS: u32 = 3;

/// Makes the kernel hold the wanted state and prints what changed. Sends only the difference; may be run at any time.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "apply",
    example = "wansplit apply --dry-run",
    note = "A change that fails is taken back. A daemon that runs hears of the new configuration.",
    error_code(1, "the configuration has errors; what is good was applied"),
    error_code(3, "the kernel refused; the state from before is in place"),
    error_code(4, "nothing to act on: switched off, empty, or no link")
)]
pub struct Apply {
    /// print the difference and change nothing
    #[argh(switch)]
    dry_run: bool,

    /// keep up to date what was applied before: does nothing if the kernel holds nothing of ours, or if another such run
    /// waits for its turn already
    #[argh(switch)]
    refresh: bool,
}

impl Apply {
    /// Without any option.
    pub(super) fn plain() -> Self {
        Self { dry_run: false, refresh: false }
    }
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Apply) -> Exit {
    let (Ok(exit) | Err(exit)) = attempt(place, verb);
    // By now the lock is free: what is started would inherit it.
    if !verb.dry_run {
        restart_dnsmasq();
    }
    exit
}

/// Restarts dnsmasq if that is due, and waits for it.
pub(super) fn restart_dnsmasq() {
    match restart::complete() {
        Ok(true) => log::info!("dnsmasq was restarted, for what it is told of domains"),
        Ok(false) => {}
        Err(why) => {
            log::warn!("{why}");
            complain(&why);
        }
    }
}

fn attempt(place: &Place, verb: &Apply) -> Result<Exit, Exit> {
    let turn = if verb.refresh { Some(turn()?) } else { None };
    // Before the configuration is read: of two runs the later one shall have read the later text.
    let _lock = if verb.dry_run { None } else { Some(lock().map_err(refused)?) };
    // From here on a change would come too late for this run: the next one may wait.
    drop(turn);
    let mut kernel = Kernel::new();
    if verb.refresh && !reconcile::is_applied(&mut kernel).map_err(refused)? {
        return Err(Exit::Nothing);
    }
    if !verb.dry_run {
        // Two thirds of a first apply are nft's: its start-up overlaps our reading. Where the configuration then turns
        // out to be switched off, it is ended again.
        reconcile::expect(&mut kernel);
    }
    // The process ends with this verb: to give thousands of rules back piece by piece would take time for nothing.
    let loaded = ManuallyDrop::new(Loaded::read(place)?);
    let config = loaded.usable()?;
    logging::to_system_log(config.globals.log_level);
    if loaded.is_blank {
        complain("nothing was changed: the configuration is empty; `wansplit stop` removes what is in the kernel");
        return Err(Exit::Nothing);
    }
    if let Some(why) = nothing_to_do(config) {
        return idle(&mut kernel, verb, why);
    }
    let world = facts::world(config, place)?;
    if let (Account::Unknown(why), Some(link)) = (&world.account, survey::links_of_netifd(config).next()) {
        complain(&format!(
            "nothing was changed: link '{link}' is a netifd interface, and {why}; is netifd running? Or give its answer \
             in a file: `ubus call network.interface dump > FILE`, then `--network FILE`"
        ));
        return Err(Exit::Config);
    }
    loaded.print_consequences();
    let mut tries = 0;
    loop {
        tries += 1;
        let (survey, plan) = facts::plan(&mut kernel, config, &world, Trust::Kernel)?;
        let plan = ManuallyDrop::new(plan);
        facts::print_findings(&survey);
        if verb.dry_run {
            let mut report = reconcile::difference(&mut kernel, Some(&plan)).map_err(refused)?;
            report.changed.extend(Resolver::default().difference(Some((config, &plan))));
            print(&report, "would change");
            return Ok(loaded.exit());
        }
        match reconcile::apply(&mut kernel, &plan) {
            Ok(mut report) => {
                report.add(Resolver::default().tell(config, &plan, report.made_sets));
                print(&report, "changed");
                if !report.changed.is_empty() {
                    log::info!("applied {}: {} changes", place.config, report.changed.len());
                }
                hand_over(&mut kernel, config, place, &survey.facts, &plan);
                return Ok(if report.missing.is_empty() { loaded.exit() } else { Exit::Kernel });
            }
            Err(failed) if tries < ATTEMPTS && device_changed(&failed.error) => {}
            Err(failed) => return Err(failure(&failed)),
        }
    }
}

/// What comes after the new routes: the daemon hears of the new configuration; where there is none, the connections of
/// dead links are moved here.
fn hand_over(kernel: &mut Kernel, config: &Config, place: &Place, facts: &Facts, plan: &Plan) {
    match client::health() {
        Ok(Some(health)) if health.runs_with(place) => {
            if let Err(error) = client::tell(Request::Reload) {
                complain(&format!("the daemon could not be told of this: {error}"));
            }
        }
        Ok(Some(health)) => complain(&format!(
            "the daemon (process {}) runs with {} and will put that state back; restart it, or apply that file",
            health.pid, health.config
        )),
        Ok(None) | Err(_) => {
            let doomed = flows::doomed(kernel, config, plan, facts);
            flows::forget(kernel, config, plan, &doomed);
            let own = |link: &LinkFacts| link.v4.addresses.iter().chain(&link.v6.addresses).copied().collect();
            let addresses = |link: LinkId| facts.links.get(link.0).map_or_else(Vec::new, own);
            if let (_, Err(error)) = flows::reset(kernel, &doomed, config.globals.mask.bits(), &addresses) {
                complain(&format!("established connections of dead links stay where they are: {error}"));
            }
        }
    }
}

/// The place in front of the lock. If it is taken, somebody will look at the world after us anyway.
fn turn() -> Result<Lock, Exit> {
    match Lock::alone(Path::new(lock::WAITING)) {
        Ok(turn) => Ok(turn),
        Err(Error::Locked { .. }) => Err(Exit::Done),
        Err(error) => Err(refused(error)),
    }
}

/// Waits for another run to end.
pub(super) fn lock() -> Result<Lock, Error> {
    Lock::acquire(Path::new(lock::PATH), lock::PATIENCE)
}

pub(crate) fn nothing_to_do(config: &Config) -> Option<&'static str> {
    if !config.globals.enabled {
        Some("wansplit is switched off in its configuration (section globals: option enabled '0')")
    } else if config.links.is_empty() {
        Some("the configuration has no link")
    } else {
        None
    }
}

/// Switched off is a wanted state too: nothing of ours in the kernel.
fn idle(kernel: &mut Kernel, verb: &Apply, why: &str) -> Result<Exit, Exit> {
    let report = if verb.dry_run {
        let mut report = reconcile::difference(kernel, None).map_err(refused)?;
        report.changed.extend(Resolver::default().difference(None));
        report
    } else {
        let mut report = Resolver::default().forget();
        report.add(reconcile::remove(kernel).map_err(|failed| failure(&failed))?);
        report
    };
    if !report.changed.is_empty() {
        print(&report, "changed");
    }
    if !report.changed.is_empty() && !verb.dry_run {
        log::info!("stopped: {why}");
    }
    complain(why);
    Ok(if report.changed.is_empty() { Exit::Nothing } else { Exit::Done })
}

/// A device or address went away between reading the facts and using them.
pub(crate) fn device_changed(error: &Error) -> bool {
    matches!(error.errno(), Some(Errno::ENODEV | Errno::ENETDOWN | Errno::ENETUNREACH | Errno::ENXIO))
}

/// Prints what a run did, or would do.
pub(super) fn print(report: &Report, verb: &str) {
    for warning in report.warnings.iter().chain(&report.missing) {
        complain(warning);
    }
    match report.changed.len() {
        0 => say(&format!("nothing {verb}: the kernel holds the wanted state")),
        _ => say(&report.changed.join("\n")),
    }
}

/// Prints why a run failed, and what state the router is in.
pub(super) fn failure(failed: &Failed) -> Exit {
    log::error!("{}", failed.error);
    complain(&failed.error.to_string());
    if failed.unclear {
        complain(
            "what nft did is not known; run `wansplit apply` again: it compares with the kernel and mends the rest",
        );
    } else if failed.left.is_empty() {
        complain("the state from before is in place");
    } else {
        for error in &failed.left {
            complain(&format!("while taking back what was done: {error}"));
        }
        complain("run `wansplit apply` again: it compares with the kernel and sends what is missing");
    }
    Exit::Kernel
}

/// Prints what the kernel refused before anything was done.
pub(super) fn refused(error: Error) -> Exit {
    complain(&error.to_string());
    Exit::Kernel
}
