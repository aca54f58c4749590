//! The names of the sets that keep their names while their content comes and goes. The resolver is told these names, so
//! they depend on what the owner wrote and on nothing else.

use super::digest::Digest;
use crate::config::model::{AddressSet, Config, Family, Part, SetId};

/// How many letters of the owner's name are shown.
const LONGEST: usize = 40;

/// The name of one part of a set in one family: `listed4_streams`, `domains6_tv`.
#[must_use]
pub fn name(config: &Config, set: SetId, part: Part, family: Family) -> String {
    let own = &config[set];
    let role = match part {
        Part::Listed => "listed",
        Part::Domains if own.is_of_rule => "rule_domains",
        Part::Domains => "domains",
    };
    let number = match family {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    format!("{role}{number}_{}", identifier(config, own))
}

/// The owner's name as nft's language allows it; with a digest, if that is another name. The domains of a rule without a
/// name, or of one that has another's name, go by what they are.
fn identifier(config: &Config, set: &AddressSet) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = set.name.chars().map(plain).take(LONGEST).collect();
    let same = |other: &&AddressSet| other.is_of_rule && other.name == set.name;
    let shared = set.is_of_rule && (set.name.is_empty() || config.sets.iter().filter(same).nth(1).is_some());
    if name == set.name && !shared {
        return name;
    }
    let mut digest = Digest::default();
    digest.add(set.name.as_bytes());
    if shared {
        set.domains.iter().for_each(|domain| digest.add(domain.as_bytes()));
    }
    format!("{name}.{:08x}", digest.value() >> 32)
}
