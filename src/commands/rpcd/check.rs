//! `check`: what is wrong with a text, before it is saved.

use super::arguments::Arguments;
use crate::commands::{Loaded, Place, check};
use crate::config::diagnostics::Diagnostic;
use crate::json::{self, object};
use serde_json::Value;

/// The findings of `wansplit check` about a text, as if it stood in the configuration's file. The file itself is not read,
/// and may be absent.
pub fn answer(place: &Place, arguments: &Arguments) -> Result<Value, String> {
    let text = arguments.text("config").unwrap_or_default();
    let mut loaded = Loaded::of(place, text.as_bytes().to_vec());
    check::look_around(place, &mut loaded).map_err(|_| "the kernel, or who knows the interfaces, cannot be asked")?;
    let record = |finding: &Diagnostic| json::parse::<Value>(&json::text(&finding.record(&loaded.file))).ok();
    let findings: Vec<Value> = loaded.diagnostics.iter().filter_map(record).collect();
    Ok(object! { "valid": loaded.diagnostics.iter().all(Diagnostic::is_harmless), "findings": findings })
}
