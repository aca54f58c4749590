//! The table as JSON for `nft -j -f`.
//!
//! Tables, chains, rules and verdicts are the `nftables` crate's types. Named maps have a type of our own: the crate has
//! no way to say that a map's values are verdicts. Everything is written straight into the text, without a tree of
//! values in between: a map may have thousands of entries, and a router little memory.

mod entry;
mod rule;

use super::digest::Digest;
use super::{Chain, Entries, Fill, Hook, MOST_LEARNED, Map, PRIORITY, Ruleset, TABLE};
use crate::json;
use entry::{Elements, Kind};
use nftables::schema;
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};
use rule::statements;
use serde::Serialize;

/// One command of a document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Command<'a> {
    /// Makes an object; one that is there already stays as it is.
    Add(Object<'a>),
    /// Deletes an object.
    Delete(Object<'a>),
    /// Empties a chain or a map.
    Flush(Object<'a>),
}

/// What a command is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Object<'a> {
    /// Our table.
    Table(schema::Table<'a>),
    /// A chain.
    Chain(Box<schema::Chain<'a>>),
    /// A rule.
    Rule(Box<schema::Rule<'a>>),
    /// A map.
    Map(MapObject<'a>),
    /// A set.
    Set(MapObject<'a>),
    /// Elements of a map or set.
    Element(MapObject<'a>),
    /// A counter.
    Counter(MapObject<'a>),
}

/// A map or set: all of it, or only its name. A counter is its name.
#[derive(Debug, Serialize)]
pub struct MapObject<'a> {
    family: NfFamily,
    table: &'static str,
    name: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Kind<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elem: Option<Elements<'a>>,
}

/// A digest of a whole table. The rules name their counters.
pub(super) fn digest(ruleset: &Ruleset) -> String {
    let mut digest = Digest::default();
    for map in &ruleset.maps {
        digest.add(map.name.as_bytes());
    }
    // What a set lists changes while the rules stay: its sign has no rules.
    for own in ruleset.chains.iter().filter(|own| !own.rules.is_empty()) {
        digest.add(json::text(&chain(own)).as_bytes());
        for rule in rules(ruleset, own, "") {
            digest.add(json::text(&rule).as_bytes());
        }
    }
    format!("{:016x}", digest.value())
}

/// The commands that make the whole table where there is none.
#[must_use]
pub fn everything(ruleset: &Ruleset) -> Vec<Command<'_>> {
    // One list that grows: what a chain of five iterators is compiled to is 3 KB on MIPS.
    let mut commands = vec![Command::Add(table())];
    commands.extend(ruleset.chains.iter().map(|own| Command::Add(chain(own))));
    commands.extend(ruleset.maps.iter().map(|own| Command::Add(map(own))));
    commands.extend(ruleset.counters.iter().map(|own| Command::Add(counter_named(&own.name))));
    commands.extend(all_rules(ruleset));
    commands
}

/// The commands that make all rules of a table, with the table's digest in their comments.
pub fn all_rules(ruleset: &Ruleset) -> impl Iterator<Item = Command<'_>> {
    let of_chain = |chain| rules(ruleset, chain, &ruleset.digest).collect::<Vec<_>>();
    ruleset.chains.iter().flat_map(of_chain).map(Command::Add)
}

/// Commands as a document for `nft -j -f`.
#[must_use]
pub fn document(commands: &[Command]) -> String {
    json::text(&Document { nftables: commands })
}

/// The same, indented for people.
#[must_use]
pub fn pretty(commands: &[Command]) -> String {
    json::pretty(&Document { nftables: commands })
}

#[derive(Serialize)]
struct Document<'c, 'a> {
    nftables: &'c [Command<'a>],
}

/// The table itself.
#[must_use]
pub fn table<'a>() -> Object<'a> {
    Object::Table(schema::Table { family: NfFamily::INet, name: TABLE.into(), handle: None })
}

/// A chain, without its rules.
#[must_use]
pub fn chain(chain: &Chain) -> Object<'_> {
    Object::Chain(Box::new(schema::Chain {
        _type: chain.hook.map(|hook| match hook {
            Hook::Output => NfChainType::Route,
            Hook::Prerouting | Hook::Postrouting => NfChainType::Filter,
        }),
        hook: chain.hook.map(|hook| match hook {
            Hook::Prerouting => NfHook::Prerouting,
            Hook::Output => NfHook::Output,
            Hook::Postrouting => NfHook::Postrouting,
        }),
        prio: chain.hook.map(|_| PRIORITY),
        policy: chain.hook.map(|_| NfChainPolicy::Accept),
        ..named_chain(&chain.name)
    }))
}

/// A chain by its name.
#[must_use]
pub fn chain_named(name: &str) -> Object<'_> {
    Object::Chain(Box::new(named_chain(name)))
}

fn named_chain(name: &str) -> schema::Chain<'_> {
    schema::Chain { family: NfFamily::INet, table: TABLE.into(), name: name.into(), ..Default::default() }
}

/// A chain's rules. The comment carries the digest.
fn rules<'a>(ruleset: &'a Ruleset, chain: &'a Chain, digest: &str) -> impl Iterator<Item = Object<'a>> {
    let comment = (!digest.is_empty()).then(|| comment(digest));
    chain.rules.iter().map(move |rule| {
        Object::Rule(Box::new(schema::Rule {
            family: NfFamily::INet,
            table: TABLE.into(),
            chain: chain.name.as_str().into(),
            expr: statements(rule, ruleset.mask).into(),
            comment: comment.clone().map(Into::into),
            ..Default::default()
        }))
    })
}

/// The comment on every rule of a table with this digest.
#[must_use]
pub fn comment(digest: &str) -> String {
    format!("wansplit {digest}")
}

/// A map or set with its entries.
#[must_use]
pub fn map(map: &Map) -> Object<'_> {
    let is_map = matches!(map.entries, Entries::Verdicts(_));
    let learned = match map.fill {
        Fill::Learned(seconds) => Some(seconds),
        _ => None,
    };
    let object = MapObject {
        kind: Some(Kind(&map.key)),
        flags: if learned.is_some() { Some(["timeout"]) } else { map.has_intervals().then_some(["interval"]) },
        timeout: learned,
        size: learned.map(|_| MOST_LEARNED),
        map: is_map.then_some("verdict"),
        // nft refuses an empty list.
        elem: (!map.is_empty()).then_some(Elements(map)),
        ..named(&map.name)
    };
    if is_map { Object::Map(object) } else { Object::Set(object) }
}

/// A map or set by its name.
#[must_use]
pub fn map_named(name: &str, is_map: bool) -> Object<'_> {
    if is_map { Object::Map(named(name)) } else { Object::Set(named(name)) }
}

/// A counter by its name, which is all there is to say: adding it sets it to 0, but not if it is there already.
#[must_use]
pub fn counter_named(name: &str) -> Object<'_> {
    Object::Counter(named(name))
}

/// The entries of a map or set, to be added to it.
#[must_use]
pub fn elements(map: &Map) -> Object<'_> {
    Object::Element(MapObject { elem: Some(Elements(map)), ..named(&map.name) })
}

fn named(name: &str) -> MapObject<'_> {
    MapObject {
        family: NfFamily::INet,
        table: TABLE,
        name,
        kind: None,
        flags: None,
        timeout: None,
        size: None,
        map: None,
        elem: None,
    }
}
