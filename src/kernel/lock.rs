//! One run at a time changes the kernel.

use super::error::Error;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The lock file. `/var/run` is in memory on OpenWrt.
pub const PATH: &str = "/var/run/wansplit/lock";
/// Held by a run that waits for the lock, where one that waits is enough.
pub const WAITING: &str = "/var/run/wansplit/waiting";
/// Held by the daemon as long as it lives.
pub const DAEMON: &str = "/var/run/wansplit/daemon";
/// An apply takes a fraction of a second; on a slow router with long lists a few.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How often a lock that is held is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, held until this is dropped or the program ends, however it ends. An `nft` that it started inherits it: if
/// we are killed, the lock is free only when that has ended too, and no other run meets a half-written table.
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock; waits for another run to end.
    ///
    /// # Errors
    /// Another run still holds it when the time is up, or the lock file cannot be made.
    pub fn acquire(path: &Path, patience: Duration) -> Result<Self, Error> {
        let lock = Self::take(path, patience)?;
        // The standard library opens files so that other programs do not inherit them.
        fcntl(&lock.file, FcntlArg::F_SETFD(FdFlag::empty()))
            .map_err(|errno| Error::io("share", path)(errno.into()))?;
        Ok(lock)
    }

    /// Takes a lock that no program we start inherits, or gives up at once.
    ///
    /// # Errors
    /// Another program holds it, or the lock file cannot be made.
    pub fn alone(path: &Path) -> Result<Self, Error> {
        Self::take(path, Duration::ZERO)
    }

    fn take(path: &Path, patience: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + patience;
        if let Some(directory) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o755).create(directory);
            made.map_err(Error::io("make the directory", directory))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let mut file = options.open(path).map_err(Error::io("open", path))?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { holder: holder(&mut file) }),
            }
        }
        // For the message to others only; the lock holds without it, on a full disk too.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    text.trim().parse().ok()
}
