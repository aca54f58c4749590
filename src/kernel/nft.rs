//! Runs `nft -j -f`, fed by a pipe.

use super::error::NftFault;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where OpenWrt and others keep `nft`. Nothing else is taken over from our environment.
pub const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// A program's standard input as a file. Not `-`, which is `/dev/stdin` to `nft`: OpenWrt's procd makes no such file (fw4
/// looks for it, and falls back on this one).
pub const STANDARD_INPUT: &str = "/proc/self/fd/0";
/// What `nft` may take for any document.
const PATIENCE: Duration = Duration::from_secs(30);
/// What it may take on top for each byte: a 20 MB list of addresses on a slow router.
const PATIENCE_PER_BYTE: Duration = Duration::from_micros(10);
/// How much of its complaints is kept.
const KEPT: usize = 64 * 1024;
/// How much of its answer is.
const LONGEST_ANSWER: usize = 2 * 1024 * 1024;
/// Asks for all rules: without counters, and, by the options, without what is in sets.
const LIST: &str = r#"{"nftables": [{"list": {"ruleset": null}}]}"#;

/// An `nft` that waits for its document. Dropped without one, it is ended.
pub struct Waiting(Child);

impl Waiting {
    /// Starts `nft`. Its start takes as long as a good part of its work: it is well begun before the document is there.
    ///
    /// # Errors
    /// `nft` is missing.
    pub fn start() -> Result<Self, NftFault> {
        Self::start_with(&[])
    }

    fn start_with(options: &[&str]) -> Result<Self, NftFault> {
        // Found here and named by its path, so that the standard library need not fork the whole of our memory.
        let places = PATH.split(':').map(|directory| Path::new(directory).join("nft"));
        let program = places.into_iter().find(|place| place.exists()).unwrap_or_else(|| PathBuf::from("nft"));
        Self::spawn(Command::new(program).args(options).args(["-j", "-f", STANDARD_INPUT]))
    }

    /// Its process number.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.0.id()
    }

    /// Gives it its document, of which it applies all or nothing.
    ///
    /// # Errors
    /// `nft` hangs, or refuses the document.
    pub fn apply(self, json: &str) -> Result<(), NftFault> {
        let bytes = u32::try_from(json.len()).unwrap_or(u32::MAX);
        self.run(json.as_bytes(), PATIENCE + PATIENCE_PER_BYTE.saturating_mul(bytes)).map(drop)
    }

    /// Starts a program with an empty environment.
    fn spawn(command: &mut Command) -> Result<Self, NftFault> {
        command.env_clear().env("PATH", PATH).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map(Self).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NftFault::Missing,
            _ => NftFault::Io(error),
        })
    }

    /// Feeds it, and waits until it ends or its time is up. Returns what it says.
    fn run(mut self, input: &[u8], patience: Duration) -> Result<Vec<u8>, NftFault> {
        let outcome = converse(&mut self.0, input, Instant::now() + patience);
        judge(outcome.map_err(NftFault::Io)?, patience)
    }
}

