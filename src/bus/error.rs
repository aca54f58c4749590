//! What can go wrong on ubus, in words for the router's owner.

use super::blob::Malformed;
use super::frame::LARGEST;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The number that ends every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// All went well.
    pub const OK: Self = Self(0);
    /// An argument is missing or wrong.
    pub const INVALID_ARGUMENT: Self = Self(2);
    /// The object has no such method.
    pub const METHOD_NOT_FOUND: Self = Self(3);
    /// There is no such object, or whatever the method was asked for.
    pub const NOT_FOUND: Self = Self(4);
    /// The caller may not do this.
    pub const PERMISSION_DENIED: Self = Self(6);
    /// It could not be done.
    pub const UNKNOWN_ERROR: Self = Self(9);
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            "success",
            "invalid command",
            "invalid argument",
            "no such method",
            "not found",
            "no data",
            "permission denied",
            "timed out",
            "not supported",
            "unknown error",
            "connection failed",
            "out of memory",
            "parse error",
            "system error",
        ];
        match usize::try_from(self.0).ok().and_then(|number| words.get(number)) {
            Some(words) => f.write_str(words),
            None => write!(f, "status {}", self.0),
        }
    }
}

/// A failed dealing with ubus.
#[derive(Debug)]
pub enum Error {
    /// Nobody listens.
    NotRunning {
        /// Where ubusd would.
        socket: PathBuf,
        /// Whether there is a socket, left behind.
        stale: bool,
    },
    /// The operating system refused.
    Io {
        /// What was tried: "connect to", "read from".
        doing: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// An answer did not come in time.
    TimedOut {
        /// Who did not answer: "ubus", "netifd", "the object 'x'".
        who: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// There is no such object.
    NoObject(String),
    /// ubusd does not let us call this.
    Denied {
        /// What we wanted: "call 'network.interface' 'up'".
        what: String,
    },
    /// The call was answered by another status than success.
    Refused {
        /// What we wanted.
        what: String,
        /// The answer.
        status: Status,
    },
    /// What came makes no sense.
    Malformed(Malformed),
    /// What we wanted to say cannot be said on ubus.
    Unsayable(Malformed),
    /// It does not fit into a message.
    TooLarge {
        /// What: "the answer", "the arguments".
        what: &'static str,
        /// The most that fits, in bytes.
        most: usize,
    },
    /// ubusd ended the connection.
    Lost,
    /// ubusd takes nothing from us.
    Stalled,
}

impl Error {
    /// A message that is too large for ubusd.
    pub(super) fn too_large(what: &'static str) -> Self {
        Self::TooLarge { what, most: LARGEST }
    }

    /// Whether the exchange itself went as it should: the connection is as good as before.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::NoObject(_) | Self::Denied { .. } | Self::Refused { .. })
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning { socket, stale: false } => {
                write!(f, "ubus is not running (no socket at {})", socket.display())
            }
            Self::NotRunning { socket, stale: true } => {
                write!(f, "ubus is not running (nobody listens at {})", socket.display())
            }
            Self::Io { doing, error } => write!(f, "cannot {doing} ubus: {error}"),
            Self::TimedOut { who, patience } => {
                // Tenths of a second, without the weight of printing floating point numbers.
                let tenths = patience.as_millis().div_ceil(100);
                write!(f, "{who} did not answer within ")?;
                match (tenths / 10, tenths % 10) {
                    (seconds, 0) => write!(f, "{seconds} s"),
                    (seconds, tenth) => write!(f, "{seconds}.{tenth} s"),
                }
            }
            Self::NoObject(path) => write!(f, "no object '{path}' on ubus"),
            Self::Denied { what } => write!(f, "ubus does not let us {what}: permission denied"),
            Self::Refused { what, status } => write!(f, "cannot {what}: {status}"),
            Self::Malformed(malformed) => write!(f, "a message from ubus makes no sense: {malformed}"),
            Self::Unsayable(malformed) => write!(f, "this cannot be said on ubus: {malformed}"),
            Self::TooLarge { what, most } => write!(f, "{what} is too large: ubus takes at most {most} bytes"),
            Self::Lost => f.write_str("ubus ended the connection"),
            Self::Stalled => f.write_str("ubus takes nothing from us any more"),
        }
    }
}
