//! A configuration copied from one notation into the other, section by section and option by option, right or wrong.

use serde_json::json;
use std::fmt::Write;
use wansplit::config::source::{Document, RawOption, RawSection};

/// Whether both notations can say it: each section of a known type, each name once, nothing that one of them refuses by
/// its form alone.
pub fn is_sayable(document: &Document) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    document.sections.iter().all(|section| {
        let kind = section.kind.value.as_ref();
        let own = section.options.iter().all(|option| {
            let plain = option.name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            plain
                && !option.name.value.is_empty()
                && !option.values.is_empty()
                && option.values.iter().all(|value| is_text(&value.value))
        });
        // In UCI a name may stand in two places. In JSON the name of all but rules is the key: it is there, and once.
        let name = name_of(section);
        let in_two = section.name.is_some() && section.options.iter().any(|option| option.name.value == "name");
        let named = match kind {
            "globals" => {
                section.name.as_ref().is_none_or(|name| name.value == "globals") && seen.insert((kind, "".into()))
            }
            "link" | "policy" | "set" => name.is_some_and(|name| seen.insert((kind, name))),
            "rule" => true,
            _ => false,
        };
        let single_name = section
            .options
            .iter()
            .all(|option| option.name.value != "name" || option.values.len() == 1 && !option.is_list);
        own && named && single_name && !in_two && name_of(section).is_none_or(|name| is_text(&name))
    })
}

/// A value that both parsers hand over as it is written.
fn is_text(value: &str) -> bool {
    !value.contains(|c: char| c.is_control())
}

fn name_of(section: &RawSection) -> Option<String> {
    let option = section.options.iter().find(|option| option.name.value == "name");
    let written = option.and_then(|option| option.values.first()).or(section.name.as_ref());
    written.map(|name| name.value.to_string())
}

/// Its options, but for the name.
fn options<'d>(section: &'d RawSection<'d>) -> impl Iterator<Item = &'d RawOption<'d>> {
    section.options.iter().filter(|option| option.name.value != "name")
}

/// In UCI, with every name as an option.
pub fn to_uci(document: &Document) -> String {
    let quote = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    let mut text = String::new();
    for section in &document.sections {
        let _ = writeln!(text, "config {}", section.kind.value);
        if let Some(name) = name_of(section).filter(|_| section.kind.value != "globals") {
            let _ = writeln!(text, "\toption name {}", quote(&name));
        }
        for option in options(section) {
            let word = if option.is_list { "list" } else { "option" };
            for value in &option.values {
                let _ = writeln!(text, "\t{word} {} {}", option.name.value, quote(&value.value));
            }
        }
    }
    text
}

/// In JSON, every value a text. serde_json's own map sorts, and the order counts.
pub fn to_json(document: &Document) -> String {
    let of = |kind: &'static str| document.sections.iter().filter(move |section| section.kind.value == kind);
    let named = |kind| {
        let entries =
            of(kind).map(|section| (name_of(section).unwrap_or_default(), object(options(section).map(entry))));
        object(entries)
    };
    let mut parts: Vec<(String, String)> =
        of("globals").map(|section| ("globals".into(), object(options(section).map(entry)))).collect();
    for (part, kind) in [("links", "link"), ("policies", "policy"), ("sets", "set")] {
        parts.push((part.into(), named(kind)));
    }
    let rules = of("rule").map(|section| {
        let name = name_of(section).map(|name| ("name".to_owned(), json!(name).to_string()));
        object(name.into_iter().chain(options(section).map(entry)))
    });
    parts.push(("rules".into(), format!("[{}]", rules.collect::<Vec<_>>().join(",\n"))));
    object(parts.into_iter())
}

/// An option's name and its value.
fn entry(option: &RawOption) -> (String, String) {
    let values: Vec<&str> = option.values.iter().map(|value| value.value.as_ref()).collect();
    let value = if option.is_list { json!(values) } else { json!(values[0]) };
    (option.name.value.to_string(), value.to_string())
}

/// An object of names and of values that are JSON already.
fn object(entries: impl Iterator<Item = (String, String)>) -> String {
    let entries = entries.map(|(name, value)| format!("{}: {value}", json!(name)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n"))
}
