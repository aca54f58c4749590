//! Rules: conditions, actions, and the expressions they are made of.

use crate::config::model::{Choice, Mask};
use crate::plan::ruleset::names::{icmp, ip, nfproto};
use crate::plan::ruleset::{Action, Dice, Key, Match, Rule, SEED, Verdict};
use nftables::expr::{
    BinaryOperation, CT, Expression, JHash, Meta, MetaKey, NamedExpression, NgMode, Numgen, Payload, PayloadField,
    SetItem,
};
use nftables::stmt::{self, Counter, JumpTarget, Log, LogLevel, Mangle, Operator, Statement, VerdictMap};

pub(super) fn statements(rule: &Rule, mask: Mask) -> Vec<Statement<'_>> {
    let matches = rule.matches.iter().map(|m| condition(m, mask));
    matches.chain(rule.actions.iter().map(|action| statement(action, mask))).collect()
}

fn condition(condition: &Match, mask: Mask) -> Statement<'static> {
    match condition {
        Match::New => test(connection("state"), Operator::IN, string("new")),
        Match::Running => {
            let states = ["established", "related"].map(string);
            test(connection("state"), Operator::IN, Expression::List(states.into()))
        }
        Match::First => {
            let confirmed = BinaryOperation::AND(connection("status"), string("confirmed"));
            test(Expression::BinaryOperation(Box::new(confirmed)), Operator::EQ, Expression::Number(0))
        }
        Match::Unstamped => test(and(connection_mark(), mask.bits()), Operator::EQ, Expression::Number(0)),
        Match::HasPort => {
            let range = nftables::expr::Range { range: [Expression::Number(0), Expression::Number(65535)] };
            test(expression(Key::DestinationPort, None), Operator::EQ, Expression::Range(Box::new(range)))
        }
        Match::Mark(mark) => {
            let operator = if mark.negated { Operator::NEQ } else { Operator::EQ };
            test(and(packet_mark(), mark.mask), operator, Expression::Number(mark.value))
        }
        Match::Input(choice) => one_of(expression(Key::Input, None), choice),
        Match::Sender(choice) => one_of(expression(Key::Sender, None), choice),
        Match::Family(family) => test(expression(Key::Family, None), Operator::EQ, string(nfproto(*family))),
        Match::Dscp(family, values) => {
            let values = values.iter().map(|value| SetItem::Element(Expression::Number(u32::from(*value)))).collect();
            test(expression(Key::Dscp(*family), None), Operator::EQ, Expression::Named(NamedExpression::Set(values)))
        }
        Match::Remembered(keys, set) => test(joined(keys, None), Operator::EQ, string(&format!("@{set}"))),
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
            Statement::VerdictMap(VerdictMap { key: joined(keys, Some(mask)), data: string(&format!("@{map}")) })
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
        Action::SetMark(mark) => set_bits(packet_mark, mask, *mark),
        Action::SetConnectionMark(mark) => set_bits(connection_mark, mask, *mark),
        Action::Remember(keys, set) => {
            let set = format!("@{set}").into();
            Statement::Set(stmt::Set { op: stmt::SetOp::Update, elem: joined(keys, None), set })
        }
        Action::Count(counter) => Statement::Counter(Counter::Named(counter.as_str().into())),
        Action::Log(prefix) => {
            let prefix = Some(prefix.as_str().into());
            Statement::Log(Some(Log { prefix, level: Some(LogLevel::Info), ..Log::new(None) }))
        }
        Action::Verdict(to) => verdict(to),
    }
}

/// `key set key & ~mask | value`: the form with constants only, which every nft and kernel takes.
///
/// The key is made twice: to clone an expression of the crate's is 6 KB on MIPS.
fn set_bits(key: fn() -> Expression<'static>, mask: Mask, value: u32) -> Statement<'static> {
    let kept = and(key(), !mask.bits());
    let value = Expression::BinaryOperation(Box::new(BinaryOperation::OR(vec![kept, Expression::Number(value)])));
    Statement::Mangle(Mangle { key: key(), value })
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

/// Several keys as one.
fn joined(keys: &[Key], mask: Option<Mask>) -> Expression<'static> {
    let mut keys: Vec<_> = keys.iter().map(|key| expression(*key, mask)).collect();
    match keys.len() {
        1 => keys.remove(0),
        _ => Expression::Named(NamedExpression::Concat(keys)),
    }
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
        Key::IcmpType(family) => header(icmp(family), "type"),
    }
}

fn packet_mark() -> Expression<'static> {
    meta(MetaKey::Mark)
}

fn connection_mark() -> Expression<'static> {
    connection("mark")
}

fn connection(key: &'static str) -> Expression<'static> {
    Expression::Named(NamedExpression::CT(CT { key: key.into(), family: None, dir: None }))
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

pub(super) fn verdict(verdict: &Verdict) -> Statement<'_> {
    match verdict {
        Verdict::Goto(chain) => Statement::Goto(JumpTarget { target: chain.as_ref().into() }),
        Verdict::Accept => Statement::Accept(None),
    }
}
