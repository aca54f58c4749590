//! `wansplit apply`.

use super::{Exit, Loaded, Place, complain, facts, say};
use crate::config::model::Config;
use crate::kernel::lock::{self, Lock};
use crate::kernel::{Error, Kernel};
use crate::plan::{Plan, plan};
use crate::reconcile::{self, Failed, Report};
use argh::FromArgs;
use nix::errno::Errno;
use std::path::Path;

/// How often facts are read anew when a device changes while we work.
const ATTEMPTS: u32 = 3;

/// Makes the kernel hold the wanted state and prints what changed. Sends only the difference; may be run at any time.
#[derive(FromArgs)]
#[argh(subcommand, name = "apply")]
pub struct Apply {
    /// print the difference and change nothing
    #[argh(switch)]
    dry_run: bool,
}

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Apply) -> Exit {
    match attempt(place, verb) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn attempt(place: &Place, verb: &Apply) -> Result<Exit, Exit> {
    // Before the configuration is read: of two runs the later one shall have read the later text.
    let _lock = if verb.dry_run { None } else { Some(lock().map_err(refused)?) };
    let mut kernel = Kernel::new();
    if !verb.dry_run {
        reconcile::expect(&mut kernel);
    }
    let loaded = Loaded::read(place)?;
    let config = loaded.usable()?;
    if let Some(why) = nothing_to_do(config) {
        return idle(&mut kernel, verb, why);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let plan = wanted(&mut kernel, config, place)?;
        if verb.dry_run {
            let report = reconcile::difference(&mut kernel, Some(&plan)).map_err(refused)?;
            print(&report, "would change");
            return Ok(loaded.exit());
        }
        match reconcile::apply(&mut kernel, &plan) {
            Ok(report) => {
                print(&report, "changed");
                return Ok(loaded.exit());
            }
            Err(failed) if tries < ATTEMPTS && device_changed(&failed.error) => {}
            Err(failed) => return Err(failure(&failed)),
        }
    }
}

/// Waits for another run to end.
pub(super) fn lock() -> Result<Lock, Error> {
    Lock::acquire(Path::new(lock::PATH), lock::PATIENCE)
}

fn wanted(kernel: &mut Kernel, config: &Config, place: &Place) -> Result<Plan, Exit> {
    let gathered = facts::gather(kernel, config, place, facts::Trust::Kernel).map_err(|error| {
        complain(&error);
        Exit::Kernel
    })?;
    gathered.print();
    plan(config, &gathered.facts).map_err(|shortage| {
        complain(&format!("nothing was changed: {shortage}"));
        Exit::Config
    })
}

fn nothing_to_do(config: &Config) -> Option<&'static str> {
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
    if !verb.dry_run {
        let report = reconcile::remove(kernel).map_err(|failed| failure(&failed))?;
        if !report.changed.is_empty() {
            print(&report, "changed");
        }
    }
    complain(why);
    Ok(Exit::Nothing)
}

/// A device or address went away between reading the facts and using them.
fn device_changed(error: &Error) -> bool {
    matches!(error.errno(), Some(Errno::ENODEV | Errno::ENETDOWN | Errno::ENETUNREACH | Errno::ENXIO))
}

/// Prints what a run did, or would do.
pub(super) fn print(report: &Report, verb: &str) {
    for warning in &report.warnings {
        complain(warning);
    }
    match report.changed.len() {
        0 => say(&format!("nothing {verb}: the kernel holds the wanted state")),
        _ => say(&report.changed.join("\n")),
    }
}

/// Prints why a run failed, and what state the router is in.
pub(super) fn failure(failed: &Failed) -> Exit {
    complain(&failed.error.to_string());
    if failed.left.is_empty() {
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
