//! What goes wrong around the daemon, and must not stay wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{
    BOTH, MAIL, PATIENCE, WEB, by_device, hotplug, lab, new_connections_by, tracked, wait_until_well, with_devices,
    with_interfaces,
};
use lab::{Daemon, Direction, INTERNET, Way, side};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use packet_support::rule;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

#[test]
fn a_configuration_that_the_kernel_refuses_does_not_keep_the_next_one_out() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let good = by_device(&tracked(FAST)) + &rule("more", "7000", "mail");
        // A gateway that is the network's broadcast address; and a rule more, so that nft is wanted as well.
        let refused = good.replace("198.51.100.1'", "198.51.100.255'");
        assert_ne!(refused, good);
        let since = Instant::now();
        wansplit.configure(&refused);
        daemon.hangup();
        assert!(daemon.wait_for_line(since, &["198.51.100.255"], PATIENCE).is_some(), "it is said");
        wansplit.configure(&good);
        daemon.hangup();
        new_connections_by(&lab, 7000, 2);
        new_connections_by(&lab, WEB, 1);
        new_connections_by(&lab, MAIL, 2);
        // The lock is free for everybody else too.
        wansplit.apply();
    });
}

#[test]
fn the_status_says_what_of_the_configuration_is_not_in_force() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, "");
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let problems = |what: &str, wanted: &dyn Fn(&[String]) -> bool| {
            daemon.wait_for_status(what, PATIENCE, |status| {
                let problems = status["problems"].as_array().unwrap();
                wanted(&problems.iter().map(|problem| problem.as_str().unwrap().to_owned()).collect::<Vec<_>>())
            });
        };
        problems("nothing is wrong", &<[String]>::is_empty);
        let good = by_device("");
        let says = |problems: &[String], words: &[&str]| {
            problems.len() == 1 && words.iter().all(|word| problems[0].contains(word))
        };
        // A rule that is left out changes nothing of what is in force.
        wansplit.configure(&(good.clone() + &rule("odd", "70000", "mail")));
        daemon.hangup();
        problems("the rule is left out", &|problems| says(problems, &["error: ", "rule 'odd'", "70000"]));
        let useless = good.replace("mask '0xff'", "mask '0x3'");
        assert_ne!(useless, good);
        wansplit.configure(&useless);
        daemon.hangup();
        problems("the old one stays", &|problems| problems.iter().any(|problem| problem.contains("stays in force")));
        new_connections_by(&lab, WEB, 1);
        wansplit.configure(&good);
        daemon.hangup();
        problems("all is well", &<[String]>::is_empty);
    });
}

#[test]
fn another_way_of_asking_makes_no_dead_link_alive() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        lab.provider(1).silence(Direction::Both);
        daemon.wait_for_state("EMB", BOTH, "down", PATIENCE);
        new_connections_by(&lab, WEB, 2);
        for interval in ["110ms", "120ms", "130ms"] {
            wansplit.configure(&by_device(&tracked(FAST)).replace("100ms", interval));
            daemon.hangup();
            for _ in 0..20 {
                assert_eq!(lab.udp(&lab.lan, INTERNET[0], WEB), Way::Link(2));
            }
            assert_eq!(side(&daemon.status(), "EMB", "ipv4")["state"], "down");
        }
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
        // One line for each family, or for both.
        let told = daemon.log_text().matches("down:").count();
        assert!(told <= 2, "{}", daemon.log_text());
    });
}

#[test]
fn too_few_marks_leave_the_configuration_from_before_in_force() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let narrow = by_device(&tracked(FAST)).replace("'0xff'", "'0x3'");
        assert_ne!(narrow, by_device(&tracked(FAST)));
        let since = Instant::now();
        wansplit.configure(&narrow);
        daemon.hangup();
        assert!(daemon.wait_for_line(since, &["more bits", "stays in force"], PATIENCE).is_some());
        // And it is in force indeed.
        lab.provider(1).silence(Direction::Both);
        new_connections_by(&lab, WEB, 2);
        lab.provider(1).speak();
        new_connections_by(&lab, WEB, 1);
        let told = daemon.log_text().matches("more bits").count();
        assert_eq!(told, 1, "{}", daemon.log_text());
    });
}

#[test]
fn a_configuration_without_sense_is_complained_of_once() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, "");
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        wansplit.configure("config 'link\n");
        for _ in 0..5 {
            lab.router.ip("rule flush\nrule add lookup main pref 32766");
            new_connections_by(&lab, MAIL, 2);
        }
        let log = daemon.log();
        let about = log.iter().filter(|line| line.text.contains("line 1")).count();
        assert_eq!(about, 1, "{}", daemon.log_text());
    });
}

