//! Metered links: what they carry is counted, and one that is used up is second choice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{BOTH, BOUND, OnEmb, PATIENCE, STREAM, WEB, lab, new_connections_by, rules, wait_until_well};
use lab::{INTERNET, Lab, Wan, Wansplit, Way, side};
use packet_support::{configured, links, rule};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SAFE: u16 = 7777;
const FILE: &str = "/var/run/wansplit/usage";
/// The counters are read every 10 seconds.
const READ: Duration = Duration::from_secs(30);
/// 4 October 2024, a day that is over.
const PAST: u64 = 20_000;

/// EMB may carry so much in this period; OI is not metered, and nobody watches either.
fn metered<'a>(lab: &'a Lab, max: &str, per: &str) -> Wansplit<'a> {
    let text =
        links("").replace("option mark '1'", &format!("option mark '1'\n option max '{max}'\n option max_per '{per}'"));
    // Never by main; its connections, too, stay where they are.
    let safe = "config policy 'safe'\n list use 'EMB'\n list use 'OI'\n option fallback 'unreachable'\n";
    configured(lab, &(text + &rules() + safe + &rule("to_safe", &SAFE.to_string(), "safe")))
}

/// What is remembered of EMB.
fn remembered() -> Value {
    let text = fs::read_to_string(FILE).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1, "{text}");
    assert_eq!(all[0]["link"], "EMB");
    all[0].clone()
}

/// The bytes of EMB's device at that time, both directions.
fn device_bytes(remembered: &Value) -> u64 {
    let device = &remembered["devices"][0];
    assert_eq!(device["name"], "eth1");
    device["rx"].as_u64().unwrap() + device["tx"].as_u64().unwrap()
}

/// The bytes of the router's device of EMB now, as `ip` tells them.
fn bytes_now(lab: &Lab) -> u64 {
    let text = lab.router.command("ip", &["-j", "-s", "link", "show", "dev", Wan(1).device()]);
    let devices: Value = serde_json::from_str(&text).unwrap();
    let bytes = |direction: &str| devices[0]["stats64"][direction]["bytes"].as_u64().unwrap();
    bytes("rx") + bytes("tx")
}

fn quota(status: &Value) -> &Value {
    &status["links"].as_array().unwrap().iter().find(|link| link["name"] == "EMB").unwrap()["quota"]
}

