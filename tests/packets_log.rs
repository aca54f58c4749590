//! Rules that log: the first packet of each connection comes by the rule that writes it to the kernel's log.
//!
//! Where that goes cannot be seen here: only the first network namespace of a machine writes to its log, unless it allows
//! others to. What nftables does with each packet can: it is traced.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, Lab, Way, assert_same, snapshot};
use packet_support::{applied, links, rule};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What the router's nftables does with packets from the LAN: a line for each rule that a packet meets.
struct Trace {
    program: Child,
    lines: Receiver<String>,
}

impl Trace {
    fn start(lab: &Lab) -> Self {
        // Before our table, which is at -149.
        lab.router.nft(
            "table inet traced {
               chain begin { type filter hook prerouting priority -300; meta l4proto { tcp, udp } th dport { 443, 25, 80 } meta nftrace set 1; }
             }",
        );
        let mut command = Command::new("nft");
        command.args(["monitor", "trace"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut program = lab.router.start(&mut command);
        let (sender, lines) = channel();
        let output = BufReader::new(program.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        // It takes a moment until it listens.
        let heard = (0..100).any(|_| {
            let _ = lab.udp(&lab.lan, INTERNET[0], 80);
            lines.recv_timeout(Duration::from_millis(100)).is_ok()
        });
        assert!(heard, "nothing was traced");
        Self { program, lines }
    }

    /// The packets that were logged as this, after all that were sent have come by: until nothing more comes.
    fn logged(&self, prefix: &str) -> usize {
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) {
            lines.push(line);
        }
        assert!(!lines.is_empty(), "nothing was traced");
        lines.iter().filter(|line| line.contains(&format!("log prefix \"{prefix}\""))).count()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn each_connection_is_logged_once_by_the_rule_that_takes_it() {
    lab::isolated(|| {
        let lab = Lab::new();
        let before = snapshot(&lab.router);
        let logging = |name: &str, port: &str, target: &str| rule(name, port, target) + "  option log '1'\n";
        let odd =
            "config rule\n  option name 'pöst \"$x\"'\n  list dest_port '25'\n  option use 'mail'\n  option log 'on'\n";
        let both = logging("https", "443", "web") + "  option counter '1'\n";
        let wansplit = applied(&lab, &(links("") + &both + odd + &rule("plain", "80", "web")));
        let trace = Trace::start(&lab);
        for to in INTERNET {
            for _ in 0..3 {
                assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
            }
            assert_eq!(lab.tcp(&lab.lan, to, 80), Way::Link(1));
        }
        assert_eq!(trace.logged("wansplit https: "), 6);
        for to in INTERNET {
            assert_eq!(lab.udp(&lab.lan, to, 25), Way::Link(2));
            assert_eq!(lab.tcp(&lab.lan, to, 80), Way::Link(1));
        }
        assert_eq!(trace.logged("wansplit p_st __x_: "), 2);
        assert_eq!(wansplit.status()["rules"][0]["packets"], 6);
        let table = lab.router.command("nft", &["list", "table", "inet", "wansplit"]);
        assert_eq!(table.matches("log prefix \"wansplit ").count(), 2, "{table}");
        assert_eq!(table.matches("level info").count(), 2, "{table}");
        drop(trace);
        assert!(wansplit.apply().contains("nothing changed"));
        wansplit.stop();
        lab.router.nft("delete table inet traced");
        assert_same(&snapshot(&lab.router), &before, "after stop");
    });
}

#[test]
fn what_is_shown_for_a_router_loads_as_text_and_as_json() {
    lab::isolated(|| {
        let lab = Lab::new();
        let long = format!(
            "config rule\n  option name '{}'\n  option use 'web'\n  option log '1'\n",
            "x\"$%\\ ".repeat(40) + "x"
        );
        let wansplit = packet_support::configured(&lab, &(links("") + &long));
        for (verb, options) in [(&["show", "nft", "--text"][..], &[][..]), (&["show", "nft"], &["-j"])] {
            let shown = wansplit.run(verb);
            assert_eq!(shown.code, 0, "{shown:?}");
            std::fs::write("/run/shown", &shown.stdout).unwrap();
            let arguments: Vec<&str> = options.iter().copied().chain(["-f", "/run/shown"]).collect();
            lab.router.command("nft", &arguments);
            let table = lab.router.command("nft", &["list", "table", "inet", "wansplit"]);
            assert!(table.contains("log prefix \"wansplit x__%_ x__%_ "), "{table}");
            lab.router.nft("delete table inet wansplit");
        }
    });
}

#[test]
fn what_is_not_logged_is_said() {
    lab::isolated(|| {
        let lab = Lab::new();
        let own = rule("own", "82", "web") + "  option from 'router'\n  option log '1'\n";
        let wansplit = applied(&lab, &(links("") + &own));
        let check = wansplit.run(&["check", "--json"]);
        let findings: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
        let said: Vec<_> = findings.as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
        assert_eq!(said, ["the router's own connections are not logged, so this rule logs nothing"]);
    });
}
