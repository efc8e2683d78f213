//! Vocabularies as they stand in the program: each token as the two earlier ones that it is made of.
//!
//! A file holds the tokens in the order of their ranks, each as one record of LEB128 numbers:
//!
//! * `n + 2`, `m`: the bytes of token `n` followed by those of token `m`, both earlier in the file;
//! * `1`, length, bytes: the bytes themselves;
//! * `0`: no token has this rank.
//!
//! That is a third of tiktoken's own form, and needs nothing to unpack it. `examples/vocabularies.rs` writes the files.

/// The tokens of a vocabulary, by rank.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`. One without bytes is no token.
    ends: Vec<usize>,
}

impl Tokens {
    /// Reads the first `most` ranks of a file. What is not as described ends the reading.
    pub(super) fn read(file: &[u8], most: usize) -> Self {
        let mut tokens = Self { bytes: Vec::with_capacity(file.len() * 2), ends: Vec::with_capacity(file.len() / 4) };
        let mut rest = file;
        while tokens.ends.len() < most && tokens.read_one(&mut rest).is_some() {
            tokens.ends.push(tokens.bytes.len());
        }
        tokens
    }

    fn read_one(&mut self, rest: &mut &[u8]) -> Option<()> {
        match number(rest)? {
            0 => {}
            1 => {
                let length = number(rest)?;
                let (bytes, after) = rest.split_at_checked(length)?;
                self.bytes.extend_from_slice(bytes);
                *rest = after;
            }
            left => {
                let right = number(rest)?;
                for token in [left - 2, right] {
                    let range = self.range(token)?;
                    self.bytes.extend_from_within(range);
                }
            }
        }
        Some(())
    }

    fn range(&self, token: usize) -> Option<std::ops::Range<usize>> {
        let start = token.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.ends.get(token).map(|end| start..*end)
    }

    /// Each token with its rank, in the order of ranks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let tokens = (0..self.ends.len()).filter_map(|token| self.bytes.get(self.range(token)?));
        (0..).zip(tokens).filter(|(_, bytes)| !bytes.is_empty())
    }
}

/// A LEB128 number.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in (0..28).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8], most: usize) -> Vec<(u32, Vec<u8>)> {
        Tokens::read(file, most).iter().map(|(rank, bytes)| (rank, bytes.to_vec())).collect()
    }

    #[test]
    fn a_token_is_written_out_or_made_of_two_others_or_missing() {
        let file = [1, 1, b'a', 1, 2, b'b', b'c', 0, 2, 1, 5, 0];
        let all = [(0, b"a".to_vec()), (1, b"bc".to_vec()), (3, b"abc".to_vec()), (4, b"abca".to_vec())];
        assert_eq!(read(&file, usize::MAX), all);
        assert_eq!(read(&file, 4), all[..3]);
        assert_eq!(read(&file, 0), []);
    }

    #[test]
    fn a_broken_file_gives_what_stands_before_the_break() {
        let token = (0, b"a".to_vec());
        for broken in [&[1_u8, 1, b'a', 9, 9][..], &[1, 1, b'a', 1, 5, b'b'], &[1, 1, b'a', 0xFF, 0xFF, 0xFF, 0xFF, 1]]
        {
            assert_eq!(read(broken, usize::MAX), std::slice::from_ref(&token));
        }
    }
}
