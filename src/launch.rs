//! Starts programs that are not to inherit which signals the daemon has blocked.
//!
//! The daemon reads its signals from a descriptor, for which they must be blocked, and what it starts would have them
//! blocked as well (the standard library leaves that as it is): a server that a script starts would never hear TERM. Only
//! the new process itself can change it without unsafe code. So it is this program at first, and becomes the other one.

use nix::sys::signal::SigSet;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The word on our own command line, of no use to people.
const WORD: &str = "--launch";
/// This program, even if its file has been replaced.
const OURSELVES: &str = "/proc/self/exe";

/// The command that starts a program with no signal blocked.
#[must_use]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(OURSELVES);
    command.arg(WORD).arg(program);
    command
}

/// Becomes the program that [`command`] named, if the command line is one of it. Returns if it is not; the exit code, if
/// the program cannot be run.
pub fn become_other(mut words: impl Iterator<Item = OsString>) -> Option<u8> {
    if words.next()? != WORD {
        return None;
    }
    let program = words.next()?;
    let _ = SigSet::empty().thread_set_mask();
    let error = Command::new(&program).args(words).exec();
    let _ = writeln!(std::io::stderr(), "wansplit: cannot run {}: {error}", Path::new(&program).display());
    Some(127)
}
