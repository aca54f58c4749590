//! WireGuard in user space: its program answers on a socket of its own.
//!
//! The protocol is text, one `key=value` a line, and an empty line at the end: "Cross-platform Userspace Implementation"
//! on wireguard.com, "Configuration Protocol".

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the sockets are.
pub const FOLDER: &str = "/var/run/wireguard";

/// A program that does not answer at once is not waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// More than this is no answer: a peer takes some 300 bytes.
const LONGEST: u64 = 1 << 20;

/// The UDP port that the program behind a device listens on, and sends from; `None` if there is no such program.
#[must_use]
pub fn listen_port(folder: &Path, device: &str) -> Option<u16> {
    let socket: PathBuf = folder.join(format!("{device}.sock"));
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"get=1\n\n").ok()?;
    let lines = BufReader::new(stream.take(LONGEST)).lines();
    let mut lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    lines.find_map(|line| line.strip_prefix("listen_port=")?.parse().ok()).filter(|port| *port != 0)
}
