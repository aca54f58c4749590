//! ubus, the message bus of OpenWrt: asks netifd, offers our own object, hears events.
//!
//! There are two connections, because they are used in two ways. [`Caller`] asks and waits: it is for the verbs, and for
//! the daemon where it needs netifd's account before it can go on. [`Service`] never waits: it is one socket in the
//! daemon's loop, with our object `wansplit`, events, and notifications.
//!
//! # What the `ubus` crate is used for
//!
//! `Caller` makes its calls with the crate's `Connection`: it takes the greeting, builds and sends lookups and calls, and
//! reads their answers message by message. It does so through our own transport, which gives it only messages that were
//! walked to their last field, in time (the crate panics on anything unexpected, and waits for ever).
//!
//! The rest is our own, because the crate 0.1.7 cannot do it or would panic:
//!
//! | what | why |
//! |---|---|
//! | answers above 64 KiB | they overrun its buffer; the transport keeps such a message back, and `Caller` reads it and the rest of the answer |
//! | calls above 900 bytes | they overrun its buffer of 1024 bytes |
//! | JSON, both ways | it writes invalid JSON and booleans as numbers, and drops nested arguments |
//! | offering an object, events, subscriptions | it is a client only; its numbers for `NOTIFY` and `MONITOR` are wrong |
//! | anything that does not wait | its calls read until the answer is there |
//!
//! # Whom to trust
//!
//! ubusd builds the messages, so a malformed one means that we are out of step: the connection ends. What is inside of
//! `DATA` is another program's and ubusd does not look at it. Where that is malformed a call fails; but it does not end
//! the service's connection, or any program on the bus could.

pub mod blob;
mod caller;
#[doc(hidden)]
pub mod doors;
mod error;
pub mod frame;
pub mod json;
mod member;
mod object;
mod pipe;
#[cfg(test)]
mod recorded;
mod service;
mod socket;
mod transport;

pub use caller::{Caller, call};
pub use error::{Error, Status};
pub use object::{Argument, Incoming, Method, OBJECT, Ticket};
pub use service::Service;
