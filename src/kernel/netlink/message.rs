//! Netlink messages and their attributes: a writer, and a reader that trusts nothing it is given.
//!
//! rtnetlink numbers are in host order, nfnetlink ones in network order; the `be` functions are for the latter.

use crate::config::model::Family;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Everything in a message starts on a multiple of four bytes.
const ALIGN: usize = 4;
/// The two top bits of an attribute's type are flags (nested, network byte order), not part of the type.
const TYPE_MASK: u16 = 0x3fff;

/// `NLM_F_REQUEST`.
pub const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
pub const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the list changed while it was read.
pub const DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`.
pub const DUMP: u16 = 0x300;
/// `NLM_F_REPLACE`.
pub const REPLACE: u16 = 0x100;
/// `NLM_F_EXCL`.
pub const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`.
pub const CREATE: u16 = 0x400;

/// Bytes from the kernel that do not have the form they should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel's answer cannot be understood: {}", self.0)
    }
}

/// The address family's number in netlink headers: `AF_INET` or `AF_INET6`.
#[must_use]
pub fn family_number(family: Family) -> u8 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

/// The family with a number, if it is one of ours.
#[must_use]
pub fn family_from(number: u8) -> Option<Family> {
    match number {
        2 => Some(Family::V4),
        10 => Some(Family::V6),
        _ => None,
    }
}

/// A message to the kernel, built from front to back.
pub struct Request {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Request {
    /// A message of a kind with the fixed part that its kind asks for. `NLM_F_REQUEST` is added to the flags.
    #[must_use]
    pub fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(fixed);
        let mut request = Self { bytes, too_long: false };
        request.pad();
        request
    }

    /// Starts something that begins with its own 16-bit length: an attribute or a next hop.
    /// The two length bytes are the first of `start` and are filled in by [`Request::end`].
    pub fn begin(&mut self, start: &[u8]) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(start);
        at
    }

    /// Ends what [`Request::begin`] started.
    pub fn end(&mut self, at: usize) {
        let length = u16::try_from(self.bytes.len().saturating_sub(at));
        match (length, self.bytes.get_mut(at..at.saturating_add(2))) {
            (Ok(length), Some(place)) => place.copy_from_slice(&length.to_ne_bytes()),
            _ => self.too_long = true,
        }
        self.pad();
    }

    /// An attribute that holds other attributes, or next hops.
    pub fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let [low, high] = kind.to_ne_bytes();
        let at = self.begin(&[0, 0, low, high]);
        fill(self);
        self.end(at);
    }

    /// An attribute of any bytes.
    pub fn raw(&mut self, kind: u16, payload: &[u8]) {
        self.nested(kind, |request| request.bytes.extend_from_slice(payload));
    }

    /// An attribute of one byte.
    pub fn u8(&mut self, kind: u16, value: u8) {
        self.raw(kind, &[value]);
    }

    /// An attribute of 32 bits in host order.
    pub fn u32(&mut self, kind: u16, value: u32) {
        self.raw(kind, &value.to_ne_bytes());
    }

    /// An attribute of 16 bits in network order.
    pub fn be16(&mut self, kind: u16, value: u16) {
        self.raw(kind, &value.to_be_bytes());
    }

    /// A string with the NUL the kernel expects after it.
    pub fn string(&mut self, kind: u16, value: &str) {
        self.nested(kind, |request| {
            request.bytes.extend_from_slice(value.as_bytes());
            request.bytes.push(0);
        });
    }

    /// An address: 4 or 16 bytes.
    pub fn address(&mut self, kind: u16, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.raw(kind, &v4.octets()),
            IpAddr::V6(v6) => self.raw(kind, &v6.octets()),
        }
    }

    /// The finished bytes, with a sequence number.
    ///
    /// # Errors
    /// An attribute was longer than its 16-bit length can say.
    pub fn seal(&mut self, sequence: u32) -> Result<&[u8], Malformed> {
        let length = u32::try_from(self.bytes.len());
        if let (Ok(length), Some(place)) = (length, self.bytes.first_chunk_mut::<HEADER>()) {
            let [a, b, c, d, _, _, _, _, s0, s1, s2, s3, ..] = place;
            [*a, *b, *c, *d] = length.to_ne_bytes();
            [*s0, *s1, *s2, *s3] = sequence.to_ne_bytes();
        }
        if self.too_long { Err(Malformed("a request is too long")) } else { Ok(&self.bytes) }
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN), 0);
    }
}

