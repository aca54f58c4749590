//! A router from the installation of the package to its removal, with two reboots in between.
//!
//! The machine has no netifd, so the links are given by device and gateway; what OpenWrt's scripts do is done by small
//! stand-ins under `tests/booted/root`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod booted_support;
mod daemon_support;
mod packet_support;

use booted_support::router::{
    SLOW_MACHINE, configure, daemon, hotplug, service, status, wait_for_state, wait_for_status, wait_until_well,
};
use booted_support::{booted, files};
use daemon_support::{MAIL, OnEmb, STREAM, VOICE, WEB, by_device, new_connections_by, tracked};
use lab::{Direction, Flow, INTERNET, Lab, Setup, Wan, Way, assert_same, snapshot};
use std::time::Duration;

/// Two default routes in `main`, as a router with two links has them.
fn setup() -> Setup {
    Setup { main_default: vec![1, 2], ..Setup::default() }
}

#[test]
#[ignore = "boots a machine in qemu; scripts/test --all runs it"]
fn a_router_from_installation_to_removal() {
    let parts = [installed_and_configured, rebooted, after_a_power_cut_and_removed];
    booted("a_router_from_installation_to_removal", &setup(), &parts);
}

fn installed_and_configured(lab: &Lab) {
    the_installation_changes_nothing(lab);

    println!("switched on");
    configure(&by_device(&tracked(SLOW_MACHINE)));
    service(lab, "restart");
    wait_until_well(lab);
    traffic_splits(lab);

    hotplug_returns_at_once(lab);
    carrier_lost(lab);
    gone_silent(lab);
    killed(lab);

    files::keep("running", &held(lab));
    files::keep("wanted", &lab.router.command("wansplit", &["show", "all"]));
}

fn rebooted(lab: &Lab) {
    as_before_the_reboot(lab);
    // The next boot finds a disk as it is after a power cut.
    files::cut_the_power();
}

fn after_a_power_cut_and_removed(lab: &Lab) {
    as_before_the_reboot(lab);

    println!("removed");
    lab.router.command("opkg", &["remove", "wansplit"]);
    files::compare("blank", &blank(lab), "after the removal");
    for left in ["/usr/sbin/wansplit", booted_support::router::SERVICE, "/var/run/wansplit", "/etc/hotplug.d/wansplit"]
    {
        assert!(!std::path::Path::new(left).exists(), "{left} is still there");
    }
    let links = lab.router.command("find", &["/etc/rc.d", "-name", "*wansplit"]);
    assert_eq!(links, "", "links to the init script");
    assert!(!lab.router.processes().iter().any(|(_, name)| name == "wansplit"), "{:?}", lab.router.processes());
    assert_eq!(lab.tcp(&lab.lan, INTERNET[0], MAIL), Way::Link(1), "by main's first default again");
}

fn the_installation_changes_nothing(lab: &Lab) {
    // The first look loads modules, which bring parameters of their own.
    let _ = snapshot(&lab.router);
    let before = snapshot(&lab.router);
    files::keep("blank", &blank(lab));
    lab.router.command("opkg", &["install", "/root/wansplit.ipk"]);
    assert_eq!(lab.router.output(booted_support::router::SERVICE, &["enabled"]).code, 0, "it starts at boot");
    assert_same(&snapshot(&lab.router), &before, "after the installation");
    for verb in ["restart", "reload", "start"] {
        let _ = lab.router.output(booted_support::router::SERVICE, &[verb]);
    }
    hotplug(lab, "ifup", "wan");
    assert_same(&snapshot(&lab.router), &before, "after start, reload and an interface that came up");
    assert_eq!(daemon(lab), None, "no daemon without a configuration");
    println!("installed: nothing has changed");
}

