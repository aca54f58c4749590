//! A machine whose clock is set: rules that hold at certain times follow it at once, and through the night in which summer
//! time begins. And the log of its kernel, which only a machine's first network namespace writes to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod booted_support;
mod daemon_support;
mod packet_support;

use booted_support::booted;
use booted_support::router::{SLOW_MACHINE, configure, service, status, wait_for_status, wait_until_well};
use daemon_support::{WEB, new_connections_by, rules, tracked};
use lab::{INTERNET, Lab, Setup, Way};
use packet_support::links;
use std::fs;
use std::time::Instant;

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3\n";

/// Instants, as the clocks in Berlin show them; at 2:00 on 29 March they go to 3:00.
const SATURDAY_NOON: u64 = 1_774_695_600;
const SATURDAY_22_30: u64 = 1_774_733_400;
const SUNDAY_5_59_50: u64 = 1_774_756_790;
const MONDAY_NIGHT: u64 = 1_774_825_200;

#[test]
#[ignore = "boots a machine in qemu; scripts/test --all runs it"]
fn the_clock_is_set_and_the_log_is_written() {
    let setup = Setup { main_default: vec![1, 2], ..Setup::default() };
    booted("the_clock_is_set_and_the_log_is_written", &setup, &[times_and_log]);
}

fn times_and_log(lab: &Lab) {
    lab.router.command("opkg", &["install", "/root/wansplit.ipk"]);
    let nights = "config rule 'nights'
        list dest_port '443'
        option start_time '22:00'
        option stop_time '06:00'
        option log '1'
        option use 'mail'\n";
    configure(&(links(&tracked(SLOW_MACHINE)) + nights + &rules()));
    fs::write("/etc/TZ", BERLIN).unwrap();
    // As a router without a battery starts.
    set(lab, 1_000_000);
    service(lab, "restart");
    wait_until_well(lab);

    println!("NTP sets the clock");
    set(lab, SATURDAY_NOON);
    goes_by(lab, 1, "Sat 22:00");
    set(lab, SATURDAY_22_30);
    goes_by(lab, 2, "Sun 06:00");
    println!("set back");
    set(lab, SATURDAY_NOON);
    goes_by(lab, 1, "Sat 22:00");
    println!("the end of the night in which summer time begins");
    set(lab, SUNDAY_5_59_50);
    goes_by(lab, 2, "Sun 06:00");
    goes_by(lab, 1, "Sun 22:00");

    println!("another time zone");
    set(lab, MONDAY_NIGHT);
    goes_by(lab, 2, "Mon 06:00");
    fs::write("/etc/TZ", "<+12>-12\n").unwrap();
    service(lab, "reload");
    goes_by(lab, 1, "Mon 22:00");

    println!("the log");
    fs::write("/etc/TZ", BERLIN).unwrap();
    service(lab, "reload");
    goes_by(lab, 2, "Mon 06:00");
    lab.router.command("dmesg", &["-c"]);
    for to in INTERNET {
        for _ in 0..3 {
            assert_eq!(lab.tcp(&lab.lan, to, WEB), Way::Link(2));
        }
        assert_eq!(lab.tcp(&lab.lan, to, 2525), Way::Link(2));
    }
    let log = lab.router.command("dmesg", &[]);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("wansplit ")).collect();
    println!("{}", lines.join("\n"));
    assert_eq!(lines.len(), 6, "{log}");
    for (line, to) in lines.iter().zip(INTERNET.into_iter().flat_map(|to| [to; 3])) {
        assert!(line.contains("wansplit nights: IN=") && line.contains("DPT=443") && line.contains("SYN"), "{line}");
        // IPv6 addresses are written out there.
        assert!(!to.is_ipv4() || line.contains(&format!("DST={to} ")), "{line}");
    }
}

/// Sets the clock, as NTP does when it is far off.
fn set(lab: &Lab, instant: u64) {
    lab.router.command("date", &["-u", "-s", &format!("@{instant}")]);
}

/// Waits until the rule changes next at this time, as the clocks show it, and new connections go by a link.
fn goes_by(lab: &Lab, link: u8, changes: &str) {
    let since = Instant::now();
    wait_for_status(lab, changes, |status| status["rules"][0]["changes"] == changes && status["in_sync"] == true);
    new_connections_by(lab, WEB, link);
    println!("by link {link} after {:?}: {}", since.elapsed(), status(lab)["rules"][0]);
}
