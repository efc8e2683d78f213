//! Short pieces that were counted before: a small table that stays in the nearer caches.
//!
//! Texts repeat their words, and the table of all tokens is large: most of the time for a text of words was spent
//! waiting for memory, and most of the rest merging the same few names again and again. What is remembered has no bearing
//! on results.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::table::Key as _;

/// A power of two of places, 16 bytes each: half of a processor's nearest cache or a part of the next one.
const PLACES: usize = 4_096;

/// How many texts can be counted with a memo at once. A further one is counted without.
const MEMOS: usize = 8;

/// The bits of a key that hold a count: above the length, which takes four of its highest eight.
const COUNT_SHIFT: u32 = 60;

/// Packed pieces with their counts, each in the one place where it may be.
#[derive(Debug, Default)]
pub(super) struct Memo {
    places: Vec<[u64; 2]>,
}

impl Memo {
    /// How many tokens a packed piece of at most fifteen bytes has; `count` says it where that is not remembered.
    #[inline]
    pub(super) fn count(&mut self, key: [u64; 2], count: impl FnOnce() -> usize) -> usize {
        if self.places.is_empty() {
            self.places = vec![[0; 2]; PLACES];
        }
        let [low, high] = key;
        let place = (key.spread() >> (u64::BITS - PLACES.trailing_zeros())) as usize;
        let Some(place) = self.places.get_mut(place) else { return count() };
        if place[0] == low && place[1] & ((1 << COUNT_SHIFT) - 1) == high {
            return (place[1] >> COUNT_SHIFT) as usize;
        }
        let count = count();
        // A piece has at most as many tokens as bytes, so the count fits.
        *place = [low, high | (count as u64) << COUNT_SHIFT];
        count
    }
}

/// The memos of an engine.
#[derive(Debug, Default)]
pub(super) struct Memos([Mutex<Memo>; MEMOS]);

impl Memos {
    /// One that nobody uses, if there is one. Nobody waits for one.
    pub(super) fn free(&self) -> Option<MutexGuard<'_, Memo>> {
        self.0.iter().find_map(|memo| match memo.try_lock() {
            Ok(memo) => Some(memo),
            Err(TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_counted_once_and_one_in_its_place_is_not_taken_for_it() {
        let mut memo = Memo::default();
        let keys: Vec<[u64; 2]> = (0..20_000).map(|number| [number, (8 << 56) | (number % 7)]).collect();
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(memo.count(*key, || number % 15 + 1), number % 15 + 1);
            assert_eq!(memo.count(*key, || panic!("counted twice")), number % 15 + 1);
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(memo.count(*key, || number % 15 + 1), number % 15 + 1);
        }
    }

    #[test]
    fn as_many_as_there_are_can_be_used_at_once_and_then_none() {
        let memos = Memos::default();
        let used: Vec<_> = (0..MEMOS).filter_map(|_| memos.free()).collect();
        assert_eq!(used.len(), MEMOS);
        assert!(memos.free().is_none());
        drop(used);
        assert!(memos.free().is_some());
    }
}
