//! The two formats inside a ubus message: attributes (a number and bytes), and blobmsg fields (a type, a name and a
//! value). Both carry their length, and both are padded to a multiple of four, the last one too (libubox `blob.c`).

use std::fmt;

/// Tables in tables in arrays, and so on: more is no sane message, and would be deep recursion.
pub const DEEPEST: usize = 32;

/// The blobmsg types. Booleans are eight-bit integers.
pub mod kind {
    /// Null.
    pub const NULL: u8 = 0;
    /// Fields with empty names.
    pub const ARRAY: u8 = 1;
    /// Fields with names.
    pub const TABLE: u8 = 2;
    /// Bytes with a NUL behind them.
    pub const STRING: u8 = 3;
    /// A signed integer of 64 bits.
    pub const INT64: u8 = 4;
    /// A signed integer of 32 bits.
    pub const INT32: u8 = 5;
    /// A signed integer of 16 bits.
    pub const INT16: u8 = 6;
    /// A boolean.
    pub const INT8: u8 = 7;
    /// A floating point number of 64 bits.
    pub const DOUBLE: u8 = 8;
}

/// Why bytes from ubus make no sense, or why a value cannot be put into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What it is: an attribute of a message, or the type of a blobmsg field.
    pub id: u8,
    /// Whether its data begin with a name.
    pub named: bool,
    /// Its bytes.
    pub data: &'a [u8],
}

/// Attributes one behind the other. After a fault nothing follows.
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (attribute, rest) = match split(self.0) {
            Ok((attribute, rest)) => (Ok(attribute), rest),
            Err(malformed) => (Err(malformed), &[][..]),
        };
        self.0 = rest;
        Some(attribute)
    }
}

fn split(bytes: &[u8]) -> Result<(Attribute<'_>, &[u8]), Malformed> {
    let head = bytes.first_chunk().ok_or(Malformed("an attribute is cut off"))?;
    let head = u32::from_be_bytes(*head);
    let length = (head & 0x00ff_ffff) as usize;
    let data = bytes.get(4..length).ok_or(Malformed("the length of an attribute is wrong"))?;
    let rest = bytes.get(length.next_multiple_of(4)..).ok_or(Malformed("an attribute is not padded"))?;
    let id = (head >> 24) as u8 & 0x7f;
    Ok((Attribute { id, named: head >> 31 == 1, data }, rest))
}

impl<'a> Attribute<'a> {
    /// Its data as a number.
    ///
    /// # Errors
    /// There are fewer than four bytes.
    pub fn number(&self) -> Result<u32, Malformed> {
        self.data.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(Malformed("a number is too short"))
    }

    /// Its data as a text, up to the first NUL.
    ///
    /// # Errors
    /// There is no NUL at the end.
    pub fn text(&self) -> Result<&'a [u8], Malformed> {
        if self.data.last() != Some(&0) {
            return Err(Malformed("a text does not end with a NUL"));
        }
        Ok(self.data.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    /// The blobmsg field that it is.
    ///
    /// # Errors
    /// It is none, or its name is damaged.
    pub fn field(&self) -> Result<Field<'a>, Malformed> {
        if !self.named {
            return Err(Malformed("a field has no name"));
        }
        let short = Malformed("a field is shorter than its name");
        let length = self.data.first_chunk().map(|bytes| u16::from_be_bytes(*bytes)).ok_or(short)?;
        let end = 2 + usize::from(length);
        let name = self.data.get(2..end).ok_or(short)?;
        if self.data.get(end) != Some(&0) {
            return Err(Malformed("the name of a field does not end with a NUL"));
        }
        let value = self.data.get((end + 1).next_multiple_of(4)..).ok_or(short)?;
        Ok(Field { name, value: Attribute { id: self.id, named: false, data: value } })
    }
}

/// A blobmsg field.
pub struct Field<'a> {
    /// Its name; empty in arrays. Not always UTF-8.
    pub name: &'a [u8],
    value: Attribute<'a>,
}

