//! Lines of a file, as bytes, with a bound on their length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// One line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from one.
    pub(super) number: u64,
    /// Without its end.
    pub(super) bytes: Vec<u8>,
    /// Bytes of the file that it takes, its end included.
    pub(super) length: u64,
    /// Whether it was longer than the bound: then `bytes` is its beginning.
    pub(super) is_cut: bool,
}

/// Reads lines. A call that is dropped loses nothing.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    longest: usize,
    number: u64,
    partial: Vec<u8>,
    length: u64,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) const fn new(reader: R, longest: usize) -> Self {
        Self { reader, longest, number: 0, partial: Vec::new(), length: 0 }
    }

    /// The next line, blank ones included; `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            // Between here and `consume` nothing is awaited, so a dropped call has consumed what it kept.
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok((self.length > 0).then(|| self.take()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let chunk = end.and_then(|end| available.get(..end)).unwrap_or(available);
            let room = (self.longest + 1).saturating_sub(self.partial.len());
            self.partial.extend(chunk.iter().take(room));
            let consumed = end.map_or(available.len(), |end| end + 1);
            self.length += consumed as u64;
            self.reader.consume(consumed);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        self.number += 1;
        let mut bytes = std::mem::take(&mut self.partial);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let is_cut = bytes.len() > self.longest;
        Line { number: self.number, bytes, length: std::mem::take(&mut self.length), is_cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_end_in_any_way_and_are_numbered() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfone\r\n\ntwo\nlast"[..], 100);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push((line.number, String::from_utf8(line.bytes).unwrap(), line.length));
        }
        let expected = [(1, "one", 8), (2, "", 1), (3, "two", 4), (4, "last", 4)];
        assert_eq!(read, expected.map(|(number, text, length)| (number, text.to_owned(), length)));
    }

    #[tokio::test]
    async fn a_line_beyond_the_bound_is_cut_and_the_next_one_is_whole() {
        let mut lines = Lines::new(&b"0123456789\nnext\n"[..], 4);
        let long = lines.next().await.unwrap().unwrap();
        assert!(long.is_cut && long.bytes.starts_with(b"0123") && long.bytes.len() == 5);
        assert_eq!(lines.next().await.unwrap().unwrap().bytes, b"next");
    }
}
