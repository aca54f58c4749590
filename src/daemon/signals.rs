//! Signals as something to read: HUP, TERM, INT, USR1, and CHLD when a script has ended.

use crate::kernel::Error;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// HUP: read the configuration again.
    Reload,
    /// TERM, INT: end, and leave the state in place.
    End,
    /// USR1: write the status to the log.
    Report,
    /// CHLD: a script has ended.
    Child,
}

/// The signals that wait.
pub struct Signals(SignalFd);

impl Signals {
    /// Takes the signals over. Programs started from here on inherit them blocked; see [`launch`](crate::launch).
    ///
    /// # Errors
    /// The kernel refused.
    pub fn take() -> Result<Self, Error> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT, Signal::SIGUSR1, Signal::SIGCHLD] {
            set.add(signal);
        }
        let taken = set
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC));
        taken.map(Self).map_err(|errno| Error::io("wait for", Path::new("signals"))(errno.into()))
    }

    /// What to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The next one that waits.
    pub fn next(&mut self) -> Option<Order> {
        let info = self.0.read_signal().ok().flatten()?;
        let signal = i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())?;
        Some(match signal {
            Signal::SIGHUP => Order::Reload,
            Signal::SIGUSR1 => Order::Report,
            Signal::SIGCHLD => Order::Child,
            _ => Order::End,
        })
    }
}
