//! What kinds of characters there are, as far as pieces differ by them.
//!
//! The ranges come from `regex-syntax`, which tiktoken-rs has its own from, so both follow the same version of Unicode.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// The kinds of a character, as bits.
pub(super) type Kinds = u8;

/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, what a word of o200k begins with.
pub(super) const UPPER: Kinds = 1;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`, what a word of o200k goes on with.
pub(super) const LOWER: Kinds = 2;
/// `\p{L}`
pub(super) const LETTER: Kinds = 4;
/// `\p{N}`
pub(super) const NUMBER: Kinds = 8;
/// `\s`
pub(super) const SPACE: Kinds = 16;

const PATTERNS: [(&str, Kinds); 5] = [
    (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", UPPER),
    (r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", LOWER),
    (r"\p{L}", LETTER),
    (r"\p{N}", NUMBER),
    (r"\s", SPACE),
];

/// Characters with the same high bits.
const BLOCK: usize = 128;

/// The kinds of every character, in blocks of which equal ones are stored once.
#[derive(Debug)]
pub(super) struct Classes {
    ascii: [Kinds; BLOCK],
    blocks: Vec<[Kinds; BLOCK]>,
    /// Which block each one is.
    index: Vec<u16>,
}

impl Classes {
    /// The only ones, made when first asked for.
    pub(super) fn all() -> &'static Self {
        static ALL: LazyLock<Classes> = LazyLock::new(Classes::new);
        &ALL
    }

    fn new() -> Self {
        let mut kinds = vec![0; char::MAX as usize + 1];
        for (pattern, kind) in PATTERNS {
            for (first, last) in ranges(pattern) {
                kinds.iter_mut().take(last as usize + 1).skip(first as usize).for_each(|kinds| *kinds |= kind);
            }
        }
        let (mut known, mut blocks, mut index) = (HashMap::new(), Vec::new(), Vec::new());
        for block in kinds.as_chunks::<BLOCK>().0 {
            index.push(*known.entry(*block).or_insert_with(|| {
                blocks.push(*block);
                blocks.len() as u16 - 1
            }));
        }
        let ascii = blocks.first().copied().unwrap_or([0; BLOCK]);
        Self { ascii, blocks, index }
    }

    /// The kinds of the character at `at`, and its length; `None` at the end of the text.
    #[inline]
    pub(super) fn at(&self, text: &str, at: usize) -> Option<(Kinds, usize)> {
        let byte = *text.as_bytes().get(at)?;
        match self.ascii.get(usize::from(byte)) {
            Some(kinds) => Some((*kinds, 1)),
            None => self.beyond_ascii(text, at),
        }
    }

    fn beyond_ascii(&self, text: &str, at: usize) -> Option<(Kinds, usize)> {
        let character = text.get(at..)?.chars().next()?;
        let block = self.index.get(character as usize / BLOCK)?;
        let kinds = self.blocks.get(usize::from(*block))?.get(character as usize % BLOCK)?;
        Some((*kinds, character.len_utf8()))
    }

    /// Where the characters end, from `at` on, of which `is_one` is true.
    #[inline]
    pub(super) fn run(&self, text: &str, mut at: usize, is_one: impl Fn(Kinds) -> bool) -> usize {
        while let Some((kinds, length)) = self.at(text, at)
            && is_one(kinds)
        {
            at += length;
        }
        at
    }
}

/// The first and the last characters of the ranges that a pattern of one class matches.
fn ranges(pattern: &str) -> Vec<(char, char)> {
    match regex_syntax::parse(pattern).map(|parsed| parsed.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class.iter().map(|range| (range.start(), range.end())).collect(),
        // The patterns are constants, and a test reads each of them.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_the_kinds_of_their_categories() {
        fn check(character: char, expected: Kinds) {
            let text = character.to_string();
            assert_eq!(Classes::all().at(&text, 0), Some((expected, text.len())), "{character:?}");
        }
        check('A', UPPER | LETTER);
        check('a', LOWER | LETTER);
        check('漢', UPPER | LOWER | LETTER);
        check('\u{301}', UPPER | LOWER);
        check('7', NUMBER);
        check('½', NUMBER);
        check(' ', SPACE);
        check('\u{3000}', SPACE);
        check('!', 0);
        check('🦀', 0);
        check('\u{10FFFF}', 0);
        assert_eq!(Classes::all().at("", 0), None);
    }

    #[test]
    fn every_pattern_is_one_class() {
        assert!(PATTERNS.iter().all(|(pattern, _)| !ranges(pattern).is_empty()));
    }
}
