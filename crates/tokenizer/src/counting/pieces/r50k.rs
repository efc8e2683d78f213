//! The pieces of r50k and p50k:
//! `'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s`.

use super::super::classes::{Classes, LETTER, NUMBER};
use super::{WhiteSpace, byte, contraction, others};

pub(super) fn end(classes: &Classes, text: &str, at: usize) -> usize {
    if let Some(end) = contraction(text, at, false) {
        return end;
    }
    let start = if byte(text, at) == Some(b' ') { at + 1 } else { at };
    for kind in [LETTER, NUMBER] {
        let end = classes.run(text, start, |kinds| kinds & kind != 0);
        if end > start {
            return end;
        }
    }
    others(classes, text, at).unwrap_or_else(|| WhiteSpace::at(classes, text, at).before_text(text, at))
}
