//! The table as JSON for `nft -j -f -`.
//!
//! Tables, chains, rules and verdicts are the `nftables` crate's types. Named maps have a type of our own: the crate has
//! no way to say that a map's values are verdicts. Everything is written straight into the text, without a tree of
//! values in between: a map may have thousands of entries, and a router little memory.

use super::digest::Digest;
use super::{Action, Chain, Dice, Entries, Hook, Key, Map, Match, PRIORITY, Rule, Ruleset, SEED, TABLE, Verdict};
use crate::config::model::{Choice, Family, Mask};
use crate::interval::{Interval, to_ipv4, to_ipv6};
use nftables::expr::{
    BinaryOperation, CT, Expression, JHash, Meta, MetaKey, NamedExpression, NgMode, Numgen, Payload, PayloadField,
    SetItem,
};
use nftables::schema;
use nftables::stmt::{self, JumpTarget, Mangle, Operator, Statement, VerdictMap};
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};
use serde::{Serialize, Serializer};

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
}

/// A map or set: all of it, or only its name.
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
    map: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elem: Option<Elements<'a>>,
}

impl Ruleset {
    /// A digest of the whole table. It stands in the comment of every rule, so that the kernel itself says which
    /// ruleset it holds; what `nft` prints cannot be compared, it is another text than the one written.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        for map in &self.maps {
            digest.add(map.name.as_bytes());
        }
        for own in &self.chains {
            digest.add(text(&chain(own)).as_bytes());
            for rule in rules(self, own, "") {
                digest.add(text(&rule).as_bytes());
            }
        }
        format!("{:016x}", digest.value())
    }
}

/// The commands that make the whole table where there is none.
#[must_use]
pub fn everything(ruleset: &Ruleset) -> Vec<Command<'_>> {
    let table = Command::Add(table());
    let chains = ruleset.chains.iter().map(|own| Command::Add(chain(own)));
    let maps = ruleset.maps.iter().map(|own| Command::Add(map(own)));
    [table].into_iter().chain(chains).chain(maps).chain(all_rules(ruleset)).collect()
}

/// The commands that make all rules of a table, with the table's digest in their comments.
pub fn all_rules(ruleset: &Ruleset) -> impl Iterator<Item = Command<'_>> {
    let digest = ruleset.digest();
    let of_chain = move |chain| rules(ruleset, chain, &digest).collect::<Vec<_>>();
    ruleset.chains.iter().flat_map(of_chain).map(Command::Add)
}

/// Commands as a document for `nft -j -f -`.
#[must_use]
pub fn document(commands: &[Command]) -> String {
    text(&Document { nftables: commands })
}

/// The same, indented for people.
#[must_use]
pub fn pretty(commands: &[Command]) -> String {
    serde_json::to_string_pretty(&Document { nftables: commands }).unwrap_or_default()
}

#[derive(Serialize)]
struct Document<'c, 'a> {
    nftables: &'c [Command<'a>],
}

/// These types hold no map with other keys than strings and no failing serialiser: this cannot fail.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
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
    let object = MapObject {
        kind: Some(Kind(&map.key)),
        flags: map.has_intervals().then_some(["interval"]),
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

/// The entries of a map or set, to be added to it.
#[must_use]
pub fn elements(map: &Map) -> Object<'_> {
    Object::Element(MapObject { elem: Some(Elements(map)), ..named(&map.name) })
}

fn named(name: &str) -> MapObject<'_> {
    MapObject { family: NfFamily::INet, table: TABLE, name, kind: None, flags: None, map: None, elem: None }
}

fn statements(rule: &Rule, mask: Mask) -> Vec<Statement<'_>> {
    let matches = rule.matches.iter().map(|m| condition(m, mask));
    matches.chain(rule.actions.iter().map(|action| statement(action, mask))).collect()
}

