//! `wansplit stop`.

use super::{Exit, apply, complain, say};
use crate::daemon::control::Request;
use crate::daemon::control::client;
use crate::kernel::Kernel;
use crate::logging;
use crate::reconcile;
use crate::resolver::Resolver;
use argh::FromArgs;

/// Removes everything of ours from the kernel, and nothing else.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "stop",
    note = "All traffic then goes by the main table; kill switches (fallback unreachable or blackhole) hold nothing back. A daemon that runs rests until `wansplit apply`.",
    error_code(3, "the kernel refused"),
    error_code(4, "the kernel holds nothing of ours")
)]
pub struct Stop {}

/// Runs the verb.
#[must_use]
pub fn run(_verb: &Stop) -> Exit {
    let exit = attempt();
    // By now the lock is free: what is started would inherit it.
    apply::restart_dnsmasq();
    exit
}

fn attempt() -> Exit {
    // First: it would put back within a second what we take away.
    let resting = match client::tell_and_wait(Request::Pause) {
        Ok(resting) => resting,
        Err(error) => {
            complain(&format!("the daemon does not answer ({error}): it may put back what is removed now"));
            false
        }
    };
    let _lock = match apply::lock() {
        Ok(lock) => lock,
        Err(error) => return apply::refused(error),
    };
    logging::to_system_log(log::LevelFilter::Info);
    // First: if we are ended in between, no dnsmasq is told of sets that are gone.
    let told = Resolver::default().forget();
    let outcome = reconcile::remove(&mut Kernel::new()).map(|mut report| {
        report.add(told);
        report
    });
    match outcome {
        Ok(report) if report.changed.is_empty() => {
            say("nothing to stop: the kernel holds nothing of ours");
            Exit::Nothing
        }
        Ok(report) => {
            apply::print(&report, "changed");
            log::info!("stopped: all traffic goes by the main table");
            say("stopped: all traffic goes by the main table, kill switches hold nothing back any more");
            if resting {
                say("the daemon rests until `wansplit apply`");
            }
            if report.missing.is_empty() { Exit::Done } else { Exit::Kernel }
        }
        Err(failed) => apply::failure(&failed),
    }
}
