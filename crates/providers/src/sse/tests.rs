//! Events from bytes in any split.

use proptest::prelude::*;

use super::*;

/// The events of a stream that arrives in these pieces, and whether it was refused.
fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(String, String)>, bool) {
    let mut events = Vec::new();
    let mut decoder = Decoder::with_limit(limit);
    let mut keep = |event: Event<'_>| events.push((event.name.to_owned(), event.data.to_owned()));
    let pushed = pieces.into_iter().try_for_each(|piece| decoder.push(piece, &mut keep));
    let refused = pushed.and_then(|()| decoder.finish(&mut keep)).is_err();
    (events, refused)
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let (events, refused) = decode(1_000, [text.as_bytes()]);
    let events: Vec<_> = events.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
    assert_eq!((events.as_slice(), refused), (expected, false), "{text:?}");
}

#[test]
fn every_line_end_is_a_line_end() {
    for end in ["\n", "\r", "\r\n"] {
        check(&"event: a|data: 1||data: 2||".replace('|', end), &[("a", "1"), ("", "2")]);
    }
}

#[test]
fn comments_and_other_fields_are_ignored() {
    check(": PROCESSING\n\n: again\nid: 7\nretry: 5\nunknown\ndata: x\n\n", &[("", "x")]);
}

#[test]
fn data_of_several_lines_is_joined() {
    check("data: a\ndata:b\ndata\ndata:  c\n\n", &[("", "a\nb\n\n c")]);
}

#[test]
fn an_event_without_data_is_none() {
    check("event: ping\n\ndata: x\n\n", &[("", "x")]);
    check("data:\n\n", &[("", "")]);
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    check("\u{feff}data: x\n\n\u{feff}data: y\n\n", &[("", "x")]);
}

#[test]
fn the_last_event_needs_no_blank_line() {
    check("data: x\n\ndata: [DONE]", &[("", "x"), ("", "[DONE]")]);
}

#[test]
fn what_is_not_utf8_is_replaced() {
    assert_eq!(decode(100, [&b"data: a\xffb\n\n"[..]]).0, [(String::new(), "a\u{fffd}b".to_owned())]);
}

#[test]
fn a_character_may_be_split() {
    let stream = "data: Grüße 🦀\n\n".as_bytes();
    let bytes = stream.chunks(1);
    assert_eq!(decode(100, bytes).0, [(String::new(), "Grüße 🦀".to_owned())]);
}

#[test]
fn an_endless_line_and_endless_data_are_refused() {
    let line = [b'x'; 200];
    assert!(decode(100, [&line[..]]).1);
    let lines = "data: 0123456789\n".repeat(20);
    let (events, refused) = decode(100, [&b"data: ok\n\n"[..], lines.as_bytes()]);
    assert_eq!((events.len(), refused), (1, true));
    let mut decoder = Decoder::with_limit(4);
    assert_eq!(decoder.push(b"data: too long", |_| {}), Err(EventTooLarge { limit: 4 }));
    assert_eq!(decoder.push(b"\n", |_| {}), Err(EventTooLarge { limit: 4 }), "it stays refused");
}

proptest! {
    #[test]
    fn every_split_gives_the_same_events(
        text in "(data: ?|event: |: |\u{feff}|[a-c é🦀]{0,3}|\r|\n|\r\n|\n\n){0,40}",
        cuts in prop::collection::vec(0_usize..200, 0..12),
    ) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.push(0);
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        let whole = decode(1_000, [bytes]);
        prop_assert_eq!(decode(1_000, pieces), whole.clone());
        prop_assert_eq!(decode(1_000, bytes.chunks(1)), whole);
        // Where it is refused, it is so whatever the split.
        prop_assert_eq!(decode(20, bytes.chunks(1)), decode(20, [bytes]));
    }

    #[test]
    fn no_bytes_make_it_panic_or_hold_more_than_its_bound(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..10),
    ) {
        let (events, _) = decode(50, pieces.iter().map(Vec::as_slice));
        prop_assert!(events.iter().all(|(name, data)| name.len() + data.len() <= 3 * 50));
    }
}