/// One message from the kernel.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// What it is: `RTM_NEWROUTE` and so on.
    pub kind: u16,
    /// Its flags.
    pub flags: u16,
    /// The sequence number of the request it answers.
    pub sequence: u32,
    /// The port of the socket whose request it answers or announces; 0 if the kernel did something by itself.
    pub port: u32,
    /// All behind the header.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The fixed part in front and the attributes behind it.
    ///
    /// # Errors
    /// The message is shorter than its fixed part.
    pub fn split<const N: usize>(&self) -> Result<(&'a [u8; N], Attributes<'a>), Malformed> {
        let (fixed, rest) = self.payload.split_first_chunk::<N>().ok_or(Malformed("a message is too short"))?;
        Ok((fixed, Attributes(rest)))
    }
}

/// The messages in one datagram.
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((header, _)) = self.0.split_first_chunk::<HEADER>() else {
            self.0 = &[];
            return Some(Err(Malformed("a message header is cut short")));
        };
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let Some(payload) = self.0.get(HEADER..length) else {
            self.0 = &[];
            return Some(Err(Malformed("a message has an impossible length")));
        };
        self.0 = after(self.0, length);
        Some(Ok(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            payload,
        }))
    }
}

/// What stands behind something of this length and the padding after it.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.saturating_add(ALIGN - 1) & !(ALIGN - 1)..).unwrap_or(&[])
}

/// A run of attributes.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        // Fewer than four bytes at the end are padding; the kernel's own parser lets them pass as well.
        let (header, _) = self.0.split_first_chunk::<ALIGN>()?;
        let [l0, l1, k0, k1] = *header;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(payload) = self.0.get(ALIGN..length) else {
            self.0 = &[];
            return Some(Err(Malformed("an attribute has an impossible length")));
        };
        self.0 = after(self.0, length);
        Some(Ok(Attribute { kind: u16::from_ne_bytes([k0, k1]) & TYPE_MASK, payload }))
    }
}

/// One attribute.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    /// Its type, without the flag bits.
    pub kind: u16,
    /// Its value.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn chunk<const N: usize>(&self) -> Result<[u8; N], Malformed> {
        self.payload.first_chunk::<N>().copied().ok_or(Malformed("an attribute is too short"))
    }

    /// One byte.
    ///
    /// # Errors
    /// There is none.
    pub fn u8(&self) -> Result<u8, Malformed> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// 16 bits in host order.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn u16(&self) -> Result<u16, Malformed> {
        self.chunk().map(u16::from_ne_bytes)
    }

    /// 32 bits in host order.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn u32(&self) -> Result<u32, Malformed> {
        self.chunk().map(u32::from_ne_bytes)
    }

    /// 16 bits in network order.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn be16(&self) -> Result<u16, Malformed> {
        self.chunk().map(u16::from_be_bytes)
    }

    /// 32 bits in network order.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn be32(&self) -> Result<u32, Malformed> {
        self.chunk().map(u32::from_be_bytes)
    }

    /// 64 bits in network order.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn be64(&self) -> Result<u64, Malformed> {
        self.chunk().map(u64::from_be_bytes)
    }

    /// Two 16-bit numbers in host order: a range of ports.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn range(&self) -> Result<(u16, u16), Malformed> {
        let [a, b, c, d] = self.chunk()?;
        Ok((u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])))
    }

    /// The range of two `u32` in the attribute's value.
    ///
    /// # Errors
    /// The value is shorter.
    pub fn wide_range(&self) -> Result<(u32, u32), Malformed> {
        let [a, b, c, d, e, f, g, h] = self.chunk()?;
        Ok((u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])))
    }

    /// Text up to a NUL or the end. What is not UTF-8 is replaced: device names may hold any byte.
    #[must_use]
    pub fn string(&self) -> String {
        let text = self.payload.split(|&byte| byte == 0).next().unwrap_or(&[]);
        String::from_utf8_lossy(text).into_owned()
    }

    /// An address of a family.
    ///
    /// # Errors
    /// The value is shorter than such an address.
    pub fn address(&self, family: Family) -> Result<IpAddr, Malformed> {
        Ok(match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(self.chunk::<4>()?)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.chunk::<16>()?)),
        })
    }

    /// The attributes inside.
    #[must_use]
    pub fn nested(&self) -> Attributes<'a> {
        Attributes(self.payload)
    }
}