fn condition(condition: &Match, mask: Mask) -> Statement<'static> {
    let state = || Expression::Named(NamedExpression::CT(CT { key: "state".into(), family: None, dir: None }));
    match condition {
        Match::New => test(state(), Operator::IN, string("new")),
        Match::Running => {
            let states = ["established", "related"].map(string);
            test(state(), Operator::IN, Expression::List(states.into()))
        }
        Match::Unstamped => test(and(connection_mark(), mask.bits()), Operator::EQ, Expression::Number(0)),
        Match::Input(choice) => one_of(expression(Key::Input, None), choice),
        Match::Sender(choice) => one_of(expression(Key::Sender, None), choice),
        Match::Family(family) => test(expression(Key::Family, None), Operator::EQ, string(nfproto(*family))),
        Match::Dscp(family, values) => {
            let values = values.iter().map(|value| SetItem::Element(Expression::Number(u32::from(*value)))).collect();
            test(expression(Key::Dscp(*family), None), Operator::EQ, Expression::Named(NamedExpression::Set(values)))
        }
        Match::InSet(key, set) => test(expression(*key, None), Operator::EQ, string(&format!("@{set}"))),
    }
}

fn one_of<T: Ord + ToString>(left: Expression<'static>, choice: &Choice<T>) -> Statement<'static> {
    let (operator, values) = match choice {
        Choice::OneOf(values) => (Operator::EQ, values),
        Choice::NoneOf(values) => (Operator::NEQ, values),
    };
    let values = values.iter().map(|value| SetItem::Element(string(&value.to_string()))).collect();
    test(left, operator, Expression::Named(NamedExpression::Set(values)))
}

fn test(left: Expression<'static>, op: Operator, right: Expression<'static>) -> Statement<'static> {
    Statement::Match(stmt::Match { left, right, op })
}

fn statement(action: &Action, mask: Mask) -> Statement<'_> {
    match action {
        Action::Lookup(keys, map) => {
            let mut keys: Vec<_> = keys.iter().map(|key| expression(*key, Some(mask))).collect();
            let key = match keys.len() {
                1 => keys.remove(0),
                _ => Expression::Named(NamedExpression::Concat(keys)),
            };
            Statement::VerdictMap(VerdictMap { key, data: string(&format!("@{map}")) })
        }
        Action::Spread(dice, buckets) => {
            // One entry a bucket and no ranges: an anonymous map with ranges would be an interval map filled in the
            // same transaction that puts it to use.
            let entries =
                (0..).zip(buckets).map(|(n, to)| SetItem::MappingStatement(Expression::Number(n), verdict(to)));
            let data = Expression::Named(NamedExpression::Set(entries.collect()));
            let modulus = u32::try_from(buckets.len()).unwrap_or(u32::MAX);
            Statement::VerdictMap(VerdictMap { key: number(*dice, modulus), data })
        }
        Action::SetMark(mark) => set_bits(packet_mark(), mask, *mark),
        Action::SetConnectionMark(mark) => set_bits(connection_mark(), mask, *mark),
        Action::Verdict(to) => verdict(to),
    }
}

/// `key set key & ~mask | value`: the form with constants only, which every nft and kernel takes.
fn set_bits(key: Expression<'static>, mask: Mask, value: u32) -> Statement<'static> {
    let kept = and(key.clone(), !mask.bits());
    let value = Expression::BinaryOperation(Box::new(BinaryOperation::OR(vec![kept, Expression::Number(value)])));
    Statement::Mangle(Mangle { key, value })
}

fn and(left: Expression<'static>, bits: u32) -> Expression<'static> {
    Expression::BinaryOperation(Box::new(BinaryOperation::AND(left, Expression::Number(bits))))
}

fn number(dice: Dice, modulus: u32) -> Expression<'static> {
    Expression::Named(match dice {
        Dice::Random => NamedExpression::Numgen(Numgen { mode: NgMode::Random, ng_mod: modulus, offset: None }),
        Dice::Client(family) => NamedExpression::JHash(JHash {
            hash_mod: modulus,
            offset: None,
            expr: Box::new(expression(Key::Source(family), None)),
            seed: Some(SEED),
        }),
    })
}

/// A key as nft writes it. Marks are masked to our bits when they are looked up.
fn expression(key: Key, mask: Option<Mask>) -> Expression<'static> {
    let bits = mask.map_or(u32::MAX, Mask::bits);
    match key {
        Key::ConnectionMark => and(connection_mark(), bits),
        Key::PacketMark => and(packet_mark(), bits),
        Key::Input => meta(MetaKey::Iifname),
        Key::Output => meta(MetaKey::Oifname),
        Key::Family => meta(MetaKey::Nfproto),
        Key::Protocol => meta(MetaKey::L4proto),
        Key::Source(family) => header(ip(family), "saddr"),
        Key::Destination(family) => header(ip(family), "daddr"),
        Key::SourcePort => header("th", "sport"),
        Key::DestinationPort => header("th", "dport"),
        Key::Sender => header("ether", "saddr"),
        Key::Dscp(family) => header(ip(family), "dscp"),
    }
}

