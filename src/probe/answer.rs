//! What becomes of probes.

use nix::errno::Errno;
use std::fmt;
use std::io;
use std::time::Duration;

/// Tells the answers to different probes apart; what it means is the caller's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What became of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which probe.
    pub token: Token,
    /// The round-trip time, for TCP and HTTP that of the handshake; or why the host counts as not working although
    /// something was heard.
    pub outcome: Result<Duration, Failure>,
}

/// An answer that is none. Silence is no answer at all and is not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The network or the host said no: `ECONNREFUSED`, `ECONNRESET`, `EHOSTUNREACH`.
    Network(Errno),
    /// An HTTP status that is not from 200 to 399.
    Status(u16),
    /// Something that does not speak HTTP.
    NotHttp,
    /// A gateway did not answer the kernel's ARP or NDP requests.
    NoNeighbour,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(errno) => write!(f, "{}", io::Error::from(*errno)),
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::NotHttp => f.write_str("it does not speak HTTP"),
            Self::NoNeighbour => f.write_str("no answer to ARP or NDP"),
        }
    }
}
