//! The arguments of a call.

use crate::bus::{Argument, Method};
use crate::json;
use serde_json::Value;
use std::io::Read;

/// The longest input, in bytes. rpcd hands over no more than a pipe holds, 64 KiB: it writes once and closes
/// (`rpc_exec_ipipe_write_cb`), and what did not fit is lost.
const LONGEST: u64 = 256 * 1024;

/// The arguments of a call, each of the type that its method says.
#[derive(Debug)]
pub struct Arguments(Value);

impl Arguments {
    /// Reads the arguments of a method. An absent one and null are the same; others than the method's are passed over.
    pub fn read(input: impl Read, method: &Method) -> Result<Self, String> {
        let mut bytes = Vec::new();
        // One more than allowed, to know that there is more.
        let read = input.take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("the arguments cannot be read: {error}"))?;
        if bytes.len() as u64 > LONGEST {
            return Err(format!("the arguments are longer than {} KiB", LONGEST >> 10));
        }
        let text = String::from_utf8(bytes).map_err(|_| "the arguments are not UTF-8")?;
        let arguments = match json::parse::<Value>(&text) {
            Ok(arguments) => arguments,
            Err(_) if text.trim().is_empty() => Value::Null,
            Err(error) if error.is_eof() => {
                return Err("the arguments end too early: more than 64 KB do not fit through rpcd".into());
            }
            Err(error) => return Err(format!("the arguments are not JSON: {error}")),
        };
        if !arguments.is_object() && !arguments.is_null() {
            return Err("the arguments are no JSON object".into());
        }
        let wrong = method.arguments.iter().find(|(name, argument)| !fits(&arguments[*name], *argument));
        match wrong {
            None => Ok(Self(arguments)),
            Some((name, argument)) => Err(format!("the argument '{name}' must be {}", words(*argument))),
        }
    }

    /// A text; none if it is absent or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0[name].as_str().filter(|text| !text.is_empty())
    }

    /// Yes or no.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.0[name].as_bool()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.0[name].as_u64().and_then(|number| number.try_into().ok())
    }
}

fn fits(value: &Value, argument: Argument) -> bool {
    value.is_null()
        || match argument {
            Argument::Array => value.is_array(),
            Argument::Table => value.is_object(),
            Argument::String => value.is_string(),
            Argument::Integer => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
            Argument::Boolean => value.is_boolean(),
        }
}

fn words(argument: Argument) -> &'static str {
    match argument {
        Argument::Array => "a list",
        Argument::Table => "an object",
        Argument::String => "a text",
        Argument::Integer => "a number from 0",
        Argument::Boolean => "true or false",
    }
}
