//! The transport on hyper: pooled connections, and what is done to a request before it is sent.

use std::{error::Error as StdError, fmt};

use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response, Uri, header};
use hyper::rt::{Read, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{Connection, HttpConnector, capture_connection};
use tower_service::Service;

#[cfg(feature = "compression")]
use crate::compression;
use crate::connector;
use crate::exchange::Exchange;
use crate::pools::{Pools, REQUESTS_PER_CONNECTION};
use crate::proxy::Proxies;
use crate::request::prepare;
use crate::route::Dialer;
use crate::upload;
use crate::{Body, Error, HyperBuilder, Timeouts, Transport, builder};

/// A [`Transport`] on hyper, with pooled connections that speak HTTP/1.1 or HTTP/2.
///
/// Made by [`https`](HyperTransport::https), or with settings by [`builder`](HyperTransport::builder).
///
/// Redirects are not followed. The version of a request and its `content-length` and `transfer-encoding` are the
/// connection's affair: what the caller wrote there is replaced.
///
/// It is used inside a tokio runtime with I/O and time enabled. Clones share the pools.
pub struct HyperTransport<C = HttpsConnector<Dialer>> {
    pools: Pools<C>,
    timeouts: Timeouts,
    schemes: &'static [&'static str],
    proxies: Proxies,
    #[cfg(feature = "compression")]
    compression: bool,
}

impl HyperTransport {
    /// A transport for `https` and `http` URIs, which trusts the platform's certificates and goes through the proxies that
    /// the environment names ([`Proxies::from_environment`]).
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`](crate::Stage::Setup) where the platform has no certificates to trust, or the environment a proxy that
    /// cannot be used.
    pub fn https(timeouts: Timeouts) -> Result<Self, Error> {
        Self::builder().timeouts(timeouts).build()
    }

    /// Settings of a transport: whom to trust, which proxies, how to pool.
    pub fn builder() -> HyperBuilder {
        HyperBuilder::new()
    }
}

impl HyperTransport<HttpConnector> {
    /// A transport for `http` URIs alone, for servers of one's own: it needs no certificates, asks no proxy and cannot fail.
    #[must_use]
    pub fn http(timeouts: Timeouts) -> Self {
        // It speaks HTTP/1.1, of which a connection carries one.
        Self::assemble(Pools::new(builder::client(), connector::tcp(), usize::MAX), timeouts).without_tls()
    }
}

impl<C> HyperTransport<C> {
    pub(crate) fn without_tls(self) -> Self {
        Self { schemes: &["http"], ..self }
    }

    /// Whether answers are asked for in a compressed form, and decoded: yes by default. A request that has an
    /// `accept-encoding` of its own gets what it asks for, as it comes.
    #[cfg(feature = "compression")]
    #[must_use]
    pub fn compression(self, compression: bool) -> Self {
        Self { compression, ..self }
    }

    pub(crate) fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }
}

impl<C> HyperTransport<C>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
    C::Error: Into<Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
{
    /// A transport whose connections come from `connector`: any of hyper-util's, or one of [`from_fn`](crate::from_fn).
    pub fn with_connector(connector: C, timeouts: Timeouts) -> Self {
        Self::assemble(Pools::new(builder::client(), connector, REQUESTS_PER_CONNECTION), timeouts)
    }

    pub(crate) fn assemble(pools: Pools<C>, timeouts: Timeouts) -> Self {
        Self {
            pools,
            timeouts,
            schemes: &["http", "https"],
            proxies: Proxies::none(),
            #[cfg(feature = "compression")]
            compression: true,
        }
    }
}

impl<C> Transport for HyperTransport<C>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
    C::Error: Into<Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
{
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let timeouts = request.extensions_mut().remove().unwrap_or(self.timeouts);
        let peer = match prepare(&mut request, self.schemes) {
            Ok(peer) => peer,
            Err(reason) => return std::future::ready(Err(Error::invalid_request(reason))).boxed(),
        };
        let proxy = self.proxies.forwarding(request.uri()).cloned();
        if let Some(authorization) = proxy.as_ref().and_then(|proxy| proxy.authorization()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        #[cfg(feature = "compression")]
        let is_decoded = self.compression && compression::ask(request.headers_mut());
        let upload = upload::watch(request.body_mut());
        let connection = capture_connection(&mut request);
        let (response, place) = self.pools.send(request);
        let exchange = Exchange {
            peer,
            timeouts,
            connection,
            place,
            upload,
            proxy,
            #[cfg(feature = "compression")]
            is_decoded,
        };
        exchange.run(response).boxed()
    }
}

impl<C> Clone for HyperTransport<C> {
    fn clone(&self) -> Self {
        Self {
            pools: self.pools.clone(),
            timeouts: self.timeouts,
            schemes: self.schemes,
            proxies: self.proxies.clone(),
            #[cfg(feature = "compression")]
            compression: self.compression,
        }
    }
}

impl<C> fmt::Debug for HyperTransport<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}
