//! What goes wrong around the daemon, and must not stay wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod daemon_support;
mod packet_support;

use daemon_support::{MAIL, PATIENCE, WEB, by_device, lab, new_connections_by, tracked, wait_until_well, with_devices};
use packet_support::rule;
use std::time::Instant;

const FAST: &str = "option interval '100ms'\n option timeout '200ms'\n";

#[test]
fn a_configuration_that_the_kernel_refuses_does_not_keep_the_next_one_out() {
    lab::isolated(|| {
        let lab = lab();
        let wansplit = with_devices(&lab, &tracked(FAST));
        let daemon = wansplit.daemon(&[]);
        wait_until_well(&daemon, PATIENCE);
        let good = by_device(&tracked(FAST)) + &rule("more", "7000", "mail");
        // A gateway that is the network's broadcast address; and a rule more, so that nft is wanted as well.
        let refused = good.replace("198.51.100.1'", "198.51.100.255'");
        assert_ne!(refused, good);
        let since = Instant::now();
        wansplit.configure(&refused);
        daemon.hangup();
        assert!(daemon.wait_for_line(since, &["198.51.100.255"], PATIENCE).is_some(), "it is said");
        wansplit.configure(&good);
        daemon.hangup();
        new_connections_by(&lab, 7000, 2);
        new_connections_by(&lab, WEB, 1);
        new_connections_by(&lab, MAIL, 2);
        // The lock is free for everybody else too.
        wansplit.apply();
    });
}
