//! The body of a stream as it is read.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Uri;
use http_body::Body as _;
use pin_project::pin_project;
use providers::Failure;
use providers::sse::Decoder;
use transport::{Body, Stage};

use super::Event;
use super::tally::Tally;
use super::timer::{Patience, Progress, Timer};
use crate::clock::Clock;
use crate::mask::{Mask, MaskedChunks};

/// A body that is read a chunk at a time, and what was in it.
#[pin_project]
pub(super) struct Reader {
    #[pin]
    body: Body,
    uri: Uri,
    chunks: MaskedChunks,
    timer: Timer,
    pub(super) found: Found,
}

/// What was in the bytes read.
pub(super) struct Found {
    /// None where the body is no stream of events.
    decoder: Option<Decoder>,
    pub(super) tally: Tally,
    pub(super) events: VecDeque<Event>,
    pub(super) pieces: VecDeque<Bytes>,
    wanted: Wanted,
    /// So many bytes are read at most until there is an event among them.
    limit: usize,
    read: usize,
    has_begun: bool,
    end: Option<End>,
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

impl Reader {
    pub(super) fn new(body: Body, uri: Uri, found: Found, patience: Patience, clock: Clock) -> Self {
        Self { body, uri, chunks: MaskedChunks::default(), timer: Timer::new(patience, clock), found }
    }

    pub(super) fn found(self: Pin<&mut Self>) -> &mut Found {
        self.project().found
    }

    /// Reads on: `None` where something more was found, or may be.
    pub(super) fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, mask: &Mask) -> Poll<Option<End>> {
        let mut this = self.project();
        if let Some(end) = this.found.end.take() {
            this.body.set(Body::empty());
            return Poll::Ready(Some(end));
        }
        let is_complete = this.found.tally.is_complete();
        let end = match this.body.as_mut().poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(chunk) = frame.into_data() {
                    let is_event = this.found.take_in(&this.chunks.push(mask, chunk));
                    this.timer.came(is_event);
                }
                return Poll::Ready(None);
            }
            Poll::Ready(None) => {
                let rest = this.chunks.finish();
                this.found.take_in(&rest);
                this.found.finish();
                this.found.end.take().unwrap_or(End::Complete)
            }
            // What was promised is there.
            Poll::Ready(Some(Err(_))) if is_complete => End::Complete,
            Poll::Ready(Some(Err(error))) => End::Transport(error),
            Poll::Pending => {
                let waited = ready!(this.timer.poll_waited(context, this.found.progress()));
                match is_complete {
                    true => End::Complete,
                    false => End::Transport(transport::Error::timed_out(Stage::Body, this.uri, waited)),
                }
            }
        };
        if this.found.has_more() {
            // First what was found on the way.
            this.found.end = Some(end);
            return Poll::Ready(None);
        }
        this.body.set(Body::empty());
        Poll::Ready(Some(end))
    }
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
            read: 0,
            has_begun: false,
            end: None,
        }
    }

    /// Of an answer that is there, whole.
    pub(super) fn whole(body: Bytes, usage: Option<providers::Usage>) -> Self {
        let mut found = Self { tally: Tally::of_whole(usage), ..Self::pieces() };
        found.events.push_back(Event::unnamed(body.clone()));
        found.pieces.push_back(body);
        found
    }

    pub(super) const fn is_events(&self) -> bool {
        self.decoder.is_some()
    }

    const fn progress(&self) -> Progress {
        match (self.tally.is_complete(), self.has_begun) {
            (true, _) => Progress::Complete,
            (false, true) => Progress::Running,
            (false, false) => Progress::Beginning,
        }
    }

    /// Whether there is anything to hand out.
    fn has_more(&self) -> bool {
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
    fn take_in(&mut self, chunk: &Bytes) -> bool {
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
        self.read = self.read.saturating_add(chunk.len());
        if self.wanted == Wanted::Either && !self.has_begun && self.read > self.limit {
            self.end.get_or_insert(End::Broken(format!("no event in the first {} bytes", self.limit)));
        }
        has_events
    }

    /// The body has ended.
    fn finish(&mut self) {
        if self.end.is_none() {
            self.decode(|decoder, on_event| decoder.finish(on_event));
        }
    }

    fn decode(
        &mut self,
        decode: impl FnOnce(
            &mut Decoder,
            &mut dyn FnMut(providers::sse::Event<'_>),
        ) -> Result<(), providers::sse::EventTooLarge>,
    ) -> bool {
        let Self { decoder, tally, events, wanted, end, .. } = self;
        let Some(decoder) = decoder else { return false };
        let mut has_events = false;
        let mut on_event = |event: providers::sse::Event<'_>| {
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
