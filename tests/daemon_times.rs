//! Rules that hold at certain times: the daemon is awake when one begins or ends, and nothing that runs notices.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{PATIENCE, lab, new_connections_by, udp};
use lab::{Daemon, INTERNET, Lab, Wansplit, Way};
use packet_support::{configured, links, rule};
use serde_json::Value;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wansplit::clock::TimeOfDay;

/// Five hours and three quarters east of UTC: no other zone's clocks show the same minute.
const ZONE: &str = "<+0545>-5:45";
const EAST: u64 = 5 * 3600 + 45 * 60;
const DAY: u64 = 24 * 3600;
const PORT: u16 = 443;

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// An instant as the clocks of the zone show it.
fn clock(instant: u64) -> String {
    TimeOfDay(i64::try_from((instant + EAST) % DAY).unwrap()).to_string()
}

/// Waits until this second has come, and some milliseconds more.
fn wait_until(instant: u64, more: u64) {
    sleep((Duration::from_secs(instant) + Duration::from_millis(more)).saturating_sub(since_1970()));
}

/// `options` for a rule that holds from one instant to another.
fn holds(from: u64, until: u64) -> String {
    format!("  option start_time '{}'\n  option stop_time '{}'\n", clock(from), clock(until))
}

/// Port 443 goes by EMB, at times by OI.
fn config(from: u64, until: u64, options: &str) -> String {
    let late = rule("late", "443", "mail") + "  option counter '1'\n" + options + &holds(from, until);
    links("") + &late + &rule("to_web", "443", "web")
}

fn timed<'a>(lab: &'a Lab, from: u64, until: u64, options: &str) -> Wansplit<'a> {
    configured(lab, &config(from, until, options)).with_variable("TZ", ZONE)
}

/// The rule shall hold from so many seconds from now on, for so many seconds. Returns when that begins and ends.
fn soon(daemon: &Daemon<'_>, wansplit: &Wansplit<'_>, options: &str, seconds: u64, long: u64) -> (u64, u64) {
    let begins = since_1970().as_secs() + seconds;
    wansplit.configure(&config(begins, begins + long, options));
    daemon.hangup();
    daemon.wait_for_status("the new times", PATIENCE, |status| status["rules"][0]["changes_at"] == begins);
    (begins, begins + long)
}

fn late(daemon: &Daemon<'_>) -> Value {
    daemon.status()["rules"][0].clone()
}

/// The flags and the time of the process's timers, by `/proc/PID/fdinfo`.
fn timers(daemon: &Daemon<'_>) -> Vec<String> {
    let descriptors = fs::read_dir(format!("/proc/{}/fdinfo", daemon.id())).unwrap();
    let told = descriptors.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    told.filter(|told| told.contains("clockid:")).collect()
}

fn ways(lab: &Lab) -> [Way; 2] {
    INTERNET.map(|to| lab.tcp(&lab.lan, to, PORT))
}

#[test]
fn a_rule_begins_and_ends_on_the_second_and_running_connections_stay() {
    lab::isolated(|| {
        let lab = lab();
        let far = since_1970().as_secs() + 3600;
        let wansplit = timed(&lab, far, far + 3600, "");
        let daemon = wansplit.daemon(&[]);
        let (begins, ends) = soon(&daemon, &wansplit, "", 5, 6);
        let since = Instant::now();
        let before = INTERNET.map(|to| udp(&lab, to, PORT));
        assert_eq!(ways(&lab), [Way::Link(1); 2]);
        let said = late(&daemon);
        assert_eq!((&said["active"], &said["changes_at"]), (&false.into(), &begins.into()), "{said:#}");
        assert_eq!(said["times"], format!("{} to {}", clock(begins), clock(ends)));
        assert_eq!(said["now"]["ipv4"], Value::Null);
        let text = wansplit.run(&["status"]).stdout;
        assert!(text.contains(": not now, from "), "{text}");

        wait_until(begins - 1, 900);
        assert_eq!(ways(&lab), [Way::Link(1); 2], "not too early");
        wait_until(begins, 0);
        new_connections_by(&lab, PORT, 2);
        let passed = since_1970() - Duration::from_secs(begins);
        println!("begun after {passed:?}");
        assert!(passed < Duration::from_secs(2), "{passed:?}");
        let during = INTERNET.map(|to| udp(&lab, to, PORT));
        let said = late(&daemon);
        assert_eq!((&said["active"], &said["changes_at"]), (&true.into(), &ends.into()), "{said:#}");
        let counted = said["packets"].as_u64().unwrap();
        assert!(counted >= 4, "{said:#}");

        wait_until(ends, 0);
        new_connections_by(&lab, PORT, 1);
        let passed = since_1970() - Duration::from_secs(ends);
        println!("ended after {passed:?}");
        assert!(passed < Duration::from_secs(2), "{passed:?}");
        let said = late(&daemon);
        assert_eq!((&said["active"], &said["changes_at"]), (&false.into(), &(begins + DAY).into()), "{said:#}");
        assert!(said["packets"].as_u64().unwrap() >= counted, "the count goes on: {said:#}");
        assert_eq!(daemon.status()["in_sync"], true);
        for words in [["rule late holds now, until", &clock(ends)], ["rule late holds no more, until", &clock(begins)]]
        {
            assert!(daemon.wait_for_line(since, &words, PATIENCE).is_some(), "{words:?}: {}", daemon.log_text());
        }
        for (flows, link) in [(before, 1), (during, 2)] {
            for flow in flows {
                assert!(flow.goes_on(10), "{:?}", flow.so_far());
                flow.stop().assert_whole(Way::Link(link));
            }
        }
    });
}

