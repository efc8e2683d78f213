//! The future of one request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use limiter_core::Priority;
use pin_project::pin_project;
use tower_service::Service;

use super::hold::{Hold, Unsent};
use super::{Again, BoxError, ResponseBody};
use crate::{ChatLimiter, Error};

/// Waits for room, sends, and resolves to the response.
///
/// Dropped before the request was passed on, it loses nothing; later, the request stays counted, because the provider may
/// have counted it.
#[pin_project]
#[must_use = "a future does nothing until it is polled"]
pub struct ResponseFuture<S: Service<Request<B>>, B> {
    #[pin]
    state: State<S, B>,
}

#[pin_project(project = StateProjection)]
#[expect(clippy::large_enum_variant, reason = "the request is on its way into the future of the next variant")]
enum State<S: Service<Request<B>>, B> {
    /// Boxed, because it waits for several things in turn, and for the longest time of all.
    Waiting { inner: Option<S>, admitted: BoxFuture<'static, Result<(Request<B>, Unsent), BoxError>> },
    /// There is room; the service inside is not ready yet.
    Ready { inner: S, admitted: Option<(Request<B>, Unsent)> },
    Sent {
        #[pin]
        response: S::Future,
        hold: Option<Box<Hold>>,
    },
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B>
where
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(inner: S, limiter: ChatLimiter, request: Request<B>, request_limit: usize) -> Self {
        let admitted = Box::pin(admit(limiter, request, request_limit));
        Self { state: State::Waiting { inner: Some(inner), admitted } }
    }
}

/// Reads the body of the request and waits until there is room for it.
async fn admit<B>(limiter: ChatLimiter, request: Request<B>, limit: usize) -> Result<(Request<B>, Unsent), BoxError>
where
    B: Body + From<Bytes>,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Error::request(format!("the body of the request is larger than {limit} bytes")).into());
        }
        Err(error) => return Err(error),
    };
    // What is sent is the caller's affair.
    let kind = head.headers.get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let encoding = head.headers.get(CONTENT_ENCODING).cloned().map(|encoding| (CONTENT_ENCODING, encoding));
    let sized = crate::Request {
        headers: [(CONTENT_TYPE, kind)].into_iter().chain(encoding).collect(),
        method: head.method.clone(),
        priority: head.extensions.get().copied().unwrap_or(Priority::NORMAL),
        ..crate::Request::post(head.uri.path(), body.clone())
    };
    let at_front = head.extensions.get::<Again>().is_some();
    let unsent = Hold::acquire(limiter, sized, at_front).await?;
    Ok((Request::from_parts(head, body.into()), unsent))
}

impl<S, B, Received> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = http::Response<Received>>,
    S::Error: Into<BoxError>,
    Received: Body,
    Received::Error: std::fmt::Display,
{
    type Output = Result<http::Response<ResponseBody<Received>>, BoxError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Waiting { inner, admitted } => {
                    let admitted = Some(ready!(admitted.as_mut().poll(context))?);
                    let Some(inner) = inner.take() else { return Poll::Pending };
                    state.set(State::Ready { inner, admitted });
                }
                StateProjection::Ready { inner, admitted } => {
                    ready!(inner.poll_ready(context)).map_err(Into::into)?;
                    let Some((request, unsent)) = admitted.take() else { return Poll::Pending };
                    let response = inner.call(request);
                    state.set(State::Sent { response, hold: unsent.sent() });
                }
                StateProjection::Sent { response, hold } => {
                    let response = ready!(response.poll(context));
                    let Some(hold) = hold.take() else { return Poll::Pending };
                    return Poll::Ready(received(response.map_err(Into::into), hold));
                }
            }
        }
    }
}

/// Watches the body of a response that has begun.
fn received<B: Body>(
    response: Result<http::Response<B>, BoxError>,
    mut hold: Box<Hold>,
) -> Result<http::Response<ResponseBody<B>>, BoxError> {
    match response {
        Ok(response) => {
            let (head, body) = response.into_parts();
            hold.observe(head.status, &head.headers);
            let body = ResponseBody::new(body, &head, hold);
            Ok(http::Response::from_parts(head, body))
        }
        Err(error) => {
            hold.fail(&error.to_string());
            Err(error)
        }
    }
}

impl<S: Service<Request<B>>, B> std::fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
