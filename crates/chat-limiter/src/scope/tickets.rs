//! Maps by ticket.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use limiter_core::Ticket;

/// A map by the tickets of one limiter.
///
/// The limiter counts tickets up itself, so nobody outside can choose some that collide, and a hash that resists that is
/// not needed: it would be computed eight times for each request.
pub(super) type Tickets<T> = HashMap<Ticket, T, BuildHasherDefault<TicketHasher>>;

/// Spreads numbers that were counted up over all bits.
#[derive(Clone, Debug, Default)]
pub(super) struct TicketHasher(u64);

/// Odd, with as many ones as zeros: 2^64 divided by the golden ratio, as in Fibonacci hashing (Knuth, volume 3, 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl TicketHasher {
    const fn mix(&mut self, value: u64) {
        let mixed = (self.0.rotate_left(5) ^ value).wrapping_mul(SPREAD);
        // A map looks at the highest and at the lowest bits, and a product has little of its factor in the lowest.
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Hasher for TicketHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn write_u16(&mut self, value: u16) {
        self.mix(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash as _;

    use limiter_core::{Cost, Limiter, Nanos, Priority};

    use super::*;

    /// The bits that a map chooses a place by, and those that it tells its neighbours apart by.
    #[test]
    fn tickets_that_follow_each_other_are_spread_over_a_map() {
        let mut limiter = Limiter::new();
        let cost = Cost::of_request(1, 1);
        let hash = |ticket: Ticket| {
            let mut hasher = TicketHasher::default();
            ticket.hash(&mut hasher);
            hasher.finish()
        };
        let mut enqueue = || limiter.enqueue(&cost, Priority::NORMAL, Nanos::ZERO).unwrap();
        let hashes: Vec<u64> = (0..4_096).map(|_| hash(enqueue())).collect();
        let differing = |part: fn(u64) -> u64| hashes.iter().map(|hash| part(*hash)).collect::<HashSet<u64>>().len();
        assert_eq!(differing(|hash| hash), 4_096);
        // As many as of numbers that are drawn: 1 - 1/e of them.
        assert!(differing(|hash| hash & 0xfff) > 2_300, "{}", differing(|hash| hash & 0xfff));
        assert_eq!(differing(|hash| hash >> 57), 128);
    }
}