/// What a blobmsg field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content<'a> {
    /// Nothing.
    Null,
    /// Fields without names.
    Array(&'a [u8]),
    /// Fields with names.
    Table(&'a [u8]),
    /// A text. Not always UTF-8: a network's name may hold anything.
    Text(&'a [u8]),
    /// A number of 16, 32 or 64 bits.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A floating point number.
    Double(f64),
}

impl<'a> Field<'a> {
    /// What it holds.
    ///
    /// # Errors
    /// The type is unknown, or the value too short for it. Longer ones are cut, as libubox does.
    pub fn content(&self) -> Result<Content<'a>, Malformed> {
        let data = self.value.data;
        let short = Malformed("a number is too short");
        Ok(match self.value.id {
            kind::NULL => Content::Null,
            kind::ARRAY => Content::Array(data),
            kind::TABLE => Content::Table(data),
            kind::STRING => Content::Text(self.value.text()?),
            kind::INT64 => Content::Integer(i64::from_be_bytes(*data.first_chunk().ok_or(short)?)),
            kind::INT32 => Content::Integer(i32::from_be_bytes(*data.first_chunk().ok_or(short)?).into()),
            kind::INT16 => Content::Integer(i16::from_be_bytes(*data.first_chunk().ok_or(short)?).into()),
            kind::INT8 => Content::Boolean(*data.first().ok_or(short)? != 0),
            kind::DOUBLE => Content::Double(f64::from_be_bytes(*data.first_chunk().ok_or(short)?)),
            _ => return Err(Malformed("a field has an unknown type")),
        })
    }
}

/// Walks every field, and every field in them.
///
/// # Errors
/// One of them is malformed, or they are nested too deeply.
pub fn check(fields: &[u8], depth: usize) -> Result<(), Malformed> {
    for attribute in Attributes(fields) {
        if depth > DEEPEST {
            return Err(Malformed("its tables are nested too deeply"));
        }
        match attribute?.field()?.content()? {
            Content::Array(inner) | Content::Table(inner) => check(inner, depth + 1)?,
            _ => {}
        }
    }
    Ok(())
}

/// Where an attribute that is being written begins.
#[must_use]
pub struct Opened(usize);

/// Writes attributes and fields. Lengths above 16 MiB do not fit their place; whoever sends the bytes checks that
/// there are fewer.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins an attribute; what is written until `close` is inside.
    pub fn open(&mut self, id: u8) -> Opened {
        self.begin(u32::from(id) << 24)
    }

    /// Begins a field. Names above 65535 bytes do not fit; `json::write` refuses them.
    pub fn open_field(&mut self, kind: u8, name: &str) -> Opened {
        let opened = self.begin(1 << 31 | u32::from(kind) << 24);
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        self.pad();
        opened
    }

    /// Ends an attribute or a field.
    pub fn close(&mut self, opened: Opened) {
        let Some(head) = self.0.get_mut(opened.0..) else { return };
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
        if let Some(head) = head.first_chunk_mut::<4>() {
            *head = (u32::from_be_bytes(*head) & 0xff00_0000 | length).to_be_bytes();
        }
        self.pad();
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Writes a whole attribute.
    pub fn attribute(&mut self, id: u8, data: &[u8]) {
        let opened = self.open(id);
        self.raw(data);
        self.close(opened);
    }

    /// Writes a whole attribute that holds a text.
    pub fn text(&mut self, id: u8, text: &str) {
        let opened = self.open(id);
        self.raw(text.as_bytes());
        self.raw(&[0]);
        self.close(opened);
    }

    /// Writes a whole field.
    pub fn field(&mut self, kind: u8, name: &str, value: &[u8]) {
        let opened = self.open_field(kind, name);
        self.raw(value);
        self.close(opened);
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn begin(&mut self, head: u32) -> Opened {
        let start = self.0.len();
        self.0.extend_from_slice(&head.to_be_bytes());
        Opened(start)
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}
