//! What lies under `files/`, as a router runs it: in its shell, with the real program, on real packets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;
mod router_support;

use lab::{Flow, INTERNET, Lab, Monitor, Way, assert_same, snapshot};
use packet_support::TWO_LINKS;
use router_support::{CONFIG, PROGRAM, Service, ash, file, log, upgrade};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn default_config() -> String {
    fs::read_to_string(file("etc/config/wansplit")).unwrap()
}

/// Everything under a directory.
fn all_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all_files(&path, found) } else { found.push(path) }
    }
}

/// Runs a checker that must be there and have nothing to say.
fn must_pass(checker: &str, arguments: &[&str], script: &Path) {
    let output = Command::new(checker).args(arguments).arg(script).output();
    let output =
        output.unwrap_or_else(|error| panic!("{checker} is needed (`scripts/setup tests` installs it): {error}"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{checker} {}:\n{said}", script.display());
}

#[test]
fn every_script_is_clean_in_a_routers_shell() {
    let mut files = Vec::new();
    all_files(&file(""), &mut files);
    let scripts = files.iter().filter(|path| fs::read(path).unwrap().starts_with(b"#!/bin/sh"));
    let names: Vec<_> = scripts
        .map(|script| {
            must_pass("shellcheck", &["-s", "sh"], script);
            must_pass("busybox", &["ash", "-n"], script);
            script.strip_prefix(file("")).unwrap().to_str().unwrap()
        })
        .collect();
    let init = "etc/init.d/wansplit";
    assert!(names.contains(&init) && names.contains(&"etc/hotplug.d/iface/15-wansplit"), "{names:?}");
    assert_eq!(fs::metadata(file(init)).unwrap().permissions().mode() & 0o777, 0o755, "procd executes it");
    must_pass("shellcheck", &[], Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/router_support/rc.sh")));
}

#[test]
fn enabled_is_what_the_configuration_says() {
    let directory = std::env::temp_dir().join(format!("wansplit-enabled-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let config = directory.join("config");
    let on = "config globals\n option enabled 1\n";
    let cases = [
        (default_config(), 4, "option enabled '0'"),
        (TWO_LINKS.to_owned(), 0, ""),
        (TWO_LINKS.replace("enabled '1'", "enabled 'off'"), 4, "option enabled '0'"),
        ("config link 'EMB'\n option device 'eth1'\n".to_owned(), 4, "option enabled '0'"),
        (on.to_owned(), 4, "the configuration has no link"),
        // What was lost, or cannot be understood, was not switched off by anybody.
        (String::new(), 0, ""),
        ("# nothing is left\n".to_owned(), 0, ""),
        ("config globals\n option enabled 'perhaps'\n".to_owned(), 0, ""),
        (on.to_owned() + "config link 'EMB", 0, ""),
    ];
    for (text, code, reason) in cases {
        fs::write(&config, &text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wansplit"));
        let output = command.args(["check", "--enabled", "--config"]).arg(&config).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), &b""[..]), "{text}\n{said}");
        assert!(said.contains(reason) && said.is_empty() == reason.is_empty(), "{text}\n{said}");
    }
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn as_installed_it_changes_nothing() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut service = Service::install(&lab, &default_config());
        let before = snapshot(&lab.router);
        let (routing, table) = (Monitor::ip(&lab.router), Monitor::nft(&lab.router));
        let boot = service.call("boot");
        assert_eq!((boot.stdout.as_str(), boot.stderr.as_str()), ("", ""), "nobody is told what is as it should be");
        for action in ["start", "restart", "reload"] {
            let output = service.call(action);
            assert!(output.stderr.contains("switched off") && output.stdout.is_empty(), "{action}: {output:?}");
            assert_eq!(service.daemon(), None, "after {action}");
            assert_eq!(service.triggers, ["wansplit", "firewall"], "it can still be switched on");
        }
        let hotplug = file("etc/hotplug.d/iface/15-wansplit");
        let sourced = ["-c", "( . \"$0\" ); echo the next script", hotplug.to_str().unwrap()];
        for action in ["ifup", "ifdown", "ifupdate"] {
            let output = ash(&lab.router, &sourced, &[("ACTION", action), ("INTERFACE", "wan"), ("DEVICE", "eth1")]);
            assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("the next script\n", ""));
        }
        assert_eq!(service.run(&["apply"]).code, 4);
        service.call("stop");
        assert_eq!(service.triggers, [""; 0], "who stops it does not want it back at the next change");
        assert_eq!((routing.stop(), table.stop()), (Vec::new(), Vec::new()), "not even for a moment");
        assert_same(&snapshot(&lab.router), &before, "at the end");
    });
}

#[test]
fn the_owners_first_change_is_seen() {
    lab::isolated(|| {
        const KNOWN: &str = "/var/run/config.md5";
        let lab = Lab::new();
        let mut service = Service::install(&lab, &default_config());
        service.call("start");
        assert!(!Path::new(KNOWN).exists(), "at boot reload_config has not run yet, and takes everything in");
        let others = "d41d8cd98f00b204e9800998ecf8427e  /var/run/config.check/network\n";
        fs::write(KNOWN, others).unwrap();
        service.call("start");
        service.call("start");
        let ours = format!("{}  /var/run/config.check/wansplit\n", "0".repeat(32));
        assert_eq!(fs::read_to_string(KNOWN).unwrap(), format!("{others}{ours}"));
    });
}

