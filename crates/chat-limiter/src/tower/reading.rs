//! What a response says while it passes.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use providers::StreamUsage;

use super::hold::Hold;

/// Bytes that are kept of a body to be read at its end. The usage of a larger answer is not known.
const LONGEST: usize = 16 << 20;

/// A response that is read along, and the capacity that it settles.
#[derive(Debug)]
pub(super) struct Reading {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
    /// There until it has ended.
    hold: Option<Box<Hold>>,
}

#[derive(Debug)]
enum Content {
    /// Events are read as they come, and none is kept.
    Events(Box<StreamUsage>),
    /// What is one value is kept until it is whole.
    Whole { chunks: Vec<Bytes>, length: usize },
    /// Nobody can tell what it says.
    Unreadable,
}

impl Reading {
    pub(super) fn new(head: &http::response::Parts, hold: Box<Hold>) -> Self {
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_events = head.status.is_success() && content_type.starts_with("text/event-stream");
        let content = match is_events {
            true => Content::Events(Box::default()),
            false => Content::Whole { chunks: Vec::new(), length: 0 },
        };
        Self { status: head.status, headers: head.headers.clone(), content, hold: Some(hold) }
    }

    /// The next part of the body.
    pub(super) fn push(&mut self, data: &Bytes) {
        let is_readable = match &mut self.content {
            Content::Events(events) => events.push(data).is_ok(),
            Content::Whole { chunks, length } => {
                *length = length.saturating_add(data.len());
                chunks.push(data.clone());
                *length <= LONGEST
            }
            Content::Unreadable => false,
        };
        if !is_readable {
            self.content = Content::Unreadable;
        }
    }

    /// The body has ended.
    pub(super) fn end(mut self) {
        let Some(hold) = self.hold.take() else { return };
        if !self.status.is_success() {
            return self.refuse(hold);
        }
        let read = match &mut self.content {
            Content::Events(events) => {
                // An event too large to be read says nothing.
                let _ = events.finish();
                events.failure().map_or_else(|| Ok(events.usage()), |failure| Err(Box::new(failure.clone())))
            }
            Content::Whole { chunks, .. } => hold.read(&whole(chunks)),
            Content::Unreadable => Ok(None),
        };
        match read {
            Ok(usage) => hold.settle(usage.as_ref()),
            Err(failure) => hold.refuse(failure, self.status),
        }
    }

    /// The body broke off.
    pub(super) fn break_off(mut self, why: &str) {
        let Some(hold) = self.hold.take() else { return };
        match self.status.is_success() {
            true => hold.fail(why),
            // The head has said enough.
            false => self.refuse(hold),
        }
    }

    fn refuse(&self, hold: Box<Hold>) {
        let body = match &self.content {
            Content::Whole { chunks, .. } => whole(chunks),
            Content::Events(_) | Content::Unreadable => Bytes::new(),
        };
        let failure = hold.classify(self.status, &self.headers, &body);
        hold.refuse(failure, self.status);
    }
}

impl Drop for Reading {
    /// Somebody has seen enough: of a failure, its head is. Of a success nobody knows what it took, so its hold is dropped
    /// and counts as abandoned.
    fn drop(&mut self) {
        if !self.status.is_success()
            && let Some(hold) = self.hold.take()
        {
            self.refuse(hold);
        }
    }
}

/// The chunks as one. Most bodies are one chunk, which need not be copied.
fn whole(chunks: &[Bytes]) -> Bytes {
    match chunks {
        [only] => only.clone(),
        chunks => chunks.concat().into(),
    }
}
