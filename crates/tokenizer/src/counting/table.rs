//! A hash table that is filled once and then asked very often: open addressing, half empty.
//!
//! The table is larger than the nearer caches. A bit for each hash, eight or more of them for each entry, tells most of
//! what is not in it apart without going there.

/// What a token's bytes are packed into. Zero is no key: it marks an empty place.
pub(super) trait Key: Copy + PartialEq + Default {
    /// Bits to choose a place by, the highest ones first.
    fn spread(self) -> u64;
}

/// An odd number near 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Key for u64 {
    fn spread(self) -> u64 {
        (self ^ (self >> 29)).wrapping_mul(GOLDEN)
    }
}

impl Key for [u64; 2] {
    fn spread(self) -> u64 {
        let [low, high] = self;
        (low ^ high.rotate_left(31)).spread() ^ high.wrapping_mul(GOLDEN)
    }
}

/// From packed bytes to a rank.
#[derive(Debug)]
pub(super) struct Table<K> {
    /// A power of two of places.
    places: Box<[(K, u32)]>,
    /// 64 less the binary logarithm of their number.
    shift: u32,
    /// Whether anything has a hash.
    bits: Box<[u64]>,
    /// 64 less the binary logarithm of the number of bits.
    bits_shift: u32,
}

impl<K: Key> Table<K> {
    pub(super) fn new(entries: &[(K, u32)]) -> Self {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let mut table = Self {
            places: vec![(K::default(), 0); size].into_boxed_slice(),
            shift: u64::BITS - size.trailing_zeros(),
            bits: vec![0; (size * 4).div_ceil(64)].into_boxed_slice(),
            bits_shift: u64::BITS - size.trailing_zeros() - 2,
        };
        for &(key, rank) in entries {
            let (word, bit) = table.bit(key);
            if let Some(word) = table.bits.get_mut(word) {
                *word |= bit;
            }
            let mut place = table.first_place(key);
            while let Some((found, _)) = table.places.get(place)
                && *found != K::default()
            {
                place = (place + 1) & (size - 1);
            }
            if let Some(free) = table.places.get_mut(place) {
                *free = (key, rank);
            }
        }
        table
    }

    #[inline]
    fn first_place(&self, key: K) -> usize {
        (key.spread() >> self.shift) as usize
    }

    /// The word that the bit of a key is in, and the bit.
    #[inline]
    fn bit(&self, key: K) -> (usize, u64) {
        let bit = key.spread() >> self.bits_shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// As [`find`](Self::find), faster for what is not there.
    #[inline]
    pub(super) fn find_rare(&self, key: K) -> Option<u32> {
        let (word, bit) = self.bit(key);
        if self.bits.get(word)? & bit == 0 { None } else { self.find(key) }
    }

    #[inline]
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let mut place = self.first_place(key);
        loop {
            let &(found, rank) = self.places.get(place)?;
            if found == key {
                return Some(rank);
            }
            if found == K::default() {
                return None;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let entries: Vec<(u64, u32)> = (1..5_000).map(|number| (number * number, number as u32)).collect();
        let table = Table::new(&entries);
        assert!(entries.iter().all(|&(key, rank)| table.find(key) == Some(rank)));
        assert!(entries.iter().all(|&(key, rank)| table.find_rare(key) == Some(rank)));
        assert!((1..5_000).all(|number| table.find(number * number + 1).is_none()));
        assert!((1..5_000).all(|number| table.find_rare(number * number + 1).is_none()));
    }

    #[test]
    fn keys_that_differ_in_one_half_are_told_apart() {
        let entries: Vec<([u64; 2], u32)> = (1..500).flat_map(|n| [([n, 0], n as u32), ([7, n], 500)]).collect();
        let table = Table::new(&entries);
        assert!((1..500).all(|n| table.find([n, 0]) == Some(n as u32) && table.find([7, n]) == Some(500)));
        assert_eq!(table.find([500, 0]), None);
        assert_eq!(Table::<[u64; 2]>::new(&[]).find([1, 1]), None);
        assert_eq!(Table::<[u64; 2]>::new(&[]).find_rare([1, 1]), None);
    }
}
