//! Sticky rules: whom the kernel remembers, on which link, for how long, and what ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{INTERNET, Lab, Setup, Way, client_address};
use packet_support::applied;
use packet_support::shares::{udp_from, wait_until};
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

const CLIENTS: u8 = 24;

/// Port 5000 sticks, port 6000 does not; both are spread connection by connection.
fn config(sticky: &str, more: &str) -> String {
    format!(
        "config globals 'globals'
           option enabled '1'
         config link 'one'
           option device 'eth1'
           option gateway '198.51.100.1'
           option gateway6 '2001:db8:1::1'
         config link 'two'
           option device 'eth2'
           option gateway '203.0.113.1'
           option gateway6 '2001:db8:2::1'
         config policy 'all'
           list use 'one'
           list use 'two'
           option mode 'balance'
           option balance_by 'connection'
         config rule 'sticks'
           list dest_port '5000-5999'
           option use 'all'
           {sticky}
         config rule 'loose'
           list dest_port '6000'
           option use 'all'\n{more}"
    )
}

fn crowd() -> Lab {
    Lab::with(&Setup { clients: CLIENTS, ..Setup::default() })
}

/// The link of each client's next connection.
fn links(lab: &Lab, family: usize, to: IpAddr, port: u16) -> Vec<Way> {
    (0..CLIENTS).map(|n| udp_from(lab, client_address(n)[family], SocketAddr::new(to, port))).collect()
}

/// Another host on the Internet.
fn other(family: usize) -> IpAddr {
    ["192.0.2.77", "2001:db8:ffff::77"][family].parse().unwrap()
}

#[test]
fn a_client_stays_also_when_the_rules_change() {
    lab::isolated(|| {
        let lab = crowd();
        let wansplit = applied(&lab, &config("option sticky '1'", ""));
        for family in [0, 1] {
            let first = links(&lab, family, INTERNET[family], 5000);
            for link in [1, 2] {
                assert!(first.contains(&Way::Link(link)), "24 draws that are all the same: {first:?}");
            }
            for (to, port) in [(INTERNET[family], 5001), (other(family), 5000), (other(family), 5999)] {
                assert_eq!(links(&lab, family, to, port), first, "other ports and hosts");
            }
            // What does not stick is drawn each time, and changes nobody's link.
            let draws: Vec<_> = (0..4).map(|_| links(&lab, family, INTERNET[family], 6000)).collect();
            assert!(draws.iter().any(|draw| *draw != draws[0]), "{draws:?}");
            wansplit.apply_config(&config(
                "option sticky '1'",
                "config rule 'new'\n list dest_port '7000'\n option use 'two'\n",
            ));
            assert_eq!(links(&lab, family, INTERNET[family], 5002), first, "after another apply");
            wansplit.apply_config(&config("option sticky '1'", ""));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_client_and_a_destination_stay_together() {
    lab::isolated(|| {
        let lab = crowd();
        applied(&lab, &config("option sticky 'destination'", ""));
        for family in [0, 1] {
            let (here, there) = (INTERNET[family], other(family));
            let (first, second) = (links(&lab, family, here, 5000), links(&lab, family, there, 5000));
            assert_ne!(first, second, "each pair draws for itself");
            for _ in 0..3 {
                assert_eq!(links(&lab, family, here, 5001), first);
                assert_eq!(links(&lab, family, there, 5001), second);
            }
        }
    });
}

#[test]
fn it_ends_when_nothing_new_came_for_so_long() {
    lab::isolated(|| {
        let lab = crowd();
        applied(&lab, &config("option sticky '1'\n option timeout '2s'", ""));
        let first = links(&lab, 0, INTERNET[0], 5000);
        // Each new connection makes it last.
        for port in 5001..5005 {
            sleep(Duration::from_millis(900));
            assert_eq!(links(&lab, 0, INTERNET[0], port), first);
        }
        let drawn_again = (0..3).any(|_| {
            sleep(Duration::from_millis(2600));
            links(&lab, 0, INTERNET[0], 5000) != first
        });
        assert!(drawn_again, "three times 24 draws that are all the same");
    });
}

#[test]
fn a_dead_link_moves_its_clients() {
    lab::isolated(|| {
        let lab = crowd();
        applied(&lab, &config("option sticky '1'", ""));
        for family in [0, 1] {
            let first = links(&lab, family, INTERNET[family], 5000);
            lab.provider(1).carrier(false);
            wait_until(|| links(&lab, family, INTERNET[family], 5001).iter().all(|way| *way == Way::Link(2)));
            // No program runs here. The old link takes them back, which it would not if it were away for longer.
            lab.provider(1).carrier(true);
            wait_until(|| links(&lab, family, INTERNET[family], 5002) == first);
        }
    });
}

#[test]
fn with_the_daemon_they_stay_where_they_moved() {
    lab::isolated(|| {
        let lab = crowd();
        let wansplit = packet_support::configured(&lab, &config("option sticky '1'", ""));
        let _daemon = wansplit.daemon(&[]);
        for family in [0, 1] {
            let first = links(&lab, family, INTERNET[family], 5000);
            assert!(first.contains(&Way::Link(1)));
            lab.provider(1).carrier(false);
            wait_until(|| links(&lab, family, INTERNET[family], 5001).iter().all(|way| *way == Way::Link(2)));
            sleep(Duration::from_secs(1));
            assert!(links(&lab, family, INTERNET[family], 5001).iter().all(|way| *way == Way::Link(2)));
            lab.provider(1).carrier(true);
            sleep(Duration::from_secs(1));
            let after = links(&lab, family, INTERNET[family], 5002);
            assert!(after.iter().all(|way| *way == Way::Link(2)), "{after:?}");
        }
    });
}
