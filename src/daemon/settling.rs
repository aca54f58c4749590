//! IPv6 interfaces that bounce. Pure.
//!
//! odhcp6c brings `wan6` up by the router's advertisement; when DHCPv6 has answered, some ten seconds later, it takes the
//! interface down and up again within 70 ms. It takes a second or two more until the kernel knows that the address, which
//! is new to it, is unique. That is no failure of the link: routes, connections and the log shall not notice.

use crate::config::model::LinkId;
use crate::map::Map;
use crate::network::{Down, Facts, Side, State};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long an IPv6 interface may be away before that counts.
const PATIENCE: Duration = Duration::from_millis(400);
/// The same where it is there again, and only waits for its address: up to a second by chance, and one more.
const PATIENCE_FOR_ADDRESS: Duration = Duration::from_millis(2500);

/// Takes IPv6 for away where a link has addresses, but none that is known to be unique: that takes a second or two. As
/// long, the kernel has the router's packets, and those that are masqueraded, leave with the address of another link.
/// Only for the daemon, which looks again when it is known. `usable` are the router's addresses that are.
pub fn await_addresses(facts: &mut Facts, usable: &[IpAddr]) {
    for side in facts.links.iter_mut().map(|link| &mut link.v6) {
        let waits = !side.addresses.is_empty() && !side.addresses.iter().any(|own| usable.contains(own));
        if waits && matches!(side.state, State::Up(_)) {
            side.state = State::Down(Down::NoAddress);
        }
    }
}

/// Since when IPv6 is away, by link.
#[derive(Debug, Default)]
pub struct Settling(Map<LinkId, Instant>);

impl Settling {
    /// Where IPv6 has just gone while IPv4 goes on over the same device, puts back what was known of it `before`. Says
    /// when to look again.
    pub fn hold(&mut self, facts: &mut Facts, before: &Facts, now: Instant) -> Option<Instant> {
        let mut again = None;
        for (n, (link, old)) in facts.links.iter_mut().zip(&before.links).enumerate() {
            let id = LinkId(n);
            let patience = match link.v6.state {
                State::Down(Down::InterfaceDown | Down::NotOffered) => PATIENCE,
                State::Down(Down::NoAddress) => PATIENCE_FOR_ADDRESS,
                _ => {
                    self.0.remove(&id);
                    continue;
                }
            };
            if !lives_on(&old.v6, &link.v4) {
                continue;
            }
            let until = *self.0.or_insert_with(id, || now) + patience;
            if now < until {
                link.v6 = old.v6.clone();
                again = Some(again.map_or(until, |earlier: Instant| earlier.min(until)));
            }
        }
        again
    }
}

/// Whether the device that IPv6 went by still carries IPv4.
fn lives_on(old_v6: &Side, v4: &Side) -> bool {
    match (&old_v6.state, &v4.state) {
        (State::Up(old), State::Up(own)) => old.device == own.device,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::{Hop, LinkFacts};

    fn up(device: &str) -> Side {
        let hop = Hop { device: device.into(), gateway: None };
        Side { device: Some(device.into()), state: State::Up(hop), ..Side::default() }
    }

    fn facts(v4: Side, v6: Side) -> Facts {
        Facts { links: vec![LinkFacts { v4, v6, ..LinkFacts::default() }], ipv6: true, ..Facts::default() }
    }

    fn down() -> Side {
        Side { state: State::Down(Down::InterfaceDown), ..Side::default() }
    }

    #[test]
    fn a_bounce_is_not_noticed_and_a_death_is() {
        let (start, mut settling) = (Instant::now(), Settling::default());
        let before = facts(up("wan"), up("wan"));
        let mut now = facts(up("wan"), down());
        assert_eq!(settling.hold(&mut now, &before, start), Some(start + PATIENCE));
        assert_eq!(now, before);
        // It is back.
        assert_eq!(settling.hold(&mut facts(up("wan"), up("wan")), &before, start + PATIENCE / 2), None);
        // It goes again, and stays away.
        let away = || facts(up("wan"), down());
        let later = start + PATIENCE;
        assert!(settling.hold(&mut away(), &before, later).is_some());
        let mut at_last = away();
        assert_eq!(settling.hold(&mut at_last, &before, later + PATIENCE), None);
        assert_eq!(at_last, away());
        // From then on it is known to be away.
        assert_eq!(settling.hold(&mut away(), &at_last, later + PATIENCE * 2), None);
    }

    #[test]
    fn an_address_that_is_looked_at_for_a_second_is_no_death_either() {
        let (start, mut settling) = (Instant::now(), Settling::default());
        let before = facts(up("wan"), up("wan"));
        assert!(settling.hold(&mut facts(up("wan"), down()), &before, start).is_some());
        let waiting = || facts(up("wan"), Side { state: State::Down(Down::NoAddress), ..Side::default() });
        let mut now = waiting();
        assert_eq!(settling.hold(&mut now, &before, start + PATIENCE * 2), Some(start + PATIENCE_FOR_ADDRESS));
        assert_eq!(now, before);
        let mut at_last = waiting();
        assert_eq!(settling.hold(&mut at_last, &before, start + PATIENCE_FOR_ADDRESS), None);
        assert_eq!(at_last, waiting());
    }

    #[test]
    fn one_address_that_can_be_used_is_enough() {
        let addresses = ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()];
        let with = |side: Side| facts(up("wan"), Side { addresses: addresses.to_vec(), ..side });
        for (usable, waits) in [(&addresses[..0], true), (&addresses[1..], false), (&addresses[..], false)] {
            let mut now = with(up("wan"));
            await_addresses(&mut now, usable);
            assert_eq!(now.links[0].v6.state == State::Down(Down::NoAddress), waits);
            assert!(matches!(now.links[0].v4.state, State::Up(_)));
        }
        // It has none and needs none: its prefix is used elsewhere.
        let mut now = facts(up("wan"), up("wan"));
        await_addresses(&mut now, &[]);
        assert_eq!(now, facts(up("wan"), up("wan")));
    }

    #[test]
    fn what_goes_with_the_whole_link_goes_at_once() {
        let before = facts(up("wan"), up("wan"));
        for v4 in [down(), up("other")] {
            let mut now = facts(v4.clone(), down());
            assert_eq!(Settling::default().hold(&mut now, &before, Instant::now()), None);
            assert_eq!(now, facts(v4, down()));
        }
    }
}