#[test]
fn a_link_that_is_used_up_is_second_choice_and_keeps_its_connections() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = metered(&lab, "300k", "month");
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        daemon.wait_for_status("its first reading", PATIENCE, |status| quota(status)["used_bytes"].is_u64());
        let first = remembered();
        new_connections_by(&lab, WEB, 1);
        let flows = OnEmb::start(&lab);
        let safe = INTERNET.map(|to| lab::Flow::tcp(&lab.lan, to, SAFE, 1024, Duration::from_millis(20)));
        let since = Instant::now();

        daemon.wait_for_state("EMB", BOTH, "used up", READ);
        let status = daemon.status();
        println!("used up after {:?}: {}", since.elapsed(), side(&status, "EMB", "ipv4")["why"]);
        assert!(side(&status, "EMB", "ipv4")["why"].as_str().unwrap().ends_with(" of 300 kB this month"));
        assert_eq!((quota(&status)["max_bytes"].as_u64(), &quota(&status)["per"]), (Some(300_000), &"month".into()));
        let line = daemon.wait_for_line(since, &["link EMB degraded: used up: ", "web, safe moved to OI"], PATIENCE);
        println!("{}", line.expect("a line that says so").text);
        new_connections_by(&lab, WEB, 2);
        new_connections_by(&lab, SAFE, 2);
        // Where nothing else is left it goes on.
        new_connections_by(&lab, BOUND, 1);
        lab.provider(2).carrier(false);
        new_connections_by(&lab, WEB, 1);
        lab.provider(2).carrier(true);
        new_connections_by(&lab, WEB, 2);
        for flow in flows.voice.into_iter().chain(flows.web).chain(safe) {
            assert!(flow.goes_on(20));
            flow.stop().assert_whole(Way::Link(1));
        }
        println!("{}", wansplit.run(&["status"]).stdout);

        // What it has counted is what the device has, to the byte.
        assert!(daemon.terminate().success());
        let last = remembered();
        assert_eq!(last["used"].as_u64().unwrap(), device_bytes(&last) - device_bytes(&first));
        assert!(device_bytes(&last) <= bytes_now(&lab));
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn what_was_carried_is_remembered_without_a_word() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = metered(&lab, "50k", "day");
        let mut daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let flow = lab::Flow::tcp(&lab.lan, INTERNET[0], WEB, 8192, Duration::from_millis(20));
        daemon.wait_for_state("EMB", BOTH, "used up", READ);

        // Killed, it had no time to write: the next one counts what it missed.
        let since = Instant::now();
        daemon.kill9();
        assert!(flow.goes_on(50));
        let least = bytes_now(&lab);
        daemon.start_again();
        daemon.wait_until_ready();
        daemon.wait_for_state("EMB", BOTH, "used up", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        daemon.wait_for_status("all of it", READ, |status| {
            quota(status)["used_bytes"].as_u64().is_some_and(|n| n > 400_000)
        });
        assert!(least > 400_000);
        let told = daemon.log().iter().filter(|line| line.at >= since && line.text.contains("EMB degraded")).count();
        assert_eq!(told, 0, "{}", daemon.log_text());
        flow.stop().assert_whole(Way::Link(1));

        // The period ends.
        assert!(daemon.terminate().success());
        let mut old = serde_json::json!([remembered()]);
        old[0]["since"] = PAST.into();
        fs::write(FILE, old.to_string()).unwrap();
        let since = Instant::now();
        daemon.start_again();
        daemon.wait_until_ready();
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        new_connections_by(&lab, WEB, 1);
        assert!(daemon.wait_for_line(since, &["link EMB up: ", "web, safe moved to EMB"], PATIENCE).is_some());
        assert!(quota(&daemon.status())["used_bytes"].as_u64().unwrap() < 50_000);
        assert_eq!(lab.spoofed(), 0);
    });
}

/// A time zone in whose clocks it is midnight in so many seconds.
fn zone_with_midnight_in(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let west = (i64::try_from(now).unwrap() + seconds).rem_euclid(24 * 3600);
    let west = if west > 12 * 3600 { west - 24 * 3600 } else { west };
    let (sign, size) = (if west < 0 { "-" } else { "" }, west.abs());
    format!("<HERE>{sign}{}:{:02}:{:02}", size / 3600, size / 60 % 60, size % 60)
}

#[test]
fn at_midnight_a_new_day_begins() {
    lab::isolated(|| {
        let lab = lab();
        let midnight = Instant::now() + Duration::from_secs(30);
        let wansplit = metered(&lab, "50k", "day").with_variable("TZ", &zone_with_midnight_in(30));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        daemon.wait_for_status("its first reading", PATIENCE, |status| quota(status)["used_bytes"].is_u64());
        let flow = lab::Flow::tcp(&lab.lan, INTERNET[0], WEB, 8192, Duration::from_millis(20));
        daemon.wait_for_state("EMB", BOTH, "used up", READ);
        flow.stop().assert_whole(Way::Link(1));
        new_connections_by(&lab, WEB, 2);
        assert!(Instant::now() < midnight, "the machine is too slow for this test");
        daemon.wait_for_state("EMB", BOTH, "up", READ);
        let late = Instant::now().checked_duration_since(midnight).expect("after midnight");
        println!("{late:?} after midnight\n{}", daemon.log_text());
        assert!(late < Duration::from_secs(12));
        new_connections_by(&lab, WEB, 1);
        assert!(daemon.log_text().contains("link EMB up: it may carry more again; web, safe moved to EMB"));
        assert!(quota(&daemon.status())["used_bytes"].as_u64().unwrap() < 50_000);
    });
}

