//! Links that come and go all the time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{OnEmb, PATIENCE, Unharmed, WEB, lab, new_connections_by, tracked, wait_until_well, with_devices};
use lab::{Daemon, Direction, Lab, Way};
use std::thread;
use std::time::{Duration, Instant};

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";
/// A link that has flapped may be held back for a minute or so.
const FORGIVEN: Duration = Duration::from_secs(90);

/// During and after `flaps`: who is on the other link notices nothing, and in the end all is as before.
fn flapping(options: &str, flaps: impl FnOnce(&Lab)) {
    let lab = lab();
    let wansplit = with_devices(&lab, options);
    let daemon = wansplit.daemon(&[]);
    wait_until_well(&daemon, PATIENCE);
    let (flows, unharmed) = (OnEmb::start(&lab), Unharmed::watch(&lab));
    let (before, since) = (daemon.usage(), Instant::now());
    flaps(&lab);
    let (after, took) = (daemon.usage(), since.elapsed());
    let lines = lines_since(&daemon, since);
    println!("{} ticks of processor time in {took:?}, {lines} lines in the log", after.ticks - before.ticks);
    // It may not be busy all the time: a flap costs a look or two.
    assert!(Duration::from_millis(10 * (after.ticks - before.ticks)) < took, "the daemon takes a whole processor");
    new_connections_by(&lab, WEB, 2);
    let voice = [Way::Link(1), Way::Link(2)];
    println!("well after {:?}", wait_until_well(&daemon, FORGIVEN));
    new_connections_by(&lab, WEB, 1);
    for flow in flows.voice {
        assert!(flow.goes_on(10));
        let ways = flow.stop().ways();
        assert!(ways.iter().all(|way| voice.contains(way)), "{ways:?}");
    }
    unharmed.assert();
}

fn lines_since(daemon: &Daemon<'_>, since: Instant) -> usize {
    daemon.log().iter().filter(|line| line.at >= since).count()
}

#[test]
fn a_carrier_that_flaps_every_300_ms() {
    lab::isolated(|| {
        flapping(&tracked(FAST), |lab| {
            let times = lab.provider(1).flap(Duration::from_millis(300), Duration::from_secs(10));
            println!("{times} times");
        });
    });
}

#[test]
fn a_carrier_that_flaps_and_nobody_probes() {
    lab::isolated(|| {
        flapping("", |lab| {
            lab.provider(1).flap(Duration::from_millis(150), Duration::from_secs(4));
        });
    });
}

#[test]
fn a_provider_that_is_silent_every_other_second() {
    lab::isolated(|| {
        flapping(&tracked(&format!("{FAST}option up '2'\n")), |lab| {
            for _ in 0..6 {
                lab.provider(1).silence(Direction::Both);
                thread::sleep(Duration::from_millis(700));
                lab.provider(1).speak();
                thread::sleep(Duration::from_millis(700));
            }
        });
    });
}
