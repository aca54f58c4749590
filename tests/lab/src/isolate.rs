//! Running a test, or the demo, in user, network and mount namespaces of its own, without being root.

use nix::mount::{MsFlags, mount};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Set in the process that runs inside the namespaces.
const INSIDE: &str = "LAB_INSIDE";

/// No test takes this many seconds; one that does hangs.
const LONGEST: u64 = 240;

/// Another number of seconds, for tests that were told to do more than usual.
const LONGEST_VARIABLE: &str = "LAB_LONGEST";

/// Runs a test's body inside namespaces of its own.
///
/// To be called by a `#[test]` function with a closure as its whole body: the test program starts itself again, for
/// this one test, under `unshare`, and there calls `body`. The outer test fails if the inner one fails, does not run, or the
/// namespaces cannot be had.
pub fn isolated<F: FnOnce()>(body: F) {
    run_isolated(body, in_namespaces);
}

/// The same with every user id there is, for tests in which programs run as others than root. Nobody but root can have
/// that: anyone else needs a `sudo` that does not ask.
pub fn isolated_as_root<F: FnOnce()>(body: F) {
    run_isolated(body, with_all_users);
}

fn run_isolated<F: FnOnce()>(body: F, namespaces: fn(&[&str]) -> Command) {
    if std::env::var_os(INSIDE).is_some() {
        prepare();
        std::thread::spawn(|| {
            let given = std::env::var(LONGEST_VARIABLE).ok().and_then(|text| text.parse().ok());
            let longest = given.unwrap_or(LONGEST);
            std::thread::sleep(Duration::from_secs(longest));
            eprintln!("the test took longer than {longest} s");
            std::process::exit(1);
        });
        return body();
    }
    let output = namespaces(&["--exact", test_name::<F>(), "--nocapture", "--test-threads=1"])
        .output()
        .expect("`unshare` of util-linux is needed to run packet tests");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    // A filter that matches no test also ends well, so the exit status alone proves nothing.
    let ran = text.contains("test result: ok. 1 passed");
    assert!(output.status.success() && ran, "failed inside its namespaces ({}); see above", output.status);
}

/// Replaces this process by itself inside the namespaces, with the same arguments; returns once it is there.
///
/// # Errors
///
/// A sentence that says why the namespaces cannot be had.
pub fn re_executed() -> Result<(), String> {
    if std::env::var_os(INSIDE).is_some() {
        prepare();
        return Ok(());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let error = in_namespaces(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).exec();
    Err(format!("cannot start `unshare` (util-linux): {error}"))
}

fn in_namespaces(arguments: &[&str]) -> Command {
    unshared("unshare", &["--map-root-user"], arguments)
}

fn with_all_users(arguments: &[&str]) -> Command {
    if nix::unistd::geteuid().is_root() {
        return unshared("unshare", &[], arguments);
    }
    unshared("sudo", &["--non-interactive", "--preserve-env", "unshare"], arguments)
}

fn unshared(program: &str, options: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(options)
        .args(["--net", "--mount", "--propagation", "private", "--"])
        .arg(std::env::current_exe().expect("this program's own path"))
        .args(arguments)
        .env(INSIDE, "1");
    command
}

/// `crate::module::test::{{closure}}` without its ends is the name libtest knows the test by.
fn test_name<F>() -> &'static str {
    let name = std::any::type_name::<F>();
    let name = name.strip_suffix("::{{closure}}").unwrap_or(name);
    name.split_once("::").map_or(name, |(_crate, test)| test)
}

/// Puts empty or copied directories over those where programs keep state, so that nothing meets the machine's own.
fn prepare() {
    tmpfs("/run");
    if !Path::new("/var/run").is_symlink() {
        tmpfs("/var/run");
    }
    fs::create_dir_all("/run/netns").expect("/run is ours now");
    if Path::new("/etc/iproute2").is_dir() {
        let copy = "/run/iproute2";
        let copied = Command::new("cp").args(["-r", "/etc/iproute2", copy]).status();
        assert!(copied.is_ok_and(|status| status.success()), "cannot copy /etc/iproute2");
        mount(Some(copy), "/etc/iproute2", None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .expect("a copy over /etc/iproute2");
    }
}

fn tmpfs(path: &str) {
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
        .unwrap_or_else(|error| panic!("cannot mount a tmpfs on {path}: {error}"));
}