#[test]
fn a_file_that_is_no_use_is_a_new_beginning() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = metered(&lab, "10G", "week");
        let mut daemon = wansplit.daemon(&[]);
        assert!(
            daemon.log_text().contains("counted from 0: there is no /var/run/wansplit/usage"),
            "{}",
            daemon.log_text()
        );
        daemon.wait_for_status("its first reading", PATIENCE, |status| quota(status)["used_bytes"].is_u64());
        for broken in ["", "{", "[1]", "{\"link\": \"EMB\"}", "[{\"link\": \"EMB\", \"used\": -1}]", "\0\0\0"] {
            assert!(daemon.terminate().success());
            fs::write(FILE, broken).unwrap();
            let since = Instant::now();
            daemon.start_again();
            daemon.wait_until_ready();
            let line = daemon.wait_for_line(since, &["counted from 0", FILE], PATIENCE);
            println!("{}", line.expect("a line that says so").text);
            daemon.wait_for_status("its first reading", PATIENCE, |status| quota(status)["used_bytes"].is_u64());
            assert_eq!(remembered()["per"], "week", "it is put right");
        }
        // Where it cannot be written, that is said once, and all else goes on.
        assert!(daemon.terminate().success());
        fs::remove_file(FILE).unwrap();
        fs::create_dir_all(format!("{FILE}/in the way")).unwrap();
        let since = Instant::now();
        daemon.start_again();
        daemon.wait_until_ready();
        assert!(daemon.wait_for_line(since, &["cannot be written"], PATIENCE).is_some(), "{}", daemon.log_text());
        new_connections_by(&lab, STREAM, 2);
        new_connections_by(&lab, WEB, 1);
    });
}

#[test]
fn a_modem_that_is_plugged_in_again_counts_on() {
    lab::isolated(|| {
        let lab = lab();
        // Who is at its other end does not matter.
        let plug = || {
            lab.router.ip("link add lte0 type veth peer name lte1
                 link set lte1 up
                 addr add 10.9.9.2/24 dev lte0
                 link set lte0 up
                 neigh add 10.9.9.9 lladdr 02:00:00:00:00:09 dev lte0 nud permanent");
        };
        let send = |bytes: usize| {
            lab.router.run(|| {
                let socket = std::net::UdpSocket::bind("10.9.9.2:0").unwrap();
                (0..bytes / 1000).for_each(|_| assert_eq!(socket.send_to(&[0; 1000], "10.9.9.9:9").unwrap(), 1000));
            });
        };
        plug();
        let link = "config link 'LTE'\n option device 'lte0'\n option gateway '10.9.9.9'\n option max '200k'\n";
        let wansplit = configured(&lab, &(links("") + link + &rules()));
        let daemon = wansplit.daemon(&[]);
        let used = |status: &Value| {
            let link = status["links"].as_array().unwrap().iter().find(|link| link["name"] == "LTE").unwrap();
            link["quota"]["used_bytes"].as_u64()
        };
        daemon.wait_for_status("its first reading", PATIENCE, |status| used(status).is_some());
        send(150_000);
        daemon.wait_for_status("what it was sent", READ, |status| used(status) > Some(150_000));
        daemon.wait_for_state("LTE", &["ipv4"], "up", PATIENCE);
        let before = used(&daemon.status()).unwrap();
        lab.router.ip("link del lte0");
        daemon.wait_for_state("LTE", &["ipv4"], "down", PATIENCE);
        plug();
        send(60_000);
        daemon.wait_for_state("LTE", &["ipv4"], "used up", READ);
        let after = used(&daemon.status()).unwrap();
        println!("{before} bytes, and then {}", after - before);
        assert!((60_000..80_000).contains(&(after - before)));
    });
}

#[test]
fn counting_wakes_the_daemon_up_every_ten_seconds_and_no_more() {
    lab::isolated(|| {
        let lab = lab();
        let wakeups = |wansplit: Wansplit| {
            let daemon = wansplit.daemon(&[]);
            wait_until_well(&daemon, PATIENCE);
            // What follows from its start is over.
            std::thread::sleep(Duration::from_secs(3));
            let before = daemon.usage().wakeups;
            std::thread::sleep(Duration::from_secs(21));
            daemon.usage().wakeups - before
        };
        let plain = wakeups(configured(&lab, &(links("") + &rules())));
        let counting = wakeups(metered(&lab, "10G", "day"));
        println!("{plain} times in 21 s without a meter, {counting} with one");
        // Three readings at most; and events of the kernel's own may fall into one time and not the other.
        assert!(counting <= plain + 3 + 1, "{counting} and {plain}");
    });
}
