//! What comes over ubus: blobmsg fields, the messages to our object, and the answers to our calls.

use serde_json::{Value, json};
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use wansplit::bus::json::{read, write};
use wansplit::bus::{Argument, Incoming, Method, Service, blob, doors};

const METHODS: &[Method] = &[
    Method { name: "status", arguments: &[] },
    Method { name: "explain", arguments: &[("protocol", Argument::String), ("dscp", Argument::Integer)] },
];

/// The fields of a message: what one reader takes the other takes; and what was read can be written.
pub fn blobmsg(fields: &[u8]) {
    let outcome = read(fields);
    assert_eq!(blob::check(fields, 0), outcome.as_ref().map(|_| ()).map_err(|error| *error));
    let Ok(value) = outcome else { return };
    let written = write(&value).expect("what was read is not too deep");
    let again = read(&written).expect("it is our own");
    // A text ends at its first NUL: so does a name, but one of no length is another's.
    if !value.to_string().contains("\\u0000") {
        assert_eq!(again, value);
    }
}

/// All that ubusd sends to our object, in any pieces. Input: the lengths of pieces up to the first line end, then bytes.
pub fn service(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (lengths, stream) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let at_once = listen(&mut std::iter::once(stream));
    let mut rest = stream;
    let mut lengths = lengths.iter().cycle();
    let mut pieces = std::iter::from_fn(|| {
        let length = lengths.next().map_or(rest.len(), |length| usize::from(*length).max(1));
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    });
    let in_pieces = listen(&mut pieces);
    match (at_once, in_pieces) {
        (Ok(whole), Ok(parts)) => assert_eq!(whole, parts, "it matters how it was cut"),
        (whole, parts) => assert_eq!(whole.is_err(), parts.is_err(), "it matters how it was cut"),
    }
}

fn listen(pieces: &mut dyn Iterator<Item = &[u8]>) -> Result<Vec<Incoming>, String> {
    let (ours, mut theirs) = pair();
    ours.set_nonblocking(true).expect("a socket");
    let mut service: Service = doors::service(ours, METHODS);
    let mut all = Vec::new();
    for piece in pieces {
        theirs.write_all(piece).expect("it fits into the socket");
        for incoming in service.turn(true, Duration::ZERO).map_err(|error| error.to_string())? {
            if let Incoming::Call { ticket, arguments, .. } = &incoming {
                service.reply(ticket.clone(), arguments, wansplit::bus::Status::OK);
            }
            all.push(incoming);
        }
    }
    Ok(all)
}

/// All that ubusd answers to one call.
pub fn call(stream: &[u8]) {
    // The recorded answers are to calls of this object.
    for arguments in [json!({}), json!({ "long": "x".repeat(1000) })] {
        let (ours, mut theirs) = pair();
        theirs.write_all(stream).expect("it fits into the socket");
        theirs.shutdown(Shutdown::Write).expect("a socket");
        match doors::call(ours, "network.interface", "dump", &arguments) {
            Ok((_, answer)) => assert!(matches!(answer, Value::Object(_)) && write(&answer).is_ok()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("two sockets")
}
