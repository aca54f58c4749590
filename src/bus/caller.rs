//! Calls methods of other programs' objects, and waits for their answers.

use super::blob::{Attribute, Attributes, Malformed};
use super::error::{Error, Status};
use super::frame::{Draft, Kind, id};
use super::json;
use super::socket;
use super::transport::{Handle, Patience, Wire};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use ubus::{Connection, UbusError};

/// The crate builds requests in a buffer of 1024 bytes, and panics or fails shortly before it is full.
const CRATE_REQUEST: usize = 900;
/// The crate counts its requests in 16 bits and does not expect the end of them: a new connection begins at 0 again.
const REQUESTS: u16 = 60_000;
/// The number of the requests that we build; the crate does not get that far.
const OWN_SEQUENCE: u16 = u16::MAX;

/// Calls a method once: `bus::call("network.interface", "dump", &json!({}), Duration::from_millis(500))`.
///
/// The answer is an object, empty if the method answers nothing. `patience` is for all of it, connecting included.
///
/// # Errors
/// See [`Error`].
pub fn call(object: &str, method: &str, arguments: &Value, patience: Duration) -> Result<Value, Error> {
    Caller::new(None).call(object, method, arguments, patience)
}

/// Keeps its connection from one call to the next, and makes a new one when ubusd has been restarted. It takes about
/// 70 KB while it is connected: one is enough.
pub struct Caller {
    place: Option<PathBuf>,
    session: Option<Session>,
}

impl Caller {
    /// Does not connect yet. Without a place it looks for ubusd's socket where OpenWrt puts it.
    #[must_use]
    pub fn new(place: Option<&Path>) -> Self {
        Self { place: place.map(Path::to_owned), session: None }
    }

    /// Calls a method. The answer is an object, empty if the method answers nothing; the arguments are an object or
    /// null. `patience` is for all of it, connecting included.
    ///
    /// # Errors
    /// See [`Error`]. The next call may be made all the same, on a new connection where that is needed.
    pub fn call(&mut self, object: &str, method: &str, arguments: &Value, patience: Duration) -> Result<Value, Error> {
        let arguments = json::write(arguments).map_err(Error::Unsayable)?;
        let patience = Patience::new(patience);
        let outcome = self.exchange(object, method, &arguments, patience);
        let in_step = outcome.as_ref().err().is_none_or(Error::is_answer);
        self.session = self.session.take().filter(|session| in_step && session.is_fresh());
        outcome
    }

    /// Ends the connection, and gives its memory back.
    pub fn disconnect(&mut self) {
        self.session = None;
    }

    fn exchange(&mut self, object: &str, method: &str, arguments: &[u8], patience: Patience) -> Result<Value, Error> {
        // A connection that was kept may be dead since. Asking for the object changes nothing, so that can be repeated.
        let kept = self.session.is_some();
        let mut found = self.session(patience)?.find(object);
        if kept && matches!(found, Err(Error::Lost | Error::Io { .. })) {
            self.session = None;
            found = self.session(patience)?.find(object);
        }
        let number = found?;
        let mut answer = Map::new();
        let status =
            self.session(patience)?.invoke(number, method, arguments, &mut answer).map_err(|error| match error {
                Error::TimedOut { patience, .. } => Error::TimedOut { who: owner(object), patience },
                other => other,
            })?;
        let what = || format!("call '{method}' of '{object}'");
        match status {
            Status::OK => Ok(Value::Object(answer)),
            Status::PERMISSION_DENIED => Err(Error::Denied { what: what() }),
            status => Err(Error::Refused { what: what(), status }),
        }
    }

    fn session(&mut self, patience: Patience) -> Result<&mut Session, Error> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let stream = socket::open(&socket::place(self.place.as_deref()), Some(patience.left()?))?;
                Session::new(stream, patience)?
            }
        };
        session.wire.borrow_mut().begin(patience);
        Ok(self.session.insert(session))
    }
}

/// Whose objects these are, for messages.
fn owner(object: &str) -> String {
    match object.split('.').next() {
        Some("network") => "netifd".into(),
        _ => format!("the object '{object}'"),
    }
}

/// A connection that has been greeted.
pub(super) struct Session {
    wire: Rc<RefCell<Wire>>,
    /// 64 KiB, most of it its buffer.
    connection: Box<Connection<Handle>>,
}