fn traffic_splits(lab: &Lab) {
    for (family, internet) in INTERNET.into_iter().enumerate() {
        for (port, link) in [(WEB, 1), (VOICE, 1), (MAIL, 2), (STREAM, 2)] {
            assert_eq!(lab.tcp(&lab.lan, internet, port), Way::Link(link), "tcp {port} to {internet}");
            assert_eq!(lab.udp(&lab.lan, internet, port), Way::Link(link), "udp {port} to {internet}");
        }
        for link in [1, 2] {
            let address = Wan(link).router()[family];
            for port in [22, 8022] {
                assert_eq!(lab.tcp(&lab.internet, address, port), Way::Direct(internet), "tcp {port} to {address}");
            }
        }
    }
    assert_eq!(lab.spoofed(), 0, "{:?}", lab.strays());
    println!("traffic splits, and answers go back the way the question came");
}

fn hotplug_returns_at_once(lab: &Lab) {
    let took = hotplug(lab, "ifup", "wan");
    println!("hotplug took {took:?}");
    assert!(took < Duration::from_secs(2), "netifd waits for it: {took:?}");
    // The daemon is told: what somebody has put in place of its rules, it puts right.
    lab.router.ip("rule flush\nrule add pref 32766 lookup main protocol kernel\nrule add pref 32767 lookup default protocol kernel");
    hotplug(lab, "ifup", "wan");
    wait_until_well(lab);
    // Without a daemon it is `apply` that does it.
    service(lab, "stop");
    hotplug(lab, "ifup", "wan");
    service(lab, "start");
    wait_until_well(lab);
}

fn carrier_lost(lab: &Lab) {
    let flows = OnEmb::start(lab);
    lab.provider(1).carrier(false);
    println!("carrier lost: UDP goes on after {:?}", flows.voice_comes_by(2));
    println!("TCP is reset {:?} later", flows.web_is_reset());
    new_connections_by(lab, WEB, 2);
    wait_for_state(lab, "EMB", "down");
    lab.provider(1).carrier(true);
    wait_until_well(lab);
    new_connections_by(lab, WEB, 1);
}

fn gone_silent(lab: &Lab) {
    let flows = OnEmb::start(lab);
    lab.provider(1).silence(Direction::Both);
    println!("silent: UDP goes on after {:?}", flows.voice_comes_by(2));
    println!("TCP is reset {:?} later", flows.web_is_reset());
    new_connections_by(lab, WEB, 2);
    lab.provider(1).speak();
    wait_until_well(lab);
    new_connections_by(lab, WEB, 1);
}

fn killed(lab: &Lab) {
    let flows = INTERNET.map(|to| Flow::tcp(&lab.lan, to, MAIL, 1024, Duration::from_millis(20)));
    let old = daemon(lab).expect("a daemon");
    lab.router.command("kill", &["-KILL", &old.to_string()]);
    wait_for_status(lab, "another daemon", |status| status["daemon"].as_u64().is_some_and(|new| new != old));
    wait_until_well(lab);
    for flow in flows {
        assert!(flow.goes_on(5));
        flow.stop().assert_whole(Way::Link(2));
    }
    println!("killed: another daemon is there, and no connection has noticed");
}

fn as_before_the_reboot(lab: &Lab) {
    wait_until_well(lab);
    files::compare("wanted", &lab.router.command("wansplit", &["show", "all"]), "what wansplit wants");
    files::compare("running", &held(lab), "what the kernel holds");
    traffic_splits(lab);
    println!("as before the reboot: {}", status(lab));
}

/// What is new at each boot: addresses the kernel makes from a device's, a secret, and limits of memory that are shares of what
/// was free just then (`nr_free_buffer_pages` in the kernel's net/ipv4/tcp.c and udp.c).
const NEW_AT_EACH_BOOT: [&str; 6] =
    ["fe80:", "fastopen_key", "ipv4/tcp_mem =", "ipv4/tcp_rmem =", "ipv4/tcp_wmem =", "ipv4/udp_mem ="];

/// What the kernel holds, but for what is new at each boot.
fn blank(lab: &Lab) -> String {
    snapshot(&lab.router).without(&NEW_AT_EACH_BOOT).to_text()
}

/// The same of a router at work, in the order of the alphabet.
fn held(lab: &Lab) -> String {
    snapshot(&lab.router).without(&NEW_AT_EACH_BOOT).in_any_order().to_text()
}
