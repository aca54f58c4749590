//! The entries of maps and sets.

use super::rule::verdict;
use crate::config::model::Family;
use crate::interval::{Interval, to_ipv4, to_ipv6};
use crate::plan::ruleset::names::{kind, nfproto};
use crate::plan::ruleset::{Entries, Key, Map, device_name, family_number, mac};
use serde::{Serialize, Serializer};

/// The types of a map's keys.
#[derive(Debug)]
pub struct Kind<'a>(pub(super) &'a [Key]);

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
pub struct Elements<'a>(pub(super) &'a Map);

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
            Key::Input | Key::Output => serializer.serialize_str(&device_name(value)),
            Key::Family if value == family_number(Family::V4) => serializer.serialize_str(nfproto(Family::V4)),
            Key::Family => serializer.serialize_str(nfproto(Family::V6)),
            Key::Source(Family::V4) | Key::Destination(Family::V4) => serializer.collect_str(&to_ipv4(value)),
            Key::Source(Family::V6) | Key::Destination(Family::V6) => serializer.collect_str(&to_ipv6(value)),
            Key::Sender => serializer.collect_str(&mac(value)),
            Key::ConnectionMark
            | Key::PacketMark
            | Key::Protocol
            | Key::SourcePort
            | Key::DestinationPort
            | Key::Dscp(_)
            | Key::IcmpType(_) => serializer.serialize_u32(u32::try_from(value).unwrap_or(u32::MAX)),
        }
    }
}
