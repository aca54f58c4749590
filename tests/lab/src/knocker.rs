//! New flows without end, whether anyone answers or not: what a kill switch has to hold back.

use crate::client::Dial;
use crate::host::Host;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Keeps starting flows from a host, each from a socket of its own: one UDP packet and one TCP connection to each
/// target in turn, as fast as the kernel answers.
#[derive(Debug)]
pub struct Knocker {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    tried: AtomicU32,
}

impl Knocker {
    /// Starts it. Targets are `(own address or none, address, port)`.
    #[must_use]
    pub fn start(host: &Host, targets: Vec<(Option<IpAddr>, IpAddr, u16)>) -> Self {
        Self::start_slowly(host, targets, Duration::ZERO)
    }

    /// The same with a pause after each target, where the machine has other things to do too.
    #[must_use]
    pub fn start_slowly(host: &Host, targets: Vec<(Option<IpAddr>, IpAddr, u16)>, pause: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let thread = host.spawn(move || {
            for (from, to, port) in targets.iter().copied().cycle() {
                if worker.stop.load(Ordering::Relaxed) {
                    return;
                }
                let dial = Dial { from, patience: Duration::from_millis(1), ..Dial::default() };
                let _ = (dial.udp(SocketAddr::new(to, port)), dial.tcp(SocketAddr::new(to, port)));
                worker.tried.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(pause);
            }
        });
        Self { shared, thread }
    }

    /// Waits until this many further targets have been tried.
    pub fn wait_for(&self, tries: u32) {
        let wanted = self.shared.tried.load(Ordering::Relaxed) + tries;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.shared.tried.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < deadline, "the knocker is stuck");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it; returns how many flows it tried.
    #[must_use]
    pub fn stop(self) -> u32 {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the knocker's thread");
        self.shared.tried.load(Ordering::Relaxed)
    }
}
