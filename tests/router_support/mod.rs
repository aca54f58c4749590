//! A router with `files/` laid out on it, and a service manager of a few lines: what procd does for
//! `/etc/init.d/wansplit`, without OpenWrt.
#![allow(dead_code)]

use lab::{Host, Lab, Output};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the program is on a router.
pub const PROGRAM: &str = "/usr/sbin/wansplit";
/// Where its configuration is.
pub const CONFIG: &str = "/etc/config/wansplit";
/// How long anything may take: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

const CALLS: &str = "/run/service-calls";
const LOG: &str = "/run/service-log";

/// A file of ours, by its path on the router.
#[must_use]
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("files").join(path)
}

/// Runs a shell of the kind a router has.
pub fn ash(host: &Host, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("busybox");
    command.arg("ash").args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    host.start(&mut command).wait_with_output().expect("its output").into()
}

/// The router's service `wansplit`, not started yet.
pub struct Service<'a> {
    lab: &'a Lab,
    /// What triggers a reload.
    pub triggers: Vec<String>,
    running: Option<(Instance, Child)>,
}

/// What the init script asks procd to keep running.
#[derive(Debug, Default, PartialEq, Eq)]
struct Instance {
    command: Vec<String>,
    /// The files it names, by their content: another content makes another instance.
    files: Vec<Vec<u8>>,
    /// Everything else it says, in its order.
    parameters: Vec<String>,
}

impl<'a> Service<'a> {
    /// Installs the program and a configuration. Only what is done in the test's own namespaces is visible to it.
    pub fn install(lab: &'a Lab, config: &str) -> Self {
        open_up("/usr/sbin");
        open_up("/etc");
        symlink(env!("CARGO_BIN_EXE_wansplit"), PROGRAM).expect("the place is free");
        fs::create_dir_all("/etc/config").expect("/etc is ours now");
        fs::write(CONFIG, config).expect("/etc is ours now");
        Self { lab, triggers: Vec::new(), running: None }
    }

    /// `/etc/init.d/wansplit ACTION`.
    pub fn call(&mut self, action: &str) -> Output {
        self.call_with(action, &[])
    }

