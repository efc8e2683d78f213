//! Byte pair encoding of a piece longer than a window, in linear time: window after window, overlapping.
//!
//! Why windows can be joined. Which merges happen left of a place where two tokens meet at the end does not depend on
//! what is right of it, and the other way round: a merge across it would have joined them. So a window that starts where
//! a token of the last window starts has, from there on, the tokens of the whole but near its right end. And where both
//! windows have the same token, the tokens of the one up to it and of the other behind it are the tokens of both
//! together: whatever could be merged across either end of that token could have been merged in one of the windows, at
//! the same moment.
//!
//! Windows that share no token are tried again with a larger overlap; where that is not enough, the piece is merged as a
//! whole.

use super::heap;
use super::merge::{LARGEST, Window};
use super::ranks::Ranks;

type Largest = Window<LARGEST, 32, 32>;

/// How much of a window is kept at most, in the order in which it is tried.
const KEPT: [usize; 5] = [LARGEST / 16 * 15, LARGEST / 8 * 7, LARGEST / 4 * 3, LARGEST / 2, LARGEST / 4];

/// How many tokens `piece` has.
pub(super) fn count(ranks: &Ranks, piece: &[u8]) -> usize {
    windows(ranks, piece).unwrap_or_else(|| heap::count(ranks, piece))
}

/// The same by windows; `None` where two share no token.
pub(super) fn windows(ranks: &Ranks, piece: &[u8]) -> Option<usize> {
    let mut rest = piece;
    let mut window = Largest::new(ranks, rest);
    // What is counted ends here in the window.
    let (mut counted, mut joined) = (0, 0);
    while rest.len() > LARGEST {
        // Where the last two had to overlap far until they had a token in common, these two will.
        let tried = KEPT.iter().filter(|most| LARGEST - *most >= joined);
        let (start, next, end) = tried.copied().find_map(|most| {
            let start = window.starts().skip(1).take_while(|start| *start <= most).last()?;
            // What repeats has the same tokens again: hostile texts mostly do.
            let (here, there) = (rest.get(..LARGEST)?, rest.get(start..)?);
            let next = if there.starts_with(here) { window } else { Largest::new(ranks, there) };
            let end = end_of_common(&window, &next, start.max(joined), start)?;
            Some((start, next, end))
        })?;
        counted += window.starts().filter(|start| (joined..end).contains(start)).count();
        rest = rest.get(start..)?;
        window = next;
        joined = end - start;
    }
    Some(counted + window.starts().filter(|start| *start >= joined).count())
}

/// Where the first token ends that both windows have, the second of which starts at `offset` in the first. It starts at
/// `from` or later.
fn end_of_common(first: &Largest, second: &Largest, from: usize, offset: usize) -> Option<usize> {
    let mut theirs = second.starts().map(|start| (start + offset, second.end_of(start) + offset)).peekable();
    first.starts().skip_while(|start| *start < from).find_map(|start| {
        while theirs.next_if(|(other, _)| *other < start).is_some() {}
        let end = first.end_of(start);
        theirs.peek().is_some_and(|other| *other == (start, end)).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoding;
    use crate::counting::engine::concrete;

    #[test]
    fn tokens_that_only_begin_at_the_same_place_are_not_the_same() {
        let ranks = concrete(Encoding::O200kBase).ranks();
        let [shorter, longer, other] = [&b"hell"[..], b"hello", b"xhello"].map(|piece| Largest::new(ranks, piece));
        assert_eq!((shorter.count(), longer.count()), (1, 1));
        assert_eq!(end_of_common(&shorter, &longer, 0, 0), None);
        assert_eq!(end_of_common(&longer, &longer, 0, 0), Some(5));
        assert_eq!(end_of_common(&longer, &longer, 1, 0), None);
        assert_eq!(end_of_common(&other, &longer, 0, 1), (other.count() == 2).then_some(6));
    }
}
