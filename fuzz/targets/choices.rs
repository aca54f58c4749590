//! Small decisions out of an input's bytes.

/// The bytes that decide, taken from the front. When they are used up every decision is the first one, so that a short
/// input is a simple one.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// An input in two parts: decisions, then, behind the first line end, a text.
    pub fn and_text(input: &'a [u8]) -> (Self, &'a [u8]) {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        (Self(&input[..end]), input.get(end + 1..).unwrap_or_default())
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Yes or no.
    pub fn is(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of these. Digits pick in their order, which keeps inputs readable.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte().wrapping_sub(b'0')) % all.len()]
    }
}
