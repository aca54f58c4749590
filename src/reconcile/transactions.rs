//! From the table the kernel holds to the table it shall hold, in transactions that lose no packet.
//!
//! One nft transaction is not atomic for packets in flight: a packet that began with the old rules may look into a map
//! that is already the new one. Measured: a table or base chain deleted and made again lets packets through unmarked, an
//! interval map filled in the transaction that puts it to use does too, and so does one deleted together with the rule
//! that used it. So the table and the base chains stay, and a change takes up to three steps:
//!
//! 1. new interval maps are added and filled (only if there are any);
//! 2. all rules are flushed and written anew, in one transaction, and they look into the new maps;
//! 3. maps, chains and counters that nothing uses any more are deleted (only if there are any).
//!
//! A counter that stays is not touched, so its count goes on.

use crate::kernel::netlink::nftables as held;
use crate::map::Set;
use crate::plan::ruleset::json::{self, Command, Object, all_rules, document, everything};
use crate::plan::ruleset::{Chain, Entries, Fill, List, Map, PRIORITY, Ruleset, TABLE};

/// One transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub work: Work,
    /// What it is for, to complete "cannot ...".
    pub purpose: &'static str,
    /// What it does, for people.
    pub summary: String,
    /// The document that takes it back.
    pub undo: Option<String>,
    /// Whether nothing depends on it: it only removes what is not used any more.
    pub is_cleaning: bool,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A document for `nft -j -f`.
    Nft(String),
    /// These sets, given by name, are filled with what they list.
    Fill(Vec<String>),
}

/// Why the kernel's table is not the one wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is no table.
    Absent,
    /// This base chain is of another kind than ours; it cannot be changed, only made anew.
    ForeignHook(String),
    /// The table is switched off.
    Dormant,
    /// The rules of this chain are missing, of another ruleset, or not ours.
    Rules(String),
    /// This map is missing or one too many.
    Map(String),
    /// This map lost or gained entries since we wrote it.
    Entries(String),
    /// This counter is missing or one too many.
    Counter(String),
}

/// The first difference between what the kernel holds and what it shall hold, if there is any.
#[must_use]
pub fn difference(wanted: &Ruleset, held: Option<&held::Table>) -> Option<Difference> {
    let Some(held) = held else { return Some(Difference::Absent) };
    if held.dormant {
        return Some(Difference::Dormant);
    }
    let comment = json::comment(&wanted.digest);
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
    if let Some(stray) = stale_chains(wanted, held).next() {
        return Some(Difference::Rules(stray.name.clone()));
    }
    let wanted_names = Set::from_iter(wanted.maps.iter().map(|map| map.name.as_str()));
    let held_names = Set::from_iter(held.sets.iter().map(|set| set.name.as_str()));
    if let Some(name) = wanted_names.first_difference(&held_names) {
        return Some(Difference::Map((*name).to_string()));
    }
    if let Some(map) = damaged(wanted, held).next() {
        return Some(Difference::Entries(map.name.clone()));
    }
    if let Some(list) = stale_lists(wanted, held).next() {
        return Some(Difference::Entries(list.name.clone()));
    }
    let wanted_names = Set::from_iter(wanted.counters.iter().map(|counter| counter.name.as_str()));
    let held_names = Set::from_iter(held.counters.iter().map(String::as_str));
    wanted_names.first_difference(&held_names).map(|name| Difference::Counter((*name).to_string()))
}

/// Whether it takes any transaction to bring the kernel to the wanted table, or to none.
#[must_use]
pub fn are_needed(wanted: Option<&Ruleset>, held: Option<&held::Table>) -> bool {
    wanted.map_or(held.is_some(), |wanted| difference(wanted, held).is_some())
}

/// Whether the transactions make a set that the resolver fills.
#[must_use]
pub fn make_sets(wanted: &Ruleset, held: Option<&held::Table>) -> bool {
    let is_held = |name: &str| held.is_some_and(|held| held.sets.iter().any(|own| own.name == name));
    wanted.maps.iter().any(|map| matches!(map.fill, Fill::Resolver(..)) && !is_held(&map.name))
}

