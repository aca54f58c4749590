//! Connections of a balanced policy that had to leave the first tier: they stay where they are, or are called back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Setup, Wan, Way};
use packet_support::{configured, rule};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// Goes by the tiers.
const SHARED: u16 = 7000;
/// Goes by LTE, whatever the others do.
const OWN: u16 = 6000;

/// EMB and OI share; LTE waits.
fn config(flush: &str, fallback: &str) -> String {
    let link = |(number, name): (u8, &str)| {
        let ([gateway, gateway6], device) = (Wan(number).gateway(), Wan(number).device());
        format!(
            "config link '{name}'
               option device '{device}'
               option gateway '{gateway}'
               option gateway6 '{gateway6}'
               {flush}\n"
        )
    };
    let links: String = (1..).zip(["EMB", "OI", "LTE"]).map(link).collect();
    format!(
        "config globals 'globals'
           option enabled '1'
         {links}
         config policy 'tiers'
           option mode 'balance'
           option fallback '{fallback}'
           list use 'EMB'
           list use 'OI'
           list use 'LTE tier 2'\n"
    ) + &rule("shared", &SHARED.to_string(), "tiers")
        + &rule("own", &OWN.to_string(), "LTE")
}

/// Both links of the first tier die and come back. Returns the links that the flows over the tiers used, by family.
fn death_and_return(flush: &str, fallback: &str, recalled: bool) {
    let lab = Lab::with(&Setup { links: 3, ..Setup::default() });
    let wansplit = configured(&lab, &config(flush, fallback));
    let daemon = wansplit.daemon(&[]);
    let start = |port| INTERNET.map(|to| Flow::udp(&lab.lan, to, port, Duration::from_millis(20)));
    let (shared, own) = (start(SHARED), start(OWN));
    let first = shared.each_ref().map(|flow| flow.so_far().ways());
    assert!(first.iter().all(|ways| [[Way::Link(1)], [Way::Link(2)]].iter().any(|one| ways == one)), "{first:?}");

    lab.provider(1).carrier(false);
    lab.provider(2).carrier(false);
    for flow in &shared {
        assert!(flow.comes_by(Way::Link(3), PATIENCE).is_some(), "{:?}\n{}", flow.so_far(), daemon.log_text());
    }
    lab.provider(1).carrier(true);
    lab.provider(2).carrier(true);
    for link in ["EMB", "OI"] {
        daemon.wait_for_state(link, &["ipv4", "ipv6"], "up", PATIENCE);
    }
    for flow in &shared {
        let back = [1, 2].into_iter().any(|link| flow.comes_by(Way::Link(link), Duration::from_secs(2)).is_some());
        assert_eq!(back, recalled, "{:?}\n{}", flow.so_far(), daemon.log_text());
    }
    // New ones go by the first tier, whatever the others do.
    for flow in start(SHARED) {
        assert!(!flow.so_far().ways().contains(&Way::Link(3)));
        drop(flow.stop());
    }
    for flow in shared.iter().chain(&own) {
        assert!(flow.goes_on(20), "{:?}", flow.so_far());
    }
    for flow in own {
        flow.stop().assert_whole(Way::Link(3));
    }
    println!("{}", daemon.log_text());
    assert_eq!(lab.spoofed(), 0);
}

#[test]
fn what_had_to_leave_the_first_tier_stays() {
    lab::isolated(|| death_and_return("", "main", false));
}

#[test]
fn what_had_to_leave_the_first_tier_is_called_back_where_that_is_wanted() {
    lab::isolated(|| death_and_return("list flush_conntrack 'down'\n list flush_conntrack 'up'", "main", true));
}

#[test]
fn behind_a_kill_switch_it_is_the_same() {
    lab::isolated(|| death_and_return("option flush_conntrack 'down up'", "unreachable", true));
}