#[test]
fn the_routers_own_traffic_keeps_to_the_times_too() {
    lab::isolated(|| {
        let lab = lab();
        let (far, any) = (since_1970().as_secs() + 3600, "  option from 'any'\n");
        let wansplit = timed(&lab, far, far + 3600, any);
        let daemon = wansplit.daemon(&[]);
        let (begins, _) = soon(&daemon, &wansplit, any, 4, 3600);
        let ways = || INTERNET.map(|to| lab.udp(&lab.router, to, PORT));
        assert_eq!(ways(), [Way::Link(1); 2]);
        wait_until(begins, 0);
        let took = daemon.wait_for_status("the rule holds", PATIENCE, |status| status["rules"][0]["active"] == true);
        assert_eq!(ways(), [Way::Link(2); 2], "after {took:?}");
    });
}

#[test]
fn the_timer_rings_when_the_clock_is_set_and_there_is_none_without_need() {
    lab::isolated(|| {
        let lab = lab();
        let begins = since_1970().as_secs() + 1000;
        let wansplit = timed(&lab, begins, begins + 1000, "");
        let daemon = wansplit.daemon(&[]);
        let timers_now = timers(&daemon);
        let [timer] = timers_now.as_slice() else { panic!("{timers_now:?}") };
        // CLOCK_REALTIME; TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET.
        assert!(timer.contains("clockid: 0\n") && timer.contains("settime flags: 03\n"), "{timer}");
        let left =
            timer.lines().find_map(|line| line.strip_prefix("it_value: (")?.split(',').next()?.parse::<u64>().ok());
        assert!(left.is_some_and(|left| (900..=1000).contains(&left)), "{timer}");
        // What the timer is for: after that, nothing wakes the daemon but its own links.
        let before = daemon.usage();
        sleep(Duration::from_secs(5));
        let wakeups = daemon.usage().wakeups - before.wakeups;
        assert!(wakeups <= 5, "{wakeups} wake-ups in 5 s");

        wansplit.configure(&(links("") + &rule("to_web", "443", "web")));
        daemon.hangup();
        daemon.wait_for_status("one rule", PATIENCE, |status| status["rules"].as_array().is_some_and(|r| r.len() == 1));
        assert_eq!(timers(&daemon), Vec::<String>::new());
    });
}

#[test]
fn apply_without_a_daemon_uses_the_time_of_the_call() {
    lab::isolated(|| {
        let lab = lab();
        let now = since_1970().as_secs();
        let wansplit = timed(&lab, now + 3600, now + 7200, "");
        wansplit.apply();
        assert_eq!(wansplit.status()["rules"][0]["packets"], 0, "it counts, when its time comes");
        assert_eq!(ways(&lab), [Way::Link(1); 2]);
        let question = ["explain", "tcp", "192.168.1.10:40000", "192.0.2.10:443"];
        let text = wansplit.run(&question).stdout;
        let (from, until) = (clock(now + 3600), clock(now + 7200));
        assert!(text.contains(&format!("rule 'late': not now: it holds {from} to {until}; it is ")), "{text}");
        let then = clock(now + 5400);
        let text = wansplit.run(&[&question[..], &["--at", &then]].concat()).stdout;
        assert!(text.contains("rule     'late'") && text.contains("link     OI: the first"), "{text}");
        assert!(text.contains("kernel   not asked: that is about ") && text.contains(&then), "{text}");
        let output = wansplit.run(&[&question[..], &["--at", "friday night"]].concat());
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("'friday night' is no time: write 23:00, or \"fri 23:00\""), "{output:?}");
        let check = wansplit.run(&["check"]);
        assert!(!format!("{}{}", check.stdout, check.stderr).contains("no packet reaches"), "{check:?}");
        // The same text an hour later, so to say: in a zone an hour further east.
        let later = configured(&lab, &fs::read_to_string("/run/lab-wansplit.config").unwrap());
        let later = later.with_variable("TZ", "<+0650>-6:50");
        let said = later.apply();
        assert!(!said.contains("count_late"), "the counter stays: {said}");
        assert_eq!(ways(&lab), [Way::Link(2); 2]);
        assert_eq!(later.status()["rules"][0]["packets"], 2);
        assert_eq!(wansplit.status()["in_sync"], false, "by its zone it is not the time");
        wansplit.apply();
        assert_eq!(ways(&lab), [Way::Link(1); 2]);
    });
}
