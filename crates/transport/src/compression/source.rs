//! A body as decoders read it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Body, Error};

/// The bytes of a body.
pub(super) struct Source {
    body: Body,
    chunk: Bytes,
    /// Whether something was given since the reader last had to wait.
    is_fresh: bool,
    broken: Option<Error>,
}

impl Source {
    pub(super) const fn new(body: Body) -> Self {
        Self { body, chunk: Bytes::new(), is_fresh: false, broken: None }
    }
}

impl AsyncBufRead for Source {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() && this.broken.is_none() {
            match http_body::Body::poll_frame(Pin::new(&mut this.body), cx) {
                Poll::Pending => {
                    this.is_fresh = false;
                    return Poll::Pending;
                }
                Poll::Ready(None) => return Poll::Ready(Ok(&[])),
                Poll::Ready(Some(Ok(frame))) => this.chunk = frame.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(error))) => this.broken = Some(error),
            }
        }
        if !this.chunk.is_empty() {
            this.is_fresh = true;
            return Poll::Ready(Ok(&this.chunk));
        }
        // A decoder forgets what it has written when its source fails; when it has to wait, it hands that out.
        if std::mem::take(&mut this.is_fresh) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(this.broken.take().map_or(Ok(&[]), |error| Err(io::Error::other(error))))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let chunk = &mut self.get_mut().chunk;
        chunk.advance(amount.min(chunk.len()));
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let part = bytes.get(..buffer.remaining()).unwrap_or(bytes);
        buffer.put_slice(part);
        let amount = part.len();
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}
