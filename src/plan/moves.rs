//! What goes elsewhere now, in words.

use super::path::Paths;
use crate::config::model::Config;
use crate::network::Facts;

/// To be filled.
#[must_use]
pub fn moves(_: &Config, _: &Paths, _: &Facts, _: &Facts) -> Vec<String> {
    Vec::new()
}
