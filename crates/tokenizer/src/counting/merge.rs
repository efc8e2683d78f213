//! Byte pair encoding of a piece that fits into a window.
//!
//! The two neighbours whose bytes together have the lowest rank are merged, the leftmost of equals first, until no two
//! are a token together. Ranks of neighbours stand in an array by where the left one starts, and the lowest of each
//! group beside it, so that a merge looks at few of them.
//!
//! A key is a number with a fraction, because every processor takes the lesser of four of those at once, and the oldest
//! ones that Rust builds for do not of whole numbers. Its bits are in the order of its values, and it is never computed
//! with. And what was written a moment ago is not read together with its neighbours, which processors wait for: a merge
//! takes the keys out that it changes, looks the new ones up, and finds the lowest of those that stayed before it puts
//! them in.

use super::ranks::Ranks;

/// How many bits of a key hold a position in the window.
const POSITION_BITS: u32 = 10;

/// The largest window, in bytes.
pub(super) const LARGEST: usize = 1 << POSITION_BITS;

/// The key of what is no token, larger than any.
const NO_KEY: f32 = f32::INFINITY;
/// The bits of the least key: the smallest number that is not computed with more slowly.
const LEAST_KEY: u32 = f32::MIN_POSITIVE.to_bits();

/// The key of a rank at a position: its bits are the rank, and the position in the lowest of them.
#[inline]
fn key(rank: i32, position: usize) -> f32 {
    if rank == Ranks::NONE {
        return NO_KEY;
    }
    // Ranks are below 2^18, so that it stays below the bits of infinity.
    f32::from_bits(((rank as u32) << POSITION_BITS | position as u32).wrapping_add(LEAST_KEY))
}

/// The position in a key.
#[inline]
fn position(key: f32) -> usize {
    key.to_bits().wrapping_sub(LEAST_KEY) as usize & (LARGEST - 1)
}

/// The lesser one. Keys are comparable, so that one comparison is enough.
#[inline]
fn lesser(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// The lowest of many. All comparisons that do not wait for one another stand side by side.
#[inline]
fn lowest(keys: &[f32]) -> f32 {
    let (sixteens, rest) = keys.as_chunks::<16>();
    let least = match sixteens {
        [] => NO_KEY,
        [first, others @ ..] => {
            let mut least = *first;
            for keys in others {
                for (least, key) in least.iter_mut().zip(keys) {
                    *least = lesser(*key, *least);
                }
            }
            let [a, b, c, d] = halved::<8, 4>(halved::<16, 8>(least));
            lesser(lesser(a, c), lesser(b, d))
        }
    };
    rest.iter().copied().fold(least, lesser)
}

/// The lesser ones of the first half and the second.
#[inline]
fn halved<const ALL: usize, const HALF: usize>(keys: [f32; ALL]) -> [f32; HALF] {
    let mut half = [NO_KEY; HALF];
    let (first, second) = keys.split_at(HALF);
    for (least, (one, other)) in half.iter_mut().zip(first.iter().zip(second)) {
        *least = lesser(*one, *other);
    }
    half
}

/// Positions in a window, moved by `by`; none is before the first.
const fn positions<const BYTES: usize>(by: i16) -> [u16; BYTES] {
    let mut positions = [0; BYTES];
    let (mut rest, mut position): (&mut [u16], u16) = (&mut positions, 0);
    while let [first, others @ ..] = rest {
        *first = position.saturating_add_signed(by);
        (rest, position) = (others, position + 1);
    }
    positions
}

/// A piece of at most `BYTES` bytes, cut into tokens. `GROUPS` of `WIDTH` keys each have their lowest beside them; both
/// together are `BYTES`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const BYTES: usize, const GROUPS: usize, const WIDTH: usize> {
    /// How long the piece is.
    length: usize,
    /// How many tokens it has.
    count: usize,
    /// Where the token ends that starts at a position.
    ends: [u16; BYTES],
    /// Where the token before starts.
    before: [u16; BYTES],
    /// The rank that a token and the one behind it have together, and its position in the lowest bits.
    keys: [[f32; WIDTH]; GROUPS],
    /// The lowest key of each group.
    lowest: [f32; GROUPS],
}

impl<const BYTES: usize, const GROUPS: usize, const WIDTH: usize> Window<BYTES, GROUPS, WIDTH> {
    /// Where tokens end, and where the ones before start, while each byte is one.
    const ENDS: [u16; BYTES] = positions(1);
    const BEFORE: [u16; BYTES] = positions(-1);

