//! A configuration made by chance, and changed by chance.

use crate::address::{INTERNET, Wan};
use crate::dice::Dice;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

/// How many links the lab has.
pub(super) const LINKS: u8 = 3;
/// What goes by one link or not at all comes to this port and the link's number.
pub(super) const PINNED: u16 = 7000;
/// Ports that rules of chance are about.
pub(super) const PORTS: [&str; 6] = ["80", "443", "8000-8100", "25", "5060-5070", "1-65535"];

const MASKS: [&str; 3] = ["0xff000000", "0x0000ff00", "0x3fc00000"];
const NAMES: [[&str; 2]; 3] = [["one", "uno"], ["two", "dos"], ["three", "tres"]];

/// The sections, as far as chance changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The links that are configured, by number.
    pub(super) links: BTreeMap<u8, Link>,
    policies: Vec<String>,
    rules: Vec<String>,
    mask: usize,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    second_name: bool,
    /// Whether it is watched.
    pub(super) tracked: bool,
    options: &'static str,
}

/// What a change does to who is connected already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Other policies and rules: nobody.
    Rules,
    /// One link's watching: nobody.
    Options(u8),
    /// A link is added, removed or renamed: who is on it.
    Link(u8),
    /// Another mask: everybody.
    Mask,
}

impl Configuration {
    /// All links watched, and some rules.
    pub(super) fn first(dice: &mut Dice) -> Self {
        let links = (1..=LINKS).map(|n| (n, Link { second_name: false, tracked: true, options: "" })).collect();
        let mut first = Self { links, policies: Vec::new(), rules: Vec::new(), mask: 0 };
        first.throw_rules(dice);
        first
    }

    /// A link's name, if it is configured.
    pub(super) fn name(&self, link: u8) -> Option<&'static str> {
        self.links.get(&link).map(|own| NAMES[usize::from(link) - 1][usize::from(own.second_name)])
    }

    /// The link of this name.
    pub(super) fn number(&self, name: &str) -> Option<u8> {
        (1..=LINKS).find(|n| self.name(*n) == Some(name))
    }

    /// Changes something; says what.
    pub(super) fn change(&mut self, dice: &mut Dice) -> Change {
        let link = 1 + dice.small(LINKS);
        let change = match dice.below(20) {
            0..=9 => Change::Rules,
            10..=13 => Change::Options(link),
            14..=18 => Change::Link(link),
            _ => Change::Mask,
        };
        match change {
            Change::Rules => {}
            Change::Options(_) => {
                if let Some(own) = self.links.get_mut(&link) {
                    own.tracked = dice.below(4) > 0;
                    own.options = *dice.choose(&["", "option flush_conntrack 'up'", "option max_loss '50'"]);
                }
            }
            Change::Link(_) => {
                let all = self.links.len() == usize::from(LINKS);
                match self.links.entry(link) {
                    Entry::Vacant(place) => {
                        let second_name = dice.below(2) == 0;
                        place.insert(Link { second_name, tracked: dice.below(4) > 0, options: "" });
                    }
                    Entry::Occupied(own) if all && dice.below(2) == 0 => drop(own.remove()),
                    Entry::Occupied(mut own) => own.get_mut().second_name = !own.get().second_name,
                }
            }
            Change::Mask => self.mask = (self.mask + 1) % MASKS.len(),
        }
        // They name the links.
        self.throw_rules(dice);
        change
    }

    /// As UCI.
    pub(super) fn text(&self) -> String {
        let mut text =
            format!("config globals 'globals'\n  option enabled '1'\n  option mask '{}'\n", MASKS[self.mask]);
        for (n, link) in &self.links {
            let (name, interface) = (self.name(*n).unwrap_or_default(), Wan(*n).interfaces()[0]);
            let _ = writeln!(text, "config link '{name}'\n  option interface '{interface}'\n  {}", link.options);
            if link.tracked {
                let hosts = INTERNET.map(|host| format!("  list track_ip '{host}'\n")).concat();
                text += &format!("  option interval '200ms'\n  option timeout '700ms'\n{hosts}");
            }
            let _ = writeln!(
                text,
                "config policy 'only_{n}'\n  list use '{name}'\n  option fallback 'unreachable'\n\
                 config rule 'pin_{n}'\n  list dest_port '{}'\n  option use 'only_{n}'",
                PINNED + u16::from(*n)
            );
        }
        text + &self.policies.concat() + &self.rules.concat()
    }

    fn throw_rules(&mut self, dice: &mut Dice) {
        let names: Vec<&str> = (1..=LINKS).filter_map(|n| self.name(n)).collect();
        let policies = 1 + dice.below(4);
        self.policies = (0..policies).map(|n| policy(n, &names, dice)).collect();
        let targets: Vec<String> = (0..policies).map(|n| format!("p{n}")).collect();
        let targets: Vec<&str> =
            targets.iter().map(String::as_str).chain(names).chain(["main", "unreachable"]).collect();
        self.rules = (0..dice.below(8)).map(|n| rule(n, &targets, dice)).collect();
    }
}

fn policy(number: u64, links: &[&str], dice: &mut Dice) -> String {
    let mut text = format!("config policy 'p{number}'\n");
    let balances = dice.below(2) == 0;
    let first = dice.below(3);
    for place in 0..links.len() {
        let at = (place + usize::try_from(first).unwrap_or(0)) % links.len();
        if place > 0 && dice.below(3) == 0 {
            continue;
        }
        let weight = 1 + dice.below(3);
        let tier = if dice.below(3) == 0 { " tier 2" } else { "" };
        let _ = writeln!(
            text,
            "  list use '{}{}'",
            links[at],
            if balances { format!(" {weight}{tier}") } else { String::new() }
        );
    }
    if balances {
        let _ =
            writeln!(text, "  option mode 'balance'\n  option balance_by '{}'", dice.choose(&["client", "connection"]));
    }
    let _ = writeln!(text, "  option fallback '{}'", dice.choose(&["main", "main", "unreachable", "blackhole"]));
    text
}

fn rule(number: u64, targets: &[&str], dice: &mut Dice) -> String {
    let mut text = format!("config rule 'r{number}'\n  option use '{}'\n", dice.choose(targets));
    let _ = writeln!(text, "  list dest_port '{}'", dice.choose(&PORTS));
    match dice.below(6) {
        0 => text += "  list src_ip '192.168.1.10-192.168.1.15'\n",
        1 => text += "  list dest_ip '192.0.2.0/25'\n  list dest_ip '2001:db8:ffff::/65'\n",
        2 => text += "  option family 'ipv6'\n",
        3 => text += "  option from 'any'\n",
        _ => {}
    }
    if dice.below(3) == 0 {
        let _ = writeln!(text, "  list proto '{}'", dice.choose(&["tcp", "udp"]));
    }
    if !text.contains("from 'any'") {
        match dice.below(5) {
            0 => text += "  option counter '1'\n",
            1 if text.contains("use 'p") => text += "  option sticky '1'\n",
            _ => {}
        }
    }
    text
}
