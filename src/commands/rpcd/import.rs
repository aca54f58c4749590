//! `import`: another program's configuration in our words, as text and as sections.

use super::arguments::Arguments;
use super::others;
use crate::commands::{Place, import};
use crate::config;
use crate::config::source::{RawOption, RawSection};
use crate::import::{Format, Remark};
use crate::json::{self, object};
use serde_json::Value;
use std::path::Path;

/// What `wansplit import PROGRAM` makes of that program's own file. The sections are read out of that text, so the two
/// cannot differ.
pub fn answer(place: &Place, arguments: &Arguments) -> Result<Value, String> {
    let word = arguments.text("program").unwrap_or_default();
    let wrong = || format!("'{word}' is nothing to import from: say mwan3, mwan4 or pbr");
    let format = Format::from_word(word).ok_or_else(wrong)?;
    let own = others::file(place, format).ok_or_else(wrong)?;
    let more = more(format).iter().map(|name| own.with_file_name(name)).filter(|file| file.is_file());
    let files: Vec<String> = std::iter::once(own.clone()).chain(more).map(|file| text_of(&file)).collect();
    let imported = import::imported(place, format, &files)?;
    let text = imported.draft.to_string();
    let (document, _) = config::parse(text.as_bytes());
    let sections: Vec<Value> = document.sections.iter().map(section).collect();
    let remarks: Vec<String> = imported.remarks.iter().map(Remark::to_string).collect();
    Ok(object! { "config": text.as_str(), "sections": sections, "remarks": remarks })
}

/// The further files that a program's configuration relies on.
fn more(format: Format) -> &'static [&'static str] {
    match format {
        // For its sets.
        Format::Mwan3 | Format::Mwan4 => &["dhcp", "firewall"],
        // For the order of its ip rules.
        Format::Pbr => &["network"],
        Format::Script => &[],
    }
}

fn text_of(file: &Path) -> String {
    file.display().to_string()
}

fn section(section: &RawSection) -> Value {
    let options = section.options.iter().map(|option| (option.name.value.as_ref(), value(option)));
    object! {
        "type": section.kind.value.as_ref(), "name": section.name.as_ref().map(|name| name.value.as_ref()),
        "options": json::from_fields(options.collect()),
    }
}

/// A text, or a list of texts.
fn value(option: &RawOption) -> Value {
    let mut values = option.values.iter().map(|value| Value::from(value.value.as_ref()));
    if option.is_list { values.collect() } else { values.next().unwrap_or_default() }
}
