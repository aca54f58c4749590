//! Whether programs are started on a host while something happens.

use crate::host::Host;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Notes every process that turns up in a host's network. It looks every millisecond: most that live shorter go unseen, so
/// ask also what the parent has waited for ([`crate::Usage::child_faults`]).
#[derive(Debug)]
pub struct Births {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Births {
    /// Notes them from now on. Those that are there already are nobody's births.
    #[must_use]
    pub fn watch(host: &Host) -> Self {
        let network = host.run(|| fs::read_link("/proc/thread-self/ns/net")).expect("the namespace's own name");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let known = processes(&network, &BTreeSet::new());
        let thread = thread::spawn(move || {
            let mut born = BTreeMap::<u32, String>::new();
            while !stopped.load(Ordering::Relaxed) {
                for process in processes(&network, &known) {
                    born.entry(process).or_default();
                }
                // Until it has become its program a process is called as its parent is; at its end it has no name left.
                for (process, name) in &mut born {
                    if let Ok(now) = fs::read_to_string(format!("/proc/{process}/comm")) {
                        *name = now.trim().to_owned();
                    }
                }
                thread::sleep(Duration::from_millis(1));
            }
            born.into_iter().map(|(process, name)| format!("{process} {name}")).collect()
        });
        Self { stop, thread }
    }

    /// Those there were, as "1234 name".
    #[must_use]
    pub fn stop(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watcher's thread")
    }
}

/// The processes of a network, other than this one and those that are known.
fn processes(network: &PathBuf, known: &BTreeSet<u32>) -> BTreeSet<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| *id != std::process::id() && !known.contains(id))
        .filter(|id| fs::read_link(format!("/proc/{id}/ns/net")).is_ok_and(|link| link == *network))
        .collect()
}
