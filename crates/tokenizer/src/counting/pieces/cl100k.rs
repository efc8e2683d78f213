//! The pieces of cl100k:
//! `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`.

use super::super::classes::{Classes, LETTER, NUMBER};
use super::{WhiteSpace, ascii_word, byte, contraction, is_newline, others, run_of_bytes, three_numbers};

pub(super) fn end(classes: &Classes, text: &str, at: usize) -> usize {
    if let Some(end) = contraction(text, at, true) {
        return end;
    }
    if let Some(end) = ascii_word(text, at, |start| run_of_bytes(text, start, |byte| byte.is_ascii_alphabetic())) {
        return end;
    }
    let Some((kinds, length)) = classes.at(text, at) else { return at };
    if kinds & NUMBER != 0 {
        return three_numbers(classes, text, at);
    }
    if kinds & LETTER != 0 || !byte(text, at).is_some_and(is_newline) {
        let word = if kinds & LETTER != 0 { at } else { at + length };
        let end = classes.run(text, word, |kinds| kinds & LETTER != 0);
        if end > word {
            return end;
        }
    }
    if let Some(end) = others(classes, text, at) {
        return run_of_bytes(text, end, is_newline);
    }
    let space = WhiteSpace::at(classes, text, at);
    match space.line_break {
        Some(end) if space.end < text.len() => end,
        _ => space.before_text(text, at),
    }
}
