//! WireGuard in user space: its program answers on a socket of its own.
//!
//! The protocol is text, one `key=value` a line, and an empty line at the end: "Cross-platform Userspace Implementation"
//! on wireguard.com, "Configuration Protocol".

use super::netlink::wireguard::Wireguard;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Where the sockets are.
pub const FOLDER: &str = "/var/run/wireguard";

/// A program that does not answer at once is not waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// More than this is no answer: a peer takes some 300 bytes.
const LONGEST: u64 = 1 << 20;

/// Asks the program behind a device; `None` if there is no such program.
#[must_use]
pub fn device(folder: &Path, device: &str) -> Option<Wireguard> {
    let mut stream = UnixStream::connect(folder.join(format!("{device}.sock"))).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"get=1\n\n").ok()?;
    let mut found = Wireguard::default();
    let lines = BufReader::new(stream.take(LONGEST)).lines();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some(("listen_port", port)) => found.port = port.parse().ok().filter(|port| *port != 0),
            Some(("endpoint", place)) => found.peers.extend(place.parse::<SocketAddr>()),
            _ => {}
        }
    }
    Some(found)
}
