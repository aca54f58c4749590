//! The table as JSON for `nft -j -f -`.
//!
//! Tables, chains and rules are built from the `nftables` crate's types. Named verdict maps are written by hand: the
//! crate has no way to say that a map's values are verdicts.

use super::{Action, Chain, Dice, Entries, Hook, Key, Map, Match, PRIORITY, Rule, Ruleset, SEED, TABLE, Verdict};
use crate::config::model::{Choice, Family, Mask};
use crate::interval::{Interval, to_ipv4, to_ipv6};
use nftables::expr::{
    BinaryOperation, CT, Expression, JHash, Meta, MetaKey, NamedExpression, NgMode, Numgen, Payload, PayloadField,
    SetItem,
};
use nftables::stmt::{self, JumpTarget, Mangle, Operator, Statement, VerdictMap};
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};
use serde_json::{Value, json};

/// FNV-1a, 64 bits, over the compact JSON text.
#[must_use]
pub fn digest(value: &Value) -> u64 {
    value
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

impl Ruleset {
    /// A digest of the whole table. It stands in the comment of every rule, so that the kernel itself says which
    /// ruleset it holds; what `nft` prints cannot be compared, it is another text than the one written.
    #[must_use]
    pub fn digest(&self) -> String {
        let chains: Vec<Value> =
            self.chains.iter().flat_map(|c| [chain(c)].into_iter().chain(rules(self, c, ""))).collect();
        let maps: Vec<&str> = self.maps.iter().map(|map| map.name.as_str()).collect();
        format!("{:016x}", digest(&json!([maps, chains])))
    }
}

/// The commands that make the whole table where there is none.
#[must_use]
pub fn everything(ruleset: &Ruleset) -> Vec<Value> {
    let table = json!({ "add": table() });
    let chains = ruleset.chains.iter().map(|own| json!({ "add": chain(own) }));
    let maps = ruleset.maps.iter().map(|own| json!({ "add": map(own) }));
    [table].into_iter().chain(chains).chain(maps).chain(all_rules(ruleset)).collect()
}

/// The commands that make all rules of a table, with the table's digest in their comments.
pub fn all_rules(ruleset: &Ruleset) -> impl Iterator<Item = Value> {
    let digest = ruleset.digest();
    let of_chain = move |chain| rules(ruleset, chain, &digest).collect::<Vec<Value>>();
    ruleset.chains.iter().flat_map(of_chain).map(|rule| json!({ "add": rule }))
}

/// Commands as a document for `nft -j -f -`.
#[must_use]
pub fn document(commands: Vec<Value>) -> Value {
    json!({ "nftables": commands })
}

/// The object that makes the table.
#[must_use]
pub fn table() -> Value {
    typed("table", &nftables::schema::Table { family: NfFamily::INet, name: TABLE.into(), handle: None })
}

/// The object that makes a chain, without its rules.
#[must_use]
pub fn chain(chain: &Chain) -> Value {
    typed(
        "chain",
        &nftables::schema::Chain {
            family: NfFamily::INet,
            table: TABLE.into(),
            name: chain.name.as_str().into(),
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
            ..Default::default()
        },
    )
}

fn rules<'a>(ruleset: &'a Ruleset, chain: &'a Chain, digest: &'a str) -> impl Iterator<Item = Value> + 'a {
    chain.rules.iter().map(move |rule| {
        typed(
            "rule",
            &nftables::schema::Rule {
                family: NfFamily::INet,
                table: TABLE.into(),
                chain: chain.name.as_str().into(),
                expr: statements(rule, ruleset.mask).into(),
                comment: (!digest.is_empty()).then(|| comment(digest).into()),
                ..Default::default()
            },
        )
    })
}

/// The comment on every rule of a table with this digest.
#[must_use]
pub fn comment(digest: &str) -> String {
    format!("wansplit {digest}")
}

