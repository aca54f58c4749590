//! A short soak: events by chance, and after each all that must hold. `scripts/soak` goes on for as long as one likes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lab::Soak;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a soak does with this seed.
fn soak(seed: u64) {
    let binary = env!("CARGO_BIN_EXE_wansplit").to_owned();
    let soak = Soak { binary, seed, lasts: Duration::from_secs(22), last_event: None, restarts: true };
    let summary = soak.run();
    println!("{summary:?}");
    assert!(summary.events > 3 && summary.sent > 500 && summary.connections > 10, "{summary:?}");
    assert_eq!(summary.lost, 0, "{summary:?}");
}

#[test]
fn the_same_events_each_time() {
    lab::isolated(|| soak(1));
}

#[test]
fn other_events_each_time() {
    lab::isolated(|| soak(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into()));
}
