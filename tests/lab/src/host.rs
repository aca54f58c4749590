//! A host: one network namespace.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::thread;

/// One network namespace. It lives as long as the test's process; `/run/netns` has it by its name,
/// for `ip -n NAME` and `ip netns exec NAME`.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    namespace: File,
}

/// What a program that has ended left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Host {
    /// A new, empty host with its loopback up. The name is also the namespace's.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let create = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace");
            name_namespace(name)
        };
        let host = thread::scope(|scope| scope.spawn(create).join()).expect("a host");
        // IPv4 settings of a new namespace are copied from the machine's: set what matters. IPv6's duplicate address
        // detection would keep every address unusable for a second.
        for (key, value) in [
            ("net/ipv4/conf/all/rp_filter", "0"),
            ("net/ipv4/conf/default/rp_filter", "0"),
            ("net/ipv4/conf/all/src_valid_mark", "0"),
            ("net/ipv4/conf/default/src_valid_mark", "0"),
            ("net/ipv4/conf/all/arp_ignore", "1"),
            ("net/ipv4/icmp_ratelimit", "0"),
            ("net/ipv4/fib_multipath_hash_policy", "0"),
            ("net/ipv6/conf/all/accept_dad", "0"),
            ("net/ipv6/conf/default/accept_dad", "0"),
            ("net/ipv6/conf/all/accept_ra", "0"),
            ("net/ipv6/conf/default/accept_ra", "0"),
            ("net/ipv6/icmp/ratelimit", "0"),
        ] {
            host.sysctl(key, value);
        }
        host.ip("link set lo up");
        host
    }

    /// The network this process is in, for a machine that is a host of the lab itself. Its settings stay as they are.
    #[must_use]
    pub fn here(name: &'static str) -> Self {
        let host = name_namespace(name);
        host.ip("link set lo up");
        host
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Calls a function in this host's network: the sockets it opens are this host's.
    pub fn run<T: Send, F: FnOnce() -> T + Send>(&self, function: F) -> T {
        let there = || {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET).expect("entering the host's namespace");
            function()
        };
        match thread::scope(|scope| scope.spawn(there).join()) {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Starts a thread in this host's network.
    pub fn spawn<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, function: F) -> thread::JoinHandle<T> {
        let namespace = self.namespace.try_clone().expect("a copy of the namespace's descriptor");
        thread::spawn(move || {
            setns(&namespace, CloneFlags::CLONE_NEWNET).expect("entering the host's namespace");
            function()
        })
    }

    /// Starts a program in this host's network.
    pub fn start(&self, command: &mut Command) -> std::process::Child {
        self.run(|| command.spawn()).unwrap_or_else(|error| panic!("{command:?} on {}: {error}", self.name))
    }

    /// Runs a program to its end in this host's network.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Output {
        self.output_with_input(program, arguments, "")
    }

    /// Runs a program that must end well; returns its standard output.
    pub fn command(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.output(program, arguments);
        assert!(output.code == 0, "{program} {arguments:?} on {}: {}", self.name, output.stderr);
        output.stdout
    }

    /// Feeds lines to `ip -batch`. The family of rules and of `default` without an address is IPv4's.
    pub fn ip(&self, lines: &str) {
        self.feed("ip", &["-batch", "-"], lines);
    }

    /// Feeds lines to `ip -6 -batch`.
    pub fn ip6(&self, lines: &str) {
        self.feed("ip", &["-6", "-batch", "-"], lines);
    }

    /// Feeds a ruleset to `nft -f`.
    pub fn nft(&self, ruleset: &str) {
        self.feed("nft", &["-f", "-"], ruleset);
    }

    /// The packets a named counter of an `inet` table has counted.
    #[must_use]
    pub fn counted(&self, table: &str, counter: &str) -> u64 {
        let text = self.command("nft", &["list", "counter", "inet", table, counter]);
        let mut words = text.split_whitespace().skip_while(|word| *word != "packets").skip(1);
        words.next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no packet count in: {text}"))
    }

    /// Sets a kernel parameter, written with slashes: `net/ipv4/ip_forward`.
    pub fn sysctl(&self, key: &str, value: &str) {
        self.run(|| fs::write(format!("/proc/sys/{key}"), value))
            .unwrap_or_else(|error| panic!("{key} = {value} on {}: {error}", self.name));
    }

    /// Joins two hosts by a cable: `device` here, `other_device` there, both switched on.
    pub fn cable(&self, device: &str, other: &Host, other_device: &str) {
        self.ip(&format!(
            "link add {device} type veth peer name {other_device} netns {}\nlink set {device} up",
            other.name
        ));
        other.ip(&format!("link set {other_device} up"));
    }

    /// Sends one echo request with the `ping` program; `options` as ping's own (`-I eth1`). Whether it was answered.
    #[must_use]
    pub fn ping(&self, to: IpAddr, options: &[&str]) -> bool {
        let to = to.to_string();
        let arguments: Vec<&str> =
            ["-n", "-c", "1", "-W", "1"].iter().chain(options).copied().chain([to.as_str()]).collect();
        self.output("ping", &arguments).code == 0
    }

    /// The programs that run in this host's network, other than this process: `(process id, name)`.
    #[must_use]
    pub fn processes(&self) -> Vec<(u32, String)> {
        let namespace = self.run(|| fs::read_link("/proc/thread-self/ns/net")).expect("the namespace's own name");
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        ids.filter(|id| *id != std::process::id())
            .filter(|id| fs::read_link(format!("/proc/{id}/ns/net")).is_ok_and(|link| link == namespace))
            .map(|id| (id, fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim().to_owned()))
            .collect()
    }

    fn feed(&self, program: &str, arguments: &[&str], input: &str) {
        let output = self.output_with_input(program, arguments, input);
        assert!(output.code == 0, "{program} {arguments:?} on {}:\n{input}\n{}", self.name, output.stderr);
    }

    /// The same with an input.
    pub fn output_with_input(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.start(&mut command);
        // A program that does not read its input closes the pipe; what it says then is in its output.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("the program's output").into()
    }
}

/// Gives the calling thread's namespace a name under `/run/netns`.
fn name_namespace(name: &'static str) -> Host {
    let path = format!("/run/netns/{name}");
    File::create(&path).expect("a place for the namespace");
    // Not /proc/self: that is the process's first thread, which stays where it is.
    mount(Some("/proc/thread-self/ns/net"), path.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .expect("the namespace under /run/netns");
    Host { name, namespace: File::open(&path).expect("the named namespace") }
}

impl Drop for Host {
    /// Frees the name for the next lab of the same test.
    fn drop(&mut self) {
        let path = format!("/run/netns/{}", self.name);
        let _ = umount2(path.as_str(), MntFlags::MNT_DETACH);
        let _ = fs::remove_file(path);
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
