//! The machine: qemu without acceleration, so that it runs wherever the tests do.

use super::kernel::Kernel;
use super::scratch;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-x86_64";

/// All boots together never take so long; a machine that does hangs.
const LONGEST: Duration = Duration::from_secs(560);

/// What the machine says when the last part has ended well.
pub const COMPLETE: &str = "all boots done";

/// Runs the machine until it switches itself off. Panics unless every part has ended well.
pub fn run(test: &str, kernel: &Kernel, disk: &Path) {
    println!("{test}: Linux {}", kernel.release);
    let mut machine = Machine(start(kernel, disk));
    let console = BufReader::new(machine.0.stdout.take().expect("a pipe"));
    let (sender, lines) = channel();
    thread::spawn(move || {
        // The firmware may say what is no UTF-8.
        console.split(b'\n').map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let (since, mut complete) = (Instant::now(), false);
    loop {
        match lines.recv_timeout(LONGEST.saturating_sub(since.elapsed())) {
            Ok(line) => {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                println!("{:6.1} {line}", since.elapsed().as_secs_f32());
                if ["Kernel panic", "Oops: "].iter().any(|words| line.contains(words)) {
                    panic!("the machine's kernel has broken down; see above");
                }
                complete |= line == COMPLETE;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("the machine did not end within {LONGEST:?}; see above"),
        }
    }
    let status = machine.0.wait().expect("qemu's end");
    assert!(status.success() && complete, "failed in the machine (qemu: {status}); see above");
    let _ = fs::remove_dir_all(scratch().join(test));
}

fn start(kernel: &Kernel, disk: &Path) -> Child {
    let disk = format!("file={},if=none,id=disk,format=raw,cache=unsafe", disk.display());
    let mut command = Command::new(QEMU);
    // Without cmpxchg16b, after which qemu 7.2 leaves wrong flags: Linux 6.12 breaks down by it.
    command.args(["-machine", "q35", "-accel", "tcg", "-cpu", "max,-cx16", "-smp", "1", "-m", "384"]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"]);
    command.args(["-drive", &disk, "-device", "nvme,drive=disk,serial=booted"]);
    command.arg("-kernel").arg(kernel.image());
    command.args(["-append", "console=ttyS0 quiet root=/dev/nvme0n1 rw init=/sbin/init mitigations=off"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().unwrap_or_else(|error| panic!("{QEMU}: {error}. Debian has it in the package qemu-system-x86"))
}

/// Ends with the test.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
