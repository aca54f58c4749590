//! Shares: which link each of many connections takes, held against what the weights say.

use lab::{Dial, INTERNET, Lab, Way, client_address};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Each link's count must lie within this many standard deviations of its share: one run in a million would not.
const DEVIATIONS: f64 = 5.0;

/// How many took each way.
pub fn count(ways: impl IntoIterator<Item = Way>) -> BTreeMap<Way, u32> {
    ways.into_iter().fold(BTreeMap::new(), |mut counts, way| {
        *counts.entry(way).or_default() += 1;
        counts
    })
}

/// These links and no other way, in proportion to these weights.
pub fn assert_shares(counts: &BTreeMap<Way, u32>, weights: &[(u8, u32)]) {
    println!("{counts:?}, wanted {weights:?}");
    let total = f64::from(counts.values().sum::<u32>());
    let whole = f64::from(weights.iter().map(|(_, weight)| weight).sum::<u32>());
    for (link, weight) in weights {
        let share = f64::from(*weight) / whole;
        let (count, wanted) = (f64::from(counts.get(&Way::Link(*link)).copied().unwrap_or(0)), total * share);
        let bound = DEVIATIONS * (total * share * (1.0 - share)).sqrt();
        assert!((count - wanted).abs() <= bound, "link {link}: {count} of {total}, wanted {wanted} ± {bound}");
    }
    assert_eq!(counts.len(), weights.len(), "only links: {counts:?}");
}

/// The way of a TCP connection from one of the LAN host's addresses.
pub fn tcp_from(lab: &Lab, from: IpAddr, to: SocketAddr) -> Way {
    lab.lan.run(|| Dial { from: Some(from), ..Dial::default() }.tcp(to))
}

/// The way of a UDP packet and its answer.
pub fn udp_from(lab: &Lab, from: IpAddr, to: SocketAddr) -> Way {
    lab.lan.run(|| Dial { from: Some(from), ..Dial::default() }.udp(to))
}

/// Which link the connections of the first `clients` clients to one server take now.
pub fn links_of_clients(lab: &Lab, clients: u8, family: usize) -> Vec<Way> {
    let to = SocketAddr::new(INTERNET[family], 443);
    (0..clients).map(|number| tcp_from(lab, client_address(number)[family], to)).collect()
}

/// Waits for it.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 10 s");
    }
}
