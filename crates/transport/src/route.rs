//! From here to a host: straight, or through a proxy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use pin_project::pin_project;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::error::Cause;
use crate::proxy::{Proxies, Proxy, open_tunnel};

/// The connector under the TLS of a [`HyperTransport`](crate::HyperTransport): TCP to a host, straight or through a proxy.
#[derive(Clone, Debug)]
pub struct Dialer {
    tcp: HttpConnector,
    /// TCP, and TLS to a proxy that wants it, under the TLS to the host.
    to_proxy: HttpsConnector<HttpConnector>,
    proxies: Proxies,
}

impl Dialer {
    pub(crate) const fn new(tcp: HttpConnector, to_proxy: HttpsConnector<HttpConnector>, proxies: Proxies) -> Self {
        Self { tcp, to_proxy, proxies }
    }
}

impl Service<Uri> for Dialer {
    type Response = Route;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Route, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The other connector is on top of the same kind, which is always ready.
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.of(&uri).cloned() else {
            let dialing = self.tcp.call(uri);
            return async move { Ok(Route { io: MaybeHttpsStream::Http(dialing.await?), is_forwarded: false }) }
                .boxed();
        };
        let mut dialer = self.clone();
        async move {
            let through =
                if proxy.is_socks() { dialer.socks(&proxy, &uri).await } else { dialer.http(&proxy, &uri).await };
            through.map_err(|cause| proxy.failed(cause).into())
        }
        .boxed()
    }
}

impl Dialer {
    async fn socks(&mut self, proxy: &Proxy, uri: &Uri) -> Result<Route, Cause> {
        let mut socks = SocksV5::new(proxy.dialed().clone(), self.tcp.clone());
        if let Some((user, password)) = proxy.user() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        // Without a port it would take that of TLS.
        let target = Uri::builder().scheme("http").authority(authority(uri)).path_and_query("/").build()?;
        let io = socks.call(target).await?;
        Ok(Route { io: MaybeHttpsStream::Http(io), is_forwarded: false })
    }

    async fn http(&mut self, proxy: &Proxy, uri: &Uri) -> Result<Route, Cause> {
        let io = self.to_proxy.call(proxy.dialed().clone()).await?;
        if uri.scheme_str() != Some("https") {
            return Ok(Route { io, is_forwarded: true });
        }
        let io = open_tunnel(io, &authority(uri), proxy.authorization().cloned()).await?;
        Ok(Route { io, is_forwarded: false })
    }
}

/// Host and port.
fn authority(uri: &Uri) -> String {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default))
}

/// A connection that a [`Dialer`] made: to the host, or to a proxy that passes requests on.
#[pin_project]
#[derive(Debug)]
pub struct Route {
    #[pin]
    io: MaybeHttpsStream<TokioIo<TcpStream>>,
    is_forwarded: bool,
}

impl Connection for Route {
    fn connected(&self) -> Connected {
        // What was agreed on with the proxy says nothing about the host.
        Connected::new().proxy(self.is_forwarded)
    }
}

impl Read for Route {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_read(cx, buffer)
    }
}

impl Write for Route {
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
