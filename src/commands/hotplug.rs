//! `wansplit hotplug`.

use super::{Exit, Place, complain};
use crate::daemon::control::Request;
use crate::daemon::control::client;
use argh::FromArgs;
use log::warn;
use std::process::{Command, Stdio};

/// Called by /etc/hotplug.d/iface/ when an interface changes; returns at once. Not meant for people.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "hotplug",
    note = "Tells the daemon to look; without a daemon starts `wansplit apply --refresh`. ACTION in the environment is netifd's word for what happened.",
    error_code(4, "`wansplit apply` could not be started")
)]
pub struct Hotplug {}

/// What netifd calls what happened. Other packages send words of their own through the same scripts.
const ACTIONS: [&str; 4] = ["ifup", "ifdown", "ifup-failed", "ifupdate"];

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, _verb: &Hotplug) -> Exit {
    let action = std::env::var("ACTION").unwrap_or_default();
    if !action.is_empty() && !ACTIONS.contains(&action.as_str()) {
        return Exit::Done;
    }
    match client::tell(Request::Changed) {
        Ok(true) => Exit::Done,
        Ok(false) => in_background(place),
        Err(error) => {
            // It is there and busy; it hears of the change by netlink and ubus as well.
            warn!("the daemon could not be told of a change: {error}");
            Exit::Done
        }
    }
}

/// netifd waits for this program and runs one at a time: the work is done by another, which nobody waits for.
fn in_background(place: &Place) -> Exit {
    let Ok(own) = std::env::current_exe() else { return Exit::Nothing };
    let mut command = Command::new(own);
    command.arg("--config").arg(&place.config);
    if let Some(network) = &place.network {
        command.arg("--network").arg(network);
    }
    command.args(["apply", "--refresh"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(_) => Exit::Done,
        Err(error) => {
            complain(&format!("cannot start `wansplit apply`: {error}"));
            Exit::Kernel
        }
    }
}
