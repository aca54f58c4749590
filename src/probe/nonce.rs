//! Numbers that nobody on the way can guess: a forged answer must not make a dead link look alive.

use std::hash::{BuildHasher, RandomState};

/// An endless row of such numbers.
///
/// The standard library's hash maps are proof against chosen keys because `RandomState` is SipHash with a key out of
/// `getrandom`. SipHash of a counter under a secret key is all that is needed here, and it is in the program already.
#[derive(Debug, Default)]
pub struct Nonces {
    key: RandomState,
    count: u32,
}

impl Nonces {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.count = self.count.wrapping_add(1);
        self.key.hash_one(self.count)
    }

    /// The next number, of 16 bits.
    pub fn short(&mut self) -> u16 {
        let [a, b, ..] = self.number().to_ne_bytes();
        u16::from_ne_bytes([a, b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_have_nothing_in_common() {
        let (mut one, mut two) = (Nonces::default(), Nonces::default());
        let mut all = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            all.insert(one.number());
            all.insert(two.number());
        }
        assert_eq!(all.len(), 2000);
    }
}
