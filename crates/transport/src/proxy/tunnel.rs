//! A tunnel through an HTTP proxy: `CONNECT`.
//!
//! hyper-util has one too. It keeps to itself with which status a proxy refused, and a proxy that forbids a host is another
//! matter than one that cannot find it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};

use super::error::Refusal;
use crate::error::Cause;

/// Asks the proxy at the other end of `io` to connect to `authority`, a host and port; `io` then ends there.
pub(crate) async fn open<Io>(io: Io, authority: &str, authorization: Option<HeaderValue>) -> Result<Io, Cause>
where
    Io: Read + Write + Unpin + Send + 'static,
{
    let had_credentials = authorization.is_some();
    let mut request = Request::connect(authority).header(header::HOST, authority).body(Empty::<Bytes>::new())?;
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization);
    }
    let (mut sender, mut connection) = http1::handshake(io).await?;
    let mut response = pin!(sender.send_request(request));
    let mut ended = false;
    // The response comes of the connection's being polled; none comes after it has ended.
    let response = poll_fn(|cx| {
        if !ended && let Poll::Ready(end) = connection.poll_without_shutdown(cx) {
            end?;
            ended = true;
        }
        response.as_mut().poll(cx)
    });
    let status = response.await?.status();
    if status != http::StatusCode::OK {
        return Err(Refusal::of(status, had_credentials).into());
    }
    if !ended {
        poll_fn(|cx| connection.poll_without_shutdown(cx)).await?;
    }
    let parts = connection.into_parts();
    if parts.read_buf.is_empty() { Ok(parts.io) } else { Err(Refusal::Garbled.into()) }
}