fn packet_mark() -> Expression<'static> {
    meta(MetaKey::Mark)
}

fn connection_mark() -> Expression<'static> {
    Expression::Named(NamedExpression::CT(CT { key: "mark".into(), family: None, dir: None }))
}

fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

fn header(protocol: &'static str, field: &'static str) -> Expression<'static> {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

fn string(text: &str) -> Expression<'static> {
    Expression::String(text.to_string().into())
}

fn verdict(verdict: &Verdict) -> Statement<'_> {
    match verdict {
        Verdict::Goto(chain) => Statement::Goto(JumpTarget { target: chain.as_ref().into() }),
        Verdict::Accept => Statement::Accept(None),
    }
}

/// The types of a map's keys.
#[derive(Debug)]
struct Kind<'a>(&'a [Key]);

impl Serialize for Kind<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [only] => serializer.serialize_str(kind(*only)),
            keys => serializer.collect_seq(keys.iter().map(|key| kind(*key))),
        }
    }
}

/// The entries of a map.
#[derive(Debug)]
struct Elements<'a>(&'a Map);

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = &self.0.key;
        match &self.0.entries {
            Entries::Verdicts(entries) => {
                serializer.collect_seq(entries.iter().map(|(entry, to)| (Entry(key, entry), verdict(to))))
            }
            Entries::Members(entries) => serializer.collect_seq(entries.iter().map(|entry| Entry(key, entry))),
        }
    }
}

/// One entry: a value, or several joined.
struct Entry<'a>(&'a [Key], &'a [Interval]);

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            ([key], [interval]) => Part(*key, *interval).serialize(serializer),
            (keys, intervals) => serializer.collect_map([("concat", Parts(keys, intervals))]),
        }
    }
}

/// The parts of an entry.
struct Parts<'a>(&'a [Key], &'a [Interval]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().zip(self.1).map(|(key, interval)| Part(*key, *interval)))
    }
}

/// One part of an entry: a value or a range.
struct Part(Key, Interval);

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(key, interval) = self;
        if interval.is_single() {
            Value(*key, interval.first()).serialize(serializer)
        } else {
            serializer.collect_map([("range", [Value(*key, interval.first()), Value(*key, interval.last())])])
        }
    }
}

/// A number as its key wants it.
struct Value(Key, u128);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.1;
        match self.0 {
            Key::Input | Key::Output => serializer.serialize_str(&super::device_name(value)),
            Key::Family if value == super::family_number(Family::V4) => serializer.serialize_str(nfproto(Family::V4)),
            Key::Family => serializer.serialize_str(nfproto(Family::V6)),
            Key::Source(Family::V4) | Key::Destination(Family::V4) => serializer.collect_str(&to_ipv4(value)),
            Key::Source(Family::V6) | Key::Destination(Family::V6) => serializer.collect_str(&to_ipv6(value)),
            Key::Sender => serializer.collect_str(&super::mac(value)),
            Key::ConnectionMark
            | Key::PacketMark
            | Key::Protocol
            | Key::SourcePort
            | Key::DestinationPort
            | Key::Dscp(_) => serializer.serialize_u32(u32::try_from(value).unwrap_or(u32::MAX)),
        }
    }
}

/// nft's name of the data type of a key.
pub(super) fn kind(key: Key) -> &'static str {
    match key {
        Key::ConnectionMark | Key::PacketMark => "mark",
        Key::Input | Key::Output => "ifname",
        Key::Family => "nf_proto",
        Key::Protocol => "inet_proto",
        Key::Source(Family::V4) | Key::Destination(Family::V4) => "ipv4_addr",
        Key::Source(Family::V6) | Key::Destination(Family::V6) => "ipv6_addr",
        Key::SourcePort | Key::DestinationPort => "inet_service",
        Key::Sender => "ether_addr",
        Key::Dscp(_) => "dscp",
    }
}

/// nft's name of the header of a family.
pub(super) fn ip(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// nft's name of a family in `meta nfproto`.
pub(super) fn nfproto(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}
