//! What can go wrong between wansplit and the kernel, in words for the router's owner.

use super::netlink::socket::Failure;
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failed dealing with the kernel.
#[derive(Debug)]
pub enum Error {
    /// A netlink exchange failed.
    Netlink {
        /// What was being done: "add the route default via 10.0.0.1 dev eth1 table 100 metric 1".
        what: String,
        /// Why it failed.
        failure: Failure,
    },
    /// `nft` could not be run, or did not accept what it was given.
    Nft {
        /// What was being done: "load the rules".
        what: String,
        /// Why it failed; what `nft` itself said is part of it.
        fault: NftFault,
    },
    /// The kernel has no ctnetlink, through which flows are seen and deleted by their marks.
    NoCtnetlink {
        /// What was being done: "count the flows".
        what: String,
    },
    /// A file could not be read or written.
    Io {
        /// What was being done: "read", "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// Another run of wansplit holds the lock.
    Locked {
        /// The other run's process number, if it is known.
        holder: Option<u32>,
    },
}

/// Why a run of `nft` failed.
#[derive(Debug)]
pub enum NftFault {
    /// There is no such program.
    Missing,
    /// It could not be started or talked to.
    Io(io::Error),
    /// It was still running at the deadline, this many seconds, and was killed.
    TimedOut(u64),
    /// It ended without an error, but before it had read everything.
    Unread,
    /// It ended with an error.
    Refused {
        /// Its exit code; none if a signal ended it (nft 1.1.3 can crash).
        code: Option<i32>,
        /// All that it wrote to its standard error, up to 64 KiB.
        stderr: String,
    },
}

impl Error {
    /// The kernel's error number, if it answered a netlink request with one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Netlink { failure, .. } => failure.errno(),
            _ => None,
        }
    }

    /// Whether it is not known what was done: `nft` was stopped at its deadline or ended by a signal, before or behind
    /// its commit.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Nft { fault: NftFault::TimedOut(_) | NftFault::Refused { code: None, .. }, .. })
    }

    /// A failed operation on a file, for `map_err`.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { what, path, error }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let denied = match self {
            Self::Io { error, .. } => error.kind() == io::ErrorKind::PermissionDenied,
            _ => matches!(self.errno(), Some(Errno::EPERM | Errno::EACCES)),
        };
        match self {
            Self::Netlink { what, failure } => write!(f, "cannot {what}: {failure}"),
            Self::Nft { what, fault } => write!(f, "cannot {what}: {fault}"),
            Self::NoCtnetlink { what } => write!(
                f,
                "cannot {what}: that needs kmod-nf-conntrack-netlink: opkg install kmod-nf-conntrack-netlink (or apk add kmod-nf-conntrack-netlink)"
            ),
            Self::Io { what, path, error } => write!(f, "cannot {what} {}: {error}", path.display()),
            Self::Locked { holder: Some(pid) } => {
                write!(f, "another run of wansplit (process {pid}) is still at work; try again when it has ended")
            }
            Self::Locked { holder: None } => {
                f.write_str("another run of wansplit is still at work; try again when it has ended")
            }
        }?;
        f.write_str(if denied { " (run it as root)" } else { "" })
    }
}

impl fmt::Display for NftFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("nft is not installed: opkg install nftables-json (or apk add nftables-json)"),
            Self::Io(error) => write!(f, "nft could not be run: {error}"),
            Self::TimedOut(seconds) => write!(f, "nft did not finish within {seconds} s and was stopped"),
            Self::Unread => f.write_str("nft ended before it had read everything"),
            Self::Refused { code, stderr } => {
                match code {
                    Some(code) => write!(f, "nft ended with exit code {code}")?,
                    None => f.write_str("nft was ended by a signal")?,
                }
                match stderr.trim_end() {
                    "" => f.write_str(" and said nothing"),
                    said => write!(f, ": {said}"),
                }
            }
        }
    }
}
