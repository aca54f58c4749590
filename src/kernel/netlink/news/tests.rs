//! Announcements that no namespace can be made to send, and a memory that is full.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::kernel::netlink::message::{Messages, Request};

const UP: u8 = 0x43;
const CARRIER: u8 = 1;

/// A device's announcement, as far as it is looked at.
fn announced(kind: u16, family: u8, index: u8, name: &str, flags: [u8; 2], operstate: Option<u8>) -> Request {
    // Flags are a number of 32 bits: the first byte, and the third for `LOWER_UP`.
    let flags = (u32::from(flags[0]) | u32::from(flags[1]) << 16).to_ne_bytes();
    let mut fixed = [0; 16];
    fixed[0] = family;
    fixed[2..4].copy_from_slice(&1_u16.to_ne_bytes());
    fixed[4..8].copy_from_slice(&u32::from(index).to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags);
    let mut request = Request::new(kind, 0, &fixed);
    request.string(3, name);
    if let Some(operstate) = operstate {
        request.u8(link::IFLA_OPERSTATE, operstate);
    }
    request
}

fn hear(memory: &mut Memory, mut request: Request) -> News {
    let mut news = News::default();
    let message = Messages(request.seal(1).unwrap()).next().unwrap().unwrap();
    memory.hear(&message, &mut news).unwrap();
    news
}

#[test]
fn a_wireless_event_says_nothing_of_a_devices_state() {
    let mut memory = Memory::default();
    let dormant = || announced(NEWLINK, 0, 7, "wlan0", [UP, CARRIER], Some(5));
    let news = hear(&mut memory, dormant());
    let [device] = &news.links[..] else { panic!("{news:?}") };
    assert_eq!((device.index, &device.name[..], device.up, device.carrier), (7, "wlan0", true, true));
    assert!(!device.operational && !device.gone);
    // Flags of 0, a name, and the event itself (`IFLA_WIRELESS`).
    let mut event = announced(NEWLINK, 0, 7, "wlan0", [0, 0], None);
    event.raw(11, &[0; 40]);
    assert!(hear(&mut memory, event).is_empty());
    assert!(hear(&mut memory, dormant()).is_empty());
}

#[test]
fn a_bridges_words_about_a_port_are_not_the_ports_own() {
    let mut memory = Memory::default();
    let up = || announced(NEWLINK, 0, 7, "eth1", [UP, CARRIER], Some(6));
    assert_eq!(hear(&mut memory, up()).links.len(), 1);
    const AF_BRIDGE: u8 = 7;
    for kind in [NEWLINK, DELLINK] {
        assert!(hear(&mut memory, announced(kind, AF_BRIDGE, 7, "eth1", [0, 0], Some(2))).is_empty());
    }
    assert!(hear(&mut memory, up()).is_empty());
    let gone = hear(&mut memory, announced(DELLINK, 0, 7, "eth1", [0, 0], Some(2)));
    assert!(gone.links.iter().all(|device| device.gone) && gone.links.len() == 1);
    assert_eq!(hear(&mut memory, up()).links.len(), 1, "a new device with an old number is news");
}

#[test]
fn news_add_up_with_each_devices_last_state() {
    let mut memory = Memory::default();
    let mut news = hear(&mut memory, announced(NEWLINK, 0, 1, "a", [UP, CARRIER], Some(6)));
    news.add(hear(&mut memory, announced(NEWLINK, 0, 2, "b", [UP, 0], Some(2))));
    news.add(hear(&mut memory, announced(NEWLINK, 0, 1, "a", [0, 0], Some(2))));
    let states: Vec<(&str, bool)> = news.links.iter().map(|device| (&device.name[..], device.up)).collect();
    assert_eq!(states, [("b", true), ("a", false)]);
    news.add(News { lost: true, table: true, ..News::default() });
    assert!(news.lost && news.table && !news.addresses && !news.is_empty());
}

#[test]
fn a_full_memory_begins_again() {
    let mut seen = Seen::default();
    for key in 0..2 * REMEMBERED as u64 {
        assert!(seen.is_new(key, 1));
        assert!(!seen.is_new(key, 1));
        assert!(seen.0.len() <= REMEMBERED);
    }
    assert!(seen.is_new(0, 1), "long forgotten");
    let last = 2 * REMEMBERED as u64 - 1;
    assert!(seen.is_new(last, 2) && !seen.is_new(last, 2));
    seen.forget(last);
    assert!(seen.is_new(last, 2));
}

#[test]
fn a_carrier_that_was_lost_when_it_was_read_is_news_when_it_is_announced() {
    let mut memory = Memory::default();
    let up = || announced(NEWLINK, 0, 7, "eth1", [UP, CARRIER], Some(6));
    assert_eq!(hear(&mut memory, up()).links.len(), 1);
    let read = |carrier| link::Link {
        index: 7,
        name: "eth1".into(),
        up: true,
        carrier,
        operational: true,
        loopback: false,
        gatewayless: false,
        tunnel: None,
        mtu: 1500,
        bridged: false,
        rx_bytes: 0,
        tx_bytes: 0,
    };
    memory.read(&[read(false)]);
    assert_eq!(hear(&mut memory, up()).links.len(), 1, "it was not there a moment ago");
    memory.read(&[read(true)]);
    assert!(hear(&mut memory, up()).is_empty());
    assert_eq!(hear(&mut memory, announced(NEWLINK, 0, 7, "eth1", [UP, 0], Some(6))).links.len(), 1);
    memory.read(&[]);
    assert_eq!(hear(&mut memory, up()).links.len(), 1, "it was gone");
}
