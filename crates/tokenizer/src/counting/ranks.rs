//! The ranks of a vocabulary: which bytes are a token, and which two are merged first.

use super::asset::Tokens;
use super::table::Table;

/// Tokens up to this length are packed into one word, with their length in the highest byte.
const SHORT: usize = 7;
/// And these into two.
const MIDDLE: usize = 15;

/// The rank of every token, by its bytes.
#[derive(Debug)]
pub(super) struct Ranks {
    /// By two bytes; [`NONE`](Self::NONE) where they are no token.
    pairs: Box<[i32]>,
    /// By a character of three bytes, as are those of most scripts without spaces: neighbours share a cache line.
    characters: Box<[i32]>,
    short: Table<u64>,
    middle: Table<[u64; 2]>,
    /// By a fingerprint of their bytes, the place in `spelled`.
    long: Table<u64>,
    spelled: Vec<(Box<[u8]>, i32)>,
    longest: usize,
    #[cfg(test)]
    len: usize,
}

impl Ranks {
    /// The rank of what is no token: larger than any.
    pub(super) const NONE: i32 = i32::MAX;

    pub(super) fn of(tokens: &Tokens) -> Self {
        let mut pairs = vec![Self::NONE; 1 << 16].into_boxed_slice();
        let mut characters = pairs.clone();
        let (mut short, mut middle, mut long) = (Vec::new(), Vec::new(), Vec::new());
        let mut spelled = Vec::new();
        let mut longest = 0;
        for (rank, bytes) in tokens.iter() {
            longest = longest.max(bytes.len());
            let packed = Packed::of(bytes);
            let of_three = bytes.first_chunk().filter(|_| bytes.len() == 3).and_then(character);
            if let Some(place) = of_three.and_then(|place| characters.get_mut(place)) {
                *place = rank as i32;
                continue;
            }
            match *bytes {
                [first, second] => {
                    if let Some(pair) = pairs.get_mut(usize::from(u16::from_be_bytes([first, second]))) {
                        *pair = rank as i32;
                    }
                }
                _ if bytes.len() <= SHORT => short.push((packed.short(bytes.len()), rank)),
                _ if bytes.len() <= MIDDLE => middle.push((packed.middle(bytes.len()), rank)),
                _ => {
                    long.push((fingerprint(bytes), spelled.len() as u32));
                    spelled.push((Box::from(bytes), rank as i32));
                }
            }
        }
        Self {
            pairs,
            characters,
            short: Table::new(&short),
            middle: Table::new(&middle),
            long: Table::new(&long),
            spelled,
            longest,
            #[cfg(test)]
            len: tokens.iter().count(),
        }
    }

    /// How many tokens there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The rank of two bytes.
    #[inline]
    pub(super) fn of_pair(&self, first: u8, second: u8) -> i32 {
        self.pairs.get(usize::from(u16::from_be_bytes([first, second]))).copied().unwrap_or(Self::NONE)
    }

    /// Whether `text[from..to]` is a token, which most are that are asked for.
    #[inline]
    pub(super) fn has(&self, text: &[u8], from: usize, to: usize) -> bool {
        let length = to.saturating_sub(from);
        match length {
            0..=1 => true,
            4..=SHORT => self.short.find(short_at(text, from, length)).is_some(),
            8..=MIDDLE => self.middle.find(Packed::at(text, from).middle(length)).is_some(),
            _ => self.of_range(text, from, to) != Self::NONE,
        }
    }

    /// The rank of `text[from..to]`, which most have none that are asked for.
    #[inline]
    pub(super) fn of_range(&self, text: &[u8], from: usize, to: usize) -> i32 {
        let length = to.saturating_sub(from);
        let rank = match length {
            3 => match self.of_character(text, from) {
                Some(rank) => return rank,
                None => self.short.find_rare(short_at(text, from, length)),
            },
            1 | 4..=SHORT => self.short.find_rare(short_at(text, from, length)),
            8..=MIDDLE => self.middle.find_rare(Packed::at(text, from).middle(length)),
            _ => return self.of_bytes(text.get(from..to).unwrap_or_default()),
        };
        rank.map_or(Self::NONE, |rank| rank as i32)
    }

    /// The rank of the character at `from`, if it is one of three bytes.
    #[inline]
    fn of_character(&self, text: &[u8], from: usize) -> Option<i32> {
        self.characters.get(character(text.get(from..)?.first_chunk()?)?).copied()
    }

    /// The rank of two bytes or of many.
    fn of_bytes(&self, bytes: &[u8]) -> i32 {
        if let [first, second] = *bytes {
            return self.of_pair(first, second);
        }
        let place = if bytes.len() <= self.longest { self.long.find_rare(fingerprint(bytes)) } else { None };
        match place.and_then(|place| self.spelled.get(place as usize)) {
            Some((spelled, rank)) if **spelled == *bytes => *rank,
            _ => Self::NONE,
        }
    }
}

/// The number of a character of three bytes.
#[inline]
fn character(&[first, second, third]: &[u8; 3]) -> Option<usize> {
    let is_one = first & 0xF0 == 0xE0 && second & 0xC0 == 0x80 && third & 0xC0 == 0x80;
    let bits = |byte: u8, mask: u8| usize::from(byte & mask);
    is_one.then(|| bits(first, 0x0F) << 12 | bits(second, 0x3F) << 6 | bits(third, 0x3F))
}

/// `text[from..from + length]`, packed into one word. At most [`SHORT`] long.
#[inline]
fn short_at(text: &[u8], from: usize, length: usize) -> u64 {
    match text.get(from..).and_then(<[u8]>::first_chunk::<8>) {
        Some(bytes) => u64::from_le_bytes(*bytes) & ((1 << (8 * length)) - 1) | (length as u64) << 56,
        None => Packed::at(text, from).short(length),
    }
}

/// `text[from..to]`, packed into two words, if it is short enough for that.
#[inline]
pub(super) fn packed(text: &[u8], from: usize, to: usize) -> Option<[u64; 2]> {
    let length = to.saturating_sub(from);
    (length <= MIDDLE).then(|| Packed::at(text, from).middle(length))
}

/// A hash of long tokens. No two of a vocabulary have the same: a test looks each one up.
fn fingerprint(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let last = Packed::of(rest).short(rest.len());
    words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .chain([last])
        .fold(0, |hash: u64, word| (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29))
        | 1
}

/// Sixteen bytes, to be cut to those of a token.
#[derive(Clone, Copy)]
struct Packed(u128);

impl Packed {
    #[inline]
    fn at(text: &[u8], from: usize) -> Self {
        match text.get(from..).and_then(<[u8]>::first_chunk::<16>) {
            Some(bytes) => Self(u128::from_le_bytes(*bytes)),
            None => Self::of(text.get(from..).unwrap_or_default()),
        }
    }

    /// The first sixteen of `bytes`, followed by zeros.
    fn of(bytes: &[u8]) -> Self {
        let mut sixteen = [0; 16];
        sixteen.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Self(u128::from_le_bytes(sixteen))
    }

    /// The first `length` bytes, at most [`SHORT`].
    #[inline]
    fn short(self, length: usize) -> u64 {
        let bytes = self.0 as u64 & ((1 << (8 * length)) - 1);
        bytes | (length as u64) << 56
    }

    /// The first `length` bytes, at most [`MIDDLE`].
    #[inline]
    fn middle(self, length: usize) -> [u64; 2] {
        let bytes = self.0 & ((1 << (8 * length)) - 1);
        [bytes as u64, (bytes >> 64) as u64 | (length as u64) << 56]
    }
}
