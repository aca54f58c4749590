//! Running the wansplit binary on a lab's router.

use crate::host::{Host, Output};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A wansplit binary, the configuration it is given, and the router it runs on.
#[derive(Debug)]
pub struct Wansplit<'a> {
    router: &'a Host,
    binary: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

const CONFIG: &str = "/run/lab-wansplit.config";
/// The firewall's configuration lies beside ours.
const FIREWALL: &str = "/run/firewall";
const NETWORK: &str = "/run/lab-network.json";

impl<'a> Wansplit<'a> {
    /// The binary on this router, with a configuration as text and without facts from netifd.
    #[must_use]
    pub fn new(binary: &str, router: &'a Host, config: &str) -> Self {
        let arguments = vec!["--config".to_owned(), CONFIG.to_owned()];
        let wansplit = Self { router, binary: binary.into(), arguments, variables: Vec::new() };
        wansplit.configure(config);
        wansplit
    }

    /// The same, with facts as netifd would dump them.
    #[must_use]
    pub fn with_network(mut self, dump: &Value) -> Self {
        self.arguments.extend(["--network".to_owned(), NETWORK.to_owned()]);
        self.report_network(dump);
        self
    }

    /// The same, with this variable in the environment of every verb.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The router it runs on.
    #[must_use]
    pub fn router(&self) -> &'a Host {
        self.router
    }

    /// Changes the configuration; nothing is applied.
    pub fn configure(&self, config: &str) {
        // By rename: an `apply` that runs meanwhile reads the one or the other.
        fs::write(format!("{CONFIG}.new"), config).expect("/run is ours");
        fs::rename(format!("{CONFIG}.new"), CONFIG).expect("/run is ours");
    }

    /// Writes the configuration as an editor may that knows no better: into the file itself.
    pub fn write_in_place(&self, config: &str) {
        fs::write(CONFIG, config).expect("/run is ours");
    }

    /// Changes the facts; nothing is applied.
    pub fn report_network(&self, dump: &Value) {
        // By rename, as above.
        fs::write(format!("{NETWORK}.new"), dump.to_string()).expect("/run is ours");
        fs::rename(format!("{NETWORK}.new"), NETWORK).expect("/run is ours");
    }

    /// Changes the configuration of the firewall, as wansplit reads it; its rules are another matter.
    pub fn report_firewall(&self, config: &str) {
        // By rename, as above.
        fs::write(format!("{FIREWALL}.new"), config).expect("/run is ours");
        fs::rename(format!("{FIREWALL}.new"), FIREWALL).expect("/run is ours");
    }

    /// Runs a verb to its end.
    #[must_use]
    pub fn run(&self, verb: &[&str]) -> Output {
        let child = self.start(verb);
        child.wait_with_output().expect("wansplit's output").into()
    }

    /// Starts a verb and does not wait for it.
    #[must_use]
    pub fn start(&self, verb: &[&str]) -> Child {
        self.router.start(&mut self.prepare(verb))
    }

    /// The command of a verb, to be changed and given to [`Host::start`].
    #[must_use]
    pub fn prepare(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments).args(verb).envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `apply`, which must end well; returns what it printed.
    pub fn apply(&self) -> String {
        self.must(&["apply"])
    }

    /// Changes the configuration and applies it.
    pub fn apply_config(&self, config: &str) -> String {
        self.configure(config);
        self.apply()
    }

    /// `stop`, which must end well; returns what it printed.
    pub fn stop(&self) -> String {
        self.must(&["stop"])
    }

    /// What `status --json` says.
    #[must_use]
    pub fn status(&self) -> Value {
        self.try_status().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, where it may fail.
    ///
    /// # Errors
    ///
    /// What it said instead.
    pub fn try_status(&self) -> Result<Value, String> {
        let output = self.run(&["status", "--json"]);
        let text = || format!("wansplit status: {}\n{}{}", output.code, output.stdout, output.stderr);
        serde_json::from_str(&output.stdout).map_err(|_| text())
    }

    fn must(&self, verb: &[&str]) -> String {
        let output = self.run(verb);
        assert_eq!(output.code, 0, "wansplit {}:\n{}{}", verb.join(" "), output.stdout, output.stderr);
        output.stdout
    }
}
