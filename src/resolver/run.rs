//! Asks a program a short question.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What it is given of the environment.
pub const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// It answers within milliseconds, but the router may be busy.
const PATIENCE: Duration = Duration::from_secs(3);
/// Less than a pipe holds: nobody reads before it has ended.
const MOST: usize = 32 * 1024;

/// Runs it to its end; whether that was a good one, and what it said.
pub fn ask(program: &Path, arguments: &[&str]) -> Result<(bool, String), String> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status.success(), said(&mut child))),
            Ok(None) if Instant::now() < until => sleep(Duration::from_millis(2)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{} did not answer within {} s", program.display(), PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("{}: {error}", program.display())),
        }
    }
}

/// What is in the pipes. A child of its own may hold them open still: nobody waits for that.
fn said(child: &mut Child) -> String {
    let mut text = Vec::new();
    if let Some(pipe) = &mut child.stdout {
        let _ = fcntl(&*pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(|_| drain(pipe, &mut text));
    }
    if let Some(pipe) = &mut child.stderr {
        let _ = fcntl(&*pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(|_| drain(pipe, &mut text));
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn drain(pipe: &mut dyn Read, text: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        text.extend_from_slice(buffer.get(..length).unwrap_or_default());
        if text.len() > MOST {
            return;
        }
    }
}