impl Drop for Waiting {
    /// No program and no zombie stays behind; one that has ended and was waited for is left alone.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks whether the kernel would take a document. It is tried and taken back: nothing changes.
///
/// # Errors
/// It would not, or `nft` is missing or hangs.
pub fn check(json: &str) -> Result<(), NftFault> {
    Waiting::start_with(&["-c"])?.apply(json)
}

/// Everybody's rules as JSON, without the elements of sets.
///
/// # Errors
/// `nft` is missing or hangs, or there is too much.
pub fn rules() -> Result<String, NftFault> {
    let said = Waiting::start_with(&["-s", "-t"])?.run(LIST.as_bytes(), PATIENCE)?;
    String::from_utf8(said).map_err(|error| NftFault::Io(io::Error::other(error)))
}

fn judge(ending: Option<Ending>, patience: Duration) -> Result<Vec<u8>, NftFault> {
    let Some(ending) = ending else {
        return Err(NftFault::TimedOut(patience.as_secs()));
    };
    match ending.code {
        // nft 1.0.6 takes half a document for an empty ruleset in text syntax, and succeeds.
        Some(0) if ending.unread > 0 => Err(NftFault::Unread),
        Some(0) => Ok(ending.stdout),
        code => Err(NftFault::Refused { code, stderr: String::from_utf8_lossy(&ending.stderr).into_owned() }),
    }
}

/// How a program ended.
struct Ending {
    /// Its exit code, if no signal ended it.
    code: Option<i32>,
    /// What it wrote to its standard output.
    stdout: Vec<u8>,
    /// What it wrote to its standard error.
    stderr: Vec<u8>,
    /// How much of its input it did not take.
    unread: usize,
}

/// Writes the input and reads both outputs, whichever is ready: whoever waits for one of them alone can wait for
/// ever, with the program waiting for another. Returns nothing if the deadline passed.
fn converse(child: &mut Child, mut input: &[u8], deadline: Instant) -> io::Result<Option<Ending>> {
    let mut stdin: Option<ChildStdin> = child.stdin.take();
    let mut stdout: Option<ChildStdout> = child.stdout.take();
    let mut stderr: Option<ChildStderr> = child.stderr.take();
    let pipes = [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
    for pipe in pipes.into_iter().flatten() {
        fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let (mut answer, mut complaints) = (Vec::new(), Vec::new());
    while stdout.is_some() || stderr.is_some() {
        if !wait_for_any(stdin.as_ref(), stdout.as_ref(), stderr.as_ref(), deadline)? {
            return Ok(None);
        }
        if let Some(pipe) = &mut stdin
            && feed(pipe, &mut input)?
        {
            stdin = None;
        }
        if let Some(pipe) = &mut stdout
            && drain(pipe, &mut |bytes| keep(&mut answer, bytes, LONGEST_ANSWER))?
        {
            stdout = None;
        }
        if let Some(pipe) = &mut stderr
            && drain(pipe, &mut |bytes| keep(&mut complaints, bytes, KEPT))?
        {
            stderr = None;
        }
    }
    // Both outputs are closed, so it is ending or has ended.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(Ending { code: status.code(), stdout: answer, stderr: complaints, unread: input.len() }));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        sleep(Duration::from_micros(100));
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let room = most.saturating_sub(kept.len()).min(bytes.len());
    kept.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
}

/// Waits until something can be written or read; false at the deadline.
fn wait_for_any(
    stdin: Option<&ChildStdin>,
    stdout: Option<&ChildStdout>,
    stderr: Option<&ChildStderr>,
    deadline: Instant,
) -> io::Result<bool> {
    let mut pipes = Vec::with_capacity(3);
    pipes.extend(stdin.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
    pipes.extend(stdout.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    pipes.extend(stderr.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        // At most a minute at a time; poll counts in milliseconds and rounds down.
        let timeout = u16::try_from(left.as_millis().saturating_add(1)).unwrap_or(60_000);
        match poll(&mut pipes, PollTimeout::from(timeout)) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Writes what the pipe takes. True when there is nothing left to write, or nobody left to read it.
fn feed(pipe: &mut ChildStdin, input: &mut &[u8]) -> io::Result<bool> {
    while !input.is_empty() {
        match pipe.write(input) {
            Ok(written) => *input = input.get(written..).unwrap_or(&[]),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(false),
                io::ErrorKind::Interrupted => {}
                // It stopped reading; its exit code and complaints say why.
                io::ErrorKind::BrokenPipe => return Ok(true),
                _ => return Err(error),
            },
        }
    }
    Ok(true)
}

/// Reads what there is. True when the pipe is closed.
fn drain(pipe: &mut dyn Read, take: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(length) => take(buffer.get(..length).unwrap_or(&[])),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(false),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], patience: Duration) -> Result<(), NftFault> {
        Waiting::spawn(Command::new("sh").args(["-c", script]))?.run(input, patience).map(drop)
    }

    #[test]
    fn more_than_a_pipe_holds_in_every_direction_is_no_deadlock() {
        let input = vec![b'x'; 3_000_000];
        let script = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; cat >&2; exit 3";
        let Err(NftFault::Refused { code: Some(3), stderr }) = shell(script, &input, PATIENCE) else {
            unreachable!("exit code 3");
        };
        assert_eq!(stderr.len(), KEPT);
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let start = Instant::now();
        let fault = shell("exec sleep 60", b"", Duration::from_millis(300)).unwrap_err();
        assert!(matches!(fault, NftFault::TimedOut(0)), "{fault}");
        // Also one that has closed its outputs.
        let fault = shell("exec sleep 60 >/dev/null 2>&1", b"", Duration::from_millis(300)).unwrap_err();
        assert!(matches!(fault, NftFault::TimedOut(0)), "{fault}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_does_not_read_is_judged_by_its_exit() {
        let input = vec![b'x'; 3_000_000];
        assert!(matches!(shell("exit 0", &input, PATIENCE), Err(NftFault::Unread)));
        assert!(shell("cat >/dev/null", &input, PATIENCE).is_ok());
        let fault = shell("kill -SEGV $$", &input, PATIENCE).unwrap_err();
        assert_eq!(fault.to_string(), "nft was ended by a signal and said nothing");
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let Err(fault) = Waiting::spawn(&mut Command::new("no-such-nft")) else { unreachable!("there is none") };
        assert!(fault.to_string().starts_with("nft is not installed: opkg install nftables-json"), "{fault}");
    }

    #[test]
    fn nothing_of_our_environment_is_handed_on() {
        let script = format!("test \"$(env | grep -v '^\\(PWD\\|SHLVL\\|_\\)=')\" = PATH={PATH}");
        assert!(shell(&script, b"", PATIENCE).is_ok());
    }
}
