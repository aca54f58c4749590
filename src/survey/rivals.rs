//! Other programs that steer the same packets, and must not do so at the same time.

use super::PATIENCE;
use crate::bus::Caller;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::source::Position;
use crate::json::object;
use crate::map::Set;
use serde_json::Value;
use std::path::Path;

/// Their services.
const RIVALS: [&str; 5] = ["mwan3", "mwan4", "pbr", "vpn-policy-routing", "keen-pbr"];

/// Where OpenWrt keeps a link `S19mwan3` for each service that starts at boot.
pub const STARTED_AT_BOOT: &str = "/etc/rc.d";

/// Findings about those that start at boot, or run. Their configuration alone does no harm.
#[must_use]
pub fn rivals(started_at_boot: &Path, running: &Set<&str>) -> Vec<Diagnostic> {
    let started = started(started_at_boot);
    let found = RIVALS.into_iter().filter(|rival| running.contains(rival) || started.contains(rival));
    let findings = found.map(|rival| {
        let how = if running.contains(rival) { "runs" } else { "starts at boot" };
        let message = format!("{rival} {how}, and steers the same packets: its marks and ip rules collide with ours");
        Diagnostic::new(Severity::Warning, Position::default(), message)
            .help(format!("use one of the two: service {rival} stop; service {rival} disable"))
    });
    findings.collect()
}

/// Those that start at boot.
#[must_use]
pub fn started(at_boot: &Path) -> Set<&'static str> {
    let entries = std::fs::read_dir(at_boot).into_iter().flatten().flatten();
    let names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    RIVALS.into_iter().filter(|rival| names.iter().any(|name| service(name) == Some(rival))).collect()
}

/// The service that a link starts: `S19mwan3`. One that begins with K ends it.
fn service(link: &str) -> Option<&str> {
    let rest = link.strip_prefix('S')?;
    let (digits, name) = rest.split_at_checked(2)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

/// Those that procd runs; none if it cannot be asked.
#[must_use]
pub fn running(caller: &mut Caller) -> Set<&'static str> {
    let mut running = Set::new();
    for rival in RIVALS {
        let Ok(answer) = caller.call("service", "list", &object! { "name": rival }, PATIENCE) else { break };
        if runs(&answer, rival) {
            running.insert(rival);
        }
    }
    caller.disconnect();
    running
}

/// Whether a service has an instance that runs, by procd's answer.
fn runs(answer: &Value, service: &str) -> bool {
    let instances = answer[service]["instances"].as_object();
    instances.is_some_and(|instances| instances.values().any(|instance| instance["running"] == true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::symlink;

    fn found(links: &[&str], running: &[&'static str]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("wansplit-rivals-{}-{}", std::process::id(), links.concat()));
        std::fs::create_dir_all(&folder).unwrap();
        for link in links {
            // Like a link on a router whose service lies on a file system that is not mounted: it counts all the same.
            symlink(format!("../init.d/{link}"), folder.join(link)).unwrap();
        }
        let findings = rivals(&folder, &running.iter().copied().collect());
        std::fs::remove_dir_all(&folder).unwrap();
        findings.iter().map(Diagnostic::in_words).collect()
    }

    #[test]
    fn who_starts_or_runs_is_found() {
        let found_two = found(&["S19mwan3", "S20pbr", "K90mwan4", "S20network", "S99wansplit"], &["mwan3"]);
        assert_eq!(
            found_two,
            [
                "warning: mwan3 runs, and steers the same packets: its marks and ip rules collide with ours; use one of \
                 the two: service mwan3 stop; service mwan3 disable",
                "warning: pbr starts at boot, and steers the same packets: its marks and ip rules collide with ours; use \
                 one of the two: service pbr stop; service pbr disable",
            ]
        );
        assert_eq!(found(&["S1mwan3", "Smwan3", "SX9pbr", "S19mwan3.old", "mwan3", "S"], &[]), Vec::<String>::new());
        assert!(rivals(Path::new("/nonexistent"), &Set::new()).is_empty());
    }

    #[test]
    fn procd_says_who_runs() {
        let answer = json!({ "mwan3": { "instances": { "a": { "running": false }, "b": { "running": true } } } });
        assert!(runs(&answer, "mwan3") && !runs(&answer, "pbr"));
        assert!(!runs(&json!({ "pbr": { "instances": { "main": { "running": false } } } }), "pbr"));
        assert!(!runs(&json!({ "mwan3": {} }), "mwan3") && !runs(&json!({}), "mwan3"));
    }
}
