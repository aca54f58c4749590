//! What answers a connection from outside goes back by the link the connection came in on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, Lab, Setup, Wan, Way};
use packet_support::{TWO_LINKS, applied};
use std::time::Duration;

/// Router services (ssh, http, ping) and a port-forwarded LAN host, by every link, whichever is `main`'s default.
fn inbound(main_default: &[u8], rp_filter: u8) {
    let lab = Lab::with(&Setup { main_default: main_default.to_vec(), rp_filter, ..Setup::default() });
    applied(&lab, TWO_LINKS);
    for (family, internet) in INTERNET.into_iter().enumerate() {
        for link in [1, 2] {
            let address = Wan(link).router()[family];
            let case = format!("{address}, main {main_default:?}, rp_filter {rp_filter}");
            for port in [22, 80, 8022] {
                assert_eq!(lab.tcp(&lab.internet, address, port), Way::Direct(internet), "tcp {port} to {case}");
            }
            assert!(lab.internet.ping(address, &[]), "ping {case}");
        }
        // Strict filtering must not swallow what leaves either.
        assert_eq!(lab.tcp(&lab.lan, internet, 443), Way::Link(1), "rp_filter {rp_filter}");
        assert_eq!(lab.tcp(&lab.lan, internet, 25), Way::Link(2), "rp_filter {rp_filter}");
    }
    assert_eq!(lab.spoofed(), 0);
}

fn inbound_whichever_is_the_default(rp_filter: u8) {
    for main_default in [&[1][..], &[2], &[1, 2]] {
        inbound(main_default, rp_filter);
    }
}

#[test]
fn answers_leave_by_the_link_of_the_question() {
    lab::isolated(|| inbound_whichever_is_the_default(0));
}

#[test]
fn answers_leave_by_the_link_of_the_question_with_strict_rp_filter() {
    lab::isolated(|| inbound_whichever_is_the_default(1));
}

#[test]
fn answers_leave_by_the_link_of_the_question_with_loose_rp_filter() {
    lab::isolated(|| inbound_whichever_is_the_default(2));
}

#[test]
fn answers_leave_by_the_link_of_the_question_without_a_default_in_main() {
    lab::isolated(|| inbound(&[], 0));
}

#[test]
fn a_port_forward_by_the_other_link_carries_bulk_data() {
    lab::isolated(|| {
        let lab = Lab::new();
        applied(&lab, TWO_LINKS);
        let before = lab.provider(1).passed();
        for family in [0, 1] {
            for port in [22, 8022] {
                let address = Wan(2).router()[family];
                let flow = Flow::tcp(&lab.internet, address, port, 16 * 1024, Duration::ZERO);
                assert!(flow.goes_on(50));
                assert_eq!(flow.stop().error, None);
            }
        }
        assert_eq!((lab.spoofed(), lab.provider(1).passed()), (0, before));
    });
}
