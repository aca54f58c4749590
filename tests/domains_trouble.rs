//! What goes wrong around domains: the rest must work, and DNS above all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dns_support;
mod packet_support;

use dns_support::{DIRECTORY, Dns, FILE, WITHOUT_SETS, address, elements, file, log, replace_dnsmasq, resolve, ways};
use lab::{INTERNET, LAN2, Lab, Wansplit, Way};
use nix::mount::{MsFlags, mount};
use packet_support::{configured, links, rule};
use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const BY_1: [Way; 2] = [Way::Link(1); 2];
const BY_2: [Way; 2] = [Way::Link(2); 2];
const PATIENCE: Duration = Duration::from_secs(20);
const SHOWS: &str = "config rule 'shows'\n  list dest_domain 'example.com'\n  option use 'OI'\n";

/// Domains, and a rule that has nothing to do with them.
fn config() -> String {
    links("").replace("option enabled '1'", &format!("option enabled '1'\n  list dnsmasq_dir '{DIRECTORY}'"))
        + SHOWS
        + &rule("other", "8000", "OI")
}

/// `apply`, which must do its work and say that something is missing.
fn apply_lacking(wansplit: &Wansplit, complaint: &str) {
    let output = wansplit.run(&["apply"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains(complaint), "{}", output.stderr);
}

fn assert_the_rest_works(lab: &Lab) {
    assert_eq!(INTERNET.map(|to| lab.tcp(&lab.lan, to, 8000)), BY_2);
    assert_eq!(ways(lab, "example.com", 443), BY_1);
}

#[test]
fn a_dnsmasq_that_cannot_fill_sets_is_told_nothing() {
    const COMPLAINT: &str = "dnsmasq here cannot fill sets (no nftset): install dnsmasq-full";
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let starts = dns.starts();
        let other = replace_dnsmasq(WITHOUT_SETS);
        let wansplit = configured(&lab, &config());
        let checked = wansplit.run(&["check"]);
        assert_eq!(checked.code, 0, "{}", checked.stderr);
        assert!(
            checked.stderr.contains("rule 'shows': dnsmasq here cannot fill sets (no nftset)"),
            "{}",
            checked.stderr
        );
        apply_lacking(&wansplit, COMPLAINT);
        assert_the_rest_works(&lab);
        assert_eq!((file().as_str(), dns.starts()), ("", starts));
        let daemon = wansplit.daemon(&[]);
        assert!(daemon.wait_for_line(Instant::now() - PATIENCE, &[COMPLAINT], PATIENCE).is_some());
        let status = daemon.status();
        assert!(status["problems"].to_string().contains("no nftset"), "{status:#}");
        assert_eq!(status["in_sync"], true);
        // The right one is installed.
        drop(other);
        daemon.hangup();
        dns.wait_for_starts(&lab, starts + 1);
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        assert!(!daemon.status()["problems"].to_string().contains("nftset"));
        // And taken away again: with our lines it would not start.
        let _other = replace_dnsmasq(WITHOUT_SETS);
        daemon.hangup();
        let since = Instant::now();
        while !file().is_empty() {
            assert!(since.elapsed() < PATIENCE, "the lines are still there: {}", daemon.log_text());
            std::thread::sleep(Duration::from_millis(20));
        }
        // The one that stands in for it here serves nobody, of course.
        assert!(daemon.wait_for_line(since, &["dnsmasq could not be restarted"], PATIENCE).is_some());
    });
}

#[test]
fn a_dnsmasq_that_makes_no_sense_or_hangs_is_told_nothing() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _dns = Dns::start(&lab);
        let wansplit = configured(&lab, &config());
        for (script, complaint) in [
            ("#!/bin/sh\nhead -c 100000 /dev/zero\n", "it is not known whether dnsmasq can fill sets"),
            ("#!/bin/sh\nexec sleep 60\n", "did not answer within 3 s"),
            ("no program", "it is not known whether dnsmasq can fill sets"),
            (
                "#!/bin/sh\n[ $1 = --test ] && { echo; echo 'dnsmasq: bad option at line 2' >&2; exit 1; }\n\
                 echo 'Compile time options: nftset'\n",
                "does not understand what it is to be told of domains, so it is not told: dnsmasq: bad option at line 2",
            ),
        ] {
            let _other = replace_dnsmasq(script);
            apply_lacking(&wansplit, complaint);
            assert_eq!(file(), "");
            assert_the_rest_works(&lab);
        }
        wansplit.apply();
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
    });
}

