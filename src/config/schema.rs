//! The JSON Schema (draft 2020-12) of the JSON notation, made from the table of options.

use super::options::{Arity, OptionSpec, STICKY_TIME, SectionKind, ValueKind};
use crate::json::{self, object};
use serde_json::Value;

/// The schema: what `wansplit schema` prints.
#[must_use]
pub fn schema() -> Value {
    object! {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wansplit configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": object! {
            "$schema": object! { "type": "string" },
            "globals": section(SectionKind::Globals),
            "links": object! {
                "description": "The links by name. Links and policies share one name space.",
                "type": "object",
                "propertyNames": object! { "$ref": "#/$defs/section_name" },
                "additionalProperties": section(SectionKind::Link),
            },
            "policies": object! {
                "description": "The policies by name.",
                "type": "object",
                "propertyNames": object! { "$ref": "#/$defs/section_name" },
                "additionalProperties": section(SectionKind::Policy),
            },
            "sets": object! {
                "description": "The sets of addresses by name.",
                "type": "object",
                "propertyNames": object! { "$ref": "#/$defs/name" },
                "additionalProperties": section(SectionKind::Set),
            },
            "rules": object! {
                "description": "The rules in the order they are tried in; the first that matches wins.",
                "type": "array",
                "items": section(SectionKind::Rule),
            },
        },
        "$defs": definitions(),
    }
}

/// The schema of a section.
fn section(kind: SectionKind) -> Value {
    // In JSON the name of a link or policy is its key.
    let named_by_key = matches!(kind, SectionKind::Link | SectionKind::Policy | SectionKind::Set);
    let usable: Vec<&OptionSpec> =
        kind.options().iter().filter(|spec| !(named_by_key && spec.name == "name")).collect();
    let properties = json::from_fields(usable.iter().map(|spec| (spec.name, option(spec))).collect());
    let required: Vec<&str> = usable.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    let mut schema = object! { "type": "object", "additionalProperties": false, "properties": properties };
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if kind == SectionKind::Link {
        let no_gateways = object! { "gateway": false, "gateway6": false };
        schema["oneOf"] = Value::Array(vec![
            object! { "required": ["interface"], "properties": no_gateways },
            object! { "required": ["device"] },
        ]);
    }
    schema
}

fn option(spec: &OptionSpec) -> Value {
    let definition = definition_name(spec);
    let one = object! { "$ref": format!("#/$defs/{definition}") };
    let mut schema = match spec.arity {
        Arity::Single => one,
        // A single string may hold several values between blanks.
        Arity::List => any_of(vec![one.clone(), text("^\\s*\\S+(\\s+\\S+)+\\s*$"), list_of(one)]),
        Arity::Entries => any_of(vec![one.clone(), list_of(one)]),
    };
    schema["description"] = spec.help.into();
    if let Some(default) = spec.default {
        schema["default"] = default.into();
    }
    schema
}

/// Where an option's values are defined: by kind, but each choice of words by its option.
fn definition_name(spec: &OptionSpec) -> &'static str {
    match spec.value {
        ValueKind::Boolean => "boolean",
        // A link has a timeout too, with other bounds.
        STICKY_TIME => "sticky_timeout",
        ValueKind::OneOf(_) | ValueKind::Number(..) | ValueKind::Bits(..) | ValueKind::Duration(..) => spec.name,
        ValueKind::Percent => "percent",
        ValueKind::TrackedHost => "tracked_host",
        ValueKind::Endpoint => "endpoint",
        ValueKind::Underlay => "underlay",
        ValueKind::Name => "name",
        ValueKind::Interface => "interface",
        ValueKind::Device => "device",
        ValueKind::Ipv4 => "ipv4",
        ValueKind::Ipv6 => "ipv6",
        ValueKind::Protocol => "protocol",
        ValueKind::Address => "address",
        ValueKind::Port => "port",
        ValueKind::Mac => "mac",
        ValueKind::ArrivalInterface => "arrival_interface",
        ValueKind::Dscp => "dscp",
        ValueKind::Weekday => "weekday",
        ValueKind::TimeOfDay => "time_of_day",
        ValueKind::IcmpType => "icmp_type",
        ValueKind::ForeignMark => "foreign_mark",
        ValueKind::Domain => "domain",
        ValueKind::Entry => "entry",
        ValueKind::Path => "path",
        ValueKind::User => "user",
        ValueKind::Member => "member",
        ValueKind::Speed => "speed",
        ValueKind::Bytes => "bytes",
        ValueKind::Target => "target",
    }
}

fn definitions() -> Value {
    let all = SectionKind::ALL.into_iter().flat_map(SectionKind::options);
    let mut definitions: Vec<_> = all.map(|spec| (definition_name(spec), definition(spec.value))).collect();
    let not_reserved = object! { "not": one_of(super::options::RESERVED_NAMES.to_vec()) };
    let name = object! { "allOf": vec![definition(ValueKind::Name), not_reserved] };
    definitions.push(("section_name", name));
    json::from_fields(definitions)
}

