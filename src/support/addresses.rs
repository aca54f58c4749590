//! Addresses in a text: the public ones and those of network cards get names that say nothing of them, and always the
//! same one.
//!
//! `public-1.2` is the second address that was met in the first /24; `public6-1.2.3` the third in the second /64 of the
//! first /48. A 0 in such a place is one in the address: `public-1.0/24`. So a gateway and the addresses of its network are
//! known as belonging together.

use super::readable::is_readable;
use crate::map::Map;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// No IPv6 address is longer: eight groups, the last two as an IPv4 address.
const LONGEST: usize = 45;

/// The names given so far.
#[derive(Debug, Default)]
pub struct Addresses {
    /// By network, the number of its name and those of its hosts.
    v4: Numbers<u32, Numbers<u8, ()>>,
    v6: Numbers<u64, Numbers<u16, Numbers<u64, ()>>>,
    cards: Numbers<String, ()>,
}

/// Numbers from 1, in the order of first sight.
#[derive(Debug)]
struct Numbers<K: Ord, V>(Map<K, (usize, V)>);

impl<K: Ord, V> Default for Numbers<K, V> {
    fn default() -> Self {
        Self(Map::new())
    }
}

impl<K: Ord, V: Default> Numbers<K, V> {
    fn of(&mut self, key: K) -> &mut (usize, V) {
        let next = self.0.iter().count() + 1;
        self.0.or_insert_with(key, || (next, V::default()))
    }
}

/// What stands at a place in a text.
enum Found {
    /// The address of a network card.
    Card(String),
    /// An IP address.
    Ip(IpAddr),
}

impl Found {
    fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Card(_) => None,
            Self::Ip(address) => Some(*address),
        }
    }
}

impl Addresses {
    /// The text with the names in it.
    pub fn mask(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(place) = rest.find(is_of_an_address) {
            let (before, run) = rest.split_at(place);
            masked.push_str(before);
            let end = run.find(|c| !is_of_an_address(c) && c != '-').unwrap_or(run.len());
            let (run, behind) = run.split_at(end);
            self.mask_run(run, behind, &mut masked);
            rest = behind;
        }
        masked.push_str(rest);
        masked
    }

    /// Of characters that addresses are made of. Wherever in it something can be read as an address, it is one: a name that
    /// is no address may be lost that way, but no address stays.
    fn mask_run(&mut self, run: &str, behind: &str, masked: &mut String) {
        let mut rest = run;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            match find(rest, before) {
                Some((found, length)) => {
                    let (text, behind_it) = rest.split_at(length);
                    let following = if behind_it.is_empty() { behind } else { behind_it };
                    let shown = stands_alone(&found, before, following)
                        && found.ip().is_none_or(|address| is_readable(address, prefix_length(following)));
                    masked.push_str(&self.name(&found, shown).unwrap_or_else(|| text.to_owned()));
                    rest = behind_it;
                    before = text.chars().last();
                }
                None => {
                    masked.push(first);
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                    before = Some(first);
                }
            }
        }
    }

    /// The name of what was found; none if it may be shown.
    fn name(&mut self, found: &Found, shown: bool) -> Option<String> {
        match found {
            Found::Card(text) if text.bytes().all(|c| !c.is_ascii_hexdigit() || c == b'0') => None,
            Found::Card(text) if text.bytes().all(|c| !c.is_ascii_hexdigit() || c == b'f') => None,
            Found::Card(text) => Some(self.card(text.replace('-', ":"))),
            Found::Ip(IpAddr::V6(address)) if shown => self.readable6(*address),
            Found::Ip(IpAddr::V4(_)) if shown => None,
            Found::Ip(IpAddr::V4(address)) => Some(self.public4(*address)),
            Found::Ip(IpAddr::V6(address)) => Some(self.public6(*address)),
        }
    }

    fn card(&mut self, text: String) -> String {
        format!("mac-{}", self.cards.of(text).0)
    }

    /// An address of a network card may stand in a local address (EUI-64).
    fn readable6(&mut self, address: Ipv6Addr) -> Option<String> {
        let octets = address.octets();
        let [.., a, b, c, 0xff, 0xfe, d, e, f] = octets else { return None };
        let card = format!("{:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}", a ^ 2);
        let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
        Some(format!("{network}{}", self.card(card)))
    }

    fn public4(&mut self, address: Ipv4Addr) -> String {
        let [a, b, c, host] = address.octets();
        let (network, hosts) = self.v4.of(u32::from_be_bytes([0, a, b, c]));
        let host = if host == 0 { 0 } else { hosts.of(host).0 };
        format!("public-{network}.{host}")
    }

    fn public6(&mut self, address: Ipv6Addr) -> String {
        let bits = address.to_bits();
        let [a, b, ..] = address.segments();
        let c = address.segments()[2];
        let site = u64::from(a) << 32 | u64::from(b) << 16 | u64::from(c);
        let subnet = address.segments()[3];
        let host = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
        let (site, subnets) = self.v6.of(site);
        let (subnet, host) = match (subnet, host) {
            (0, 0) => (0, 0),
            _ => {
                let (number, hosts) = subnets.of(subnet);
                (if subnet == 0 { 0 } else { *number }, if host == 0 { 0 } else { hosts.of(host).0 })
            }
        };
        format!("public6-{site}.{subnet}.{host}")
    }
}

