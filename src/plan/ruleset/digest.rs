//! FNV-1a, 64 bits: a name for a content. Not against an adversary, and the same on every machine and in every version.

/// A digest in the making.
#[derive(Clone, Copy)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds a piece. Where two pieces meet counts: `ab`, `c` is not `a`, `bc`.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
        self.byte(0xff);
    }

    /// Adds a number.
    pub fn number(&mut self, number: u128) {
        for byte in number.to_be_bytes() {
            self.byte(byte);
        }
    }

    /// The digest of all that was added.
    pub fn value(&self) -> u64 {
        self.0
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
