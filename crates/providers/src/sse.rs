//! A decoder of server-sent events without I/O.
//!
//! Bytes go in as they arrive, in any split; events come out. It follows the
//! [standard](https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end with CR, LF or CRLF, a byte
//! order mark is skipped, comments are ignored, data of several lines is joined by line feeds, and what is not UTF-8 is
//! replaced. Memory is bounded: an event beyond the bound is an error, not an allocation.

use std::mem;

use thiserror::Error;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event<'a> {
    /// Its type, as the `event` field says; empty where there was none.
    pub name: &'a str,
    /// Its data: the `data` lines, joined by line feeds.
    pub data: &'a str,
}

/// An event was larger than the decoder's bound. The decoder reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct EventTooLarge {
    /// The bound, in bytes.
    pub limit: usize,
}

/// Turns bytes into events.
///
/// ```
/// let mut events = Vec::new();
/// let mut decoder = providers::sse::Decoder::new();
/// for chunk in ["data: hel", "lo\r", "\n\r\n: a comment\n"] {
///     decoder.push(chunk.as_bytes(), |event| events.push(event.data.to_owned()))?;
/// }
/// assert_eq!(events, ["hello"]);
/// # Ok::<(), providers::sse::EventTooLarge>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a CR: an LF that follows belongs to the same line end.
    after_cr: bool,
    at_start: bool,
    failed: bool,
}

impl Decoder {
    /// The bound of [`Decoder::new`]: 16 MiB, room for an image in one event.
    pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

    /// A decoder that holds at most [`Decoder::DEFAULT_LIMIT`] bytes of one event.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A decoder that holds at most `limit` bytes of one event: its name, its data and an unfinished line together.
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            failed: false,
        }
    }

    /// Takes in the next bytes and hands every event that they complete to `on_event`.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`], from then on for every call; the events before the large one have been handed over.
    pub fn push(&mut self, mut bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLarge> {
        loop {
            self.check(0)?;
            if mem::take(&mut self.after_cr) {
                match bytes.split_first() {
                    Some((b'\n', rest)) => bytes = rest,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.check(bytes.len())?;
                self.line.extend_from_slice(bytes);
                return Ok(());
            };
            let (ending, rest) = bytes.split_at(end);
            self.check(ending.len())?;
            if self.line.is_empty() {
                self.end_line(ending, &mut on_event);
            } else {
                self.line.extend_from_slice(ending);
                let mut line = mem::take(&mut self.line);
                self.end_line(&line, &mut on_event);
                line.clear();
                self.line = line;
            }
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
        }
    }

    /// Says that the stream has ended. An event that only lacks its blank line is handed over: some servers leave the
    /// last one out.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`] as in [`Decoder::push`].
    pub fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLarge> {
        self.check(0)?;
        let line = mem::take(&mut self.line);
        if !line.is_empty() {
            self.end_line(&line, &mut on_event);
        }
        self.end_line(b"", &mut on_event);
        self.after_cr = false;
        self.at_start = true;
        Ok(())
    }

    fn check(&mut self, more: usize) -> Result<(), EventTooLarge> {
        let held = self.line.len().saturating_add(self.name.len()).saturating_add(self.data.len());
        if self.failed || held.saturating_add(more) > self.limit {
            self.failed = true;
            self.line = Vec::new();
            self.name = Vec::new();
            self.data = Vec::new();
            return Err(EventTooLarge { limit: self.limit });
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) {
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.at_start => rest,
            _ => line,
        };
        self.at_start = false;
        if line.is_empty() {
            self.end_event(on_event);
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // `id` and `retry` are for clients that reconnect, an empty field is a comment.
            _ => {}
        }
    }

    fn end_event(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if mem::take(&mut self.has_data) {
            let name = String::from_utf8_lossy(&self.name);
            let data = String::from_utf8_lossy(&self.data);
            on_event(Event { name: &name, data: &data });
        }
        self.name.clear();
        self.data.clear();
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
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
        }

        #[test]
        fn no_bytes_make_it_panic_or_hold_more_than_its_bound(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..10),
        ) {
            let (events, _) = decode(50, pieces.iter().map(Vec::as_slice));
            prop_assert!(events.iter().all(|(name, data)| name.len() + data.len() <= 3 * 50));
        }
    }
}
