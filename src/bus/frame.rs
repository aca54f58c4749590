//! One whole message: a header of eight bytes, and a blob of attributes behind it. All numbers are big endian.

use super::blob::{Attribute, Attributes, Malformed, Opened, Writer};
use std::borrow::Cow;

/// The header and the head of the blob, which has the length.
pub const HEAD: usize = 12;
/// The largest blob that ubusd passes on; it drops whoever sends a larger one (`UBUS_MAX_MSGLEN`).
pub const LARGEST: usize = 1024 * 1024;
/// The object that passes events on. It is ubusd itself.
pub const EVENTS: u32 = 1;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ubusd's greeting.
    Hello,
    /// The end of an answer.
    Status,
    /// A part of an answer.
    Data,
    /// Wants an answer, to see whether there is life.
    Ping,
    /// Asks for an object by its path.
    Lookup,
    /// Calls a method, brings an event, or notifies a subscriber.
    Invoke,
    /// Offers an object.
    AddObject,
    /// Takes it away.
    RemoveObject,
    /// Asks to be notified by an object.
    Subscribe,
    /// Ends that; from ubusd: the object is gone.
    Unsubscribe,
    /// Notifies the subscribers; from ubusd: whether there are any.
    Notify,
    /// Asks for a copy of everything.
    Monitor,
}

/// In the order of their numbers.
const KINDS: [Kind; 12] = [
    Kind::Hello,
    Kind::Status,
    Kind::Data,
    Kind::Ping,
    Kind::Lookup,
    Kind::Invoke,
    Kind::AddObject,
    Kind::RemoveObject,
    Kind::Subscribe,
    Kind::Unsubscribe,
    Kind::Notify,
    Kind::Monitor,
];

/// The attributes of a message.
pub mod id {
    /// A number: 0 is success.
    pub const STATUS: u8 = 1;
    /// The path of an object.
    pub const PATH: u8 = 2;
    /// The number of an object.
    pub const OBJECT: u8 = 3;
    /// The name of a method, an event or a notification.
    pub const METHOD: u8 = 4;
    /// The number of an object's signature.
    pub const OBJECT_TYPE: u8 = 5;
    /// An object's methods: tables of an argument's name to its type.
    pub const SIGNATURE: u8 = 6;
    /// The arguments or the answer, as blobmsg fields.
    pub const DATA: u8 = 7;
    /// The number of the object subscribed to.
    pub const TARGET: u8 = 8;
    /// Whether there are subscribers.
    pub const ACTIVE: u8 = 9;
    /// Nobody waits for an answer.
    pub const NO_REPLY: u8 = 10;
    /// Who is subscribed.
    pub const SUBSCRIBERS: u8 = 11;
    /// The caller's user.
    pub const USER: u8 = 12;
    /// The caller's group.
    pub const GROUP: u8 = 13;
}

/// A message whose header and attributes are sound. What its `DATA` holds comes from another program, ubusd does not
/// look into it: that is checked by whoever reads it.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// An answer carries the number of its question.
    pub sequence: u16,
    /// Whom it comes from or goes to: a client in a call that reaches us, 0 in an event.
    pub peer: u32,
    body: &'a [u8],
}

/// How long a message is, header included, by its first bytes.
///
/// # Errors
/// This is not the head of a message.
pub fn length(head: &[u8; HEAD]) -> Result<usize, Malformed> {
    let [version, kind, _, _, _, _, _, _, _, blob @ ..] = head;
    if *version != 0 {
        return Err(Malformed("its version is not 0"));
    }
    if usize::from(*kind) >= KINDS.len() {
        return Err(Malformed("its type is unknown"));
    }
    let [high, middle, low] = blob.map(usize::from);
    match high << 16 | middle << 8 | low {
        length @ 4..=LARGEST => Ok(HEAD - 4 + length),
        0..4 => Err(Malformed("it is shorter than its header")),
        _ => Err(Malformed("it is larger than 1 MiB")),
    }
}

/// Takes the first message from bytes that were read; none if it is not complete.
///
/// # Errors
/// It is malformed. There is no way to find the next one.
pub fn split(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, Malformed> {
    let Some(head) = bytes.first_chunk() else { return Ok(None) };
    match bytes.split_at_checked(length(head)?) {
        Some((frame, rest)) => Ok(Some((Frame::parse(frame)?, rest))),
        None => Ok(None),
    }
}

impl<'a> Frame<'a> {
    /// Reads one message, and walks all its attributes.
    ///
    /// # Errors
    /// It is malformed, or the bytes are more or fewer than one message.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (head, body) = bytes.split_first_chunk().ok_or(Malformed("it is shorter than its header"))?;
        if length(head)? != bytes.len() {
            return Err(Malformed("its length is wrong"));
        }
        let [_, kind, s0, s1, p0, p1, p2, p3, ..] = *head;
        let kind = *KINDS.get(usize::from(kind)).ok_or(Malformed("its type is unknown"))?;
        for attribute in Attributes(body) {
            check(&attribute?)?;
        }
        let (sequence, peer) = (u16::from_be_bytes([s0, s1]), u32::from_be_bytes([p0, p1, p2, p3]));
        Ok(Self { kind, sequence, peer, body })
    }

    /// Its attributes, which are known to be sound.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> {
        Attributes(self.body).map_while(Result::ok)
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(&self, id: u8) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.id == id)
    }

    /// An attribute that is a number.
    #[must_use]
    pub fn number(&self, id: u8) -> Option<u32> {
        self.attribute(id)?.number().ok()
    }

    /// An attribute that is a text; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self, id: u8) -> Option<Cow<'a, str>> {
        self.attribute(id)?.text().ok().map(String::from_utf8_lossy)
    }

    /// Its blobmsg fields; none at all if it has no `DATA`.
    #[must_use]
    pub fn fields(&self) -> &'a [u8] {
        self.attribute(id::DATA).map_or(&[], |attribute| attribute.data)
    }

    /// Whether an attribute is there and not 0.
    #[must_use]
    pub fn is_set(&self, id: u8) -> bool {
        self.attribute(id).is_some_and(|attribute| attribute.data.first() > Some(&0))
    }
}

