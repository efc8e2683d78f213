//! The escapes of JSON strings, as far as they may hide ASCII: `\/`, `\"`, `\\`, `\u002f`.

use std::ops::Range;

/// The most bytes that stand for one character.
pub(super) const LONGEST: usize = 6;

/// The bytes of each character in turn: one, or an escape.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (_, length) = first(text.get(at..)?)?;
        let span = at..at + length;
        at = span.end;
        Some(span)
    })
}

/// The text without escapes, a byte for each of its [`characters`].
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, length)) = first(rest) {
        decoded.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    decoded
}

/// The text up to an escape that it ends in the middle of, and that.
pub(super) fn split_unfinished(text: &[u8]) -> (&[u8], &[u8]) {
    let is_cut = |span: &Range<usize>| {
        let rest = text.get(span.start..).unwrap_or_default();
        rest == b"\\"
            || rest.len() < LONGEST
                && rest.strip_prefix(b"\\u").is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let cut = characters(text).find(is_cut).map_or(text.len(), |span| span.start);
    text.split_at(cut)
}

/// How many bytes the last `count` characters take.
pub(super) fn length_of_last(text: &[u8], count: usize) -> usize {
    let total = characters(text).count();
    characters(text).skip(total.saturating_sub(count)).map(|span| span.len()).sum()
}

/// What a text begins with, and how many bytes stand for it.
fn first(text: &[u8]) -> Option<(u8, usize)> {
    Some(match text {
        [] => return None,
        [b'\\', b'u', digits @ ..] => match digits.first_chunk::<4>().and_then(number) {
            Some(byte) => (byte, LONGEST),
            None => (b'\\', 1),
        },
        [b'\\', escaped @ (b'/' | b'"' | b'\\'), ..] => (*escaped, 2),
        [byte, ..] => (*byte, 1),
    })
}

/// The ASCII character with this number.
fn number(digits: &[u8; 4]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::try_from(u16::from_str_radix(digits, 16).ok()?).ok().filter(u8::is_ascii)
}
