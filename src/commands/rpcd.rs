//! `wansplit rpcd`: what rpcd asks of the plugin behind the ubus object `wansplit.tools`.
//!
//! rpcd starts the plugin with `list` when it starts itself, and with `call METHOD` for each call; the arguments come by
//! standard input as one JSON object, to which it adds the caller's session (`ubus_rpc_session`). It takes one JSON object
//! from standard output and looks at no exit code, so what went wrong is said in the answer, as `error`.

pub(super) mod arguments;
mod check;
mod connections;
mod import;
mod others;
mod resolve;

use super::{Exit, Place, say, usage};
use crate::bus::{Argument, Method};
use crate::json::{self, object};
use argh::FromArgs;
use arguments::Arguments;
use serde_json::Value;

/// Answers LuCI by way of rpcd, as its plugin `wansplit.tools`; not meant for people. Changes nothing.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "rpcd",
    error_code(1, "the call failed: the answer's `error` says why"),
    error_code(2, "there is no such method or argument")
)]
pub struct Rpcd {
    /// list (the methods and their arguments) or call
    #[argh(positional)]
    what: String,

    /// the method to call; its arguments come as a JSON object by standard input
    #[argh(positional)]
    method: Option<String>,
}

/// A method, and what answers it.
pub(super) struct Tool {
    pub(super) method: Method,
    answer: fn(&Place, &Arguments) -> Result<Value, String>,
}

/// All methods.
pub(super) const TOOLS: [Tool; 5] = [
    // Who may call this can have `list file` of a text read by root, and bad lines of that file quoted: the access list has
    // it among the rights to write.
    Tool { method: Method { name: "check", arguments: &[("config", Argument::String)] }, answer: check::answer },
    Tool {
        method: Method {
            name: "connections",
            arguments: &[
                ("link", Argument::String),
                ("rule", Argument::String),
                ("local", Argument::Boolean),
                ("text", Argument::String),
                ("limit", Argument::Integer),
            ],
        },
        answer: connections::answer,
    },
    Tool { method: Method { name: "others", arguments: &[] }, answer: others::answer },
    Tool { method: Method { name: "import", arguments: &[("program", Argument::String)] }, answer: import::answer },
    Tool { method: Method { name: "resolve", arguments: &[("name", Argument::String)] }, answer: resolve::answer },
];

/// Runs the verb.
#[must_use]
pub fn run(place: &Place, verb: &Rpcd) -> Exit {
    match (verb.what.as_str(), &verb.method) {
        ("list", None) => {
            say(&json::text(&list()));
            Exit::Done
        }
        ("call", Some(method)) => match TOOLS.iter().find(|tool| tool.method.name == method) {
            Some(tool) => call(place, tool),
            None => refuse(&format!("there is no method '{method}': {}", names())),
        },
        ("call", None) => usage(&format!("rpcd call: name the method: {}", names())),
        _ => usage("rpcd: say list, or call and a method"),
    }
}

fn call(place: &Place, tool: &Tool) -> Exit {
    let arguments = match Arguments::read(std::io::stdin().lock(), &tool.method) {
        Ok(arguments) => arguments,
        Err(why) => return refuse(&why),
    };
    let (answer, exit) = match (tool.answer)(place, &arguments) {
        Ok(answer) => (answer, Exit::Done),
        Err(why) => (object! { "error": why }, Exit::Config),
    };
    say(&json::text(&answer));
    exit
}

/// Says that a call cannot be answered as it was made.
fn refuse(why: &str) -> Exit {
    say(&json::text(&object! { "error": why }));
    Exit::Usage
}

/// The methods with a value of the type of each argument, from which rpcd takes the type.
fn list() -> Value {
    let example = |argument: Argument| match argument {
        Argument::Array => Value::Array(Vec::new()),
        Argument::Table => object! {},
        Argument::String => "str".into(),
        Argument::Integer => 32.into(),
        Argument::Boolean => true.into(),
    };
    let arguments = |method: &Method| {
        json::from_fields(method.arguments.iter().map(|(name, argument)| (*name, example(*argument))).collect())
    };
    json::from_fields(TOOLS.iter().map(|tool| (tool.method.name, arguments(&tool.method))).collect())
}

fn names() -> String {
    TOOLS.map(|tool| tool.method.name).join(", ")
}
