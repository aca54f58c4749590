//! What a member of the bus says and hears, without a socket: offers its object, listens to events, subscribes to
//! other objects, and sorts what comes in.
//!
//! Calls, events and notifications all arrive as a call of one of our objects, so there is one object for each purpose:
//! the named one for calls, one without a name for events, and one without a name for each object we subscribe to (a
//! notification does not say whom it is from).

use super::blob::Malformed;
use super::error::{Error, Status};
use super::frame::{Draft, EVENTS, Frame, Kind, id};
use super::json;
use super::object::{Incoming, Method, OBJECT, Ticket, signature};
use super::transport::pong;
use crate::json::object;
use serde_json::Value;
use std::time::Duration;

/// The events we want: an interface went up or down, an object appeared.
const PATTERNS: [&str; 2] = ["network.interface", APPEARED];
/// The objects whose notifications we want.
const WATCHED: [&str; 2] = ["network.interface", "network.device"];
/// The event that says an object appeared.
const APPEARED: &str = "ubus.object.add";
/// How long ubusd may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One of our objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Methods,
    Events,
    Watcher(usize),
}

const ROLES: [Role; 4] = [Role::Methods, Role::Events, Role::Watcher(0), Role::Watcher(1)];
const _: () = assert!(ROLES.len() == 2 + WATCHED.len());

/// What we asked ubusd for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Add(Role),
    Register,
    Find(usize),
    Subscribe(usize),
    Send,
}

/// A question that was not answered to its end.
struct Pending {
    sequence: u16,
    purpose: Purpose,
    asked: Duration,
    /// The number of an object, if the answer has one.
    object: Option<u32>,
}

/// A member of the bus.
pub struct Member {
    methods: &'static [Method],
    sequence: u16,
    pending: Vec<Pending>,
    /// The numbers of our objects.
    objects: Vec<(Role, u32)>,
    /// The objects that we are subscribed to, in the order of `WATCHED`.
    targets: [Option<u32>; WATCHED.len()],
    /// What is to be sent.
    outbox: Vec<Vec<u8>>,
}

impl Member {
    /// A new member, which has something to send already.
    pub fn new(methods: &'static [Method], now: Duration) -> Self {
        let targets = [None; WATCHED.len()];
        let mut member =
            Self { methods, sequence: 0, pending: Vec::new(), objects: Vec::new(), targets, outbox: Vec::new() };
        for role in ROLES {
            member.ask(Kind::AddObject, 0, Purpose::Add(role), now, |draft| match role {
                Role::Methods => draft.text(id::PATH, OBJECT).bytes(id::SIGNATURE, &signature(methods)),
                Role::Events | Role::Watcher(_) => draft,
            });
        }
        member
    }

