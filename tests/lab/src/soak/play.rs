//! Makes an event happen.

use super::configuration::LINKS;
use super::event::{Event, Means, Vandal};
use super::foreign;
use super::world::{Condition, World};
use crate::address::Wan;
use crate::daemon::Daemon;
use crate::program::Wansplit;
use crate::topology::Lab;
use std::fmt::Write;
use std::process::Child;
use std::thread;
use std::time::Duration;

/// A rule that is wrong in every option.
const NONSENSE: &str =
    "config rule 'nonsense'\n  list dest_port 'http-ish'\n  option use 'nobody'\n  option colour 'blue'\n";

/// Where an event happens.
pub(super) struct Stage<'s, 'a> {
    pub(super) lab: &'a Lab,
    pub(super) wansplit: &'a Wansplit<'a>,
    pub(super) daemon: &'s mut Daemon<'a>,
    pub(super) world: &'s mut World,
}

impl Stage<'_, '_> {
    /// Makes it happen; returns when it is over, whether or not anybody has noticed.
    pub(super) fn play(&mut self, event: &Event) {
        match event {
            Event::Peace => thread::sleep(Duration::from_millis(300)),
            Event::Worse(link, condition) => self.become_(&[(*link, *condition)]),
            Event::WorseBoth([a, b], [of_a, of_b]) => self.become_(&[(*a, *of_a), (*b, *of_b)]),
            Event::Mended(link) => self.become_(&[(*link, Condition::Well)]),
            Event::AllMended => self.become_(&(1..=LINKS).map(|link| (link, Condition::Well)).collect::<Vec<_>>()),
            Event::Flapping(link, times, every) => {
                let every = Duration::from_millis(*every);
                self.lab.provider(*link).flap(every, 2 * every * u32::from(*times));
                self.lab.restore_defaults();
            }
            Event::Renewal(link) => {
                self.lab.renew(*link, || self.report(&[(*link, "ifupdate")]));
                self.lab.restore_defaults();
            }
            Event::Configured(_, means) => self.configured(*means),
            Event::Nonsense => {
                let text = self.world.configuration.text();
                self.wansplit.configure(&(text.clone() + NONSENSE));
                let output = self.wansplit.run(&["apply"]);
                assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
                assert!(output.stderr.contains("nonsense") || output.stderr.contains("http-ish"), "{}", output.stderr);
                self.daemon.hangup();
                self.wansplit.apply_config(&text);
            }
            Event::HalfWritten(percent) => {
                let text = self.world.configuration.text();
                let length = text.len() * usize::try_from(*percent).unwrap_or(0) / 100;
                self.wansplit.write_in_place(&text[..length]);
                self.daemon.hangup();
                let output = self.wansplit.run(&["apply"]);
                assert!([0, 1, 4].contains(&output.code), "{}: {}{}", output.code, output.stdout, output.stderr);
                self.wansplit.write_in_place(&text);
                self.daemon.hangup();
            }
            Event::Applies(times) => self.apply_at_once(*times),
            Event::ApplyKilled(_, microseconds) => {
                self.wansplit.configure(&self.world.configuration.text());
                let mut apply = self.wansplit.start(&["apply"]);
                thread::sleep(Duration::from_micros(*microseconds));
                let _ = apply.kill();
                let _ = apply.wait();
                self.daemon.hangup();
            }
            Event::Stopped => self.stopped(),
            Event::Terminated => {
                let status = self.daemon.terminate();
                assert!(status.success(), "asked to end, the daemon ended with {status}");
                self.daemon.start_again();
            }
            Event::Killed(milliseconds) => {
                self.daemon.hangup();
                thread::sleep(Duration::from_millis(*milliseconds));
                self.daemon.kill9();
                self.daemon.start_again();
            }
            Event::Hangups(times) => {
                for _ in 0..*times {
                    self.daemon.hangup();
                    thread::sleep(Duration::from_millis(3));
                }
            }
            Event::Hotplugs(times) => {
                let known: Vec<u8> = (1..=LINKS).filter(|link| !self.world.down().contains(link)).collect();
                let reports: Vec<_> =
                    known.iter().cycle().take(usize::from(*times)).map(|link| (*link, "ifup")).collect();
                self.report(if known.is_empty() { &[] } else { &reports });
            }
            Event::Vandal(vandal) => self.vandal(*vandal),
            Event::Neighbours => foreign::come_and_go(&self.lab.router),
            Event::Overrun(routes) => self.overrun(*routes),
        }
    }

