//! What the `ubus` crate reads from and writes to, in place of a socket.
//!
//! The crate panics on bytes it did not expect, which would end the daemon. So it is given whole messages only, each
//! walked to its last field before; only those it waits for; and none larger than its buffer. Such a one stays here
//! for us to read.

use super::blob::{self, Attributes, Content, Malformed, kind};
use super::error::Error;
use super::frame::{self, Frame, HEAD, Kind, id};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};
use ubus::UbusError;

/// The crate's buffer; it does not look whether a message fits.
pub const CRATE_BUFFER: usize = 64 * 1024;

/// How long something may take, from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    since: Instant,
    whole: Duration,
}

impl Patience {
    /// The time runs from now.
    pub fn new(whole: Duration) -> Self {
        Self { since: Instant::now(), whole }
    }

    /// What is left of it.
    ///
    /// # Errors
    /// Nothing is.
    pub fn left(&self) -> Result<Duration, Error> {
        self.whole.checked_sub(self.since.elapsed()).filter(|left| !left.is_zero()).ok_or_else(|| self.over())
    }

    /// The error that says it is over.
    pub fn over(&self) -> Error {
        Error::TimedOut { who: "ubus".into(), patience: self.whole }
    }
}

/// A blocking connection that never blocks longer than it may.
pub struct Wire {
    stream: UnixStream,
    patience: Patience,
    greeted: bool,
    requests: u16,
    /// The number of the last request: answers to others are late, and of no use.
    sequence: u16,
    /// The message that is being read.
    frame: Vec<u8>,
    /// How much of it the crate has taken.
    taken: usize,
    /// Why the crate was refused its bytes; its own error has no room for that.
    fault: Option<Error>,
}

impl Wire {
    /// A connection that has not been greeted yet.
    pub fn new(stream: UnixStream, patience: Patience) -> Self {
        let frame = Vec::new();
        Self { stream, patience, greeted: false, requests: 0, sequence: 0, frame, taken: 0, fault: None }
    }

    /// Begins a new call.
    pub fn begin(&mut self, patience: Patience) {
        self.patience = patience;
        self.release();
    }

    /// Gives the memory of the last message back.
    pub fn release(&mut self) {
        self.frame = Vec::new();
        self.taken = 0;
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u16 {
        self.requests
    }

    /// The message received last.
    ///
    /// # Errors
    /// There is none.
    pub fn frame(&self) -> Result<Frame<'_>, Malformed> {
        Frame::parse(&self.frame)
    }

    /// Whether the message received last is too large for the crate.
    pub fn is_large(&self) -> bool {
        self.frame.len() > CRATE_BUFFER
    }

    /// Why the crate was refused its bytes.
    pub fn fault(&mut self) -> Option<Error> {
        self.fault.take()
    }

