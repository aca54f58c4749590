//! Chance that can be repeated.

/// A generator of numbers that look random: the same seed gives the same ones (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// With the seed from an environment variable, or another one each time; it is printed, so that a run can be repeated.
    #[must_use]
    pub fn seeded(variable: &str) -> Self {
        let given = std::env::var(variable).ok().map(|text| text.parse().expect("a number as seed"));
        let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = given.unwrap_or_else(|| clock().map_or(1, |time| u64::from(time.subsec_nanos())));
        println!("{variable}={seed} repeats this run");
        Self(seed)
    }

    /// With this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// The same for small numbers.
    pub fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).expect("less than the limit")
    }

    /// One of these.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let length = u64::try_from(from.len()).expect("a length");
        &from[usize::try_from(self.below(length)).expect("an index")]
    }
}
