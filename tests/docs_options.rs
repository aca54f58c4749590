//! docs/options.md has every option there is, with its default, its values and an example that `check` likes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod docs_support;

use docs_support::configuration::{faults, whole};
use docs_support::page::{Item, Kind, page_at};
use wansplit::config::options::{Arity, OptionSpec, SectionKind, ValueKind};

#[test]
fn the_page_of_options_has_each_option_with_its_default_values_and_an_example() {
    let page = page_at("docs/options.md");
    let mut faulty = Vec::new();
    for kind in SectionKind::ALL {
        let heading = |item: &Item| matches!(&item.kind, Kind::Heading(2, words) if words == kind.word());
        let at = page.items.iter().position(heading).unwrap_or_else(|| panic!("no heading {kind}"));
        let rows = page.items[at..].iter().find_map(|item| match &item.kind {
            Kind::Table { rows, .. } => Some(rows),
            _ => None,
        });
        let rows = rows.expect("a table");
        let named: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
        for spec in kind.options() {
            match named.iter().filter(|name| **name == spec.name).count() {
                1 => {}
                count => faulty.push(format!("{kind}: {} stands there {count} times", spec.name)),
            }
        }
        let mut above: &[String] = &[];
        for row in rows {
            match kind.option(row[0].trim_matches('`')) {
                Some(spec) => {
                    // "the same" refers to the row above.
                    let same = row[1].starts_with("the same");
                    faulty.extend(row_faults(kind, spec, row, if same { &above[1] } else { &row[1] }));
                    above = if same { above } else { row };
                }
                None => faulty.push(format!("{kind} has no option {}", row[0])),
            }
        }
    }
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}

fn row_faults(kind: SectionKind, spec: &OptionSpec, row: &[String], values: &str) -> Vec<String> {
    let [_, _, default, meaning, example] = row else { return vec![format!("{kind} {}: five cells", spec.name)] };
    let mut faults = Vec::new();
    let right_default = match spec.default {
        _ if spec.required => default == "**needed**",
        Some(value) => *default == format!("`{value}`"),
        None => *default == "-" || default.starts_with("- ("),
    };
    if !right_default {
        faults.push(format!("its default is {:?}, not {default}", spec.default));
    }
    if (spec.arity == Arity::Single) == values.contains("**list**") {
        faults.push(format!("is it a list? {values}"));
    }
    let bounds = match spec.value {
        ValueKind::Number(least, most) => vec![format!("{least} to {most}")],
        ValueKind::Bits(least, most) => vec![format!("{least} to {most:#x}")],
        ValueKind::Duration(least, most) => vec![format!("{} to {}", in_words(least), in_words(most))],
        ValueKind::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect(),
        ValueKind::Boolean => vec!["on or off".to_owned()],
        _ => Vec::new(),
    };
    faults.extend(bounds.into_iter().filter(|bound| !values.contains(bound)).map(|bound| format!("not said: {bound}")));
    if meaning.len() < 10 {
        faults.push("what does it do?".into());
    }
    faults.extend(example_fault(kind, spec, example));
    faults.into_iter().map(|fault| format!("{kind} {}: {fault}", spec.name)).collect()
}

fn in_words(milliseconds: u32) -> String {
    match milliseconds {
        n if n % 3_600_000 == 0 => format!("{}h", n / 3_600_000),
        n if n % 60_000 == 0 && n < 3_600_000 => format!("{}m", n / 60_000),
        n if n % 1000 == 0 => format!("{}s", n / 1000),
        n => format!("{n}ms"),
    }
}

/// The example's lines make a section that `check` has nothing against.
fn example_fault(kind: SectionKind, spec: &OptionSpec, example: &str) -> Option<String> {
    let lines: Vec<&str> = example.split('`').skip(1).step_by(2).collect();
    if !lines.iter().any(|line| line.split(' ').nth(1) == Some(spec.name)) {
        return Some(format!("its example does not have it: {example}"));
    }
    let has = |option: &str| lines.iter().any(|line| line.split(' ').nth(1) == Some(option));
    let needs = match kind {
        SectionKind::Link if !has("device") && !has("interface") => "option interface 'example'",
        SectionKind::Policy if !has("use") => "list use 'EMB'",
        SectionKind::Rule if !has("use") => "option use 'web'",
        SectionKind::Set if !has("entry") => "list entry '192.0.2.1'",
        _ => "",
    };
    let watched = match spec.name {
        "interval" | "timeout" | "down" | "up" | "max_loss" | "max_latency" if kind == SectionKind::Link => {
            "list track_ip '1.1.1.1'\nlist track_ip '2606:4700:4700::1111'"
        }
        "track_ip" | "track_method" => "list track_ip '2606:4700:4700::1111'",
        "src_set" | "dest_set" => "config set 'servers'\nlist entry '192.0.2.1'",
        _ => "",
    };
    let name = if kind == SectionKind::Globals { "globals" } else { "example" };
    let text = format!("config {kind} '{name}'\n{}\n{needs}\n{watched}\n", lines.join("\n"));
    let said = faults(&text, "example");
    (!said.is_empty()).then(|| format!("{said}{}", whole(&text).lines().take(8).collect::<Vec<_>>().join("\n")))
}
