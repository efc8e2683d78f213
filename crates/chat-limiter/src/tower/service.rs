//! The service that the layer makes.

use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Body;
use tower_service::Service;

use super::{BoxError, ResponseBody, ResponseFuture};
use crate::ChatLimiter;

/// Lets requests through to `S` as the limits allow. See [the module](super).
///
/// It is always ready: what a request costs is not known before [`call`](Service::call) has seen it, so requests wait in
/// their futures. The service inside is asked whether it is ready when there is room for the request, and not before: its
/// own capacity (a connection, a place among so many at once) is not held while the request waits.
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: S,
    limiter: ChatLimiter,
    request_limit: usize,
}

impl<S> RateLimit<S> {
    pub(super) const fn new(inner: S, limiter: ChatLimiter, request_limit: usize) -> Self {
        Self { inner, limiter, request_limit }
    }

    /// The service inside.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The limits, live.
    pub const fn limiter(&self) -> &ChatLimiter {
        &self.limiter
    }
}

impl<S, Sent, Received> Service<http::Request<Sent>> for RateLimit<S>
where
    S: Service<http::Request<Sent>, Response = http::Response<Received>> + Clone,
    S::Error: Into<BoxError>,
    Sent: Body + From<Bytes> + Send + 'static,
    Sent::Data: Send,
    Sent::Error: Into<BoxError>,
    Received: Body,
    Received::Error: std::fmt::Display,
{
    type Response = http::Response<ResponseBody<Received>>;
    type Error = BoxError;
    type Future = ResponseFuture<S, Sent>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Sent>) -> Self::Future {
        ResponseFuture::new(self.inner.clone(), self.limiter.clone(), request, self.request_limit)
    }
}
