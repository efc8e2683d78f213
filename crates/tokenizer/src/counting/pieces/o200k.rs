//! The pieces of o200k, where `U` is `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and `L` is `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
//! `[^\r\n\p{L}\p{N}]?U*L+('s|...)?|[^\r\n\p{L}\p{N}]?U+L*('s|...)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`.

use super::super::classes::{Classes, LETTER, LOWER, NUMBER, UPPER};
use super::{WhiteSpace, ascii_word, byte, contraction, is_newline, others, run_of_bytes, three_numbers};

pub(super) fn end(classes: &Classes, text: &str, at: usize) -> usize {
    let upper_then_lower = |start| {
        let upper = run_of_bytes(text, start, |byte| byte.is_ascii_uppercase());
        run_of_bytes(text, upper, |byte| byte.is_ascii_lowercase())
    };
    if let Some(end) = ascii_word(text, at, upper_then_lower) {
        return if byte(text, end) == Some(b'\'') { contraction(text, end, true).unwrap_or(end) } else { end };
    }
    let Some((kinds, length)) = classes.at(text, at) else { return at };
    if kinds & NUMBER != 0 {
        return three_numbers(classes, text, at);
    }
    let is_letter = kinds & LETTER != 0;
    let may_lead = !is_letter && !byte(text, at).is_some_and(is_newline);
    let start = if may_lead { at + length } else { at };
    let word = match Word::at(classes, text, start) {
        Word::None if !is_letter && kinds & LOWER == 0 => None,
        Word::None => lower(classes, text, at),
        Word::Lower(end) => Some(end),
        // A mark in front is the shorter word of the first form, which goes before the second one.
        Word::Upper(end) => Some(if may_lead { lower(classes, text, at).unwrap_or(end) } else { end }),
    };
    if let Some(end) = word {
        return contraction(text, end, true).unwrap_or(end);
    }
    if let Some(end) = others(classes, text, at) {
        return run_of_bytes(text, end, |byte| is_newline(byte) || byte == b'/');
    }
    let space = WhiteSpace::at(classes, text, at);
    space.line_break.unwrap_or_else(|| space.before_text(text, at))
}

/// What stands at a place.
enum Word {
    /// `U*L+`, with its end.
    Lower(usize),
    /// `U+` with nothing of `L` in or behind it.
    Upper(usize),
    None,
}

impl Word {
    #[inline]
    fn at(classes: &Classes, text: &str, start: usize) -> Self {
        let mut at = start;
        // Where the last of `U` ends that is of `L`, too: `U*` gives it back where nothing of `L` follows.
        let mut both = None;
        while let Some((kinds, length)) = classes.at(text, at)
            && kinds & UPPER != 0
        {
            at += length;
            if kinds & LOWER != 0 {
                both = Some(at);
            }
        }
        let end = classes.run(text, at, |kinds| kinds & LOWER != 0);
        match both {
            _ if end > at => Self::Lower(end),
            Some(both) => Self::Lower(both),
            None if at > start => Self::Upper(at),
            None => Self::None,
        }
    }
}

/// The end of `U*L+` at `at`, if there is one.
fn lower(classes: &Classes, text: &str, at: usize) -> Option<usize> {
    match Word::at(classes, text, at) {
        Word::Lower(end) => Some(end),
        Word::Upper(_) | Word::None => None,
    }
}
