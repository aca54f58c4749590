//! The parts of a JSON text as written, and where they stand.

use crate::config::source::Position;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The key of an object's entry, and its value.
pub type Entry<'a> = (&'a RawValue, &'a RawValue);

/// An object's entries as written; a map would sort them and drop doubled keys.
pub struct Entries<'a>(pub Vec<Entry<'a>>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Turns offsets into lines and columns, quickly as long as they grow.
pub struct Locator<'a> {
    text: &'a [u8],
    offset: usize,
    at: Position,
}

impl<'a> Locator<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0, at: Position::START }
    }

    /// The place of a byte.
    pub fn position(&mut self, offset: usize) -> Position {
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        let between = self.text.get(self.offset..offset).unwrap_or_default();
        self.at = between.iter().copied().fold(self.at, Position::after);
        self.offset = offset;
        self.at
    }

    /// The place of a part of the text.
    pub fn place(&mut self, part: &RawValue) -> Position {
        // Raw values borrow from the text, so their address says where they stand.
        self.position(part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr()))
    }
}