impl Session {
    pub(super) fn new(stream: UnixStream, patience: Patience) -> Result<Self, Error> {
        let wire = Rc::new(RefCell::new(Wire::new(stream, patience)));
        match Connection::new(Handle(wire.clone())) {
            Ok(connection) => Ok(Self { wire, connection: Box::new(connection) }),
            Err(error) => Err(cause(&wire, &error)),
        }
    }

    /// Whether it is good for another call.
    fn is_fresh(&self) -> bool {
        let mut wire = self.wire.borrow_mut();
        wire.release();
        wire.requests() < REQUESTS
    }

    /// The number of an object.
    pub(super) fn find(&mut self, path: &str) -> Result<u32, Error> {
        let absent = || Error::NoObject(path.to_owned());
        // An empty path would list all objects; a long one would not fit the crate's buffer.
        if path.is_empty() || path.contains('\0') || path.len() > CRATE_REQUEST {
            return Err(absent());
        }
        let mut number = None;
        let outcome = self.connection.lookup(path, |object| {
            // With an asterisk at the end ubusd answers with all that begin so.
            number = if object.path == path { Some(object.id) } else { number };
        });
        match outcome {
            Ok(()) => number.ok_or_else(absent),
            Err(UbusError::Status(4)) => Err(absent()),
            Err(UbusError::Status(6)) => Err(Error::Denied { what: format!("see the object '{path}'") }),
            Err(UbusError::Status(status)) => {
                let status = Status(status.cast_unsigned());
                Err(Error::Refused { what: format!("look for the object '{path}'"), status })
            }
            Err(error) => Err(cause(&self.wire, &error)),
        }
    }

    /// Calls a method. Returns the status that ends the answer, and adds the answer's fields to `answer`.
    pub(super) fn invoke(
        &mut self,
        object: u32,
        method: &str,
        arguments: &[u8],
        answer: &mut Map<String, Value>,
    ) -> Result<Status, Error> {
        if method.contains('\0') {
            return Ok(Status::METHOD_NOT_FOUND);
        }
        if method.len() + arguments.len() > CRATE_REQUEST {
            return self.invoke_ourselves(object, method, arguments, answer);
        }
        let mut odd = Ok(());
        let outcome = self.connection.invoke(object, method, arguments, |fields| {
            for field in fields {
                let id = u8::try_from(field.tag.id()).unwrap_or(u8::MAX);
                let field = Attribute { id, named: field.tag.is_extended(), data: field.data };
                odd = odd.and_then(|()| json::add(answer, &field, 0));
            }
        });
        odd?;
        match outcome {
            Ok(()) => Ok(Status::OK),
            Err(UbusError::Status(status)) => Ok(Status(status.cast_unsigned())),
            // The call was made. Only the rest of its answer must be read.
            Err(_) if self.wire.borrow().is_large() => self.read_ourselves(answer),
            Err(error) => Err(cause(&self.wire, &error)),
        }
    }

    fn invoke_ourselves(
        &mut self,
        object: u32,
        method: &str,
        arguments: &[u8],
        answer: &mut Map<String, Value>,
    ) -> Result<Status, Error> {
        let draft = Draft::new(Kind::Invoke, OWN_SEQUENCE, object).number(id::OBJECT, object);
        let draft = draft.text(id::METHOD, method).bytes(id::DATA, arguments);
        let request = draft.finish().ok_or(Error::too_large("the call"))?;
        let mut wire = self.wire.borrow_mut();
        wire.send(&request)?;
        wire.receive()?;
        drop(wire);
        self.read_ourselves(answer)
    }

    /// Reads an answer from the message received last to its end.
    fn read_ourselves(&mut self, answer: &mut Map<String, Value>) -> Result<Status, Error> {
        let mut wire = self.wire.borrow_mut();
        // What the crate was refused stands here.
        let _ = wire.fault();
        loop {
            let frame = wire.frame()?;
            if frame.kind == Kind::Status {
                let status = frame.number(id::STATUS).ok_or(Malformed("a status has no number"))?;
                return Ok(Status(status));
            }
            for attribute in Attributes(frame.fields()) {
                json::add(answer, &attribute?, 0)?;
            }
            wire.receive()?;
        }
    }
}

/// Why the crate failed.
fn cause(wire: &RefCell<Wire>, error: &UbusError) -> Error {
    wire.borrow_mut().fault().unwrap_or(match error {
        UbusError::InvalidData(what) => Malformed(what).into(),
        _ => Malformed("it was not understood").into(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
