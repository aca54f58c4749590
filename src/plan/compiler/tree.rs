//! Many rules of many shapes as a tree of chains: packets part by IP version, then, if that is not enough, by the devices
//! and senders that rules name, so that each chain holds only rules its packets can match. What is left falls in two:
//!
//! * *plain* regions, of addresses, protocols and ports: a wide map finds the first that holds a packet;
//! * *special* ones, which no map has room for: members of sets, foreign marks, types of ICMP. They are tried one by one;
//!   those that stand before the plain one that was found, and conflict with it, in a chain of their own before its
//!   verdict.

use super::region::{Guard, Member, Region};
use super::{Compiled, Ordered, tiers, wide};
use crate::config::model::Family;
use crate::interval::Interval;
use crate::map::Set;
use crate::plan::ruleset::{Action, Key, Map, Match, Rule, Verdict, family_number};
use std::borrow::Cow;

/// By how many values packets part at most. A chain for each costs memory.
const MOST_BRANCHES: usize = 8;

/// As many lookups of plain regions one by one are no worse than a wide one.
const FEW: usize = 2;

/// A tree in which packets walk past so many rules at most is good enough; each key by which they part as well multiplies
/// its chains.
const GOOD: usize = 14;

/// From so many regions on there is no tree: they fall into too many pieces, and take too long.
const MOST_REGIONS: usize = 256;

/// The most entries of a tree's maps, and for each region where there are many. `nft` takes up to 7 KB of memory for an
/// entry, and every branch has its own.
const MOST_ENTRIES: usize = 6_144;
const MOST_EACH: usize = 32;

/// Compiles ordered regions; the first that holds a packet wins. Nothing if packets would not walk past fewer rules than
/// `length`, or if it would be too large.
pub fn compile(
    ordered: &[Ordered],
    kept: &dyn Fn(Member) -> Map,
    rest: Option<&Rule>,
    length: usize,
) -> Option<Compiled> {
    if ordered.len() > MOST_REGIONS {
        return None;
    }
    let most = MOST_ENTRIES.max(MOST_EACH * ordered.len());
    let mut best: Option<(usize, Compiled)> = None;
    for keys in [&[][..], &[Key::Input], &[Key::Sender], &[Key::Input, Key::Sender]] {
        let (depth, compiled) = with_keys(ordered, kept, rest, keys);
        if compiled.maps.iter().map(Map::len).sum::<usize>() > most {
            continue;
        }
        if best.as_ref().is_none_or(|(least, _)| depth < *least) {
            best = Some((depth, compiled));
        }
        if depth <= GOOD {
            break;
        }
    }
    best.filter(|(depth, _)| *depth < length).map(|(_, compiled)| compiled)
}

/// The tree in which packets part by these keys, and how many of its rules a packet walks past at most.
fn with_keys(
    ordered: &[Ordered],
    kept: &dyn Fn(Member) -> Map,
    rest: Option<&Rule>,
    keys: &[Key],
) -> (usize, Compiled) {
    let mut tree = Tree { kept, rest, compiled: Compiled::default() };
    let (mut branches, mut deepest) = (Vec::new(), 0);
    for family in Family::BOTH {
        let own: Vec<Ordered> = ordered.iter().filter_map(|one| in_family(one, family)).collect();
        let name = match family {
            Family::V4 => "new4",
            Family::V6 => "new6",
        };
        let (rules, depth) = tree.part(keys, family, own, name);
        tree.compiled.chains.push((name.into(), rules));
        branches.push((vec![Interval::single(family_number(family))], Verdict::Goto(name.into())));
        deepest = deepest.max(depth + 1);
    }
    let rule = tree.lookup("families", Key::Family, branches);
    tree.compiled.rules.push(rule);
    (deepest, tree.compiled)
}

struct Tree<'a> {
    kept: &'a dyn Fn(Member) -> Map,
    rest: Option<&'a Rule>,
    compiled: Compiled,
}

