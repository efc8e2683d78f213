//! The streaming body of a request, whose failure is told to the caller and not only to the connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::{Body, Error};

/// Why the body of a request broke off, once it did.
///
/// HTTP/2 resets the stream in that case, and tells whoever waits for the answer no more than that.
pub(crate) struct Broken(Arc<Mutex<Option<Error>>>);

impl Broken {
    pub(crate) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Watches a body that streams; one that is all there cannot break off, and is left as it is.
pub(crate) fn watch(body: &mut Body) -> Option<Broken> {
    if body.as_bytes().is_some() {
        return None;
    }
    let broken = Arc::new(Mutex::new(None));
    let inner = std::mem::take(body);
    *body = Body::new(Upload { body: inner, broken: broken.clone() });
    Some(Broken(broken))
}

struct Upload {
    body: Body,
    broken: Arc<Mutex<Option<Error>>>,
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                io::Error::other("the body of the request broke off")
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
