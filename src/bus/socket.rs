//! Where ubusd listens, and how to connect without waiting for ever.

use super::error::Error;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Since OpenWrt 21.02, and before.
const PLACES: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// Where ubusd listens: the place given, else the first usual one that is there.
#[must_use]
pub fn place(given: Option<&Path>) -> PathBuf {
    let usual = PLACES.map(Path::new);
    let found = usual.iter().find(|place| place.exists()).or(usual.first()).copied();
    given.or(found).unwrap_or(Path::new("")).to_owned()
}

/// Connects. With no patience at all the socket is non-blocking.
///
/// A Unix socket connects at once, but for a listener whose queue is full: then the kernel waits as long as it may
/// take to write (`unix_stream_connect`).
///
/// # Errors
/// Nobody listens, or does not accept in time.
pub fn open(place: &Path, patience: Option<Duration>) -> Result<UnixStream, Error> {
    let fault = |errno: Errno| Error::Io { doing: "connect to", error: io::Error::from(errno) };
    let flags = match patience {
        Some(_) => SockFlag::SOCK_CLOEXEC,
        None => SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    };
    let address = UnixAddr::new(place).map_err(fault)?;
    let stream = UnixStream::from(socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(fault)?);
    if patience.is_some() {
        stream.set_write_timeout(patience).map_err(|error| Error::Io { doing: "connect to", error })?;
    }
    loop {
        return match connect(stream.as_raw_fd(), &address) {
            Ok(()) => Ok(stream),
            Err(Errno::EINTR) => continue,
            Err(Errno::ENOENT) => Err(Error::NotRunning { socket: place.to_owned(), stale: false }),
            Err(Errno::ECONNREFUSED) => Err(Error::NotRunning { socket: place.to_owned(), stale: true }),
            Err(errno) => match patience {
                Some(patience) if errno == Errno::EAGAIN => Err(Error::TimedOut { who: "ubus".into(), patience }),
                _ => Err(fault(errno)),
            },
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use nix::sys::socket::{Backlog, bind, listen};
    use std::time::Instant;

    #[test]
    fn a_listener_that_does_not_accept_is_not_waited_for_without_end() {
        let place = std::env::temp_dir().join(format!("wansplit-full-{}", std::process::id()));
        let listener = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(listener.as_raw_fd(), &UnixAddr::new(&place).unwrap()).unwrap();
        listen(&listener, Backlog::new(1).unwrap()).unwrap();
        let began = Instant::now();
        let waiting: Vec<_> = (0..10).map_while(|_| open(&place, None).ok()).collect();
        assert!(!waiting.is_empty() && waiting.len() < 10, "{}", waiting.len());
        let refused = open(&place, None);
        let gave_up = open(&place, Some(Duration::from_millis(300)));
        std::fs::remove_file(&place).unwrap();
        assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
        assert!(matches!(gave_up, Err(Error::TimedOut { .. })), "{gave_up:?}");
        assert!(began.elapsed() >= Duration::from_millis(300));
    }
}
