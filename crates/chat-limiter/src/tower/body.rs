//! The body of a response, followed to its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::hold::Hold;
use super::reading::Reading;

/// The body of a response: what the service inside sent, unchanged. When it ends, what the request took is settled;
/// dropped before its end, the request stays counted with what was reserved for it.
#[pin_project]
pub struct ResponseBody<B> {
    #[pin]
    inner: B,
    /// Gone at the end.
    reading: Option<Reading>,
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, head: &http::response::Parts, hold: Box<Hold>) -> Self {
        let reading = Reading::new(head, hold);
        if inner.is_end_stream() {
            // Nobody has to look for a frame.
            reading.end();
            return Self { inner, reading: None };
        }
        Self { inner, reading: Some(reading) }
    }
}

impl<B: Body> Body for ResponseBody<B>
where
    B::Error: fmt::Display,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = match ready!(this.inner.as_mut().poll_frame(context)) {
            Some(Ok(frame)) => frame.map_data(|mut data| data.copy_to_bytes(data.remaining())),
            Some(Err(error)) => {
                if let Some(reading) = this.reading.take() {
                    reading.break_off(&error.to_string());
                }
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                this.reading.take().into_iter().for_each(Reading::end);
                return Poll::Ready(None);
            }
        };
        if let (Some(reading), Some(data)) = (this.reading.as_mut(), frame.data_ref()) {
            reading.push(data);
        }
        // Who knows the length does not ask for another frame.
        if this.inner.is_end_stream() {
            this.reading.take().into_iter().for_each(Reading::end);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("ended", &self.reading.is_none()).finish_non_exhaustive()
    }
}