    fn become_(&mut self, links: &[(u8, Condition)]) {
        let mut reports = Vec::new();
        for (link, wanted) in links {
            let now = self.world.links[link];
            if *wanted == Condition::Well {
                now.end(self.lab, *link);
                reports.extend(now.actions().map(|[_, end]| (*link, end)));
            } else {
                wanted.begin(self.lab, *link);
                reports.extend(wanted.actions().map(|[begin, _]| (*link, begin)));
            }
            self.world.links.insert(*link, *wanted);
        }
        self.report(&reports);
    }

    /// What netifd says, and whom it starts.
    fn report(&self, reports: &[(u8, &str)]) {
        if reports.is_empty() {
            return;
        }
        self.wansplit.report_network(&self.lab.network_dump(&self.world.down()));
        for (link, action) in reports {
            for interface in Wan(*link).interfaces() {
                let mut command = self.wansplit.prepare(&["hotplug"]);
                command.env("ACTION", action).env("INTERFACE", interface);
                let _ = self.lab.router.start(&mut command).wait();
            }
        }
    }

    fn configured(&mut self, means: Means) {
        self.wansplit.configure(&self.world.configuration.text());
        match means {
            Means::Apply => drop(self.wansplit.apply()),
            Means::Hangup => self.daemon.hangup(),
            Means::Both => {
                self.daemon.hangup();
                self.apply_at_once(1);
            }
            Means::StopApply => self.stopped(),
        }
    }

    fn apply_at_once(&self, times: u8) {
        let children: Vec<Child> = (0..times).map(|_| self.wansplit.start(&["apply"])).collect();
        for child in children {
            let output = child.wait_with_output().expect("apply's output");
            assert!(output.status.success(), "{output:?}");
        }
    }

    fn stopped(&self) {
        self.wansplit.stop();
        let left = foreign::ours(&self.lab.router);
        assert!(left.is_empty(), "after stop there is still: {left:#?}");
        self.wansplit.apply();
    }

    fn vandal(&self, vandal: Vandal) {
        let router = &self.lab.router;
        // What is not there cannot be deleted.
        let rude = |program: &str, words: &str| drop(router.output(program, &words.split(' ').collect::<Vec<_>>()));
        match vandal {
            Vandal::RulesetFlushed => {
                router.nft("flush ruleset");
                self.lab.reload_firewall();
                // What began without the firewall's NAT would go on without it, even for a new connection from its port.
                router.forget_connections();
            }
            Vandal::TableDeleted => rude("nft", "delete table inet wansplit"),
            Vandal::TableFlushed => rude("nft", "flush table inet wansplit"),
            Vandal::RulesDeleted => {
                for family in ["-4", "-6"] {
                    for pref in 800..820 {
                        rude("ip", &format!("{family} rule del pref {pref}"));
                    }
                }
            }
            Vandal::RulesFlushed => {
                router.ip("rule flush\nrule add pref 32766 lookup main\nrule add pref 32767 lookup default");
                router.ip6("rule flush\nrule add pref 32766 lookup main");
            }
            Vandal::RoutesFlushed => {
                for family in ["-4", "-6"] {
                    rude("ip", &format!("{family} route flush table all proto 119"));
                }
            }
            Vandal::RouteDeleted => {
                let route = router.command("ip", &["-4", "route", "show", "table", "all", "proto", "119"]);
                if let Some(line) = route.lines().last().filter(|line| line.contains(" dev ")) {
                    rude("ip", &format!("-4 route del {}", line.replace(" linkdown", "").replace(" dead", "").trim()));
                }
            }
            Vandal::ConnectionsFlushed => router.forget_connections(),
        }
        foreign::put_back(router);
    }

    /// So much at once that a listener's buffer may be too small.
    fn overrun(&self, routes: u32) {
        let mut lines = String::new();
        for sign in ["add", "del"] {
            for n in 0..routes {
                let _ = writeln!(lines, "route {sign} 10.{}.{}.0/24 via 192.168.1.10 table 78", 100 + n / 256, n % 256);
            }
        }
        self.lab.router.ip(&lines);
    }
}
