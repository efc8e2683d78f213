//! The body of a stream as it is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Uri;
use http_body::Body as _;
use pin_project::pin_project;
use transport::{Body, Stage};

use super::found::{End, Found};
use super::timer::{Patience, Timer};
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
        if let Some(within) = this.timer.passed().filter(|_| !is_complete) {
            this.body.set(Body::empty());
            return Poll::Ready(Some(overdue(this.uri, within)));
        }
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
                match (is_complete, this.timer.passed()) {
                    (true, _) => End::Complete,
                    (false, Some(within)) => overdue(this.uri, within),
                    (false, None) => End::Transport(transport::Error::timed_out(Stage::Body, this.uri, waited)),
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

/// The whole stream took too long.
fn overdue(uri: &Uri, within: Duration) -> End {
    let why = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("not done within {within:?}"));
    End::Transport(transport::Error::new(Stage::Body, uri, why))
}
