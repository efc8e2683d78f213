//! The body of a request or a response: a stream of chunks that neither stalls nor grows without bound.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use http::Uri;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody};
use pin_project::pin_project;
use tokio::time::Sleep;

use crate::error::{Cause, Error, Fault, Stage};
use crate::peer::Peer;
use crate::pools::Place;

/// The body of a request or of a response.
///
/// For a request, [`from_bytes`](Body::from_bytes) costs no allocation and is sent with its exact length;
/// [`from_stream`](Body::from_stream) and [`new`](Body::new) are sent as they come.
///
/// That of a response is read as it arrives. Read it by [`chunk`](Body::chunk), whole by [`collect_bounded`](Body::collect_bounded), or as an
/// [`http_body::Body`]. After an error it is at its end. Dropping it gives the rest of the response up.
pub struct Body {
    peer: Option<Peer>,
    state: State,
}

enum State {
    Whole(Bytes),
    Streaming(Pin<Box<dyn http_body::Body<Data = Bytes, Error = Fault> + Send>>),
}

const END: State = State::Whole(Bytes::new());

impl Body {
    /// A body without content.
    #[must_use]
    pub fn empty() -> Self {
        Self { peer: None, state: END }
    }

    /// A body that is all there.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self { peer: None, state: State::Whole(bytes.into()) }
    }

    /// A body of chunks that come one after the other, such as a file that is too large to hold.
    ///
    /// Its length is not known before it ends. Where a server needs to know it, give an [`http_body::Body`] whose
    /// [`size_hint`](http_body::Body::size_hint) is exact to [`new`](Body::new).
    pub fn from_stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::new(StreamBody::new(chunks.map_ok(Frame::data)))
    }

    /// Any body, without a timeout. Its errors become those of [`Stage::Body`]; an [`Error`] stays what it is.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::watched(body, None, Duration::MAX, None)
    }

    /// The body of a response from `uri`, which fails when its next chunk is awaited for longer than `idle`.
    ///
    /// Of the URI, the host and port are kept, for errors.
    pub fn received<B>(body: B, uri: &Uri, idle: Duration) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::watched(body, Peer::parse(uri).ok(), idle, None)
    }

    /// `place` is given up at the end.
    pub(crate) fn watched<B>(body: B, peer: Option<Peer>, idle: Duration, place: Option<Place>) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Cause>,
    {
        Self { peer, state: State::Streaming(Box::pin(Watched { body, idle, timer: None, _place: place })) }
    }

    /// What is left of a body that is all there, `None` of one that streams.
    #[must_use]
    pub const fn as_bytes(&self) -> Option<&Bytes> {
        match &self.state {
            State::Whole(bytes) => Some(bytes),
            State::Streaming(_) => None,
        }
    }

    /// A body that has already failed.
    #[cfg(feature = "compression")]
    pub(crate) fn failed(error: Error) -> Self {
        Self::from_stream(futures::stream::once(std::future::ready(Err::<Bytes, _>(error))))
    }

    /// A body that comes from `peer` and is decoded.
    #[cfg(feature = "compression")]
    pub(crate) fn decoded(body: crate::compression::Decoded, peer: Peer) -> Self {
        Self { peer: Some(peer), state: State::Streaming(Box::pin(body)) }
    }

    /// The next chunk, or `None` at the end. Empty chunks and trailers are passed over.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::is_timeout`] when nothing came for the idle timeout, [`Error::is_body`] for whatever else broke.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.frame().await {
            if let Ok(chunk) = frame?.into_data()
                && !chunk.is_empty()
            {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// All of the body, where it is at most `limit` bytes long.
    ///
    /// # Errors
    ///
    /// [`Error::is_body_too_large`] as soon as it is known to be larger, if possible before reading any of it; and the
    /// errors of [`chunk`](Body::chunk).
    pub async fn collect_bounded(mut self, limit: usize) -> Result<Bytes, Error> {
        let announced = http_body::Body::size_hint(&self).lower();
        if usize::try_from(announced).map_or(true, |announced| announced > limit) {
            return Err(self.fail(Fault::TooLarge(limit)));
        }
        let mut room = limit;
        let mut next = async || {
            let chunk = self.chunk().await?;
            match room.checked_sub(chunk.as_ref().map_or(0, Bytes::len)) {
                Some(rest) => room = rest,
                None => return Err(self.fail(Fault::TooLarge(limit))),
            }
            Ok(chunk)
        };
        // Most bodies are one chunk, which need not be copied.
        let Some(first) = next().await? else { return Ok(Bytes::new()) };
        let Some(second) = next().await? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity(2 * (first.len() + second.len()));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Ends the body, which closes what it was read from, and makes the error of it.
    fn fail(&mut self, fault: Fault) -> Error {
        self.state = END;
        Error::at(Stage::Body, self.peer.take(), fault)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match &mut self.state {
            State::Whole(bytes) if bytes.is_empty() => None,
            State::Whole(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            State::Streaming(body) => ready!(body.as_mut().poll_frame(cx)),
        };
        if frame.is_none() {
            self.state = END;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|fault| self.fail(fault))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Whole(bytes) => bytes.is_empty(),
            State::Streaming(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            State::Streaming(body) => body.size_hint(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::from_bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_bytes(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from_bytes(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from_bytes(text)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// A body that fails when its next frame is awaited for too long.
#[pin_project]
struct Watched<B> {
    #[pin]
    body: B,
    idle: Duration,
    /// Runs only while somebody waits, so that a slow reader is not mistaken for a stalled server.
    #[pin]
    timer: Option<Sleep>,
    _place: Option<Place>,
}

impl<B> http_body::Body for Watched<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Cause>,
{
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            this.timer.set(None);
            return Poll::Ready(frame.map(|frame| frame.map_err(|cause| Fault::Failed(cause.into()))));
        }
        if this.timer.is_none() && *this.idle < Duration::MAX {
            this.timer.set(Some(tokio::time::sleep(*this.idle)));
        }
        match this.timer.as_pin_mut() {
            None => Poll::Pending,
            Some(timer) => timer.poll(cx).map(|()| Some(Err(Fault::TimedOut(*this.idle)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
