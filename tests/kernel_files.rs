//! Settings under `/proc/sys/net` and the lock, for real.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod kernel_support;

use kernel_support::{inside, sh};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wansplit::config::model::Family;
use wansplit::kernel::lock::Lock;
use wansplit::kernel::sysctl::{Key, ROOT, Sysctls};

const NAME: &str = "ignore_routes_with_linkdown";

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wansplit-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn wanted(devices: &[&str]) -> Vec<(Key, String)> {
    let key = |family, device: &str| Key { family, device: device.into(), name: NAME.into() };
    let both = devices.iter().flat_map(|device| Family::BOTH.map(|family| (key(family, device), "1".into())));
    both.collect()
}

fn values(device: &str) -> String {
    sh(&format!("cat /proc/sys/net/ipv[46]/conf/{device}/{NAME}")).replace('\n', "")
}

#[test]
fn settings_are_set_and_put_back() {
    if !inside("settings_are_set_and_put_back") {
        return;
    }
    sh("for d in eth0.2 eth1 eth2; do ip link add $d type veth peer name p-$d; done
        echo 1 > /proc/sys/net/ipv4/conf/eth1/ignore_routes_with_linkdown");
    let state = scratch("sysctl").join("run/sysctl");
    let sysctls = Sysctls::at(Path::new(ROOT), &state);
    let all = wanted(&["eth0.2", "eth1", "eth2", "gone", "../all", "."]);

    assert_eq!(sysctls.difference(&all).unwrap().len(), 5);
    assert!(!state.exists());
    let outcome = sysctls.apply(&all);
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    let said: Vec<_> = outcome.changed.iter().map(ToString::to_string).collect();
    assert_eq!(said[0], format!("net/ipv4/conf/eth0.2/{NAME} from 0 to 1"));
    assert_eq!(said.len(), 5);
    assert_eq!([values("eth0.2"), values("eth1"), values("eth2")], ["11", "11", "11"]);
    assert_eq!(values("all"), "00");

    // Again: nothing, not even the file is written.
    let before = fs::metadata(&state).unwrap().modified().unwrap();
    let again = sysctls.apply(&all);
    assert!(again.changed.is_empty() && again.errors.is_empty());
    assert_eq!(fs::metadata(&state).unwrap().modified().unwrap(), before);

    // One device is no link any more, another was changed by somebody, a third went away.
    let outcome = sysctls.apply(&wanted(&["eth1", "eth2"]));
    assert_eq!(outcome.changed.len(), 2);
    assert_eq!(values("eth0.2"), "00");
    sh(&format!("echo 0 > /proc/sys/net/ipv4/conf/eth2/{NAME}"));
    let outcome = sysctls.apply(&[]);
    assert!(outcome.errors.is_empty());
    assert_eq!([values("eth1"), values("eth2")], ["10", "00"], "eth1's IPv4 value was there before us");
    assert!(!state.exists());

    assert_eq!(sysctls.apply(&wanted(&["eth2"])).changed.len(), 2);
    sh("ip link del eth2");
    assert!(sysctls.apply(&[]).errors.is_empty());
    assert!(!state.exists());
    fs::remove_dir_all(state.ancestors().nth(2).unwrap()).unwrap();
}

#[test]
fn settings_survive_a_kill_between_any_two_steps() {
    if !inside("settings_survive_a_kill_between_any_two_steps") {
        return;
    }
    sh("ip link add eth1 type veth peer name p1");
    let directory = scratch("kill");
    fs::create_dir_all(&directory).unwrap();
    let state = directory.join("sysctl");
    let sysctls = Sysctls::at(Path::new(ROOT), &state);
    let want = wanted(&["eth1"]);
    let record = format!("4 eth1 {NAME} 0 1\n6 eth1 {NAME} 0 1\n");
    let set = |v4: u8, v6: u8| {
        sh(&format!("cd /proc/sys/net; echo {v4} > ipv4/conf/eth1/{NAME}; echo {v6} > ipv6/conf/eth1/{NAME}"));
    };
    // Whatever of the two settings and of the records was done when the kill came ...
    for (v4, v6) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        for apply_first in [true, false] {
            set(v4, v6);
            fs::write(&state, &record).unwrap();
            fs::write(state.with_extension("wansplit-new"), "4 eth1 half").unwrap();
            if apply_first {
                sysctls.apply(&want);
                assert_eq!(values("eth1"), "11");
            }
            assert!(sysctls.apply(&[]).errors.is_empty());
            assert_eq!(values("eth1"), "00", "{v4} {v6} {apply_first}");
            assert!(!state.exists());
        }
    }
    // Without a place for the state, nothing is changed at all.
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    let outcome = sysctls.apply(&want);
    assert_eq!((outcome.changed.len(), outcome.errors.len()), (0, 1));
    assert_eq!(values("eth1"), "00");
    fs::remove_file(&directory).unwrap();
}

/// The other run of the lock test: takes the lock, says so, and holds it until it is killed.
#[test]
fn hold_the_lock() {
    let Some(path) = std::env::var_os("WANSPLIT_TEST_LOCK") else { return };
    let _lock = Lock::acquire(Path::new(&path), Duration::ZERO).unwrap();
    fs::write(Path::new(&path).with_file_name("held"), "").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn only_one_holds_the_lock() {
    let directory = scratch("lock");
    let path = directory.join("run/lock");
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hold_the_lock", "--nocapture"])
        .env("WANSPLIT_TEST_LOCK", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !path.with_file_name("held").exists() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    let Err(error) = Lock::acquire(&path, Duration::from_millis(300)) else { panic!("held twice") };
    assert!(start.elapsed() >= Duration::from_millis(300));
    let expected =
        format!("another run of wansplit (process {}) is still at work; try again when it has ended", other.id());
    assert_eq!(error.to_string(), expected);

    // Whoever waits gets it when the holder dies, even by a signal.
    let waiter = std::thread::spawn({
        let path = path.clone();
        move || Lock::acquire(&path, Duration::from_secs(20)).map(drop)
    });
    std::thread::sleep(Duration::from_millis(100));
    other.kill().unwrap();
    other.wait().unwrap();
    waiter.join().unwrap().unwrap();

    // A program started meanwhile keeps it until it has ended too.
    let lock = Lock::acquire(&path, Duration::ZERO).unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    drop(lock);
    assert!(Lock::acquire(&path, Duration::ZERO).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Lock::acquire(&path, Duration::ZERO).is_ok());
    fs::remove_dir_all(&directory).unwrap();
}
