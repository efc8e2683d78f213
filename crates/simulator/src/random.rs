//! Reproducible randomness: the same seed gives the same run, on every machine and with every release.
//!
//! Nothing is drawn from a shared stream. Every decision has a generator of its own, keyed by what it is about (the
//! seed, the number of the request, its bytes), so one decision never shifts another.

/// A SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one decision, keyed by everything the decision depends on.
    pub(crate) fn keyed(keys: &[u64]) -> Self {
        let mut random = Self(0);
        for &key in keys {
            random.0 ^= key;
            random.0 = random.next_u64();
        }
        random
    }

    /// Sixty-four bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A whole number below `end`; zero when `end` is zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// A number from zero up to, not including, one.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The FNV-1a hash of `bytes`: a key for what a request says.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_draw_equally_and_different_keys_do_not() {
        let draw = |keys: &[u64]| Random::keyed(keys).next_u64();
        assert_eq!(draw(&[1, 2]), draw(&[1, 2]));
        assert_ne!(draw(&[1, 2]), draw(&[2, 1]));
        assert_ne!(draw(&[1, 2]), draw(&[1, 3]));
    }

    #[test]
    fn draws_stay_in_their_range() {
        let mut random = Random::keyed(&[7]);
        for _ in 0..1_000 {
            assert!(random.below(3) < 3);
            assert!((0.0..1.0).contains(&random.fraction()));
        }
        assert_eq!(random.below(0), 0);
    }
}
