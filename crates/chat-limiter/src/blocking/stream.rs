//! Answers that come as a stream, as an iterator.

use std::pin::Pin;

use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use providers::Usage;

use super::ChatLimiter;
use crate::{Error, Event, History};

/// An answer that comes as a stream of events: [`chat_limiter::AnswerStream`](crate::AnswerStream) as an iterator, whose
/// `next` blocks until there is another event.
///
/// It holds its capacity until it ends or is dropped.
///
/// ```no_run
/// use chat_limiter::blocking::ChatLimiter;
/// use chat_limiter::{ChatRequest, Error, Message};
///
/// fn tell(limiter: &ChatLimiter) -> Result<(), Error> {
///     let request = ChatRequest::new("gpt-4o-mini", vec![Message::user("Tell me a story.")]);
///     for event in limiter.chat_stream(&request)? {
///         print!("{}", event?.text().unwrap_or_default());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "a stream that is not read holds its capacity until it is dropped"]
pub struct AnswerStream {
    inner: Pin<Box<crate::AnswerStream>>,
    /// Its thread reads the connection.
    limiter: ChatLimiter,
}

impl AnswerStream {
    pub(super) fn new(inner: crate::AnswerStream, limiter: ChatLimiter) -> Self {
        Self { inner: Box::pin(inner), limiter }
    }

    /// The status, 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The provider's identifier of the answer, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id()
    }

    /// The tokens that it took, as far as it has said so. Final when it has ended.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.inner.usage()
    }

    /// Whether it has said that nothing more comes.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.inner.is_complete()
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts()
    }

    /// Every attempt: when it was sent, how long it waited, and what became of it.
    #[must_use]
    pub fn history(&self) -> &History {
        self.inner.history()
    }
}

impl Iterator for AnswerStream {
    type Item = Result<Event, Error>;

    /// The next event. Inside an async runtime, an error, and nothing is lost: it can be read on elsewhere.
    fn next(&mut self) -> Option<Self::Item> {
        self.limiter.block_on(self.inner.next()).unwrap_or_else(|error| Some(Err(error)))
    }
}
