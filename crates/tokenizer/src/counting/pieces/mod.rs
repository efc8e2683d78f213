//! Cutting a text into the pieces that are encoded each on its own.
//!
//! Every encoding has a regular expression for its pieces. Here each is written out, because the expressions look
//! ahead, which takes an engine that backtracks: it is slow, and gives up on long white space.

mod cl100k;
mod o200k;
mod r50k;

use super::classes::{Classes, Kinds, LETTER, NUMBER, SPACE};

/// How an encoding cuts texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    R50k,
    Cl100k,
    O200k,
}

impl Pieces {
    /// Where the piece ends that starts at `at`. Beyond `at` unless that is the end of the text.
    #[inline]
    pub(super) fn end(self, classes: &Classes, text: &str, at: usize) -> usize {
        match self {
            Self::R50k => r50k::end(classes, text, at),
            Self::Cl100k => cl100k::end(classes, text, at),
            Self::O200k => o200k::end(classes, text, at),
        }
    }
}

/// Most words: `[^\r\n\p{L}\p{N}]?`, then letters up to where `letters` says that they end, all of it ASCII and the
/// character behind it, too. `None` where it may be something else.
#[inline]
fn ascii_word(text: &str, at: usize, letters: impl Fn(usize) -> usize) -> Option<usize> {
    let start = match byte(text, at)? {
        first if first.is_ascii_alphabetic() => at,
        b'\r' | b'\n' | b'0'..=b'9' | 0x80.. => return None,
        _ => at + 1,
    };
    let end = letters(start);
    (end > start && byte(text, end).is_none_or(|next| next.is_ascii())).then_some(end)
}

/// `[^\s\p{L}\p{N}]`
fn is_other(kinds: Kinds) -> bool {
    kinds & (SPACE | LETTER | NUMBER) == 0
}

fn byte(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// Where a run of bytes ends, from `at` on, of which `is_one` is true.
fn run_of_bytes(text: &str, at: usize, is_one: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_one(**byte)).count()
}

fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// `\p{N}{1,3}`: where up to three numbers end.
fn three_numbers(classes: &Classes, text: &str, at: usize) -> usize {
    (0..3).fold(at, |at, _| match classes.at(text, at) {
        Some((kinds, length)) if kinds & NUMBER != 0 => at + length,
        _ => at,
    })
}

/// ` ?[^\s\p{L}\p{N}]+`: where it ends, if there is one.
fn others(classes: &Classes, text: &str, at: usize) -> Option<usize> {
    let start = if byte(text, at) == Some(b' ') { at + 1 } else { at };
    Some(classes.run(text, start, is_other)).filter(|end| *end > start)
}

/// The end of a contraction behind an apostrophe at `at`, of those that every encoding knows. Where `any_case`, `ſ` is an
/// `s`, as folding its case makes it one.
fn contraction(text: &str, at: usize, any_case: bool) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?.strip_prefix(b"'")?;
    let fold = |byte: u8| if any_case { byte.to_ascii_lowercase() } else { byte };
    let letters = match rest {
        [letter, ..] if matches!(fold(*letter), b's' | b'd' | b'm' | b't') => 1,
        [first, second, ..] => match [fold(*first), fold(*second)] {
            [b'l', b'l'] | [b'v' | b'r', b'e'] => 2,
            // U+017F
            [0xC5, 0xBF] if any_case => 2,
            _ => return None,
        },
        _ => return None,
    };
    Some(at + 1 + letters)
}

/// White space from `at` on: where it ends, where its last character starts, and where the last line break in it ends.
struct WhiteSpace {
    end: usize,
    last: usize,
    line_break: Option<usize>,
}

impl WhiteSpace {
    fn at(classes: &Classes, text: &str, at: usize) -> Self {
        let mut space = Self { end: at, last: at, line_break: None };
        while let Some((kinds, length)) = classes.at(text, space.end)
            && kinds & SPACE != 0
        {
            space.last = space.end;
            space.end += length;
            if byte(text, space.last).is_some_and(is_newline) {
                space.line_break = Some(space.end);
            }
        }
        space
    }

    /// `\s+(?!\S)|\s`: all of it at the end of the text, else all but the last character, which belongs to what
    /// follows; that character where there is no other.
    fn before_text(&self, text: &str, at: usize) -> usize {
        if self.end == text.len() || self.last == at { self.end } else { self.last }
    }
}

#[cfg(test)]
mod tests;