    /// Sends one message.
    ///
    /// # Errors
    /// It does not go out in time, or the connection is lost.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let [_, _, high, low, ..] = bytes {
            self.sequence = u16::from_be_bytes([*high, *low]);
            self.requests = self.requests.saturating_add(1);
        }
        self.write(bytes)
    }

    /// Receives the greeting or, after it, the next message that answers the last request.
    ///
    /// # Errors
    /// It does not come in time, something malformed comes, or the connection is lost.
    pub fn receive(&mut self) -> Result<(), Error> {
        loop {
            let mut head = [0; HEAD];
            self.read(&mut head)?;
            let mut bytes = vec![0; frame::length(&head)?];
            if let Some((front, body)) = bytes.split_first_chunk_mut() {
                *front = head;
                self.read(body)?;
            }
            let frame = Frame::parse(&bytes)?;
            let wanted = match frame.kind {
                Kind::Hello => !self.greeted,
                Kind::Status | Kind::Data => frame.sequence == self.sequence && self.greeted,
                Kind::Ping => {
                    self.write(&pong(&frame))?;
                    false
                }
                _ => false,
            };
            if wanted {
                self.greeted = true;
                self.frame = bytes;
                self.taken = 0;
                return Ok(());
            }
            if !self.greeted {
                return Err(Malformed("it does not begin with a greeting").into());
            }
        }
    }

    fn read(&mut self, mut into: &mut [u8]) -> Result<(), Error> {
        while !into.is_empty() {
            let left = self.patience.left()?;
            let outcome = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(into));
            let read = self.judge(outcome, "read from")?;
            into = into.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let left = self.patience.left()?;
            let outcome = self.stream.set_write_timeout(Some(left)).and_then(|()| self.stream.write(bytes));
            let written = self.judge(outcome, "write to")?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// How many bytes went through.
    fn judge(&self, outcome: io::Result<usize>, doing: &'static str) -> Result<usize, Error> {
        match outcome {
            Ok(0) => Err(Error::Lost),
            Ok(count) => Ok(count),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(0),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(self.patience.over()),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Err(Error::Lost),
                _ => Err(Error::Io { doing, error }),
            },
        }
    }

    /// Copies the next bytes of the message, of the next message if it is used up.
    fn give(&mut self, into: &mut [u8]) -> Result<(), Error> {
        if into.is_empty() {
            return Ok(());
        }
        if self.taken == self.frame.len() {
            self.receive()?;
            if self.is_large() {
                return Err(Error::TooLarge { what: "the answer", most: CRATE_BUFFER });
            }
            suits(&self.frame()?)?;
        }
        let end = self.taken.saturating_add(into.len());
        let bytes = self.frame.get(self.taken..end).ok_or(Malformed("it is shorter than expected"))?;
        into.copy_from_slice(bytes);
        self.taken = end;
        Ok(())
    }

    fn keep<T>(&mut self, outcome: Result<T, Error>) -> Result<T, UbusError> {
        outcome.map_err(|error| {
            self.fault = Some(error);
            UbusError::IO(ErrorKind::Other.into())
        })
    }
}

/// The answer to a ping, as ubusd gives it: the same message as data.
pub fn pong(ping: &Frame) -> Vec<u8> {
    frame::Draft::new(Kind::Data, ping.sequence, ping.peer).finish().unwrap_or_default()
}

/// The crate's end of a `Wire`.
pub struct Handle(pub Rc<RefCell<Wire>>);

impl ubus::IO for Handle {
    type Error = io::Error;

    fn put(&mut self, data: &[u8]) -> Result<(), UbusError> {
        let mut wire = self.0.borrow_mut();
        let outcome = wire.send(data);
        wire.keep(outcome)
    }

    fn get(&mut self, data: &mut [u8]) -> Result<(), UbusError> {
        let mut wire = self.0.borrow_mut();
        let outcome = wire.give(data);
        wire.keep(outcome)
    }
}

/// Whether the crate can read a message without a panic.
fn suits(frame: &Frame) -> Result<(), Malformed> {
    frame.attributes().try_for_each(|attribute| match attribute.id {
        id::PATH | id::METHOD | id::USER | id::GROUP => readable(attribute.data),
        id::SIGNATURE => signature(attribute.data),
        id::DATA => blob::check(attribute.data, 0),
        _ => Ok(()),
    })
}

/// A signature must be tables of 32-bit integers, or the crate panics.
fn signature(methods: &[u8]) -> Result<(), Malformed> {
    let odd = Malformed("the signature of an object is odd");
    for method in Attributes(methods) {
        let method = method?.field()?;
        readable(method.name)?;
        let Content::Table(arguments) = method.content()? else { return Err(odd) };
        for argument in Attributes(arguments) {
            let argument = argument?;
            let field = argument.field()?;
            readable(field.name)?;
            field.content()?;
            if argument.id != kind::INT32 {
                return Err(odd);
            }
        }
    }
    Ok(())
}

fn readable(text: &[u8]) -> Result<(), Malformed> {
    std::str::from_utf8(text).map(|_| ()).map_err(|_| Malformed("a name is not UTF-8"))
}
