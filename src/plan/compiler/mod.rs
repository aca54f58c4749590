//! The rule compiler: ordered rules become as few map and set lookups as the order allows.
//!
//! Most configurations are a few lookups one after the other ([`tiers`]). Where rules of many shapes take turns, that list
//! gets long; then it is made a tree ([`tree`]): packets part by IP version, device and sender, and what rules of different
//! shapes look at becomes one wide map ([`wide`]).

mod boxes;
pub mod region;
mod tiers;
mod tree;
mod wide;

use super::ruleset::{Map, Rule, Verdict};
use crate::sort;
use region::{Member, Region};
use std::borrow::Cow;

/// How many rules a packet may walk past one by one before it is worth while to spread them over a tree.
const SHORT: usize = 8;

/// A region and where its packets go.
type Ordered<'a> = (Cow<'a, Region<'a>>, Verdict);

/// What the compiler makes: rules for the classifying chain, in order, the chains they lead to, and the maps and sets
/// they look into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The rules.
    pub rules: Vec<Rule>,
    /// More chains, by name.
    pub chains: Vec<(String, Vec<Rule>)>,
    /// The maps and sets.
    pub maps: Vec<Map>,
}

/// Compiles ordered rules, given as `(regions, verdict)`; the first that holds a packet wins. `kept` makes the set for a
/// [`Member`]; `rest` is the rule for IPv6 packets that none holds.
#[must_use]
pub fn compile<'a>(
    rules: impl IntoIterator<Item = (&'a [Region<'a>], Verdict)>,
    kept: &dyn Fn(Member) -> Map,
    rest: Option<Rule>,
) -> Compiled {
    let mut ordered: Vec<Ordered> = Vec::new();
    for (regions, verdict) in rules {
        ordered.extend(regions.iter().map(|region| (Cow::Borrowed(region), verdict.clone())));
        if regions.iter().any(Region::is_everything) {
            break;
        }
    }
    let mut compiled = Compiled::default();
    compiled.rules = tiers::compile(&ordered, kept, &mut compiled);
    if compiled.rules.len() > SHORT
        && let Some(tree) = tree::compile(&ordered, kept, rest.as_ref(), compiled.rules.len())
    {
        compiled = tree;
    } else {
        compiled.rules.extend(rest);
    }
    // Maps of one content are one map: DSCP values mean the same in both families.
    sort::by(&mut compiled.maps, |a, b| a.name.cmp(&b.name));
    compiled.maps.dedup_by(|a, b| a.name == b.name);
    compiled
}
