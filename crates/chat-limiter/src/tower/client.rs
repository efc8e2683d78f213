//! The client as a tower service.

use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use tower_service::Service;

use crate::{ChatLimiter, Error, Request};

/// As [`ChatLimiter::request`]: limits, retries and credentials included. The URI is a path (and query), or a whole URL
/// that leads to the client's own host. It is always ready; requests wait in their futures.
///
/// A [`Priority`](crate::Priority) in the extensions of the request counts. The response is a success; its
/// [`Usage`](crate::providers::Usage) is in its extensions where the answer tells it. Anything else is an [`Error`].
impl Service<http::Request<Bytes>> for ChatLimiter {
    type Response = http::Response<Bytes>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let limiter = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let mut request = Request::post(head.uri.to_string(), body);
            request.method = head.method;
            request.headers = head.headers;
            if let Some(priority) = head.extensions.get() {
                request.priority = *priority;
            }
            let answer = limiter.request(request).await?;
            let mut response = http::Response::new(answer.body);
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            response.extensions_mut().extend(answer.usage.map(extension).unwrap_or_default());
            Ok(response)
        })
    }
}

fn extension(usage: providers::Usage) -> http::Extensions {
    let mut extensions = http::Extensions::new();
    extensions.insert(usage);
    extensions
}
