//! A decoder of server-sent events without I/O.
//!
//! Bytes go in as they arrive, in any split; events come out. It follows the
//! [standard](https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end with CR, LF or CRLF, a byte
//! order mark is skipped, comments are ignored, data of several lines is joined by line feeds, and what is not UTF-8 is
//! replaced. Memory is bounded: an event beyond the bound is an error, not an allocation.

use std::mem;

use memchr::memchr2;
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
    /// An event that lies in these bytes as a whole, with its data in one line, is handed over where it lies; only
    /// what is unfinished, and data of several lines, is copied.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`], from then on for every call; the events before the large one have been handed over.
    pub fn push(&mut self, mut bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLarge> {
        // The only data line of the event so far, as far as it lies in these bytes.
        let mut line_of_data: Option<&[u8]> = None;
        loop {
            let borrowed = line_of_data.map_or(0, <[u8]>::len);
            self.check(borrowed)?;
            if mem::take(&mut self.after_cr) {
                match bytes.split_first() {
                    Some((b'\n', rest)) => bytes = rest,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.check(borrowed.saturating_add(bytes.len()))?;
                self.keep(&mut line_of_data);
                self.line.extend_from_slice(bytes);
                return Ok(());
            };
            let (ending, rest) = bytes.split_at(end);
            self.check(borrowed.saturating_add(ending.len()))?;
            if self.line.is_empty() {
                self.end_line(ending, &mut line_of_data, &mut on_event);
            } else {
                self.keep(&mut line_of_data);
                self.line.extend_from_slice(ending);
                let mut line = mem::take(&mut self.line);
                let mut of_line = None;
                self.end_line(&line, &mut of_line, &mut on_event);
                self.keep(&mut of_line);
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
        let mut line_of_data = None;
        if !line.is_empty() {
            self.end_line(&line, &mut line_of_data, &mut on_event);
        }
        self.end_line(b"", &mut line_of_data, &mut on_event);
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

    /// Keeps data that lies in bytes about to be gone.
    fn keep(&mut self, line_of_data: &mut Option<&[u8]>) {
        if let Some(line) = line_of_data.take() {
            self.data.extend_from_slice(line);
        }
    }

    fn end_line<'a>(
        &mut self,
        line: &'a [u8],
        line_of_data: &mut Option<&'a [u8]>,
        on_event: &mut impl FnMut(Event<'_>),
    ) {
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.at_start => rest,
            _ => line,
        };
        self.at_start = false;
        if line.is_empty() {
            self.end_event(line_of_data.take(), on_event);
            return;
        }
        if let Some(value) = value_of(line, b"data") {
            if mem::replace(&mut self.has_data, true) {
                self.keep(line_of_data);
                self.data.push(b'\n');
                self.data.extend_from_slice(value);
            } else {
                *line_of_data = Some(value);
            }
        } else if let Some(value) = value_of(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(value);
        }
        // `id` and `retry` are for clients that reconnect, an empty field is a comment.
    }

    fn end_event(&mut self, line_of_data: Option<&[u8]>, on_event: &mut impl FnMut(Event<'_>)) {
        if mem::take(&mut self.has_data) {
            let name = String::from_utf8_lossy(&self.name);
            let data = String::from_utf8_lossy(line_of_data.unwrap_or(&self.data));
            on_event(Event { name: &name, data: &data });
        }
        self.name.clear();
        self.data.clear();
    }
}

/// The value of a line, where it is that of this field.
fn value_of<'a>(line: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(field)?;
    match rest.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => rest.is_empty().then_some(rest),
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
