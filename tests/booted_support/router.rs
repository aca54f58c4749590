//! The service on the machine, as its owner sees it.

use lab::{Lab, side};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The init script.
pub const SERVICE: &str = "/etc/init.d/wansplit";

/// Without acceleration everything takes its time; what hangs is found all the same.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Options of a link. Without acceleration, on a machine that runs other tests too, an answer may take a second.
pub const SLOW_MACHINE: &str = "option timeout '3s'\n";

/// What `wansplit status --json` says, if it says anything.
pub fn status(lab: &Lab) -> Value {
    serde_json::from_str(&lab.router.output("wansplit", &["status", "--json"]).stdout).unwrap_or_default()
}

/// Waits until `status` is as it should be.
pub fn wait_for_status(lab: &Lab, what: &str, wanted: impl Fn(&Value) -> bool) {
    let since = Instant::now();
    loop {
        let status = status(lab);
        if wanted(&status) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}\n{status:#}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the daemon runs, both links are up in both families, and the kernel holds what is wanted.
pub fn wait_until_well(lab: &Lab) {
    wait_for_status(lab, "all is well", |status| {
        let up = |link| ["ipv4", "ipv6"].iter().all(|family| side(status, link, family)["state"] == "up");
        status["daemon"].is_u64() && status["in_sync"] == true && up("EMB") && up("OI")
    });
}

/// Waits until a link has a state in both families.
pub fn wait_for_state(lab: &Lab, link: &str, state: &str) {
    wait_for_status(lab, &format!("{link} is {state}"), |status| {
        ["ipv4", "ipv6"].iter().all(|family| side(status, link, family)["state"] == state)
    });
}

/// The daemon's process id, if one runs.
pub fn daemon(lab: &Lab) -> Option<u64> {
    status(lab)["daemon"].as_u64()
}

/// Calls a verb of the init script, which must end well.
pub fn service(lab: &Lab, verb: &str) -> String {
    lab.router.command(SERVICE, &[verb])
}

/// Calls the hotplug scripts as netifd has them called; returns how long they took.
pub fn hotplug(lab: &Lab, action: &str, interface: &str) -> Duration {
    let since = Instant::now();
    let variables = [format!("ACTION={action}"), format!("INTERFACE={interface}")];
    lab.router.command("env", &[&variables[0], &variables[1], "hotplug-call", "iface"]);
    since.elapsed()
}

/// Writes the configuration, as an owner would who then reloads or restarts the service.
pub fn configure(config: &str) {
    fs::write("/etc/config/wansplit", config).expect("the disk");
}
