//! Ways to get a connection: TCP as it should be set up, one's own dial function, and a bound on each attempt.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use pin_project::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::error::Cause;

/// How long a TCP connection is silent before the kernel asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// No attempt to connect outlives this.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(300);

/// Plain TCP: small requests leave at once, and a dead peer is noticed while a long answer is awaited.
pub(crate) fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(KEEPALIVE));
    connector
}

/// A connector that dials with `dial`, which gets the URI with the scheme and authority to connect to.
///
/// The connection speaks HTTP/1.1, or HTTP/2 after [`ConnectFn::http2`].
///
/// ```
/// use transport::{HyperTransport, Timeouts};
///
/// // Every host is this socket.
/// let connector = transport::from_fn(|_uri| tokio::net::TcpStream::connect(("127.0.0.1", 8080)));
/// let transport = HyperTransport::with_connector(connector, Timeouts::default());
/// ```
pub fn from_fn<F, Dialing, Io, E>(dial: F) -> ConnectFn<F>
where
    F: Fn(Uri) -> Dialing,
    Dialing: Future<Output = Result<Io, E>>,
{
    ConnectFn { dial, http2: false }
}

/// A connector made of a function: see [`from_fn`].
#[derive(Clone, Debug)]
pub struct ConnectFn<F> {
    dial: F,
    http2: bool,
}

impl<F> ConnectFn<F> {
    /// The same connector, whose connections speak HTTP/2 without negotiating it.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }
}

impl<F, Dialing, Io, E> Service<Uri> for ConnectFn<F>
where
    F: Fn(Uri) -> Dialing,
    Dialing: Future<Output = Result<Io, E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Dialed<Io>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let http2 = self.http2;
        let dialing = (self.dial)(uri);
        Box::pin(async move {
            let io = dialing.await.map_err(Into::into)?;
            Ok(Dialed { io: TokioIo::new(io), http2 })
        })
    }
}

/// A connection that a [`ConnectFn`] dialed.
#[pin_project]
#[derive(Debug)]
pub struct Dialed<Io> {
    #[pin]
    io: TokioIo<Io>,
    http2: bool,
}

impl<Io> Connection for Dialed<Io> {
    fn connected(&self) -> Connected {
        if self.http2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl<Io: AsyncRead> Read for Dialed<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_read(cx, buffer)
    }
}

impl<Io: AsyncWrite> Write for Dialed<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.project().io.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().io.poll_write_vectored(cx, slices)
    }
}

/// A connector whose every attempt ends.
///
/// The pool lets an attempt run on when its request has meanwhile got another connection. Nobody waits for that
/// attempt, so without this a peer that accepts and stays mute would hold it for ever.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<C>(pub(crate) C);

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Cause>,
{
    type Response = C::Response;
    type Error = Cause;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(LONGEST_ATTEMPT, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, elapsed).into()),
            }
        })
    }
}
