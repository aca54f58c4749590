//! Our object, as others see it, and what reaches us through it.

use super::blob::{Writer, kind};
use serde_json::Value;

/// The path of our object.
pub const OBJECT: &str = "wansplit";

/// A method of our object.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Its arguments: name and type.
    pub arguments: &'static [(&'static str, Argument)],
}

/// The type of an argument. ubus tells it to callers; nobody enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// An array.
    Array,
    /// An object.
    Table,
    /// A text.
    String,
    /// A number.
    Integer,
    /// Yes or no.
    Boolean,
}

/// Who waits for the answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub(super) sequence: u16,
    pub(super) peer: u32,
    pub(super) object: u32,
    /// Nobody does.
    pub(super) silent: bool,
}

/// What came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// Somebody calls a method of ours that exists; `reply` to it.
    Call {
        /// For `reply`.
        ticket: Ticket,
        /// The method's name.
        method: String,
        /// Its arguments, an object. Whether they are of the types we announced is for us to check.
        arguments: Value,
    },
    /// An event that we listen to.
    Event {
        /// Its name.
        name: String,
        /// What it says, an object.
        data: Value,
    },
    /// A notification of an object that we are subscribed to.
    Notification {
        /// The object's path.
        object: &'static str,
        /// What it is: `interface.update`.
        name: String,
        /// What it says, an object.
        data: Value,
    },
    /// From now on we hear the notifications of this object. What happened before is to be asked for.
    Subscribed {
        /// The object's path.
        object: &'static str,
    },
    /// The object went away, the subscription with it. When the object comes back, so does the subscription.
    Gone {
        /// The object's path.
        object: &'static str,
    },
}

/// Our methods as ubus lists them.
pub fn signature(methods: &[Method]) -> Vec<u8> {
    let mut writer = Writer::default();
    for method in methods {
        let opened = writer.open_field(kind::TABLE, method.name);
        for (name, argument) in method.arguments {
            let number: u8 = match argument {
                Argument::Array => kind::ARRAY,
                Argument::Table => kind::TABLE,
                Argument::String => kind::STRING,
                Argument::Integer => kind::INT32,
                Argument::Boolean => kind::INT8,
            };
            writer.field(kind::INT32, name, &u32::from(number).to_be_bytes());
        }
        writer.close(opened);
    }
    writer.finish()
}
