//! What a stream has come to so far.

use providers::sse::Event;
use providers::{Failure, StreamUsage, Usage, produced_bytes};

/// English has about so many bytes a token.
const BYTES_PER_TOKEN: u64 = 4;

/// What a stream has said about itself, and how much it has produced.
#[derive(Debug, Default)]
pub(super) struct Tally {
    follower: StreamUsage,
    /// The usage of an answer that came whole.
    stated: Option<Usage>,
    produced_bytes: u64,
    has_events: bool,
    is_whole: bool,
}

impl Tally {
    /// Of an answer that came whole.
    pub(super) fn of_whole(usage: Option<Usage>) -> Self {
        Self { stated: usage, is_whole: true, ..Self::default() }
    }

    /// Takes in an event. Returns whether it is the one by which the stream fails.
    pub(super) fn read(&mut self, event: Event<'_>) -> bool {
        self.has_events = true;
        self.produced_bytes = self.produced_bytes.saturating_add(produced_bytes(event.data));
        let had_failed = self.follower.failure().is_some();
        self.follower.read(event);
        !had_failed && self.follower.failure().is_some()
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        self.stated.or_else(|| self.follower.usage())
    }

    pub(super) const fn failure(&self) -> Option<&Failure> {
        self.follower.failure()
    }

    /// Whether the stream has said that nothing more comes.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_whole || self.follower.is_complete()
    }

    /// An estimate of the tokens produced so far; `None` where the stream is not one of events, so that nothing can be told.
    pub(super) fn produced(&self) -> Option<u64> {
        self.has_events.then(|| self.produced_bytes.div_ceil(BYTES_PER_TOKEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bytes_of_whatever_is_produced_are_a_token() {
        let mut tally = Tally::default();
        assert_eq!((tally.produced(), tally.usage()), (None, None));
        for (data, produced) in [
            ("{\"type\":\"ping\"}", 0),
            ("{\"choices\":[{\"delta\":{\"content\":\"12345\"}}]}", 2),
            ("{\"choices\":[{\"delta\":{\"reasoning_content\":\"678\"}}]}", 2),
            ("[DONE]", 2),
        ] {
            assert!(!tally.read(Event { name: "", data }));
            assert_eq!(tally.produced(), Some(produced), "{data}");
        }
        assert!(tally.is_complete());
    }

    #[test]
    fn the_first_error_is_the_one_that_counts() {
        let mut tally = Tally::default();
        let error = |code| format!("{{\"error\":{{\"code\":{code},\"message\":\"m\"}}}}");
        assert!(tally.read(Event { name: "", data: &error(502) }));
        assert!(!tally.read(Event { name: "", data: &error(400) }));
        assert_eq!(tally.failure().map(|failure| failure.kind), Some(providers::ErrorKind::Transient));
    }
}
