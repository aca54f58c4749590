//! `wansplit schema`.

use super::{Exit, say};
use crate::config::schema;
use crate::json;
use argh::FromArgs;

/// Prints the JSON Schema of the configuration's JSON form.
#[derive(FromArgs)]
#[argh(subcommand, name = "schema", example = "wansplit schema > wansplit.schema.json")]
pub struct Schema {}

/// Runs the verb.
#[must_use]
pub fn run() -> Exit {
    say(&json::pretty(&schema::schema()));
    Exit::Done
}