/// The object that makes a map or set with its entries.
#[must_use]
pub fn map(map: &Map) -> Value {
    let kinds: Vec<&str> = map.key.iter().map(|key| kind(*key)).collect();
    let kinds = if let [only] = kinds.as_slice() { json!(only) } else { json!(kinds) };
    let mut object = json!({ "family": "inet", "table": TABLE, "name": map.name, "type": kinds });
    if map.has_intervals() {
        object["flags"] = json!(["interval"]);
    }
    match &map.entries {
        Entries::Verdicts(entries) => {
            object["map"] = json!("verdict");
            let entries = entries.iter().map(|(entry, to)| json!([element(&map.key, entry), verdict_value(to)]));
            object["elem"] = entries.collect();
            json!({ "map": object })
        }
        Entries::Members(entries) => {
            object["elem"] = entries.iter().map(|entry| element(&map.key, entry)).collect();
            json!({ "set": object })
        }
    }
}

fn typed(kind: &str, value: &impl serde::Serialize) -> Value {
    // These types are plain structs: turning them into a value cannot fail.
    json!({ kind: serde_json::to_value(value).unwrap_or_default() })
}

fn statements(rule: &Rule, mask: Mask) -> Vec<Statement<'static>> {
    let matches = rule.matches.iter().map(|m| condition(m));
    matches.chain(rule.actions.iter().map(|action| statement(action, mask))).collect()
}

fn condition(condition: &Match) -> Statement<'static> {
    let state = || Expression::Named(NamedExpression::CT(CT { key: "state".into(), family: None, dir: None }));
    match condition {
        Match::New => test(state(), Operator::IN, string("new")),
        Match::Running => {
            let states = ["established", "related", "untracked"].map(string);
            test(state(), Operator::IN, Expression::List(states.into()))
        }
        Match::Input(choice) => one_of(expression(Key::Input, None), choice),
        Match::Sender(choice) => one_of(expression(Key::Sender, None), choice),
        Match::Family(family) => test(expression(Key::Family, None), Operator::EQ, string(nfproto(*family))),
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

fn statement(action: &Action, mask: Mask) -> Statement<'static> {
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

fn verdict(verdict: &Verdict) -> Statement<'static> {
    match verdict {
        Verdict::Goto(chain) => Statement::Goto(JumpTarget { target: chain.clone().into() }),
        Verdict::Accept => Statement::Accept(None),
    }
}

fn verdict_value(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Goto(chain) => json!({ "goto": { "target": chain } }),
        // A bare string is refused as a map's value.
        Verdict::Accept => json!({ "accept": null }),
    }
}

fn element(keys: &[Key], entry: &[Interval]) -> Value {
    let mut parts: Vec<Value> = keys.iter().zip(entry).map(|(key, interval)| range(*key, *interval)).collect();
    if parts.len() == 1 { parts.remove(0) } else { json!({ "concat": parts }) }
}

fn range(key: Key, interval: Interval) -> Value {
    if interval.is_single() {
        value(key, interval.first())
    } else {
        json!({ "range": [value(key, interval.first()), value(key, interval.last())] })
    }
}

fn value(key: Key, value: u128) -> Value {
    match key {
        Key::Input | Key::Output => json!(super::device_name(value)),
        Key::Family if value == super::family_number(Family::V4) => json!(nfproto(Family::V4)),
        Key::Family => json!(nfproto(Family::V6)),
        Key::Source(Family::V4) | Key::Destination(Family::V4) => json!(to_ipv4(value).to_string()),
        Key::Source(Family::V6) | Key::Destination(Family::V6) => json!(to_ipv6(value).to_string()),
        Key::Sender => json!(super::mac(value).to_string()),
        Key::ConnectionMark
        | Key::PacketMark
        | Key::Protocol
        | Key::SourcePort
        | Key::DestinationPort
        | Key::Dscp(_) => json!(u32::try_from(value).unwrap_or(u32::MAX)),
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