#[test]
fn files_that_cannot_be_written_or_are_not_ours_are_complained_of() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let starts = dns.starts();
        let wansplit = configured(&lab, &config());
        fs::write(FILE, "cache-size=5\n").unwrap();
        apply_lacking(&wansplit, "wansplit.conf is not wansplit's: move it out of the way");
        assert_eq!(file(), "cache-size=5\n");
        assert!(!wansplit.stop().contains("dnsmasq"), "what is not ours stays");
        assert_eq!(file(), "cache-size=5\n");
        fs::remove_file(FILE).unwrap();
        let mountpoint = "/run/dns/conf.d";
        mount(Some("tmpfs"), mountpoint, Some("tmpfs"), MsFlags::empty(), Some("size=4096")).unwrap();
        fs::write("/run/dns/conf.d/.filler", vec![b'#'; 4096]).unwrap();
        apply_lacking(&wansplit, "cannot write /run/dns/conf.d/wansplit.conf: No space left");
        assert_eq!(fs::read_dir(DIRECTORY).unwrap().count(), 1, "no half file stays");
        assert_the_rest_works(&lab);
        fs::remove_file("/run/dns/conf.d/.filler").unwrap();
        wansplit.apply();
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        wansplit.configure(&config().replace(DIRECTORY, "/run/nowhere"));
        apply_lacking(&wansplit, "there is no directory /run/nowhere: make it, and have dnsmasq read it");
        assert_eq!(file(), "");
        assert!(dns.starts() > starts);
        // Nothing named, and this is no OpenWrt.
        wansplit.configure(&config().replace(&format!("list dnsmasq_dir '{DIRECTORY}'"), ""));
        apply_lacking(&wansplit, "name one in globals, as list dnsmasq_dir '/etc/dnsmasq.d'");
    });
}

#[test]
fn a_restart_that_did_not_happen_is_made_up_for() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let starts = dns.starts();
        let wansplit = configured(&lab, &config());
        fs::write("/run/dns/broken", "").unwrap();
        let output = wansplit.run(&["apply"]);
        assert!(output.stderr.contains("dnsmasq could not be restarted by /etc/init.d/dnsmasq"), "{}", output.stderr);
        assert!(output.stderr.contains("exit status: 7"), "{}", output.stderr);
        assert_the_rest_works(&lab);
        fs::remove_file("/run/dns/broken").unwrap();
        wansplit.apply();
        assert_eq!(dns.starts(), starts + 1);
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        wansplit.apply();
        assert_eq!(dns.starts(), starts + 1);
        // One that was ended right after it had written: the next one finds what is due.
        fs::write("/var/run/wansplit/dnsmasq-restart", "\n").unwrap();
        let _daemon = wansplit.daemon(&[]);
        dns.wait_for_starts(&lab, starts + 2);
        // Where there is nothing to restart it by, the owner is told what to do.
        fs::rename("/etc/init.d/dnsmasq", "/etc/init.d/other").unwrap();
        wansplit.configure(&config().replace("example.com", "example.org"));
        let output = wansplit.run(&["apply"]);
        assert!(output.stderr.contains("has to be restarted by hand"), "{}", output.stderr);
        fs::rename("/etc/init.d/other", "/etc/init.d/dnsmasq").unwrap();
    });
}

#[test]
fn a_dnsmasq_that_its_owner_has_stopped_is_not_started() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        dns.stop(&lab);
        let starts = dns.starts();
        let wansplit = configured(&lab, &config());
        wansplit.apply();
        assert!(file().contains("example.com"));
        assert_eq!(dns.starts(), starts);
        // It reads the lines when it starts.
        dns.restart(&lab);
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
    });
}

#[test]
fn answers_that_are_garbage_fill_nothing() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _dns = Dns::silent(&lab);
        let upstream = lab.lan2.run(|| UdpSocket::bind((LAN2[0], 5300)).unwrap());
        std::thread::spawn(move || {
            let mut question = [0; 600];
            for n in 0.. {
                let Ok((length, from)) = upstream.recv_from(&mut question) else { return };
                // The right number, an answer, and then nonsense of another length each time.
                let mut answer = question[..length].to_vec();
                answer[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0xff, 0xff]);
                answer.extend((0..n % 400).map(|byte: usize| (byte * 37 + n) as u8));
                let _ = upstream.send_to(&answer, from);
            }
        });
        let wansplit = configured(&lab, &config());
        wansplit.apply();
        for _ in 0..3 {
            assert!(resolve(&lab, "example.com").is_empty());
        }
        assert!(log().contains("query[A] example.com"), "{}", log());
        assert_eq!(elements(&lab, "rule_domains4_shows"), Some(vec![]));
        assert_eq!(address(50).map(|to| lab.tcp(&lab.lan, to, 443)), BY_1);
        assert_eq!(wansplit.apply(), "nothing changed: the kernel holds the wanted state\n");
    });
}

#[test]
fn openwrts_directories_are_found() {
    lab::isolated(|| {
        let lab = Lab::new();
        // The program itself may lie below /tmp.
        let program = "/run/wansplit-of-this-test";
        fs::copy(env!("CARGO_BIN_EXE_wansplit"), program).unwrap();
        mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        fs::create_dir_all("/tmp/dnsmasq.cfg01411c.d").unwrap();
        fs::create_dir_all("/tmp/dnsmasq.d").unwrap();
        let automatic = config().replace(&format!("list dnsmasq_dir '{DIRECTORY}'"), "");
        let wansplit = Wansplit::new(program, &lab.router, &automatic);
        wansplit.apply();
        for place in ["/tmp/dnsmasq.d/wansplit.conf", "/tmp/dnsmasq.cfg01411c.d/wansplit.conf"] {
            assert!(fs::read_to_string(place).unwrap().contains("nftset=/example.com/4#inet#wansplit#"), "{place}");
        }
        let said = wansplit.stop();
        assert!(said.contains("- dnsmasq /tmp/dnsmasq.cfg01411c.d/wansplit.conf\n"), "{said}");
        assert!(!fs::exists("/tmp/dnsmasq.d/wansplit.conf").unwrap());
    });
}
