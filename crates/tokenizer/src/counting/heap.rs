//! Byte pair encoding of a piece of any length, by a heap: what is left where windows do not fit together.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ranks::Ranks;

/// How many tokens `piece` has. Takes `n log n` time, and 32 bytes of memory for each byte.
pub(super) fn count(ranks: &Ranks, piece: &[u8]) -> usize {
    let length = piece.len();
    let mut tokens = Tokens {
        ends: (1..=length).collect(),
        before: (0..length).map(|position| position.saturating_sub(1)).collect(),
        ranks: vec![Ranks::NONE; length],
        queue: BinaryHeap::with_capacity(length),
    };
    for (position, pair) in piece.windows(2).enumerate() {
        if let [first, second] = *pair {
            tokens.offer(position, ranks.of_pair(first, second));
        }
    }
    let mut count = length;
    while let Some(Reverse((rank, left))) = tokens.queue.pop() {
        // An offer that was replaced since.
        if tokens.ranks.get(left) != Some(&rank) {
            continue;
        }
        let right = tokens.end_of(left);
        let end = tokens.end_of(right);
        count -= 1;
        tokens.withdraw(right);
        tokens.join(left, end);
        let next = if end < length { ranks.of_range(piece, left, tokens.end_of(end)) } else { Ranks::NONE };
        tokens.offer(left, next);
        if left > 0 {
            let before = tokens.before.get(left).copied().unwrap_or(0);
            tokens.offer(before, ranks.of_range(piece, before, end));
        }
    }
    count
}

/// Tokens by where they start.
struct Tokens {
    ends: Vec<usize>,
    before: Vec<usize>,
    /// The rank that each has with the one behind it.
    ranks: Vec<i32>,
    /// The lowest rank first, the leftmost of equals. Some are out of date.
    queue: BinaryHeap<Reverse<(i32, usize)>>,
}

impl Tokens {
    fn end_of(&self, start: usize) -> usize {
        self.ends.get(start).copied().unwrap_or(self.ends.len())
    }

    fn join(&mut self, left: usize, end: usize) {
        if let Some(place) = self.ends.get_mut(left) {
            *place = end;
        }
        if let Some(place) = self.before.get_mut(end) {
            *place = left;
        }
    }

    fn offer(&mut self, position: usize, rank: i32) {
        if let Some(place) = self.ranks.get_mut(position) {
            *place = rank;
        }
        if rank != Ranks::NONE {
            self.queue.push(Reverse((rank, position)));
        }
    }

    fn withdraw(&mut self, position: usize) {
        self.offer(position, Ranks::NONE);
    }
}
