//! The daemon's own door: a Unix socket through which the other verbs talk to it, also where there is no ubus.
//!
//! A client writes one line, a verb; the daemon answers with one JSON text and closes. Only root may connect.

pub mod client;
pub mod server;

/// Where the daemon listens. `/var/run` is in memory on OpenWrt.
pub const SOCKET: &str = "/var/run/wansplit/control";

/// What can be asked of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Something may have changed: look again. Nothing is answered.
    Changed,
    /// The configuration shall be read again; lifts a pause. Nothing is answered.
    Reload,
    /// Keep the kernel free of our state until `Reload`: somebody said `wansplit stop`.
    Pause,
    /// Who runs, with which files, and what the probes have shown.
    Health,
    /// The whole status.
    Status,
    /// The last changes.
    Events,
}

impl Request {
    const ALL: [Self; 6] = [Self::Changed, Self::Reload, Self::Pause, Self::Health, Self::Status, Self::Events];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Reload => "reload",
            Self::Pause => "pause",
            Self::Health => "health",
            Self::Status => "status",
            Self::Events => "events",
        }
    }

    /// The request with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|request| request.word() == word)
    }
}
