//! `wansplit run` on a lab's router, and what it does to itself and to the machine.

use crate::program::Wansplit;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long the daemon may take to be there, or to be gone. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(15);

/// The running daemon. Killed when it is dropped.
#[derive(Debug)]
pub struct Daemon<'a> {
    wansplit: &'a Wansplit<'a>,
    arguments: Vec<String>,
    child: Child,
    log: Arc<Mutex<Vec<Line>>>,
}

/// A line the daemon wrote to its standard error.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came.
    pub at: Instant,
    /// What it says.
    pub text: String,
}

/// What a process has used up since it started, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Memory in use, in KiB: all of it, and what is the process's own and not a file's.
    pub rss_kib: u64,
    /// The part of it that is no file's.
    pub anonymous_kib: u64,
    /// How often it gave the processor away to wait for something.
    pub wakeups: u64,
    /// Processor time in ticks of 10 ms: its own, and that of children it has waited for.
    pub ticks: u64,
    /// Page faults of children it has waited for. No child ends without any.
    pub child_faults: u64,
}

impl<'a> Wansplit<'a> {
    /// Starts `wansplit run` with these further arguments; returns when it has applied its configuration.
    #[must_use]
    pub fn daemon(&'a self, arguments: &[&str]) -> Daemon<'a> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let log = Arc::default();
        let child = start(self, &arguments, &log);
        let mut daemon = Daemon { wansplit: self, arguments, child, log };
        daemon.wait_until_ready();
        daemon
    }
}

impl Daemon<'_> {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What `wansplit status --json` says.
    #[must_use]
    pub fn status(&self) -> Value {
        self.wansplit.status()
    }

    /// Waits until `status` is as it should be; returns how long that took.
    pub fn wait_for_status(&self, what: &str, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Duration {
        let since = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return since.elapsed();
            }
            assert!(since.elapsed() < patience, "not within {patience:?}: {what}\n{status:#}\n{}", self.log_text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a link has a state in these families: `("EMB", &["ipv4"], "down")`. Returns how long that took.
    pub fn wait_for_state(&self, link: &str, families: &[&str], state: &str, patience: Duration) -> Duration {
        self.wait_for_status(&format!("{link} is {state} in {families:?}"), patience, |status| {
            families.iter().all(|family| side(status, link, family)["state"] == state)
        })
    }

    /// Everything it logged, also before a restart.
    #[must_use]
    pub fn log(&self) -> Vec<Line> {
        self.log.lock().expect("the reader does not panic").clone()
    }

    /// The same as text.
    #[must_use]
    pub fn log_text(&self) -> String {
        self.log().into_iter().map(|line| line.text + "\n").collect()
    }

    /// The first line since `since` that contains all these words; waits for it. None if it does not come.
    #[must_use]
    pub fn wait_for_line(&self, since: Instant, words: &[&str], patience: Duration) -> Option<Line> {
        let until = Instant::now() + patience;
        loop {
            let fits = |line: &Line| line.at >= since && words.iter().all(|word| line.text.contains(word));
            let line = self.log().into_iter().find(fits);
            if line.is_some() || Instant::now() > until {
                return line;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once: it cannot do anything about it.
    pub fn kill9(&mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("the daemon's end");
    }

    /// Asks it to end; returns how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait_until_gone()
    }

    /// Asks it to read its configuration again.
    pub fn hangup(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Starts it again after it has ended; returns at once.
    pub fn start_again(&mut self) {
        assert!(!self.is_running(), "the daemon still runs");
        self.child = start(self.wansplit, &self.arguments, &self.log);
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the daemon's state").is_none()
    }

    /// Waits until it answers, and the kernel holds what it wants.
    pub fn wait_until_ready(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let running = self.is_running();
            assert!(running, "the daemon ended:\n{}", self.log_text());
            let status = self.wansplit.try_status().unwrap_or_default();
            if status["daemon"] == self.id() && status["in_sync"] == true {
                return;
            }
            assert!(Instant::now() < until, "the daemon is not ready:\n{status:#}\n{}", self.log_text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has used and holds.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.id());
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log_text()))
        };
        let (status, stat) = (read("status"), read("stat"));
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or_else(|| panic!("no {key} in {status}"))
        };
        // The name in brackets may hold anything; the third field, the state, comes after it. Numbers as in proc(5).
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |number: usize| fields[number - 3].parse::<u64>().expect("a number in /proc/PID/stat");
        Usage {
            rss_kib: value("VmRSS:"),
            anonymous_kib: value("RssAnon:"),
            wakeups: value("voluntary_ctxt_switches:"),
            ticks: (14..=17).map(field).sum(),
            child_faults: field(11) + field(13),
        }
    }

    fn wait_until_gone(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the daemon's state") {
                return status;
            }
            assert!(Instant::now() < until, "the daemon does not end:\n{}", self.log_text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("the daemon runs");
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log_text());
        }
    }
}

/// One family of a link in what `status --json` says.
#[must_use]
pub fn side<'v>(status: &'v Value, link: &str, family: &str) -> &'v Value {
    let links = status["links"].as_array().map_or(&[][..], Vec::as_slice);
    links.iter().find(|entry| entry["name"] == link).map_or(&Value::Null, |entry| &entry[family])
}

fn start(wansplit: &Wansplit<'_>, arguments: &[String], log: &Arc<Mutex<Vec<Line>>>) -> Child {
    let verb: Vec<&str> = ["run"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let mut child = wansplit.start(&verb);
    // Nobody reads the rest; with the pipe closed a line on it would be an error.
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let errors = BufReader::new(child.stderr.take().expect("a pipe"));
    for reader in [Box::new(output) as Box<dyn BufRead + Send>, Box::new(errors)] {
        let log = Arc::clone(log);
        thread::spawn(move || {
            for text in reader.lines().map_while(Result::ok) {
                log.lock().expect("no reader panics").push(Line { at: Instant::now(), text });
            }
        });
    }
    child
}
