//! What was in the bytes of a stream.

use std::collections::VecDeque;

use bytes::Bytes;
use providers::Failure;
use providers::sse::{Decoder, Event as Decoded, EventTooLarge};

use super::Event;
use super::tally::Tally;
use super::timer::Progress;

/// What was in the bytes read.
pub(super) struct Found {
    /// None where the body is no stream of events.
    decoder: Option<Decoder>,
    pub(super) tally: Tally,
    pub(super) events: VecDeque<Event>,
    pub(super) pieces: VecDeque<Bytes>,
    wanted: Wanted,
    /// So many bytes are read at most without an event among them.
    limit: usize,
    /// Bytes since the last event.
    without_event: usize,
    has_begun: bool,
    pub(super) end: Option<End>,
}

/// What is kept until it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nobody has asked yet.
    Either,
    Events,
    Pieces,
}

/// How a stream ends.
#[derive(Debug)]
pub(super) enum End {
    Complete,
    /// With an error, and the event that carried it.
    Failed(Box<Failure>, Bytes),
    Transport(transport::Error),
    Broken(String),
}

impl Found {
    /// Of a stream of events, each of which is at most `limit` bytes long.
    pub(super) fn events(limit: usize) -> Self {
        let decoder = Decoder::with_limit(limit.min(Decoder::DEFAULT_LIMIT));
        Self { decoder: Some(decoder), limit, ..Self::pieces() }
    }

    /// Of a body that is handed on as it comes.
    pub(super) fn pieces() -> Self {
        Self {
            decoder: None,
            tally: Tally::default(),
            events: VecDeque::new(),
            pieces: VecDeque::new(),
            wanted: Wanted::Either,
            limit: usize::MAX,
            without_event: 0,
            has_begun: false,
            end: None,
        }
    }

    /// Of an answer that is there, whole.
    pub(super) fn whole(body: Bytes, usage: Option<providers::Usage>) -> Self {
        let mut found = Self { tally: Tally::of_whole(usage), ..Self::pieces() };
        // A success without a body has nothing to hand out.
        if !body.is_empty() {
            found.events.push_back(Event::unnamed(body.clone()));
            found.pieces.push_back(body);
        }
        found
    }

    pub(super) const fn is_events(&self) -> bool {
        self.decoder.is_some()
    }

    pub(super) const fn progress(&self) -> Progress {
        match (self.tally.is_complete(), self.has_begun) {
            (true, _) => Progress::Complete,
            (false, true) => Progress::Running,
            (false, false) => Progress::Beginning,
        }
    }

    /// Whether there is anything to hand out.
    pub(super) fn has_more(&self) -> bool {
        !self.events.is_empty() || !self.pieces.is_empty()
    }

    /// All bytes read so far, where nobody has said what is wanted.
    pub(super) fn take_bytes(&mut self) -> Bytes {
        let pieces = std::mem::take(&mut self.pieces);
        pieces.iter().flat_map(|piece| piece.iter().copied()).collect()
    }

    /// From now on only these are kept.
    pub(super) fn want(&mut self, wanted: Wanted) {
        if self.wanted == Wanted::Either {
            self.wanted = wanted;
            match wanted {
                Wanted::Either => {}
                Wanted::Events => self.pieces = VecDeque::new(),
                Wanted::Pieces => self.events = VecDeque::new(),
            }
        }
    }

    /// Takes in the next bytes. Returns whether there was an event in them.
    pub(super) fn take_in(&mut self, chunk: &Bytes) -> bool {
        if chunk.is_empty() || self.end.is_some() {
            return false;
        }
        if self.wanted != Wanted::Events {
            self.pieces.push_back(chunk.clone());
        }
        if self.decoder.is_none() {
            if self.wanted != Wanted::Pieces {
                self.events.push_back(Event::unnamed(chunk.clone()));
            }
            self.has_begun = true;
            return true;
        }
        let has_events = self.decode(|decoder, on_event| decoder.push(chunk, on_event));
        self.has_begun |= has_events;
        self.without_event = if has_events { 0 } else { self.without_event.saturating_add(chunk.len()) };
        if self.without_event > self.limit {
            self.end.get_or_insert(End::Broken(format!("no event in {} bytes", self.limit)));
        }
        has_events
    }

