//! The kernel's hash, so that `explain` can say which link a client of a balanced policy gets.
//!
//! nftables' `jhash` is Bob Jenkins' lookup3 (`include/linux/jhash.h`), scaled to the modulus by a multiplication
//! (`reciprocal_scale`).

/// What `jhash KEY mod MODULUS seed SEED` gives.
#[must_use]
pub fn bucket(key: &[u8], modulus: u32, seed: u32) -> u32 {
    let scaled = u64::from(jhash(key, seed)) * u64::from(modulus);
    u32::try_from(scaled >> 32).unwrap_or(0)
}

fn jhash(key: &[u8], seed: u32) -> u32 {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let start = 0xdead_beef_u32.wrapping_add(length).wrapping_add(seed);
    let mut state = [start; 3];
    let mut rest = key;
    while let Some((block, more)) = rest.split_at_checked(12)
        && !more.is_empty()
    {
        for (word, bytes) in state.iter_mut().zip(block.chunks_exact(4)) {
            // The kernel reads whole words here, in the byte order of the machine.
            let bytes = <[u8; 4]>::try_from(bytes).unwrap_or_default();
            *word = word.wrapping_add(u32::from_ne_bytes(bytes));
        }
        mix(&mut state);
        rest = more;
    }
    // The last 1 to 12 bytes, read byte by byte, lowest first on every machine.
    for (word, bytes) in state.iter_mut().zip(rest.chunks(4)) {
        let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
        *word = word.wrapping_add(value);
    }
    finish(state)
}

fn mix([a, b, c]: &mut [u32; 3]) {
    for [first, second, third] in [[4, 6, 8], [16, 19, 4]] {
        *a = a.wrapping_sub(*c) ^ c.rotate_left(first);
        *c = c.wrapping_add(*b);
        *b = b.wrapping_sub(*a) ^ a.rotate_left(second);
        *a = a.wrapping_add(*c);
        *c = c.wrapping_sub(*b) ^ b.rotate_left(third);
        *b = b.wrapping_add(*a);
    }
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}
