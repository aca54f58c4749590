//! Datagrams from the kernel, in answer to what was asked and as announcements. In the byte order of the machine: the
//! committed ones are little-endian.

use wansplit::kernel::netlink::doors::{Read, hear, read, route_message, rule_message};
use wansplit::kernel::netlink::link::Link;
use wansplit::plan::state::RouteKind;

/// Takes one input.
pub fn run(datagram: &[u8]) {
    let devices = [device(1, "lo"), device(2, "eth0")];
    if let Ok(read) = read(datagram, &devices) {
        for rule in &read.rules {
            let written = rule_message(rule).expect("it fits");
            assert_eq!(
                again(&written, &devices).rules,
                std::slice::from_ref(rule),
                "what counts as ours can be written"
            );
        }
        for route in &read.routes {
            // The kernel is asked for the number of a device: here it knows one.
            let is_known = match &route.kind {
                RouteKind::Via(hops) => hops.iter().all(|hop| hop.device == "lo"),
                _ => true,
            };
            if is_known {
                let written = route_message(route).expect("it fits");
                assert_eq!(
                    again(&written, &devices).routes,
                    std::slice::from_ref(route),
                    "what counts as ours can be written"
                );
            }
        }
        for elements in read.elements {
            assert!(elements.windows(2).all(|pair| pair[0].last() < pair[1].first()), "{elements:?}");
        }
    }
    let heard = hear(&[datagram, datagram], &devices);
    assert!(heard[0].lost || !heard[1].lost, "what was understood is understood again");
    let cut = datagram.len() / 2;
    let _ = hear(&[&datagram[..cut], &datagram[cut..]], &devices);
}

fn again(datagram: &[u8], devices: &[Link]) -> Read {
    read(datagram, devices).expect("our own message")
}

fn device(index: u32, name: &str) -> Link {
    Link {
        index,
        name: name.into(),
        up: true,
        carrier: true,
        operational: true,
        loopback: index == 1,
        gatewayless: false,
        tunnel: None,
        mtu: 1500,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    }
}