/// The transactions that bring the kernel to the wanted table; none if it is there.
#[must_use]
pub fn steps(wanted: &Ruleset, held: Option<&held::Table>) -> Vec<Step> {
    let size = || {
        let rules: usize = wanted.chains.iter().map(|chain| chain.rules.len()).sum();
        let entries: usize = wanted.maps.iter().map(Map::len).sum();
        format!("{rules} rules, {} maps with {entries} entries", wanted.maps.len())
    };
    let write = |commands: &[Command], undo| Step {
        work: Work::Nft(document(commands)),
        purpose: "load the nftables table",
        summary: format!("~ nft table inet {TABLE}: {}", size()),
        undo,
        is_cleaning: false,
    };
    match (difference(wanted, held), held) {
        (None, _) => Vec::new(),
        (Some(Difference::Absent), _) | (_, None) => {
            let summary = format!("+ nft table inet {TABLE}: {}", size());
            let undo = match removal().work {
                Work::Nft(document) => Some(document),
                Work::Fill(_) => None,
            };
            let whole = Step { summary, ..write(&everything(wanted), undo.clone()) };
            if wanted.lists.is_empty() {
                return vec![whole];
            }
            // Sets first, and filled, so that no rule ever looks into an empty one.
            let mut commands = vec![Command::Add(json::table())];
            let is_list = |map: &&Map| matches!(map.fill, Fill::Listed(..));
            commands.extend(wanted.maps.iter().filter(is_list).map(|map| Command::Add(json::map(map))));
            let sets = Step { summary: format!("+ nft sets in table inet {TABLE}"), ..write(&commands, undo) };
            vec![sets, filling(wanted.lists.iter()), Step { undo: None, ..whole }]
        }
        (Some(Difference::ForeignHook(_) | Difference::Dormant), _) => {
            let mut commands = vec![Command::Add(json::table()), Command::Delete(json::table())];
            commands.extend(everything(wanted));
            if wanted.lists.is_empty() {
                return vec![write(&commands, None)];
            }
            commands.retain(|command| !adds_sign(wanted, command));
            let signs = wanted.chains.iter().filter(|chain| is_sign(wanted, chain));
            let signs: Vec<Command> = signs.map(|chain| Command::Add(json::chain(chain))).collect();
            let signs = Step { summary: String::new(), ..write(&signs, None) };
            vec![write(&commands, None), filling(wanted.lists.iter()), signs]
        }
        (Some(_), Some(held)) => {
            let mut steps = Vec::new();
            let (commands, undo) = prepare(wanted, held);
            if !commands.is_empty() {
                let undo = (!undo.is_empty()).then(|| document(&undo));
                steps.push(Step { summary: format!("+ nft maps in table inet {TABLE}"), ..write(&commands, undo) });
            }
            if stale_lists(wanted, held).next().is_some() {
                steps.push(filling(stale_lists(wanted, held)));
            }
            steps.push(write(&swap(wanted, held), None));
            let commands = clean(wanted, held);
            if !commands.is_empty() {
                let summary = match kinds(&commands) {
                    Some(kinds) => format!("- nft {kinds} in table inet {TABLE} that are not used any more"),
                    None => String::new(),
                };
                steps.push(Step {
                    purpose: "delete what is not used any more in the nftables table",
                    summary,
                    is_cleaning: true,
                    ..write(&commands, None)
                });
            }
            steps
        }
    }
}

/// The step that fills the sets. What it changes is known when it has read both sides.
fn filling<'a>(lists: impl Iterator<Item = &'a List>) -> Step {
    Step {
        work: Work::Fill(lists.map(|list| list.name.clone()).collect()),
        purpose: "fill the sets of addresses",
        summary: String::new(),
        undo: None,
        is_cleaning: false,
    }
}

/// The step that deletes the table. It is added first: somebody else may have deleted it since we looked.
#[must_use]
pub fn removal() -> Step {
    Step {
        work: Work::Nft(document(&[Command::Add(json::table()), Command::Delete(json::table())])),
        purpose: "delete the nftables table",
        summary: format!("- nft table inet {TABLE}"),
        undo: None,
        is_cleaning: false,
    }
}

/// Whether a chain is the sign of what a set holds. It must not be there before the set is filled: who comes after a run
/// that was killed in between takes it at its word.
fn is_sign(wanted: &Ruleset, chain: &Chain) -> bool {
    wanted.lists.iter().any(|list| list.sign() == chain.name)
}

fn adds_sign(wanted: &Ruleset, command: &Command) -> bool {
    let Command::Add(Object::Chain(chain)) = command else { return false };
    wanted.lists.iter().any(|list| list.sign() == chain.name)
}

/// Step 1, and what takes it back. Verdicts name chains, so new chains come along, empty.
fn prepare<'a>(wanted: &'a Ruleset, held: &held::Table) -> (Vec<Command<'a>>, Vec<Command<'a>>) {
    let mut commands: Vec<Command> = Vec::new();
    for map in damaged(wanted, held) {
        commands.push(Command::Flush(json::map_named(&map.name, is_map(map))));
        commands.push(Command::Add(json::elements(map)));
    }
    let fresh: Vec<&Map> = new_maps(wanted, held).filter(|map| map.has_intervals()).collect();
    if commands.is_empty() && fresh.is_empty() {
        return (commands, Vec::new());
    }
    let chains: Vec<&Chain> = new_chains(wanted, held).filter(|chain| !is_sign(wanted, chain)).collect();
    let mut undo: Vec<Command> =
        fresh.iter().map(|map| Command::Delete(json::map_named(&map.name, is_map(map)))).collect();
    undo.extend(chains.iter().map(|chain| Command::Delete(json::chain_named(&chain.name))));
    let mut whole: Vec<Command> = chains.into_iter().map(|chain| Command::Add(json::chain(chain))).collect();
    whole.append(&mut commands);
    whole.extend(fresh.into_iter().map(|map| Command::Add(json::map(map))));
    (whole, undo)
}

