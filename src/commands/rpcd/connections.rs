//! `connections`.
use super::arguments::Arguments;
use crate::commands::Place;
use serde_json::Value;
/// .
pub fn answer(_: &Place, _: &Arguments) -> Result<Value, String> {
    Err("not yet".into())
}