fn is_of_an_address(c: char) -> bool {
    c.is_ascii_hexdigit() || c == ':' || c == '.'
}

/// Whether nothing before or behind an address can be a part of it: what looks like one that may be shown could else be the
/// end of one that may not, and another's beginning.
fn stands_alone(found: &Found, before: Option<char>, behind: &str) -> bool {
    let mut behind = behind.chars();
    let (next, after_it) = (behind.next(), behind.next());
    let goes_on = |part: fn(char) -> bool, joint: char| {
        before.is_some_and(|c| part(c) || c == joint)
            || next.is_some_and(|c| part(c) || (c == joint && after_it.is_some_and(|c| part(c) || c == joint)))
    };
    match found {
        Found::Card(_) => true,
        Found::Ip(IpAddr::V4(_)) => !goes_on(|c| c.is_ascii_digit(), '.'),
        Found::Ip(IpAddr::V6(_)) => !goes_on(|c| c.is_ascii_hexdigit(), ':'),
    }
}

/// `/24` behind an address.
fn prefix_length(behind: &str) -> Option<u8> {
    let digits = behind.strip_prefix('/')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

/// What a text begins with, and how long that is; `before` is the character before it.
fn find(text: &str, before: Option<char>) -> Option<(Found, usize)> {
    let first = text.chars().next()?;
    if first == '-' {
        return None;
    }
    v6(text)
        .map(|(address, length)| (Found::Ip(IpAddr::V6(address)), length))
        .or_else(|| card(text, before))
        .or_else(|| v4(text).map(|(address, length)| (Found::Ip(IpAddr::V4(address)), length)))
}

/// The longest IPv6 address at the beginning of a text.
fn v6(text: &str) -> Option<(Ipv6Addr, usize)> {
    let end = text.find('-').unwrap_or(text.len()).min(LONGEST);
    let text = text.get(..end)?;
    if text.bytes().filter(|byte| *byte == b':').count() < 2 {
        return None;
    }
    (2..=end).rev().find_map(|length| Some((text.get(..length)?.parse().ok()?, length)))
}

/// Six or more pairs of digits between colons, or between dashes.
fn card(text: &str, before: Option<char>) -> Option<(Found, usize)> {
    if before.is_some_and(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = text.as_bytes();
    let separator = *bytes.get(2).filter(|byte| matches!(byte, b':' | b'-'))?;
    let pair = |n: usize| {
        let digits = bytes.get(3 * n..3 * n + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        digits && bytes.get(3 * n + 2).is_none_or(|byte| !byte.is_ascii_hexdigit())
    };
    let mut pairs = usize::from(pair(0));
    while pairs > 0 && bytes.get(3 * pairs - 1) == Some(&separator) && pair(pairs) {
        pairs += 1;
    }
    let length = (3 * pairs).checked_sub(1).filter(|_| pairs >= 6)?;
    Some((Found::Card(text.get(..length)?.to_ascii_lowercase()), length))
}

/// The longest IPv4 address at the beginning of a text. More lenient than the standard library: `093.184.216.034` is one.
fn v4(text: &str) -> Option<(Ipv4Addr, usize)> {
    let mut octets = [0_u8; 4];
    let mut length = 0;
    for (n, octet) in octets.iter_mut().enumerate() {
        let rest = text.get(length..)?;
        let rest = if n == 0 { rest } else { rest.strip_prefix('.')? };
        let digits = rest.bytes().take(3).take_while(u8::is_ascii_digit).count();
        // The last one may be followed by digits that are not its own.
        let value = (1..=digits).rev().find_map(|count| Some((rest.get(..count)?.parse::<u8>().ok()?, count)));
        let (value, count) = value?;
        *octet = value;
        length += count + usize::from(n > 0);
    }
    Some((Ipv4Addr::from(octets), length))
}
