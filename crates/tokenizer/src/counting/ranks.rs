//! The ranks of a vocabulary: which bytes are a token, and which two are merged first.

use std::collections::HashMap;

use super::asset::Tokens;
use super::table::Table;

/// Tokens up to this length are packed into one word, with their length in the highest byte.
const SHORT: usize = 7;
/// And these into two.
const MIDDLE: usize = 15;

/// The rank of every token, by its bytes.
#[derive(Debug)]
pub(super) struct Ranks {
    /// By two bytes, the first one lower; [`NONE`](Self::NONE) where they are no token.
    pairs: Box<[i32]>,
    short: Table<u64>,
    middle: Table<[u64; 2]>,
    long: HashMap<Box<[u8]>, i32>,
    longest: usize,
    #[cfg(test)]
    len: usize,
}

impl Ranks {
    /// The rank of what is no token: larger than any.
    pub(super) const NONE: i32 = i32::MAX;

    pub(super) fn of(tokens: &Tokens) -> Self {
        let mut pairs = vec![Self::NONE; 1 << 16].into_boxed_slice();
        let (mut short, mut middle, mut long) = (Vec::new(), Vec::new(), HashMap::new());
        let mut longest = 0;
        for (rank, bytes) in tokens.iter() {
            longest = longest.max(bytes.len());
            let packed = Packed::of(bytes);
            match *bytes {
                [first, second] => {
                    if let Some(pair) = pairs.get_mut(usize::from(u16::from_le_bytes([first, second]))) {
                        *pair = rank as i32;
                    }
                }
                _ if bytes.len() <= SHORT => short.push((packed.short(bytes.len()), rank)),
                _ if bytes.len() <= MIDDLE => middle.push((packed.middle(bytes.len()), rank)),
                _ => {
                    long.insert(Box::from(bytes), rank as i32);
                }
            }
        }
        Self { pairs, short: Table::new(&short), middle: Table::new(&middle), long, longest, #[cfg(test)] len: tokens.iter().count() }
    }

    /// How many tokens there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The rank of two bytes.
    #[inline]
    pub(super) fn of_pair(&self, first: u8, second: u8) -> i32 {
        self.pairs.get(usize::from(u16::from_le_bytes([first, second]))).copied().unwrap_or(Self::NONE)
    }

    /// The rank of `text[from..to]`.
    #[inline]
    pub(super) fn of_range(&self, text: &[u8], from: usize, to: usize) -> i32 {
        let length = to.saturating_sub(from);
        let rank = match length {
            2 => {
                return match text.get(from..to) {
                    Some(&[first, second]) => self.of_pair(first, second),
                    _ => Self::NONE,
                };
            }
            _ if length <= SHORT => self.short.find(Packed::at(text, from).short(length)),
            _ if length <= MIDDLE => self.middle.find(Packed::at(text, from).middle(length)),
            _ if length <= self.longest => {
                return text.get(from..to).and_then(|bytes| self.long.get(bytes)).copied().unwrap_or(Self::NONE);
            }
            _ => None,
        };
        rank.map_or(Self::NONE, |rank| rank as i32)
    }
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