/// Step 2.
fn swap<'a>(wanted: &'a Ruleset, held: &held::Table) -> Vec<Command<'a>> {
    let maps = new_maps(wanted, held).filter(|map| !map.has_intervals());
    let mut commands: Vec<Command> = new_chains(wanted, held).map(|chain| Command::Add(json::chain(chain))).collect();
    commands.extend(maps.map(|map| Command::Add(json::map(map))));
    commands.extend(new_counters(wanted, held).map(|name| Command::Add(json::counter_named(name))));
    commands.extend(wanted.chains.iter().map(|chain| Command::Flush(json::chain_named(&chain.name))));
    commands.extend(all_rules(wanted));
    commands
}

/// Step 3. Rules first, then maps, then chains: each may hold the next. Rules hold counters too.
fn clean<'a>(wanted: &Ruleset, held: &'a held::Table) -> Vec<Command<'a>> {
    let stale = held.sets.iter().filter(|own| !wanted.maps.iter().any(|map| map.name == own.name));
    let chains = || stale_chains(wanted, held).map(|own| json::chain_named(&own.name));
    let mut commands: Vec<Command> = chains().map(Command::Flush).collect();
    commands.extend(stale.map(|own| Command::Delete(json::map_named(&own.name, own.map))));
    commands.extend(chains().map(Command::Delete));
    commands.extend(stale_counters(wanted, held).map(|name| Command::Delete(json::counter_named(name))));
    commands
}

/// What step 3 deletes, in a word. Chains are a matter of ours; a counter's owner wants to know where its count is.
fn kinds(commands: &[Command]) -> Option<&'static str> {
    let counters = commands.iter().any(|command| matches!(command, Command::Delete(Object::Counter(_))));
    let maps = commands.iter().any(|command| matches!(command, Command::Delete(Object::Map(_) | Object::Set(_))));
    match (counters, maps) {
        (true, true) => Some("maps and counters"),
        (true, false) => Some("counters"),
        (false, true) => Some("maps"),
        (false, false) => None,
    }
}

fn is_map(map: &Map) -> bool {
    matches!(map.entries, Entries::Verdicts(_))
}

fn new_maps<'a>(wanted: &'a Ruleset, held: &held::Table) -> impl Iterator<Item = &'a Map> {
    wanted.maps.iter().filter(|map| !held.sets.iter().any(|own| own.name == map.name))
}

fn new_chains<'a>(wanted: &'a Ruleset, held: &held::Table) -> impl Iterator<Item = &'a Chain> {
    wanted.chains.iter().filter(|chain| !held.chains.iter().any(|own| own.name == chain.name))
}

fn stale_chains<'a>(wanted: &Ruleset, held: &'a held::Table) -> impl Iterator<Item = &'a held::Chain> {
    held.chains.iter().filter(|own| !wanted.chains.iter().any(|chain| chain.name == own.name))
}

fn new_counters<'a>(wanted: &'a Ruleset, held: &held::Table) -> impl Iterator<Item = &'a str> {
    let names = wanted.counters.iter().map(|counter| counter.name.as_str());
    names.filter(|name| !held.counters.iter().any(|own| own == name))
}

fn stale_counters<'a>(wanted: &Ruleset, held: &'a held::Table) -> impl Iterator<Item = &'a str> {
    let names = held.counters.iter().map(String::as_str);
    names.filter(|name| !wanted.counters.iter().any(|counter| counter.name == *name))
}

/// Maps that are there by name but have another number of entries than we wrote. What a set holds that comes and goes is
/// another matter.
fn damaged<'a>(wanted: &'a Ruleset, held: &held::Table) -> impl Iterator<Item = &'a Map> {
    let entries = |map: &Map| held.sets.iter().find(|own| own.name == map.name)?.elements;
    let differs = move |map: &&Map| entries(map).is_some_and(|entries| usize::try_from(entries) != Ok(map.len()));
    wanted.maps.iter().filter(|map| map.fill == Fill::Fixed).filter(differs)
}

/// Sets that hold something else than they list, as far as that can be told at a glance.
fn stale_lists<'a>(wanted: &'a Ruleset, held: &held::Table) -> impl Iterator<Item = &'a List> {
    wanted.lists.iter().filter(|list| {
        let listed = list.listed();
        let entries = held.sets.iter().find(|set| set.name == list.name).and_then(|set| set.elements);
        let miscounted = entries.is_some_and(|entries| entries != listed.count && !listed.is_partial);
        let sign = list.sign();
        miscounted || !held.chains.iter().any(|chain| chain.name == sign)
    })
}

fn same_hook(chain: &Chain, own: &held::Chain) -> bool {
    match (chain.hook, &own.hook) {
        (None, None) => true,
        (Some(hook), Some(own)) => {
            own.number == hook.number() && own.priority == PRIORITY && own.kind == hook.chain_type()
        }
        _ => false,
    }
}
