//! `wansplit stop`.

use super::{Exit, apply, say};
use crate::kernel::Kernel;
use crate::logging;
use crate::reconcile;
use argh::FromArgs;

/// Removes everything of ours from the kernel, and nothing else. All traffic then goes by the main table; kill switches
/// (fallback unreachable or blackhole) hold nothing back any more.
#[derive(FromArgs)]
#[argh(subcommand, name = "stop")]
pub struct Stop {}

/// Runs the verb.
#[must_use]
pub fn run(_verb: &Stop) -> Exit {
    let _lock = match apply::lock() {
        Ok(lock) => lock,
        Err(error) => return apply::refused(error),
    };
    logging::to_system_log(log::LevelFilter::Info);
    match reconcile::remove(&mut Kernel::new()) {
        Ok(report) if report.changed.is_empty() => {
            say("nothing to stop: the kernel holds nothing of ours");
            Exit::Nothing
        }
        Ok(report) => {
            apply::print(&report, "changed");
            log::info!("stopped: all traffic goes by the main table");
            say("stopped: all traffic goes by the main table, kill switches hold nothing back any more");
            if report.missing.is_empty() { Exit::Done } else { Exit::Kernel }
        }
        Err(failed) => apply::failure(&failed),
    }
}
