//! What another program says, within bounds of time and length.

use crate::kernel::nft::PATH;
use crate::support::report::beginning;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take. A slow router lists a thousand rules in a second.
const PATIENCE: Duration = Duration::from_secs(8);
/// How much of its words is kept.
const KEPT: usize = 64 * 1024;
/// How often a program that has closed its output is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// All that a program writes, to its output and of errors, or why there is nothing.
pub fn output(program: &str, arguments: &[&str]) -> String {
    let mut places = PATH.split(':').map(|directory| Path::new(directory).join(program));
    let Some(path) = places.find(|place| place.exists()) else {
        return format!("({program} is not installed)\n");
    };
    let (text, ending) = match run(Command::new(path).args(arguments)) {
        Ok(ran) => ran,
        Err(error) => return format!("({program} could not be run: {error})\n"),
    };
    let cut = beginning(&text, KEPT);
    match ending {
        Ending::Done => cut,
        Ending::Failed => format!("{cut}({program} ended with an error)\n"),
        Ending::Stopped => format!("{cut}({program} did not end within {} s and was stopped)\n", PATIENCE.as_secs()),
        Ending::Full => format!("{cut}(there is more)\n"),
    }
}

enum Ending {
    Done,
    Failed,
    /// Its time was up.
    Stopped,
    /// It had too much to say.
    Full,
}

fn run(command: &mut Command) -> io::Result<(String, Ending)> {
    let (reader, writer) = io::pipe()?;
    command.env_clear().env("PATH", PATH).current_dir("/");
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command keeps our ends of the pipe: as long as they are open, no end is read.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let deadline = Instant::now() + PATIENCE;
    let mut said = Vec::new();
    let ending = listen(&reader, &mut said, deadline).and_then(|ending| match ending {
        Ending::Done => ended(&mut child, deadline),
        other => Ok(other),
    });
    if !matches!(ending, Ok(Ending::Done | Ending::Failed)) {
        let _ = child.kill();
        let _ = child.wait();
    }
    Ok((String::from_utf8_lossy(&said).into_owned(), ending?))
}

/// Reads until there is no more to come, or no more is wanted.
fn listen(mut pipe: &PipeReader, said: &mut Vec<u8>, deadline: Instant) -> io::Result<Ending> {
    fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut buffer = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Ending::Stopped);
        }
        let timeout = u16::try_from(left.as_millis().saturating_add(1)).unwrap_or(u16::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], PollTimeout::from(timeout)) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(Ending::Done),
            Ok(length) => said.extend_from_slice(buffer.get(..length).unwrap_or(&[])),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        if said.len() > KEPT {
            return Ok(Ending::Full);
        }
    }
}

fn ended(child: &mut Child, deadline: Instant) -> io::Result<Ending> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { Ending::Done } else { Ending::Failed });
        }
        if Instant::now() > deadline {
            return Ok(Ending::Stopped);
        }
        std::thread::sleep(PAUSE);
    }
}
