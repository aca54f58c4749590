//! The owner's own scripts in `/etc/hotplug.d/wansplit/`: told of every change of a link, one at a time, and never
//! waited for. No script, no process.

use crate::launch;
use log::warn;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Where the scripts are.
pub const DIRECTORY: &str = "/etc/hotplug.d/wansplit";
/// OpenWrt's own runner: it gives the scripts the functions that they expect.
const RUNNER: &str = "/sbin/hotplug-call";
/// A script that takes longer is stopped: the next change waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Changes that wait; of more, the oldest are left out.
const WAITING: usize = 64;
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The variables a script is given.
pub type Environment = Vec<(&'static str, String)>;

/// The scripts that run and wait.
#[derive(Debug, Default)]
pub struct Hooks {
    waiting: VecDeque<Environment>,
    /// What is left to run for the change at hand.
    scripts: VecDeque<PathBuf>,
    environment: Environment,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    script: PathBuf,
    until: Instant,
}

impl Hooks {
    /// Tells the scripts of a change, when those before have ended.
    pub fn tell(&mut self, environment: Environment, now: Instant) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
            warn!("the scripts in {DIRECTORY} are too slow: they were not told of a change");
        }
        self.waiting.push_back(environment);
        self.turn(now);
    }

    /// Looks after the script that runs, and starts the next one.
    pub fn turn(&mut self, now: Instant) {
        loop {
            if let Some(running) = &mut self.running {
                match running.child.try_wait() {
                    Ok(None) if now < running.until => return,
                    Ok(None) => running.stop(),
                    Ok(Some(status)) if !status.success() => warn!("{} ended with {status}", running.script.display()),
                    Ok(Some(_)) => {}
                    Err(error) => warn!("{}: {error}", running.script.display()),
                }
                self.running = None;
            }
            while self.scripts.is_empty() {
                let Some(environment) = self.waiting.pop_front() else { return };
                self.environment = environment;
                self.scripts = scripts(Path::new(DIRECTORY));
            }
            let Some(script) = self.scripts.pop_front() else { return };
            match start(&script, &self.environment) {
                Ok(child) => {
                    self.running = Some(Running { child, script, until: now + PATIENCE });
                    return;
                }
                Err(error) => warn!("cannot run {}: {error}", script.display()),
            }
        }
    }

    /// When the running script's time is up.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.running.as_ref().map(|running| running.until)
    }
}

impl Running {
    /// Stops the script and all it has started.
    fn stop(&mut self) {
        warn!("{} was stopped after {} s", self.script.display(), PATIENCE.as_secs());
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// What is to be run for one change: OpenWrt's runner, which runs all scripts, or each script by itself.
fn scripts(directory: &Path) -> VecDeque<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    if !scripts.is_empty() && Path::new(RUNNER).exists() {
        return [RUNNER.into()].into();
    }
    crate::sort::by(&mut scripts, Ord::cmp);
    scripts.into()
}

fn start(script: &Path, environment: &Environment) -> std::io::Result<Child> {
    let mut command = if script == Path::new(RUNNER) {
        let mut runner = launch::command(Path::new(RUNNER));
        runner.arg("wansplit");
        runner
    } else {
        // As hotplug-call does: the scripts need no first line and no executable bit.
        let mut shell = launch::command(Path::new("/bin/sh"));
        shell.arg(script);
        shell
    };
    command.env_clear().env("PATH", PATH).env("HOTPLUG_TYPE", "wansplit").envs(environment.iter().cloned());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own, so that all of it can be stopped.
    command.process_group(0).spawn()
}