    /// What is to be sent, one message each.
    pub fn outbox(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox)
    }

    /// When ubusd must have answered.
    pub fn deadline(&self) -> Option<Duration> {
        self.pending.first().map(|pending| pending.asked.saturating_add(PATIENCE))
    }

    /// Answers a call. Returns whether the answer fits into a message; if not, the caller is told of an error.
    pub fn reply(&mut self, ticket: &Ticket, answer: &Value, status: Status) -> Result<(), Error> {
        if ticket.silent {
            return Ok(());
        }
        let message = |kind| Draft::new(kind, ticket.sequence, ticket.peer);
        let data = match answer {
            Value::Null => Ok(None),
            answer => json::write(answer).map_err(Error::Unsayable).and_then(|fields| {
                let draft = message(Kind::Data).number(id::OBJECT, ticket.object).bytes(id::DATA, &fields);
                draft.finish().map(Some).ok_or(Error::too_large("the answer"))
            }),
        };
        let (data, status, outcome) = match data {
            Ok(data) => (data, status, Ok(())),
            Err(error) => (None, Status::UNKNOWN_ERROR, Err(error)),
        };
        self.outbox.extend(data);
        let end = message(Kind::Status).number(id::STATUS, status.0).number(id::OBJECT, ticket.object);
        self.outbox.extend(end.finish());
        outcome
    }

    /// Sends an event to whoever listens.
    pub fn send_event(&mut self, name: &str, data: &Value, now: Duration) -> Result<(), Error> {
        let data = if data.is_null() {
            object! {}
        } else {
            data.clone()
        };
        self.ask_broker("send", &object! { "id": name, "data": data }, Purpose::Send, now)
    }

    /// Hears one message.
    pub fn hear(&mut self, frame: &Frame, now: Duration, incoming: &mut Vec<Incoming>) -> Result<(), Error> {
        match frame.kind {
            Kind::Data => {
                let found = self.pending.iter_mut().find(|pending| pending.sequence == frame.sequence);
                if let (Some(pending), Some(object)) = (found, frame.number(id::OBJECT)) {
                    pending.object = Some(object);
                }
            }
            Kind::Status => {
                let status = Status(frame.number(id::STATUS).ok_or(Malformed("a status has no number"))?);
                let place = self.pending.iter().position(|pending| pending.sequence == frame.sequence);
                if let Some(place) = place {
                    let pending = self.pending.remove(place);
                    self.answered(&pending, status, now, incoming)?;
                }
            }
            Kind::Invoke => self.invoked(frame, now, incoming),
            Kind::Unsubscribe => self.unsubscribed(frame, incoming),
            Kind::Ping => self.outbox.push(pong(frame)),
            // The greeting tells us our own number, `Notify` whether somebody is subscribed to us: neither matters.
            _ => {}
        }
        Ok(())
    }

    fn answered(
        &mut self,
        pending: &Pending,
        status: Status,
        now: Duration,
        incoming: &mut Vec<Incoming>,
    ) -> Result<(), Error> {
        let refused = |what: String| match status {
            Status::PERMISSION_DENIED => Err(Error::Denied { what }),
            status => Err(Error::Refused { what, status }),
        };
        match pending.purpose {
            Purpose::Add(role) if status == Status::OK => {
                let object = pending.object.ok_or(Malformed("our new object has no number"))?;
                self.objects.push((role, object));
                match role {
                    Role::Methods => {}
                    // These go out before any lookup: an object that appears meanwhile is not missed.
                    Role::Events => {
                        for pattern in PATTERNS {
                            let arguments = object! { "object": object.cast_signed(), "pattern": pattern };
                            self.ask_broker("register", &arguments, Purpose::Register, now)?;
                        }
                    }
                    Role::Watcher(watched) => self.find(watched, now),
                }
            }
            // ubusd answers "invalid argument" to a path that is taken.
            Purpose::Add(Role::Methods) if status == Status::INVALID_ARGUMENT => {
                return refused(format!("offer the object '{OBJECT}' (is another wansplit running?)"));
            }
            Purpose::Add(Role::Methods) => return refused(format!("offer the object '{OBJECT}'")),
            Purpose::Add(_) => return refused("add an object to ubus".into()),
            Purpose::Register if status != Status::OK => return refused("listen to events".into()),
            Purpose::Register => {}
            Purpose::Find(watched) => match pending.object {
                Some(target) if status == Status::OK => self.subscribe(watched, target, now),
                // Its owner does not run. It is heard of when it does.
                _ => {}
            },
            Purpose::Subscribe(watched) => match (WATCHED.get(watched), status) {
                (Some(object), Status::OK) => incoming.push(Incoming::Subscribed { object }),
                (Some(object), status) => {
                    log::debug!("cannot subscribe to '{object}': {status}");
                    self.forget(watched);
                }
                (None, _) => {}
            },
            Purpose::Send if status != Status::OK => log::warn!("cannot send an event to ubus: {status}"),
            Purpose::Send => {}
        }
        Ok(())
    }

    /// A call, an event, or a notification.
    fn invoked(&mut self, frame: &Frame, now: Duration, incoming: &mut Vec<Incoming>) {
        let (Some(object), Some(name)) = (frame.number(id::OBJECT), frame.text(id::METHOD)) else { return };
        let name = name.into_owned();
        // Events come from nobody, and nobody waits for an answer.
        let silent = frame.is_set(id::NO_REPLY) || frame.peer == 0;
        let ticket = Ticket { sequence: frame.sequence, peer: frame.peer, object, silent };
        let role = self.objects.iter().find(|(_, number)| *number == object).map(|(role, _)| *role);
        // What is in there is written by the other program, ubusd has not looked: it must not end our connection.
        let refused = match (json::read(frame.fields()), role) {
            (Err(malformed), _) => {
                log::debug!("'{name}' came over ubus with malformed data: {malformed}");
                Status::INVALID_ARGUMENT
            }
            (Ok(_), None) => Status::NOT_FOUND,
            (Ok(arguments), Some(Role::Methods)) => {
                if self.methods.iter().any(|method| method.name == name) {
                    return incoming.push(Incoming::Call { ticket, method: name, arguments });
                }
                Status::METHOD_NOT_FOUND
            }
            (Ok(_), Some(_)) if !silent => Status::METHOD_NOT_FOUND,
            (Ok(data), Some(Role::Events)) => {
                if name == APPEARED {
                    self.appeared(&data, now);
                }
                return incoming.push(Incoming::Event { name, data });
            }
            (Ok(data), Some(Role::Watcher(watched))) => {
                let object = WATCHED.get(watched).map(|object| Incoming::Notification { object, name, data });
                return incoming.extend(object);
            }
        };
        let _ = self.reply(&ticket, &Value::Null, refused);
    }

    fn unsubscribed(&mut self, frame: &Frame, incoming: &mut Vec<Incoming>) {
        let target = frame.number(id::TARGET);
        let place = self.targets.iter().position(|known| known.is_some() && *known == target);
        if let Some((watched, object)) = place.and_then(|watched| Some((watched, WATCHED.get(watched)?))) {
            self.forget(watched);
            incoming.push(Incoming::Gone { object });
        }
    }

    /// An object appeared: one that we want to watch?
    fn appeared(&mut self, data: &Value, now: Duration) {
        let path = data.get("path").and_then(Value::as_str);
        let place = WATCHED.iter().position(|object| Some(*object) == path);
        if let Some(watched) = place {
            self.find(watched, now);
        }
    }

    fn find(&mut self, watched: usize, now: Duration) {
        let Some(path) = WATCHED.get(watched) else { return };
        self.ask(Kind::Lookup, 0, Purpose::Find(watched), now, |draft| draft.text(id::PATH, path));
    }

    fn subscribe(&mut self, watched: usize, target: u32, now: Duration) {
        let own = self.objects.iter().find(|(role, _)| *role == Role::Watcher(watched)).map(|(_, number)| *number);
        let (Some(own), Some(known)) = (own, self.targets.get_mut(watched)) else { return };
        // ubusd would subscribe us twice, and notify us twice.
        if known.replace(target) == Some(target) {
            return;
        }
        self.ask(Kind::Subscribe, 0, Purpose::Subscribe(watched), now, |draft| {
            draft.number(id::OBJECT, own).number(id::TARGET, target)
        });
    }

    fn forget(&mut self, watched: usize) {
        if let Some(target) = self.targets.get_mut(watched) {
            *target = None;
        }
    }

    /// Calls the object that passes events on.
    fn ask_broker(&mut self, method: &str, arguments: &Value, purpose: Purpose, now: Duration) -> Result<(), Error> {
        let fields = json::write(arguments).map_err(Error::Unsayable)?;
        let fits = self.ask(Kind::Invoke, EVENTS, purpose, now, |draft| {
            draft.number(id::OBJECT, EVENTS).text(id::METHOD, method).bytes(id::DATA, &fields)
        });
        if fits { Ok(()) } else { Err(Error::too_large("the event")) }
    }

    /// Asks ubusd. Returns whether the question fits into a message.
    fn ask(
        &mut self,
        kind: Kind,
        peer: u32,
        purpose: Purpose,
        now: Duration,
        complete: impl FnOnce(Draft) -> Draft,
    ) -> bool {
        self.sequence = self.sequence.wrapping_add(1);
        let Some(message) = complete(Draft::new(kind, self.sequence, peer)).finish() else { return false };
        self.outbox.push(message);
        self.pending.push(Pending { sequence: self.sequence, purpose, asked: now, object: None });
        true
    }
}
