//! The JSON Schema (draft 2020-12) of the JSON notation, made from the table of options.

use super::options::{Arity, OptionSpec, SectionKind, ValueKind};
use serde_json::{Map, Value, json};

/// The schema: what `wansplit schema` prints.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wansplit configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string" },
            "globals": section(SectionKind::Globals),
            "links": {
                "description": "The links by name. Links and policies share one name space.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/section_name" },
                "additionalProperties": section(SectionKind::Link),
            },
            "policies": {
                "description": "The policies by name.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/section_name" },
                "additionalProperties": section(SectionKind::Policy),
            },
            "rules": {
                "description": "The rules in the order they are tried in; the first that matches wins.",
                "type": "array",
                "items": section(SectionKind::Rule),
            },
        },
        "$defs": definitions(),
    })
}

/// The schema of a section: the options that do something.
fn section(kind: SectionKind) -> Value {
    // In JSON the name of a link or policy is its key.
    let named_by_key = matches!(kind, SectionKind::Link | SectionKind::Policy);
    let usable: Vec<&OptionSpec> =
        kind.options().iter().filter(|spec| spec.supported && !(named_by_key && spec.name == "name")).collect();
    let properties: Map<String, Value> = usable.iter().map(|spec| (spec.name.into(), option(spec))).collect();
    let required: Vec<&str> = usable.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if kind == SectionKind::Link {
        schema["oneOf"] = json!([
            { "required": ["interface"], "properties": { "gateway": false, "gateway6": false } },
            { "required": ["device"] },
        ]);
    }
    schema
}

fn option(spec: &OptionSpec) -> Value {
    let definition = definition_name(spec);
    let one = json!({ "$ref": format!("#/$defs/{definition}") });
    let mut schema = match spec.arity {
        Arity::Single => one,
        // A single string may hold several values between blanks.
        Arity::List => json!({ "anyOf": [
            one.clone(),
            { "type": "string", "pattern": "^\\s*\\S+(\\s+\\S+)+\\s*$" },
            { "type": "array", "items": one, "minItems": 1 },
        ] }),
        Arity::Entries => {
            json!({ "anyOf": [one.clone(), { "type": "array", "items": one, "minItems": 1 }] })
        }
    };
    schema["description"] = spec.help.into();
    if let Some(default) = spec.default {
        schema["default"] = default.into();
    }
    schema
}

/// Where an option's values are defined: by kind, but each choice of words by its option.
fn definition_name(spec: &OptionSpec) -> String {
    match spec.value {
        ValueKind::Boolean => "boolean".into(),
        ValueKind::OneOf(_) | ValueKind::Number(..) | ValueKind::Bits(..) | ValueKind::Duration(..) => spec.name.into(),
        ValueKind::Percent => "percent".into(),
        ValueKind::TrackedHost => "tracked_host".into(),
        ValueKind::Name => "name".into(),
        ValueKind::Interface => "interface".into(),
        ValueKind::Device => "device".into(),
        ValueKind::Ipv4 => "ipv4".into(),
        ValueKind::Ipv6 => "ipv6".into(),
        ValueKind::Protocol => "protocol".into(),
        ValueKind::Address => "address".into(),
        ValueKind::Port => "port".into(),
        ValueKind::Mac => "mac".into(),
        ValueKind::ArrivalInterface => "arrival_interface".into(),
        ValueKind::Dscp => "dscp".into(),
        ValueKind::Member => "member".into(),
        ValueKind::Target => "target".into(),
        ValueKind::Text => "text".into(),
    }
}

fn definitions() -> Map<String, Value> {
    let all = SectionKind::ALL.into_iter().flat_map(SectionKind::options).filter(|spec| spec.supported);
    let mut definitions: Map<String, Value> = all.map(|spec| (definition_name(spec), definition(spec.value))).collect();
    let name = definition(ValueKind::Name);
    definitions.insert(
        "section_name".into(),
        json!({ "allOf": [name, { "not": { "enum": super::options::RESERVED_NAMES } }] }),
    );
    definitions
}

/// What a single value looks like. Patterns are as strict as a pattern can sensibly be; the rest is said by `check`.
fn definition(value: ValueKind) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    // Numbers may be written as JSON numbers or as strings, as in UCI.
    let number = |least: u32, most: u32, pattern: &str| json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, text(pattern)] });
    match value {
        ValueKind::Boolean => {
            let words: Vec<&str> = super::validate::TRUE.into_iter().chain(super::validate::FALSE).collect();
            json!({ "anyOf": [{ "type": "boolean" }, { "enum": [0, 1] }, { "enum": words }] })
        }
        ValueKind::OneOf(words) => {
            let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
            if numbers.is_empty() {
                return json!({ "enum": words });
            }
            json!({ "anyOf": [{ "enum": words }, { "enum": numbers }] })
        }
        ValueKind::Duration(least, most) => json!({ "anyOf": [
            { "type": "number", "minimum": f64::from(least) / 1000.0, "maximum": f64::from(most) / 1000.0 },
            text(r"^[0-9]+(\.[0-9]{1,3})?(ms|s|m|h)?$"),
        ] }),
        ValueKind::Percent => number(1, 100, "^[0-9]+%?$"),
        ValueKind::TrackedHost => text(r"^(\[[0-9a-fA-F:.]+\]|[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(:[0-9]+)?$"),
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
        ValueKind::Dscp => number(0, 63, r"^!?[0-9A-Za-z]+$"),
        ValueKind::Member | ValueKind::Target => text(r"\S"),
        ValueKind::Text => json!({ "type": "string" }),
    }
}
