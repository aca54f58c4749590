//! Doors for `fuzz/` and its tests to what is asked of the verbs from outside, which is private otherwise.

use super::{explain, rpcd};
use crate::explain::Packet;
use serde_json::Value;

/// The packet that the arguments of `wansplit explain` ask about.
///
/// # Errors
/// What is wrong with them.
pub fn packet_of(arguments: &[&str]) -> Result<Packet, String> {
    let verb: explain::Explain =
        argh::FromArgs::from_args(&["wansplit", "explain"], arguments).map_err(|exit| exit.output)?;
    explain::parse(&verb)
}

/// The packet that the arguments of the ubus method `explain` ask about; none if one of them is not of its type.
#[must_use]
pub fn packet_of_json(arguments: &Value) -> Option<Result<Packet, String>> {
    explain::Explain::from_json(arguments).map(|verb| explain::parse(&verb))
}

/// Whether rpcd's input is taken for the arguments of each of the methods of `wansplit.tools`, or why not.
#[must_use]
pub fn arguments_of_tools(input: &[u8]) -> Vec<Result<(), String>> {
    rpcd::TOOLS.iter().map(|tool| rpcd::arguments::Arguments::read(input, &tool.method).map(drop)).collect()
}