    /// Merges the first `BYTES` bytes of `piece`.
    pub(super) fn new(ranks: &Ranks, piece: &[u8]) -> Self {
        let length = piece.len().min(BYTES);
        let mut window = Self {
            length,
            count: length,
            ends: Self::ENDS,
            before: Self::BEFORE,
            keys: [[NO_KEY; WIDTH]; GROUPS],
            lowest: [NO_KEY; GROUPS],
        };
        for (position, pair) in piece.windows(2).enumerate().take(length.saturating_sub(1)) {
            if let [first, second] = *pair {
                window.set_key(position, key(ranks.of_pair(first, second), position));
            }
        }
        let groups = length.div_ceil(WIDTH);
        (0..groups).for_each(|group| window.set_lowest(group, window.lowest_in(group)));
        window.merge_all(ranks, piece.get(..length).unwrap_or_default());
        window
    }

    fn merge_all(&mut self, ranks: &Ranks, piece: &[u8]) {
        let mut next = lowest(&self.lowest);
        while next != NO_KEY {
            next = self.merge(ranks, piece, position(next));
        }
    }

    /// Merges the token at `left`, whose key is the lowest, with the one behind it. Returns the lowest key then.
    #[inline]
    fn merge(&mut self, ranks: &Ranks, piece: &[u8], left: usize) -> f32 {
        let right = self.end_of(left);
        let end = self.end_of(right);
        let before = if left > 0 { self.before.get(left).map(|before| usize::from(*before)) } else { None };
        let group = left / WIDTH;
        self.count -= 1;
        self.set_end(left, end);
        self.set_key(left, NO_KEY);
        self.set_lowest(group, NO_KEY);
        let key_of_right = self.replace_key(right, NO_KEY);
        let key_of_before = before.map_or(NO_KEY, |before| self.replace_key(before, NO_KEY));

        let mut key_of_left = NO_KEY;
        if end < self.length {
            self.set_before(end, left);
            key_of_left = key(ranks.of_range(piece, left, self.end_of(end)), left);
        }
        let new = before.map_or(NO_KEY, |before| key(ranks.of_range(piece, before, end), before));

        // Those in other groups first: what is lowest there may have gone.
        let mut of_group = lesser(key_of_left, self.lowest_in(group));
        if right / WIDTH != group && key_of_right == self.lowest_of(right / WIDTH) && key_of_right != NO_KEY {
            self.set_lowest(right / WIDTH, self.lowest_in(right / WIDTH));
        }
        if let Some(before) = before {
            let other = before / WIDTH;
            if other == group {
                of_group = lesser(new, of_group);
            } else if key_of_before != NO_KEY && key_of_before == self.lowest_of(other) {
                self.set_lowest(other, lesser(new, self.lowest_in(other)));
            } else if new < self.lowest_of(other) {
                self.set_lowest(other, new);
            }
            self.set_key(before, new);
        }
        self.set_key(left, key_of_left);
        let of_all = lesser(of_group, lowest(&self.lowest));
        self.set_lowest(group, of_group);
        of_all
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
    fn key_mut(&mut self, position: usize) -> Option<&mut f32> {
        self.keys.get_mut(position / WIDTH).and_then(|group| group.get_mut(position % WIDTH))
    }

    #[inline]
    fn set_key(&mut self, position: usize, key: f32) {
        if let Some(place) = self.key_mut(position) {
            *place = key;
        }
    }

    #[inline]
    fn replace_key(&mut self, position: usize, key: f32) -> f32 {
        self.key_mut(position).map_or(NO_KEY, |place| std::mem::replace(place, key))
    }

    /// The lowest of the keys in a group as they are now.
    #[inline]
    fn lowest_in(&self, group: usize) -> f32 {
        self.keys.get(group).map_or(NO_KEY, |keys| lowest(keys))
    }

    /// What was found to be the lowest in a group.
    #[inline]
    fn lowest_of(&self, group: usize) -> f32 {
        self.lowest.get(group).copied().unwrap_or(NO_KEY)
    }

    #[inline]
    fn set_lowest(&mut self, group: usize, key: f32) {
        if let Some(lowest) = self.lowest.get_mut(group) {
            *lowest = key;
        }
    }
}