#[test]
fn only_stop_touches_the_traffic() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut service = Service::install(&lab, &default_config());
        let before = snapshot(&lab.router);
        service.call("boot");
        fs::write(CONFIG, TWO_LINKS).unwrap();
        // What procd does when a trigger fires.
        service.call("reload");
        let first = service.wait_until_ready();
        let applied = snapshot(&lab.router);
        let web = INTERNET.map(|to| Flow::udp(&lab.lan, to, 53, Duration::from_millis(2)));
        let mail = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 1024, Duration::from_millis(2)));

        service.call("reload");
        service.call("start");
        assert_eq!(service.wait_until_ready(), first, "a daemon that runs is not replaced");
        service.call("restart");
        let second = service.wait_until_ready();
        assert_ne!(first, second);
        service.respawn();
        let third = service.wait_until_ready();
        let upgraded = [("PKG_UPGRADE", "1")];
        service.call_with("stop", &upgraded);
        assert_eq!(service.daemon(), None, "opkg ends the old program");
        assert_same(&snapshot(&lab.router), &applied, "without a daemon");
        service.call_with("start", &upgraded);
        let fourth = service.wait_until_ready();
        assert_ne!(third, fourth);
        upgrade();
        service.call_with("start", &upgraded);
        assert_ne!(service.wait_until_ready(), fourth, "apk does not, it only starts the new one");
        service.call("shutdown");
        assert_eq!(service.daemon(), None);

        assert!(web.iter().all(|flow| flow.goes_on(20)), "the kernel carries it alone");
        assert_same(&snapshot(&lab.router), &applied, "all the way");
        for flow in web {
            flow.stop().assert_whole(Way::Link(1));
        }
        for flow in mail {
            flow.stop().assert_whole(Way::Link(2));
        }
        service.call("boot");
        service.wait_until_ready();
        let stop = service.call("stop");
        assert_eq!((stop.stdout.as_str(), stop.stderr.as_str(), service.daemon()), ("", "", None));
        assert_same(&snapshot(&lab.router), &before, "after stop");
    });
}

#[test]
fn switching_off_takes_the_state_away_and_a_lost_configuration_does_not() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut service = Service::install(&lab, TWO_LINKS);
        let before = snapshot(&lab.router);
        service.call("boot");
        service.wait_until_ready();
        let applied = snapshot(&lab.router);
        for lost in ["", "config globals\n option enabled 'perhaps'\n"] {
            fs::write(CONFIG, lost).unwrap();
            for action in ["reload", "restart"] {
                service.call(action);
                assert!(service.daemon().is_some(), "it waits for a better one");
                assert_same(&snapshot(&lab.router), &applied, &format!("{action} with {lost:?}"));
            }
        }
        fs::remove_file(CONFIG).unwrap();
        let output = service.call("restart");
        assert_eq!(output.stderr.matches("cannot read the configuration").count(), 1, "{output:?}");
        assert_same(&snapshot(&lab.router), &applied, "without a configuration");
        fs::write(CONFIG, TWO_LINKS).unwrap();
        service.call("reload");
        service.wait_until_ready();
        for action in ["reload", "start", "restart"] {
            fs::write(CONFIG, default_config()).unwrap();
            let output = service.call(action);
            assert!(output.stderr.contains("switched off"), "{output:?}");
            assert_eq!((service.daemon(), service.triggers.len()), (None, 2), "{action}");
            assert_same(&snapshot(&lab.router), &before, &format!("switched off, {action}"));
            fs::write(CONFIG, TWO_LINKS).unwrap();
            service.call("reload");
            service.wait_until_ready();
        }
    });
}

#[test]
fn what_is_wrong_is_told_at_the_terminal_and_in_the_log() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut service = Service::install(&lab, &TWO_LINKS.replace("'993'", "'99300'"));
        let boot = service.call("boot");
        assert_eq!((boot.stdout.as_str(), boot.stderr.as_str()), ("", ""), "the daemon tells it");
        service.wait_until_ready();
        let line = "'99300' is outside the range of ports";
        assert_eq!(log().matches(line).count(), 1, "{}", log());
        for action in ["start", "restart", "reload"] {
            let output = service.call(action);
            assert_eq!(output.stderr.matches(line).count(), 1, "{action}: {output:?}");
            assert!(output.stderr.contains("/etc/config/wansplit:") && output.stdout.is_empty(), "{output:?}");
            service.wait_until_ready();
            assert_eq!(lab.tcp(&lab.lan, INTERNET[0], 443), Way::Link(1), "what is good works");
        }
        // The program goes missing, or is one for another processor.
        service.call("shutdown");
        fs::remove_file(PROGRAM).unwrap();
        for text in [None, Some("\x7fELF of another world")] {
            if let Some(text) = text {
                fs::write(PROGRAM, text).unwrap();
                fs::set_permissions(PROGRAM, fs::Permissions::from_mode(0o755)).unwrap();
            }
            let output = service.call("start");
            assert!(output.stderr.contains(PROGRAM), "{output:?}");
            assert_eq!(service.daemon(), None, "nothing is started again and again");
        }
    });
}

#[test]
fn a_reload_that_starts_the_daemon_does_not_end_it() {
    lab::isolated(|| {
        let lab = Lab::new();
        let mut service = Service::install(&lab, TWO_LINKS);
        for _ in 0..5 {
            service.call("reload");
            let daemon = service.wait_until_ready();
            service.call("reload");
            assert_eq!(service.wait_until_ready(), daemon);
            service.call("stop");
        }
    });
}