/// What ubusd promises of the attributes it sends.
fn check(attribute: &Attribute) -> Result<(), Malformed> {
    match attribute.id {
        id::STATUS | id::OBJECT | id::OBJECT_TYPE | id::TARGET => attribute.number().map(|_| ()),
        id::PATH | id::METHOD | id::USER | id::GROUP => attribute.text().map(|_| ()),
        id::ACTIVE | id::NO_REPLY if attribute.data.is_empty() => Err(Malformed("a flag is empty")),
        id::SUBSCRIBERS => Attributes(attribute.data).try_for_each(|inner| inner.map(|_| ())),
        _ => Ok(()),
    }
}

/// A message in the making.
pub struct Draft {
    writer: Writer,
    blob: Opened,
}

impl Draft {
    /// A message without attributes.
    #[must_use]
    pub fn new(kind: Kind, sequence: u16, peer: u32) -> Self {
        let mut writer = Writer::default();
        writer.raw(&[0, kind as u8]);
        writer.raw(&sequence.to_be_bytes());
        writer.raw(&peer.to_be_bytes());
        let blob = writer.open(0);
        Self { writer, blob }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, id: u8, number: u32) -> Self {
        self.writer.attribute(id, &number.to_be_bytes());
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, id: u8, text: &str) -> Self {
        self.writer.text(id, text);
        self
    }

    /// Adds bytes, fields as a rule.
    #[must_use]
    pub fn bytes(mut self, id: u8, bytes: &[u8]) -> Self {
        self.writer.attribute(id, bytes);
        self
    }

    /// The message's bytes; none if it is larger than ubusd would take.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<u8>> {
        self.writer.close(self.blob);
        (self.writer.len() <= LARGEST + HEAD - 4).then(|| self.writer.finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bus::recorded::{self, Side};

    #[test]
    fn every_recorded_message_is_sound() {
        let mut seen = 0;
        for exchange in recorded::ALL {
            for (_, bytes) in recorded::reads(exchange) {
                let mut rest = &bytes[..];
                while let Some((_, behind)) = split(rest).unwrap() {
                    rest = behind;
                    seen += 1;
                }
                assert!(rest.is_empty());
            }
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn what_it_says_is_found() {
        let reads = recorded::reads(recorded::SUBSCRIBE);
        let (_, bytes) = reads.iter().rfind(|(side, _)| *side == Side::Server).unwrap();
        let frame = Frame::parse(bytes).unwrap();
        assert_eq!((frame.kind, frame.sequence, frame.peer), (Kind::Invoke, 8, 0xd7c2_5964));
        assert_eq!(frame.number(id::OBJECT), Some(0xb663_c73e));
        assert_eq!(frame.text(id::METHOD).as_deref(), Some("interface.update"));
        assert_eq!(frame.text(id::USER).as_deref(), Some("root"));
        assert!(frame.is_set(id::NO_REPLY) && !frame.is_set(id::ACTIVE));
        assert_eq!(crate::bus::json::read(frame.fields()).unwrap(), serde_json::json!({"ifname": "wan"}));
    }

    #[test]
    fn a_recorded_call_is_written_byte_for_byte() {
        let reads = recorded::reads(recorded::DUMP);
        let calls: Vec<_> = reads.iter().filter(|(side, _)| *side == Side::Client).map(|(_, bytes)| bytes).collect();
        let lookup = Draft::new(Kind::Lookup, 1, 0).text(id::PATH, "network.interface");
        assert_eq!(&lookup.finish().unwrap(), calls[0]);
        let object = 0x7b41_31f3;
        let invoke = Draft::new(Kind::Invoke, 2, object).number(id::OBJECT, object).text(id::METHOD, "dump");
        assert_eq!(&invoke.bytes(id::DATA, &[]).finish().unwrap(), calls[1]);
    }

    #[test]
    fn heads_out_of_bounds_are_refused() {
        let head = |version, kind, length: u32| {
            let [_, high, middle, low] = length.to_be_bytes();
            super::length(&[version, kind, 0, 0, 0, 0, 0, 0, 0, high, middle, low])
        };
        assert_eq!(head(0, 11, 4), Ok(12));
        assert_eq!(head(0, 0, 1 << 20), Ok((1 << 20) + 8));
        assert!(head(1, 0, 4).is_err() && head(0, 12, 4).is_err());
        assert!(head(0, 0, 3).is_err() && head(0, 0, (1 << 20) + 1).is_err());
    }

    #[test]
    fn nothing_larger_than_ubusd_takes_is_written() {
        let with = |bytes| Draft::new(Kind::Data, 0, 0).bytes(id::DATA, &vec![0; bytes]).finish();
        assert_eq!(with(LARGEST - 8).unwrap().len(), LARGEST + 8);
        assert!(with(LARGEST - 7).is_none());
        assert!(with(20 << 20).is_none());
    }
}
