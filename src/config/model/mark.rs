//! Marks: the bits of a packet's or connection's mark that are ours, and their values.

use std::fmt;

/// The bits of a mark that belong to wansplit: one unbroken run of at least two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mask(u32);

/// A mark's value; it lies inside the mask and is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u32);

/// A packet mark that somebody else sets: `mark`. It holds none of our bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignMark {
    /// What the masked mark must be.
    pub value: u32,
    /// The bits that are looked at.
    pub mask: u32,
    /// Whether it must be anything else.
    pub negated: bool,
}

impl ForeignMark {
    /// Whether a packet's mark is meant.
    #[must_use]
    pub fn allows(self, mark: u32) -> bool {
        (mark & self.mask == self.value) != self.negated
    }
}

impl fmt::Display for ForeignMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "!" } else { "" };
        write!(f, "{sign}{:#x}/{:#x}", self.value, self.mask)
    }
}

impl Default for Mask {
    /// The highest byte: mwan3 uses 0x3f00, pbr and Tailscale 0xff0000, traffic shapers the low bits.
    fn default() -> Self {
        Self(0xff00_0000)
    }
}

impl Mask {
    /// A mask of one unbroken run of at least two bits, or nothing.
    #[must_use]
    pub fn new(bits: u32) -> Option<Self> {
        let run = bits.checked_shr(bits.trailing_zeros()).unwrap_or(0);
        (bits.count_ones() >= 2 && run.trailing_ones() == bits.count_ones()).then_some(Self(bits))
    }

    /// The bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// How many marks fit: slots are numbered from 1 to this.
    #[must_use]
    pub fn slots(self) -> u32 {
        self.0 >> self.0.trailing_zeros()
    }

    /// The mark of a slot from 1 to [`Mask::slots`].
    #[must_use]
    pub fn mark(self, slot: u32) -> Option<Mark> {
        (1..=self.slots()).contains(&slot).then(|| Mark(slot << self.0.trailing_zeros()))
    }

    /// The mark with these bits, if they lie inside the mask.
    #[must_use]
    pub fn mark_from_bits(self, bits: u32) -> Option<Mark> {
        (bits != 0 && bits & !self.0 == 0).then_some(Mark(bits))
    }

    /// The slot of a mark: the inverse of [`Mask::mark`].
    #[must_use]
    pub fn slot(self, mark: Mark) -> u32 {
        mark.0 >> self.0.trailing_zeros()
    }
}

impl Mark {
    /// The bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
