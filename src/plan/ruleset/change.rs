//! From the table the kernel holds to the table it shall hold, in transactions that lose no packet.
//!
//! One nft transaction is not atomic for packets in flight: a packet that began with the old rules may look into a map
//! that is already the new one. Measured: a table or base chain deleted and made again lets packets through unmarked, an
//! interval map filled in the transaction that puts it to use does too, and so does one deleted together with the rule
//! that used it. So the table and the base chains stay, and a change takes up to three steps:
//!
//! 1. new interval maps are added and filled (only if there are any);
//! 2. all rules are flushed and written anew, in one transaction, and they look into the new maps;
//! 3. maps and chains nobody looks into any more are deleted (only if there are any).

use super::{Chain, Map, Ruleset, TABLE, json};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The table as the kernel holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Its chains.
    pub chains: Vec<HeldChain>,
    /// Its maps and sets.
    pub maps: Vec<HeldMap>,
}

/// A chain as the kernel holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChain {
    /// Its name.
    pub name: String,
    /// For a base chain the hook's number, the priority and the type.
    pub hook: Option<(u32, i32, String)>,
    /// The comments of its rules, in order; empty where there is none.
    pub comments: Vec<String>,
}

/// A map or set as the kernel holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMap {
    /// Its name.
    pub name: String,
    /// How many entries it has.
    pub entries: usize,
}

/// Why the kernel's table is not the one wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is no table.
    Absent,
    /// A base chain is of another kind than ours; it cannot be changed, only made anew.
    ForeignHook(String),
    /// Rules are missing, of another ruleset, or not ours.
    Rules(String),
    /// A map is missing or one too many.
    Maps,
    /// A map lost or gained entries since we wrote it.
    Entries(String),
}

/// The first difference between what the kernel holds and what it shall hold, if there is any.
#[must_use]
pub fn difference(wanted: &Ruleset, held: Option<&Held>) -> Option<Difference> {
    let Some(held) = held else { return Some(Difference::Absent) };
    let comment = json::comment(&wanted.digest());
    for chain in &wanted.chains {
        let Some(own) = held.chains.iter().find(|own| own.name == chain.name) else {
            return Some(Difference::Rules(chain.name.clone()));
        };
        if !same_hook(chain, own) {
            return Some(Difference::ForeignHook(chain.name.clone()));
        }
        if own.comments.len() != chain.rules.len() || own.comments.iter().any(|text| *text != comment) {
            return Some(Difference::Rules(chain.name.clone()));
        }
    }
    if let Some(stray) = held.chains.iter().find(|own| !wanted.chains.iter().any(|chain| chain.name == own.name)) {
        return Some(Difference::Rules(stray.name.clone()));
    }
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<BTreeSet<String>>();
    if names(&mut wanted.maps.iter().map(|map| &map.name)) != names(&mut held.maps.iter().map(|map| &map.name)) {
        return Some(Difference::Maps);
    }
    damaged(wanted, held).next().map(|map| Difference::Entries(map.name.clone()))
}

/// The transactions, each a document for `nft -j -f -`, that bring the kernel to the wanted table; none if it is there.
#[must_use]
pub fn transactions(wanted: &Ruleset, held: Option<&Held>) -> Vec<Value> {
    let steps = match (difference(wanted, held), held) {
        (None, _) => Vec::new(),
        (Some(Difference::Absent), _) | (_, None) => vec![everything(wanted)],
        (Some(Difference::ForeignHook(_)), _) => {
            let fresh = [json!({ "add": json::table() }), json!({ "delete": json::table() })];
            vec![fresh.into_iter().chain(everything(wanted)).collect()]
        }
        (Some(_), Some(held)) => vec![prepare(wanted, held), swap(wanted, held), clean(wanted, held)],
    };
    steps.into_iter().filter(|step| !step.is_empty()).map(|step| document(&step)).collect()
}

/// The document that deletes the table.
#[must_use]
pub fn removal() -> Value {
    document(&[json!({ "delete": json::table() })])
}

/// The document that makes the whole table where there is none.
#[must_use]
pub fn document_of(ruleset: &Ruleset) -> Value {
    document(&everything(ruleset))
}

fn named(name: &str) -> Value {
    json!({ "family": "inet", "table": TABLE, "name": name })
}

fn document(commands: &[Value]) -> Value {
    json!({ "nftables": commands })
}

