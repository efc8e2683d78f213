//! The transport on hyper: pooled connections and a timeout for each stage.

use std::pin::pin;
use std::sync::Arc;
use std::{error::Error as StdError, fmt};

use futures::future::{BoxFuture, Either, FutureExt, select};
use http::{Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::rt::{Read, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, Connection, HttpConnector, capture_connection};
use hyper_util::client::legacy::{self, Client, ResponseFuture};
use tokio::time::timeout;
use tower_service::Service;

use crate::connector::{self, Bounded};
use crate::error::Fault;
use crate::peer::Peer;
use crate::proxy::{Proxies, Proxy, Refusal};
use crate::route::Dialer;
use crate::upload::{self, Broken};
use crate::{Body, Error, HyperBuilder, Stage, Timeouts, Transport, builder};

/// A [`Transport`] on hyper, with pooled connections that speak HTTP/1.1 or HTTP/2.
///
/// Made by [`https`](HyperTransport::https), or with settings by [`builder`](HyperTransport::builder).
///
/// Redirects are not followed. The version of a request and its `content-length` and `transfer-encoding` are the
/// connection's affair: what the caller wrote there is replaced.
///
/// It is used inside a tokio runtime with I/O and time enabled. Clones share the pool.
pub struct HyperTransport<C = HttpsConnector<Dialer>> {
    client: Client<Bounded<C>, Body>,
    timeouts: Timeouts,
    schemes: &'static [&'static str],
    proxies: Proxies,
}

impl HyperTransport {
    /// A transport for `https` and `http` URIs, which trusts the platform's certificates and goes through the proxies that
    /// the environment names ([`Proxies::from_environment`]).
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`] where the platform has no certificates to trust, or the environment a proxy that cannot be used.
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
        Self::with_connector(connector::tcp(), timeouts).without_tls()
    }
}

impl<C> HyperTransport<C> {
    pub(crate) fn without_tls(self) -> Self {
        Self { schemes: &["http"], ..self }
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
        Self::assemble(&builder::client(), connector, timeouts)
    }

    pub(crate) fn assemble(client: &legacy::Builder, connector: C, timeouts: Timeouts) -> Self {
        let client = client.build(Bounded(connector));
        Self { client, timeouts, schemes: &["http", "https"], proxies: Proxies::none() }
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
        let upload = upload::watch(request.body_mut());
        let connection = capture_connection(&mut request);
        let response = self.client.request(request);
        match proxy {
            None => exchange(response, connection, peer, timeouts, upload).boxed(),
            Some(proxy) => {
                forwarded(exchange(response, connection, peer.clone(), timeouts, upload), proxy, peer).boxed()
            }
        }
    }
}

/// Refuses what cannot be sent, and takes out what only the connection can know.
fn prepare(request: &mut Request<Body>, schemes: &[&str]) -> Result<Peer, String> {
    let peer = Peer::parse(request.uri())?;
    let scheme = request.uri().scheme_str().unwrap_or_default();
    if !schemes.contains(&scheme) {
        return Err(format!("this transport has no TLS for a URL with the scheme {scheme}"));
    }
    if request.method() == Method::CONNECT {
        return Err("the method CONNECT is for proxies".to_owned());
    }
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(header::CONTENT_LENGTH);
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    Ok(peer)
}

/// Waits for a connection, then for the head of the response, each within its time.
async fn exchange(
    response: ResponseFuture,
    mut connection: CaptureConnection,
    peer: Peer,
    timeouts: Timeouts,
    upload: Option<Broken>,
) -> Result<Response<Body>, Error> {
    let connected = async {
        connection.wait_for_connection_metadata().await;
    };
    let outcome = match timeout(timeouts.connect, select(response, pin!(connected))).await {
        Err(_) => return Err(Error::at(Stage::Connect, Some(peer), Fault::TimedOut(timeouts.connect))),
        Ok(Either::Left((outcome, _))) => outcome,
        Ok(Either::Right(((), response))) => match timeout(timeouts.first_byte, response).await {
            Err(_) => return Err(Error::at(Stage::Response, Some(peer), Fault::TimedOut(timeouts.first_byte))),
            Ok(outcome) => outcome,
        },
    };
    match outcome {
        Ok(response) => Ok(response.map(|body| Body::watched(body, Some(peer), timeouts.idle))),
        Err(error) => match upload.and_then(|upload| upload.take()) {
            Some(broken) => Err(broken.of_request(peer)),
            None => Err(failed(error, peer, connection.connection_metadata().is_some())),
        },
    }
}

/// The answer to a request that `proxy` read, unless that is the proxy's own refusal.
async fn forwarded(
    exchange: impl Future<Output = Result<Response<Body>, Error>>,
    proxy: Arc<Proxy>,
    peer: Peer,
) -> Result<Response<Body>, Error> {
    let response = exchange.await?;
    if response.status() != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return Ok(response);
    }
    let cause = proxy.failed(Refusal::of(response.status(), proxy.authorization().is_some()));
    Err(Error::at(Stage::Connect, Some(peer), Fault::Failed(cause.into())))
}

/// Sorts an error of the client by how far the request got.
#[cold]
fn failed(error: legacy::Error, peer: Peer, connected: bool) -> Error {
    let stage = if error.is_connect() || !connected { Stage::Connect } else { Stage::Response };
    // hyper says "canceled" of a request that it took back before writing any of it.
    let taken_back = error.source().and_then(|cause| cause.downcast_ref()).is_some_and(hyper::Error::is_canceled);
    let error = Error::at(stage, Some(peer), Fault::Failed(error.into()));
    if taken_back { error.unsent() } else { error }
}

impl<C: Clone> Clone for HyperTransport<C> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            timeouts: self.timeouts,
            schemes: self.schemes,
            proxies: self.proxies.clone(),
        }
    }
}

impl<C> fmt::Debug for HyperTransport<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}
