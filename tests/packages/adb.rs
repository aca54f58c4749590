//! A reader of apk-tools' ADB files, written from apk-v3(5).

use crate::packing::{hex, sha256, text};
use flate2::read::DeflateDecoder;
use std::io::Read;

/// A value with all that is below it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Number(u64),
    Blob(Vec<u8>),
    /// An array, or an object by the numbers of its fields: `slots[0]` is number 1.
    Slots(Vec<Value>),
}

impl Value {
    pub fn field(&self, number: usize) -> &Self {
        match self {
            Self::Slots(slots) => slots.get(number - 1).unwrap_or(&Self::Null),
            other => panic!("field {number} of {other:?}"),
        }
    }

    pub fn elements(&self) -> &[Self] {
        match self {
            Self::Slots(slots) => slots,
            Self::Null => &[],
            other => panic!("elements of {other:?}"),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Blob(bytes) => bytes,
            Self::Null => b"",
            other => panic!("bytes of {other:?}"),
        }
    }

    pub fn text(&self) -> String {
        text(self.bytes())
    }

    pub fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }
}

/// A file: what it is, its one ADB block's payload, and the payloads of the others.
pub struct Adb {
    pub schema: String,
    pub payload: Vec<u8>,
    pub signatures: Vec<Vec<u8>>,
    pub data: Vec<Vec<u8>>,
}

/// Reads a file; an error for one that cannot be.
pub fn read(bytes: &[u8]) -> Result<Adb, String> {
    let compressed = bytes.strip_prefix(b"ADBd").ok_or("it does not begin with ADBd")?;
    let mut raw = Vec::new();
    DeflateDecoder::new(compressed).read_to_end(&mut raw).map_err(|error| error.to_string())?;
    let rest = raw.strip_prefix(b"ADB.").ok_or("it is compressed, but not ADB")?;
    let (schema, mut rest) = rest.split_at_checked(4).ok_or("no schema")?;
    let mut adb = Adb { schema: text(schema), payload: Vec::new(), signatures: Vec::new(), data: Vec::new() };
    while !rest.is_empty() {
        let head = u32::from_le_bytes(rest.get(..4).ok_or("half a block")?.try_into().unwrap());
        let (kind, length) = (head >> 30, (head & 0x3fff_ffff) as usize);
        let padded = length.next_multiple_of(8);
        let block = rest.get(4..length).ok_or("half a block")?.to_vec();
        if rest.get(length..padded).ok_or("no padding")?.iter().any(|byte| *byte != 0) {
            return Err("padding that is not zero".into());
        }
        rest = &rest[padded..];
        match kind {
            0 if adb.payload.is_empty() => adb.payload = block,
            1 if !adb.payload.is_empty() && adb.data.is_empty() => adb.signatures.push(block),
            2 if !adb.payload.is_empty() => adb.data.push(block),
            _ => return Err(format!("a block of kind {kind} where none may be")),
        }
    }
    Ok(adb)
}

impl Adb {
    pub fn root(&self) -> Value {
        assert_eq!(self.payload[..4], [0; 4], "versions");
        self.value(self.word(4))
    }

    /// The hash by which an index knows the file.
    pub fn identity(&self) -> String {
        sha256(&self.payload)
    }

    /// The unique id: the payload's own hash, as it was with zeros in that place.
    pub fn unique_id_is_right(&self) -> bool {
        let id = self.root().field(1).field(3).bytes().to_vec();
        let at = self.payload.windows(20).position(|window| window == id).unwrap();
        let mut blank = self.payload.clone();
        blank[at..at + 20].fill(0);
        id.len() == 20 && sha256(&blank).starts_with(&hex(&id))
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    fn value(&self, slot: u32) -> Value {
        let (kind, low) = (slot >> 28, (slot & 0x0fff_ffff) as usize);
        let blob = |head: usize, length: usize| Value::Blob(self.payload[low + head..low + head + length].to_vec());
        match kind {
            0 if low == 0 => Value::Null,
            1 => Value::Number(low as u64),
            2 => Value::Number(self.word(low).into()),
            3 => Value::Number(u64::from(self.word(low)) | u64::from(self.word(low + 4)) << 32),
            8 => blob(1, self.payload[low].into()),
            9 => blob(2, u16::from_le_bytes([self.payload[low], self.payload[low + 1]]).into()),
            10 => blob(4, self.word(low) as usize),
            13 | 14 => {
                let count = self.word(low) as usize;
                Value::Slots((1..count).map(|number| self.value(self.word(low + 4 * number))).collect())
            }
            _ => panic!("a value of kind {kind}"),
        }
    }
}
