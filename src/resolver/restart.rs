//! Restarts dnsmasq: it reads its configuration only when it starts, and SIGHUP is not enough for lines of sets.
//!
//! That one is due is kept as a file, so that it is made up for if we are ended between the change and the restart.

use super::run::PATH;
use crate::launch;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// There as long as a restart is due. What is in it says whether dnsmasq is to be started also if it does not run.
const OWED: &str = "/var/run/wansplit/dnsmasq-restart";
const EVEN_IF_DEAD: &str = "even if it does not run\n";
/// dnsmasq's own script: what the system starts it by. rpcd's `rc` runs the same one, where there is rpcd.
const SCRIPT: &str = "/etc/init.d/dnsmasq";
/// Where the scripts are that run at boot.
const ENABLED: &str = "/etc/rc.d";
/// It takes a second or two; on a slow router with long lists longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A restart on its way.
#[derive(Debug)]
pub struct Restart {
    child: Child,
    until: Instant,
    even_if_dead: bool,
}

/// Remembers that one is due. `even_if_dead`: dnsmasq may have ended because of what it was told.
///
/// # Errors
/// The file cannot be written; the text says which.
pub fn owe(even_if_dead: bool) -> Result<(), String> {
    let already = fs::read_to_string(OWED).unwrap_or_default();
    let text = if even_if_dead || already == EVEN_IF_DEAD { EVEN_IF_DEAD } else { "\n" };
    if let Some(directory) = Path::new(OWED).parent() {
        fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    }
    fs::write(OWED, text).map_err(|error| format!("cannot write {OWED}: {error}"))
}

/// Whether one is due.
#[must_use]
pub fn is_owed() -> bool {
    Path::new(OWED).exists()
}

/// Begins the restart that is due, if one is. Not to be called while the lock is held: what is started would inherit it.
///
/// # Errors
/// It is due, but cannot be done; the text says what to do instead.
pub fn begin(now: Instant) -> Result<Option<Restart>, String> {
    let Ok(text) = fs::read_to_string(OWED) else { return Ok(None) };
    let even_if_dead = text == EVEN_IF_DEAD;
    // Of two who want to restart it, one gets to remove the file.
    if fs::remove_file(OWED).is_err() {
        return Ok(None);
    }
    // One that the owner has stopped, or that starts only now, reads the new lines when it starts.
    if !(is_running() || even_if_dead && is_enabled()) {
        return Ok(None);
    }
    if !Path::new(SCRIPT).exists() {
        return Err(format!(
            "dnsmasq has to be restarted by hand (perhaps: systemctl restart dnsmasq), there is no {SCRIPT}: it goes by \
             what it was told of domains when it started"
        ));
    }
    let mut command = launch::command(Path::new(SCRIPT));
    command.arg("restart").env_clear().env("PATH", PATH).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own, so that all of it can be stopped.
    match command.process_group(0).spawn() {
        Ok(child) => Ok(Some(Restart { child, until: now + PATIENCE, even_if_dead })),
        Err(error) => Err(failed(even_if_dead, &error.to_string())),
    }
}

/// Does the restart that is due, and waits for it.
///
/// # Errors
/// As [`begin`], or it failed.
pub fn complete() -> Result<bool, String> {
    let Some(mut restart) = begin(Instant::now())? else { return Ok(false) };
    loop {
        if let Some(outcome) = restart.turn(Instant::now()) {
            return outcome.map(|()| true);
        }
        sleep(Duration::from_millis(5));
    }
}

impl Restart {
    /// Looks after it; how it ended, if it did.
    pub fn turn(&mut self, now: Instant) -> Option<Result<(), String>> {
        let why = match self.child.try_wait() {
            Ok(None) if now < self.until => return None,
            Ok(None) => {
                self.stop();
                format!("it was stopped after {} s", PATIENCE.as_secs())
            }
            Ok(Some(status)) if status.success() => return Some(Ok(())),
            Ok(Some(status)) => format!("it ended with {status}"),
            Err(error) => error.to_string(),
        };
        Some(Err(failed(self.even_if_dead, &why)))
    }

    /// When its time is up.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.until
    }

    fn stop(&mut self) {
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// It stays due.
fn failed(even_if_dead: bool, why: &str) -> String {
    let _ = owe(even_if_dead);
    format!("dnsmasq could not be restarted by {SCRIPT}, and goes by what it was told of domains before: {why}")
}

/// Whether there is one in our network: another one (a container's, a virtual machine's) is not our business.
fn is_running() -> bool {
    let network = |process: &Path| fs::read_link(process.join("ns/net")).ok();
    let ours = network(Path::new("/proc/self"));
    let is_dnsmasq = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            let process = entry.path();
            fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "dnsmasq")
                // One that has ended and whose parent has not noticed yet has none.
                && network(&process).is_some_and(|network| ours.as_ref() == Some(&network))
        })
    };
    fs::read_dir("/proc").is_ok_and(|mut entries| entries.any(is_dnsmasq))
}

fn is_enabled() -> bool {
    let starts = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.starts_with('S') && name.ends_with("dnsmasq"))
        })
    };
    fs::read_dir(ENABLED).is_ok_and(|mut entries| entries.any(starts))
}