fn text(pattern: &str) -> Value {
    object! { "type": "string", "pattern": pattern }
}

/// Numbers may be written as JSON numbers or as strings, as in UCI.
fn number(least: u32, most: u32, pattern: &str) -> Value {
    any_of(vec![object! { "type": "integer", "minimum": least, "maximum": most }, text(pattern)])
}

fn list_of(item: Value) -> Value {
    object! { "type": "array", "items": item, "minItems": 1 }
}

fn any_of(schemas: Vec<Value>) -> Value {
    object! { "anyOf": schemas }
}

fn one_of<T: Into<Value>>(values: Vec<T>) -> Value {
    object! { "enum": values }
}

/// What a single value looks like. Patterns are as strict as a pattern can sensibly be; the rest is said by `check`.
fn definition(value: ValueKind) -> Value {
    match value {
        ValueKind::Boolean => {
            let words: Vec<&str> = super::validate::TRUE.into_iter().chain(super::validate::FALSE).collect();
            any_of(vec![object! { "type": "boolean" }, one_of(vec![0, 1]), one_of(words)])
        }
        ValueKind::OneOf(words) => {
            let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
            if numbers.is_empty() {
                return one_of(words.to_vec());
            }
            any_of(vec![one_of(words.to_vec()), one_of(numbers)])
        }
        ValueKind::Duration(least, most) => any_of(vec![
            object! { "type": "number", "minimum": f64::from(least) / 1000.0, "maximum": f64::from(most) / 1000.0 },
            text(r"^[0-9]+(\.[0-9]{1,3})?(ms|s|m|h)?$"),
        ]),
        ValueKind::Percent => number(1, 100, "^[0-9]+%?$"),
        ValueKind::TrackedHost => text(r"^(\[[0-9a-fA-F:.]+\]|[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(:[0-9]+)?$"),
        ValueKind::Endpoint => text(r"^(\*|\[[0-9a-fA-F:.]+\]|[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(:[0-9]+)?$"),
        ValueKind::Number(least, most) => number(least, most, "^[0-9]+$"),
        ValueKind::Bits(least, most) => number(least, most, "^(0[xX][0-9a-fA-F]{1,8}|[0-9]+)$"),
        ValueKind::Name => text(r"^\S(.*\S)?$"),
        ValueKind::Interface => text(r"^[^\s/:]{1,64}$"),
        ValueKind::Device => text(r"^[^\s/:]{1,15}$"),
        ValueKind::Ipv4 => text(r"^[0-9]+(\.[0-9]+){3}$"),
        ValueKind::Ipv6 => text(r"^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$"),
        ValueKind::Protocol => number(0, 255, r"^!?[0-9A-Za-z-]+$"),
        ValueKind::Address => text(r"^!?[0-9a-fA-F:.]+([-/][0-9a-fA-F:.]+)?$"),
        ValueKind::Port => number(1, 65535, r"^!?[0-9]+([-:][0-9]+)?$"),
        ValueKind::Mac => text(r"^!?[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"),
        ValueKind::ArrivalInterface => text(r"^!?[^\s/:]{1,64}$"),
        ValueKind::User => number(0, super::model::LAST_USER, r"^!?[0-9]+(-[0-9]+)?$"),
        ValueKind::Dscp => number(0, 63, r"^!?[0-9A-Za-z]+$"),
        ValueKind::Weekday => text(r"^!?[A-Za-z]{3,9}(-[A-Za-z]{3,9})?$"),
        ValueKind::TimeOfDay => text(r"^[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?$"),
        ValueKind::IcmpType => number(0, 255, r"^!?[0-9A-Za-z-]+$"),
        ValueKind::ForeignMark => {
            number(0, u32::MAX, r"^!?(0[xX][0-9a-fA-F]{1,8}|[0-9]+)(/(0[xX][0-9a-fA-F]{1,8}|[0-9]+))?$")
        }
        ValueKind::Domain => text(r"^(\*?\.)?[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?$"),
        ValueKind::Entry => text(r"^[0-9a-fA-F:.]+([-/][0-9a-fA-F:.]+)?$"),
        ValueKind::Path => text("^/."),
        ValueKind::Member | ValueKind::Target | ValueKind::Underlay => text(r"\S"),
        ValueKind::Speed => {
            any_of(vec![object! { "type": "number", "minimum": 0.001 }, text(r"^[0-9]+(\.[0-9]{1,3})?[kMG]?$")])
        }
        ValueKind::Bytes => text(r"^[0-9]+(\.[0-9]{1,3})?[kMGT]$"),
    }
}