impl Tree<'_> {
    /// The rules of a chain whose packets part by keys, one after the other, and how many of them a packet walks past at
    /// most.
    fn part(&mut self, keys: &[Key], family: Family, ordered: Vec<Ordered>, name: &str) -> (Vec<Rule>, usize) {
        let Some((key, keys)) = keys.split_first() else { return self.leaf(family, &ordered, name) };
        let key = *key;
        let next = |tree: &mut Self, ordered: Vec<Ordered>, name: &str| tree.part(keys, family, ordered, name);
        let named = Set::from_iter(ordered.iter().flat_map(|(region, _)| region.named(key)));
        // Values that the same rules name share a branch.
        let mut signatures: Vec<(Vec<bool>, Vec<u128>)> = Vec::new();
        for value in named.iter() {
            let signature: Vec<bool> = ordered.iter().map(|(region, _)| region.holds(key, *value)).collect();
            match signatures.iter_mut().find(|(known, _)| *known == signature) {
                Some((_, values)) => values.push(*value),
                None => signatures.push((signature, vec![*value])),
            }
        }
        if signatures.is_empty() || signatures.len() > MOST_BRANCHES {
            return next(self, ordered, name);
        }
        let (mut entries, mut deepest) = (Vec::new(), 0);
        for (n, (signature, values)) in signatures.into_iter().enumerate() {
            let letter = if key == Key::Input { 'd' } else { 'm' };
            let branch = format!("{name}_{letter}{n}");
            let own = ordered.iter().zip(signature).filter(|(_, holds)| *holds);
            let own = own.map(|((region, verdict), _)| (Cow::Owned(region.without(key)), verdict.clone())).collect();
            let (rules, depth) = next(self, own, &branch);
            deepest = deepest.max(depth);
            self.compiled.chains.push((branch.clone(), rules));
            let verdict = Verdict::Goto(branch.as_str().into());
            entries.extend(values.into_iter().map(|value| (vec![Interval::single(value)], verdict.clone())));
        }
        let others = ordered.iter().filter(|(region, _)| region.set(key).is_none());
        let others = others.map(|(region, verdict)| (Cow::Owned(region.elsewhere(key)), verdict.clone())).collect();
        let (others, depth) = next(self, others, name);
        let mut rules = vec![self.lookup("branches", key, entries)];
        rules.extend(others);
        (rules, deepest.max(depth) + 1)
    }

    /// The rules of a chain whose packets part no more.
    fn leaf(&mut self, family: Family, ordered: &[Ordered], name: &str) -> (Vec<Rule>, usize) {
        let is_plain = |region: &Region| region.guard == Guard::default() && region.keys().all(wide::is_ranged);
        let (mut plain, mut special): (Vec<Ordered>, Vec<Ordered>) = (Vec::new(), Vec::new());
        let (mut firsts, mut deepest_first) = (Vec::new(), 0);
        for (region, verdict) in ordered {
            if !is_plain(region) {
                special.push((region.clone(), verdict.clone()));
                continue;
            }
            let conflicts = |(other, to): &Ordered| to != verdict && other.overlaps(region);
            let before = special.iter().rposition(conflicts).map_or(0, |place| place + 1);
            let (verdict, depth) = self.after(&special[..before], verdict, name, &mut firsts);
            deepest_first = deepest_first.max(depth);
            plain.push((region.clone(), verdict));
            if region.is_everything() {
                break;
            }
        }
        let rest = self.rest.filter(|_| family == Family::V6);
        let mut tail = tiers::compile(&special, self.kept, &mut self.compiled);
        tail.extend(rest.cloned());
        let behind = tail.len().max(deepest_first);

        let (mut rules, is_wide) = self.plain(&plain);
        let length = rules.len() + behind;
        rules.extend(tail.clone());
        if !is_wide || !wide::mixes_ports(&plain) {
            return (rules, length);
        }
        // A packet so short that it has no place for a port would be in no entry at all.
        let ports = format!("{name}_p");
        self.compiled.chains.push((ports.clone(), rules));
        let mut rules = vec![Rule {
            matches: vec![Match::HasPort],
            actions: vec![Action::Verdict(Verdict::Goto(ports.as_str().into()))],
        }];
        let portless: Vec<Ordered> = plain.into_iter().filter(|(region, _)| !wide::looks_at_ports(region)).collect();
        rules.extend(self.plain(&portless).0);
        rules.extend(tail);
        (rules, length + 1)
    }

    /// The rules of plain regions, and whether they are wide maps. A region of everything alone has no key for one.
    fn plain(&mut self, plain: &[Ordered]) -> (Vec<Rule>, bool) {
        let mut narrow = Compiled::default();
        let rules = tiers::compile(plain, self.kept, &mut narrow);
        if rules.len() <= FEW {
            self.compiled.maps.append(&mut narrow.maps);
            return (rules, false);
        }
        (wide::compile(plain, self.kept, &mut self.compiled), true)
    }

    /// The verdict that tries some special regions before another verdict, and how many rules that is.
    fn after(
        &mut self,
        special: &[Ordered],
        verdict: &Verdict,
        name: &str,
        known: &mut Vec<(usize, Verdict, Verdict, usize)>,
    ) -> (Verdict, usize) {
        if special.is_empty() {
            return (verdict.clone(), 0);
        }
        let same = |(count, to, ..): &&(usize, Verdict, _, _)| *count == special.len() && to == verdict;
        if let Some((.., first, depth)) = known.iter().find(same) {
            return (first.clone(), *depth);
        }
        let mut rules = tiers::compile(special, self.kept, &mut self.compiled);
        rules.push(Rule::always(Action::Verdict(verdict.clone())));
        let chain = format!("{name}_{}", known.len());
        let (first, depth) = (Verdict::Goto(chain.as_str().into()), rules.len());
        self.compiled.chains.push((chain, rules));
        known.push((special.len(), verdict.clone(), first.clone(), depth));
        (first, depth)
    }

    fn lookup(&mut self, role: &str, key: Key, entries: Vec<(Vec<Interval>, Verdict)>) -> Rule {
        let map = Map::verdicts(role, vec![key], entries);
        let rule = Rule::always(Action::Lookup(vec![key], map.name.clone()));
        self.compiled.maps.push(map);
        rule
    }
}

/// What of a region packets of a family can be in.
fn in_family<'a>((region, verdict): &Ordered<'a>, family: Family) -> Option<Ordered<'a>> {
    let fits = region.family().is_none_or(|own| own == family);
    let has_key = region.set(Key::Family).is_some();
    let region = || if has_key { Cow::Owned(region.without(Key::Family)) } else { region.clone() };
    fits.then(|| (region(), verdict.clone()))
}