/// How often it wakes up in a second.
fn wakeups(daemon: &Daemon<'_>) -> u64 {
    const SECONDS: u64 = 3;
    let before = daemon.usage();
    thread::sleep(Duration::from_secs(SECONDS));
    let after = daemon.usage();
    assert!(after.ticks - before.ticks < 50 * SECONDS, "{before:?}, {after:?}");
    (after.wakeups - before.wakeups) / SECONDS
}

#[test]
fn switched_off_it_asks_nobody() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let since = Instant::now();
        wansplit.configure(&by_device(&tracked(FAST)).replace("option enabled '1'", "option enabled '0'"));
        daemon.hangup();
        assert!(daemon.wait_for_line(since, &["switched off"], PATIENCE).is_some());
        lab.provider(1).silence(Direction::Both);
        thread::sleep(Duration::from_secs(1));
        let wakeups = wakeups(&daemon);
        assert!(wakeups <= 2, "{wakeups} wake-ups a second");
        lab.provider(1).speak();
        wansplit.configure(&by_device(&tracked(FAST)));
        daemon.hangup();
        wait_until_well(&daemon, PATIENCE);
        new_connections_by(&lab, WEB, 1);
    });
}

#[test]
fn without_descriptors_left_it_does_not_turn_in_circles() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(""));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let limit = |number: usize| {
            let (pid, number) = (daemon.id().to_string(), format!("--nofile={number}:4096"));
            lab.router.command("prlimit", &["--pid", &pid, &number]);
        };
        limit(std::fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap().count());
        let clients: Vec<_> = (0..5).map(|_| UnixStream::connect("/run/wansplit/control").unwrap()).collect();
        let wakeups = wakeups(&daemon);
        assert!(wakeups < 50, "{wakeups} wake-ups a second");
        drop(clients);
        limit(1024);
        wait_until_well(&daemon, PATIENCE);
    });
}

#[test]
fn a_netifd_that_does_not_answer_delays_no_failover() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_interfaces(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        std::fs::remove_file("/run/lab-network.json").unwrap();
        // It is asked again less and less often.
        for _ in 0..5 {
            hotplug(&wansplit, "ifupdate", "wan");
            thread::sleep(Duration::from_millis(300));
        }
        lab.provider(1).silence(Direction::Both);
        let took = new_connections_by(&lab, WEB, 2);
        assert!(took < Duration::from_secs(3), "{took:?}");
        lab.provider(1).speak();
        let took = new_connections_by(&lab, WEB, 1);
        assert!(took < Duration::from_secs(3), "{took:?}");
    });
}

/// Where `nft` is, and the real one under another name.
fn other_nft() -> (PathBuf, &'static str) {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|directory| Path::new(directory).join("nft"));
    let place = places.into_iter().find(|place| place.exists()).expect("nft").canonicalize().unwrap();
    std::fs::copy(&place, "/run/real-nft").unwrap();
    (place, "/run/real-nft")
}

#[test]
fn links_come_and_go_also_where_nft_does_not_work() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let (place, nft) = other_nft();
        // For JSON only: the lab uses text.
        std::fs::write(
            "/run/broken-nft",
            "#!/bin/sh\n[ $1 = -j ] || exec /run/real-nft \"$@\"\necho 'out of memory' >&2\nexit 1\n",
        )
        .unwrap();
        std::fs::set_permissions("/run/broken-nft", std::fs::Permissions::from_mode(0o755)).unwrap();
        mount(Some("/run/broken-nft"), &place, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        // The table is not as it should be, so nft is needed; but what is in it works.
        let since = Instant::now();
        lab.router.command(nft, &["add", "chain", "inet", "wansplit", "stray"]);
        assert!(daemon.wait_for_line(since, &["out of memory"], PATIENCE).is_some());
        lab.provider(1).silence(Direction::Both);
        println!("moved after {:?}", new_connections_by(&lab, WEB, 2));
        assert!(daemon.wait_for_line(since, &["EMB", "down"], PATIENCE).is_some());
        lab.provider(1).speak();
        println!("back after {:?}", new_connections_by(&lab, WEB, 1));
        let told = daemon.log_text().matches("out of memory").count();
        assert_eq!(told, 1, "{}", daemon.log_text());
        umount2(&place, MntFlags::MNT_DETACH).unwrap();
        wait_until_well(&daemon, PATIENCE);
        assert!(!lab.router.command("nft", &["list", "table", "inet", "wansplit"]).contains("stray"));
    });
}