    /// The same with these variables in the environment.
    pub fn call_with(&mut self, action: &str, environment: &[(&str, &str)]) -> Output {
        let (rc, script) =
            (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/router_support/rc.sh"), file("etc/init.d/wansplit"));
        let script = script.to_str().expect("a path in UTF-8");
        let environment = [environment, &[("CALLS", CALLS)]].concat();
        fs::write(CALLS, "").expect("/run is ours");
        let output = ash(&self.lab.router, &[rc, script, action], &environment);
        let mut instance = None::<Instance>;
        let mut triggers = Vec::new();
        for call in fs::read_to_string(CALLS).expect("the calls").lines() {
            let words: Vec<String> = call.split(' ').map(str::to_owned).collect();
            match (words[0].as_str(), &mut instance) {
                ("instance", none @ None) => *none = Some(Instance::default()),
                ("param", Some(instance)) => instance.take(&words[1..]),
                ("trigger", _) => triggers.extend_from_slice(&words[1..]),
                // HUP, unless another one is asked for.
                ("signal", _) => self.signal(Signal::SIGHUP),
                ("delete", _) => {
                    self.end();
                    self.triggers.clear();
                }
                ("set", _) => {
                    self.triggers = std::mem::take(&mut triggers);
                    self.set(instance.take());
                }
                _ => panic!("{call}"),
            }
        }
        output
    }

    /// The daemon's process, if there is one.
    pub fn daemon(&mut self) -> Option<u32> {
        let (_, child) = self.running.as_mut()?;
        child.try_wait().expect("its state").is_none().then(|| child.id())
    }

    /// Waits until the daemon answers, and the kernel holds what it wants. Returns its process.
    pub fn wait_until_ready(&mut self) -> u32 {
        let since = Instant::now();
        loop {
            let daemon = self.daemon().unwrap_or_else(|| panic!("no daemon runs:\n{}", log()));
            let status: Value = serde_json::from_str(&self.run(&["status", "--json"]).stdout).unwrap_or_default();
            if status["daemon"] == daemon && status["in_sync"] == true {
                return daemon;
            }
            assert!(since.elapsed() < PATIENCE, "the daemon is not ready: {status:#}\n{}", log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `wansplit` with these words, as somebody types it on the router.
    pub fn run(&self, words: &[&str]) -> Output {
        self.lab.router.output(PROGRAM, words)
    }

    /// Kills the daemon and starts it again, as procd does after a crash.
    pub fn respawn(&mut self) {
        let (instance, mut child) = self.running.take().expect("a daemon runs");
        child.kill().expect("it runs");
        child.wait().expect("its end");
        self.set(Some(instance));
    }

    /// Starts, ends or replaces the daemon, as what is asked for differs from what runs.
    fn set(&mut self, wanted: Option<Instance>) {
        let alive = self.daemon().is_some();
        if self.running.as_ref().filter(|_| alive).map(|(instance, _)| instance) == wanted.as_ref() {
            return;
        }
        self.end();
        let Some(instance) = wanted else { return };
        let output = || OpenOptions::new().create(true).append(true).open(LOG).expect("/run is ours");
        let mut command = Command::new(&instance.command[0]);
        command.args(&instance.command[1..]).stdin(Stdio::null()).stdout(output()).stderr(output());
        let child = self.lab.router.start(&mut command);
        self.running = Some((instance, child));
    }

    fn signal(&mut self, signal: Signal) {
        if let Some(id) = self.daemon() {
            kill(Pid::from_raw(id.try_into().expect("a process id")), signal)
                .expect("it runs, or is not waited for yet");
        }
    }

    fn end(&mut self) {
        self.signal(Signal::SIGTERM);
        let Some((_, mut child)) = self.running.take() else { return };
        let since = Instant::now();
        while child.try_wait().expect("its state").is_none() {
            assert!(since.elapsed() < PATIENCE, "the daemon does not end:\n{}", log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        if let Some((_, child)) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", log());
        }
    }
}

impl Instance {
    fn take(&mut self, words: &[String]) {
        match words[0].as_str() {
            "command" => self.command = words[1..].to_vec(),
            "file" => self.files = words[1..].iter().map(|path| fs::read(path).unwrap_or_default()).collect(),
            _ => self.parameters.push(words.join(" ")),
        }
    }
}

/// What the daemons have written since the beginning.
#[must_use]
pub fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// Makes a directory of the machine one of the test's own, with the same entries. New ones are in the test alone.
fn open_up(directory: &str) {
    let aside = PathBuf::from(format!("/run/aside{}", directory.replace('/', "-")));
    let mounted = |source: &Path, target: &Path, kind, flags| {
        mount(Some(source), target, kind, flags, None::<&str>)
            .unwrap_or_else(|error| panic!("{} on {}: {error}", source.display(), target.display()));
    };
    fs::create_dir(&aside).expect("/run is ours");
    mounted(Path::new(directory), &aside, None, MsFlags::MS_BIND | MsFlags::MS_REC);
    mounted(Path::new("tmpfs"), Path::new(directory), Some("tmpfs"), MsFlags::empty());
    for entry in fs::read_dir(&aside).expect("what was there").flatten() {
        symlink(entry.path(), Path::new(directory).join(entry.file_name())).expect("the directory is empty");
    }
}

/// Puts another program in the place of the one that is installed: the same, with a byte more at its end.
pub fn upgrade() {
    let new = format!("{PROGRAM}.new");
    fs::copy(env!("CARGO_BIN_EXE_wansplit"), &new).expect("room in memory");
    let mut file: File = OpenOptions::new().append(true).open(&new).expect("it was made just now");
    std::io::Write::write_all(&mut file, b"\n").expect("room in memory");
    drop(file);
    fs::rename(&new, PROGRAM).expect("the same directory");
}
