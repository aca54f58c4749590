//! Where the kernel remembers which client is on which link: a set for each link of a policy and each IP version, which the
//! rules themselves fill. No program takes part.

use super::path::Memory;
use super::ruleset::Key;
use super::ruleset::digest::Digest;
use crate::config::model::{Config, Family, LinkId, Who};

/// How many letters of an owner's name are shown.
const LONGEST: usize = 20;

/// What a set has of each packet.
#[must_use]
pub fn keys(who: Who, family: Family) -> Vec<Key> {
    match who {
        Who::Client => vec![Key::Source(family)],
        Who::Destination => vec![Key::Source(family), Key::Destination(family)],
    }
}

/// The name of a set. It says all that makes the set what it is, since that cannot be changed while it is there.
#[must_use]
pub fn name(config: &Config, memory: &Memory, link: LinkId, family: Family) -> String {
    let number = match family {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    format!("sticky{number}_{}", identifier(config, memory, Some(link)))
}

/// The name of the chain that looks a client up.
#[must_use]
pub fn chain(config: &Config, memory: &Memory) -> String {
    format!("sticky_{}", identifier(config, memory, None))
}

/// The name of the chain that remembers a client, and then stamps its connection with a path, given by its name.
#[must_use]
pub fn keeper(config: &Config, memory: &Memory, link: LinkId, path: &str) -> String {
    format!("keep_{}_{path}", identifier(config, memory, Some(link)))
}

fn identifier(config: &Config, memory: &Memory, link: Option<LinkId>) -> String {
    let names = std::iter::once(&config[memory.policy].name).chain(link.map(|link| &config[link].name));
    let mut digest = Digest::default();
    let mut text = String::new();
    for name in names {
        digest.add(name.as_bytes());
        text.extend(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(LONGEST));
        text.push('_');
    }
    digest.add(&[memory.sticky.who as u8]);
    digest.number(memory.sticky.seconds.into());
    format!("{text}{:08x}", digest.value() >> 32)
}