    /// The body has ended.
    pub(super) fn finish(&mut self) {
        if self.end.is_none() {
            self.decode(|decoder, on_event| decoder.finish(on_event));
        }
    }

    fn decode(
        &mut self,
        decode: impl FnOnce(&mut Decoder, &mut dyn FnMut(Decoded<'_>)) -> Result<(), EventTooLarge>,
    ) -> bool {
        let Self { decoder, tally, events, wanted, end, .. } = self;
        let Some(decoder) = decoder else { return false };
        let mut has_events = false;
        let mut on_event = |event: Decoded<'_>| {
            has_events = true;
            if end.is_some() {
                return;
            }
            if tally.read(event)
                && let Some(failure) = tally.failure()
            {
                let data = Bytes::copy_from_slice(event.data.as_bytes());
                *end = Some(End::Failed(Box::new(failure.clone()), data));
            } else if *wanted != Wanted::Pieces && event.data.trim_ascii() != "[DONE]" {
                events.push_back(Event::decoded(event));
            }
        };
        if let Err(error) = decode(decoder, &mut on_event) {
            end.get_or_insert(End::Broken(error.to_string()));
        }
        has_events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(found: &Found) -> Vec<&str> {
        found.events.iter().map(|event| std::str::from_utf8(&event.data).unwrap()).collect()
    }

    #[test]
    fn only_what_is_wanted_is_kept() {
        let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
        for (wanted, events, pieces) in [(Wanted::Either, 2, 1), (Wanted::Events, 2, 0), (Wanted::Pieces, 0, 1)] {
            let mut found = Found::events(1_000);
            found.want(wanted);
            assert!(found.take_in(&chunk));
            assert_eq!((found.events.len(), found.pieces.len()), (events, pieces), "{wanted:?}");
            // It is decided once.
            found.want(Wanted::Pieces);
            assert_eq!(found.events.is_empty(), wanted != Wanted::Events, "{wanted:?}");
        }
    }

    #[test]
    fn nothing_is_handed_out_behind_an_error() {
        let mut found = Found::events(1_000);
        let failing = "data: 1\n\ndata: {\"error\":{\"code\":502,\"message\":\"Oh no\"}}\n\ndata: 2\n\n";
        found.take_in(&Bytes::from_static(failing.as_bytes()));
        found.take_in(&Bytes::from_static(b"data: 3\n\n"));
        assert_eq!(data(&found), ["1"]);
        let Some(End::Failed(failure, carried)) = found.end else { panic!("{:?}", found.end) };
        assert_eq!(failure.message, "Oh no");
        assert!(carried.starts_with(b"{\"error\""));
    }

    #[test]
    fn what_comes_without_an_event_is_bounded_and_so_is_each_event() {
        let mut found = Found::events(100);
        for _ in 0..20 {
            found.take_in(&Bytes::from_static(b": comment\n"));
        }
        assert!(matches!(&found.end, Some(End::Broken(why)) if why.contains("100")), "{:?}", found.end);
        let mut found = Found::events(100);
        found.want(Wanted::Events);
        for _ in 0..20 {
            found.take_in(&Bytes::from_static(b": comment\n: comment\ndata: 1\n\n"));
        }
        assert!(found.end.is_none(), "{:?}", found.end);
        found.take_in(&Bytes::from(vec![b'x'; 101]));
        assert!(matches!(found.end, Some(End::Broken(_))), "{:?}", found.end);
    }

    #[test]
    fn an_event_that_lacks_only_its_blank_line_is_there_and_the_mark_of_the_end_is_none() {
        let mut found = Found::events(100);
        found.take_in(&Bytes::from_static(b"data: [DONE]\n\ndata: 1"));
        assert_eq!(data(&found), [""; 0]);
        found.finish();
        assert_eq!(data(&found), ["1"]);
        assert_eq!(found.progress(), Progress::Complete);
    }
}
