//! Inside the machine: the network around it, and this boot's part of the test.

use super::Part;
use lab::{Host, Lab, Setup};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Set by the machine's own scripts.
const INSIDE: &str = "BOOTED_GUEST";

/// On the disk: how many boots have come to a good end.
const BOOTS: &str = "/root/boots";

/// Whether this program runs in the machine.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Builds the network as the machine's interfaces come up, waits until all services are started, and runs this boot's part.
pub fn run(setup: &Setup, parts: &[Part]) {
    let boot: usize = fs::read_to_string(BOOTS).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let lab = Lab::around(Host::here("router"), setup);
    fs::write("/run/network.up", "").expect("/run");
    let since = Instant::now();
    while !Path::new("/run/boot.done").exists() {
        assert!(since.elapsed() < Duration::from_secs(60), "the services do not start");
        thread::sleep(Duration::from_millis(20));
    }
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    println!("boot {} of {}: up for {} s", boot + 1, parts.len(), uptime.split(' ').next().unwrap_or_default());
    parts[boot](&lab);
    fs::write(BOOTS, (boot + 1).to_string()).expect("the disk");
    if boot + 1 < parts.len() {
        fs::write("/run/again", "").expect("/run");
    } else {
        println!("{}", super::machine::COMPLETE);
    }
}