fn everything(wanted: &Ruleset) -> Vec<Value> {
    let table = json!({ "add": json::table() });
    let chains = wanted.chains.iter().map(|chain| json!({ "add": json::chain(chain) }));
    let maps = wanted.maps.iter().map(|map| json!({ "add": json::map(map) }));
    [table].into_iter().chain(chains).chain(maps).chain(rules(wanted)).collect()
}

fn rules(wanted: &Ruleset) -> impl Iterator<Item = Value> {
    let digest = wanted.digest();
    let rules = wanted.chains.iter().flat_map(move |chain| {
        let rules: Vec<Value> = json::rules(wanted, chain, &digest).collect();
        rules
    });
    rules.map(|rule| json!({ "add": rule }))
}

/// Step 1. Verdicts name chains, so new chains come along, empty.
fn prepare(wanted: &Ruleset, held: &Held) -> Vec<Value> {
    let refilled = damaged(wanted, held).flat_map(|map| {
        let kind = if matches!(map.entries, super::Entries::Verdicts(_)) { "map" } else { "set" };
        let mut filled = named(&map.name);
        filled["elem"] = json::map(map)[kind]["elem"].take();
        [json!({ "flush": { kind: named(&map.name) } }), json!({ "add": { "element": filled } })]
    });
    let refilled: Vec<Value> = refilled.collect();
    let fresh: Vec<Value> =
        new_maps(wanted, held).filter(|map| map.has_intervals()).map(|map| json!({ "add": json::map(map) })).collect();
    if refilled.is_empty() && fresh.is_empty() {
        return Vec::new();
    }
    new_chains(wanted, held).chain(refilled).chain(fresh).collect()
}

/// Step 2.
fn swap(wanted: &Ruleset, held: &Held) -> Vec<Value> {
    let maps = new_maps(wanted, held).filter(|map| !map.has_intervals()).map(|map| json!({ "add": json::map(map) }));
    let flush = wanted.chains.iter().map(|chain| json!({ "flush": { "chain": named(&chain.name) } }));
    new_chains(wanted, held).chain(maps).chain(flush).chain(rules(wanted)).collect()
}

/// Step 3. Maps first: their verdicts hold the chains.
fn clean(wanted: &Ruleset, held: &Held) -> Vec<Value> {
    let stale_maps = held.maps.iter().filter(|own| !wanted.maps.iter().any(|map| map.name == own.name));
    let stale_chains: Vec<&HeldChain> =
        held.chains.iter().filter(|own| !wanted.chains.iter().any(|chain| chain.name == own.name)).collect();
    // Rules in stale chains may hold stale maps and each other.
    let flushes = stale_chains.iter().map(|own| json!({ "flush": { "chain": named(&own.name) } }));
    let maps = stale_maps.map(|own| json!({ "delete": { "map": named(&own.name) } }));
    let chains = stale_chains.iter().map(|own| json!({ "delete": { "chain": named(&own.name) } }));
    flushes.chain(maps).chain(chains).collect()
}

fn new_maps<'a>(wanted: &'a Ruleset, held: &'a Held) -> impl Iterator<Item = &'a Map> {
    wanted.maps.iter().filter(|map| !held.maps.iter().any(|own| own.name == map.name))
}

fn new_chains<'a>(wanted: &'a Ruleset, held: &'a Held) -> impl Iterator<Item = Value> + 'a {
    let new = wanted.chains.iter().filter(|chain| !held.chains.iter().any(|own| own.name == chain.name));
    new.map(|chain| json!({ "add": json::chain(chain) }))
}

/// Maps that are there by name but have another number of entries than we wrote.
fn damaged<'a>(wanted: &'a Ruleset, held: &'a Held) -> impl Iterator<Item = &'a Map> {
    let entries = |map: &Map| held.maps.iter().find(|own| own.name == map.name).map(|own| own.entries);
    wanted.maps.iter().filter(move |map| entries(map).is_some_and(|entries| entries != map.len()))
}

fn same_hook(chain: &Chain, own: &HeldChain) -> bool {
    match (chain.hook, &own.hook) {
        (None, None) => true,
        (Some(hook), Some((number, priority, kind))) => {
            *number == hook.number() && *priority == super::PRIORITY && kind == hook.chain_type()
        }
        _ => false,
    }
}
