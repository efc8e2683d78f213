//! Byte pair encoding of a piece that fits into a window.
//!
//! The two neighbours whose bytes together have the lowest rank are merged, the leftmost of equals first, until no two
//! are a token together. Ranks of neighbours stand in an array by where the left one starts, and the lowest of each
//! sixteen beside it, so that a merge looks at sixteen-fold fewer of them.

use super::ranks::Ranks;

/// So many keys have their lowest beside them.
pub(super) const GROUP: usize = 16;
/// How many bits of a key hold a position in the window.
const POSITION_BITS: u32 = 8;

/// The largest window, in bytes.
pub(super) const LARGEST: usize = 1 << POSITION_BITS;

/// A piece of at most `BYTES` bytes, cut into tokens. `GROUPS` is a sixteenth of `BYTES`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const BYTES: usize, const GROUPS: usize> {
    /// How long the piece is.
    length: usize,
    /// How many tokens it has.
    count: usize,
    /// Where the token ends that starts at a position.
    ends: [u16; BYTES],
    /// Where the token before starts.
    before: [u16; BYTES],
    /// The rank that a token and the one behind it have together, and its position in the lowest bits.
    keys: [[i32; GROUP]; GROUPS],
    /// The lowest key of each group.
    lowest: [i32; GROUPS],
}

impl<const BYTES: usize, const GROUPS: usize> Window<BYTES, GROUPS> {
    /// Merges the first `BYTES` bytes of `piece`.
    pub(super) fn new(ranks: &Ranks, piece: &[u8]) -> Self {
        let length = piece.len().min(BYTES);
        let mut window = Self {
            length,
            count: length,
            ends: [0; BYTES],
            before: [0; BYTES],
            keys: [[Ranks::NONE; GROUP]; GROUPS],
            lowest: [Ranks::NONE; GROUPS],
        };
        for (position, (end, before)) in window.ends.iter_mut().zip(&mut window.before).enumerate().take(length) {
            *end = position as u16 + 1;
            *before = (position as u16).saturating_sub(1);
        }
        for (position, pair) in piece.windows(2).enumerate().take(length.saturating_sub(1)) {
            if let [first, second] = *pair {
                window.set_key(position, ranks.of_pair(first, second));
            }
        }
        let groups = length.div_ceil(GROUP);
        (0..groups).for_each(|group| window.find_lowest(group));
        window.merge_all(ranks, piece.get(..length).unwrap_or_default());
        window
    }

    fn merge_all(&mut self, ranks: &Ranks, piece: &[u8]) {
        let groups = self.length.div_ceil(GROUP);
        loop {
            let lowest = self.lowest.iter().take(groups).copied().min().unwrap_or(Ranks::NONE);
            if lowest == Ranks::NONE {
                return;
            }
            let left = lowest as usize & (LARGEST - 1);
            let right = self.end_of(left);
            let end = self.end_of(right);
            self.count -= 1;
            self.set_end(left, end);
            self.set_key(right, Ranks::NONE);
            let next = if end < self.length {
                self.set_before(end, left);
                ranks.of_range(piece, left, self.end_of(end))
            } else {
                Ranks::NONE
            };
            self.set_key(left, next);
            let before = if left > 0 {
                let before = self.before.get(left).map_or(0, |before| usize::from(*before));
                self.set_key(before, ranks.of_range(piece, before, end));
                before
            } else {
                left
            };
            self.find_lowest(left / GROUP);
            for other in [right, before] {
                if other / GROUP != left / GROUP {
                    self.find_lowest(other / GROUP);
                }
            }
        }
    }

    /// How many tokens the piece has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where the token ends that starts at `start`.
    #[inline]
    pub(super) fn end_of(&self, start: usize) -> usize {
        self.ends.get(start).map_or(self.length, |end| usize::from(*end))
    }

    /// Where the tokens start.
    pub(super) fn starts(&self) -> impl Iterator<Item = usize> {
        let next = |start: &usize| Some(self.end_of(*start)).filter(|end| *end < self.length);
        std::iter::successors(Some(0).filter(|_| self.length > 0), next)
    }

    #[inline]
    fn set_end(&mut self, start: usize, end: usize) {
        if let Some(place) = self.ends.get_mut(start) {
            *place = end as u16;
        }
    }

    #[inline]
    fn set_before(&mut self, start: usize, before: usize) {
        if let Some(place) = self.before.get_mut(start) {
            *place = before as u16;
        }
    }

    #[inline]
    fn set_key(&mut self, position: usize, rank: i32) {
        let key = if rank == Ranks::NONE { rank } else { rank << POSITION_BITS | position as i32 };
        if let Some(place) = self.keys.get_mut(position / GROUP).and_then(|group| group.get_mut(position % GROUP)) {
            *place = key;
        }
    }

    #[inline]
    fn find_lowest(&mut self, group: usize) {
        if let (Some(keys), Some(lowest)) = (self.keys.get(group), self.lowest.get_mut(group)) {
            *lowest = keys.iter().copied().fold(Ranks::NONE, i32::min);
        }
    }
}
