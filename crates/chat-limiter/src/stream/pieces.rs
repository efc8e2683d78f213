//! A stream as its bytes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use pin_project::pin_project;

use super::AnswerStream;
use crate::Error;

/// The bytes of a streamed answer as they come. It is followed, settled and ended by errors as the [`AnswerStream`] it was
/// made of.
#[pin_project]
#[derive(Debug)]
#[must_use = "a stream that is not read holds its capacity until it is dropped"]
pub struct AnswerBytes {
    #[pin]
    stream: AnswerStream,
}

impl AnswerBytes {
    pub(super) const fn new(stream: AnswerStream) -> Self {
        Self { stream }
    }

    /// The stream: its head, its attempts, and the usage that it has stated.
    pub const fn stream(&self) -> &AnswerStream {
        &self.stream
    }
}

impl Stream for AnswerBytes {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().stream.poll_item(context, |found| found.pieces.pop_front())
    }
}
