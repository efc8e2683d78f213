//! The transport on reqwest.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use reqwest::{Client, ClientBuilder, Url};
use tokio::time::timeout;

#[cfg(feature = "compression")]
use crate::compression;
use crate::error::{Fault, chain};
use crate::peer::Peer;
use crate::request::prepare;
use crate::upload::{self, Broken};
use crate::{Body, Error, Stage, Timeouts, Tls, Transport};

/// A [`Transport`] on [reqwest], for programs that have it anyway, or need what only its builder offers.
///
/// It keeps the same promises as [`HyperTransport`](crate::HyperTransport) but for these:
///
/// * reqwest does not tell when a request has its connection. So [`Timeouts::connect`] is that of the transport, whatever a
///   request says; the wait for the answer, of [`Timeouts::first_byte`], has that time on top; and who waited too long for an
///   answer may have waited for a connection.
/// * Proxies are reqwest's: those of the environment, on some platforms those of the system, or the builder's.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    timeouts: Timeouts,
    #[cfg(feature = "compression")]
    compression: bool,
}

impl ReqwestTransport {
    /// A transport with what `builder` says, but for the settings that would break a promise of [`Transport`]: redirects,
    /// retries, decoding, timeouts and TLS are not reqwest's. HTTP/2 is offered beside HTTP/1.1.
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`] where the platform has no certificates to trust, or `builder` something that reqwest refuses.
    pub fn new(builder: ClientBuilder, tls: &Tls, timeouts: Timeouts) -> Result<Self, Error> {
        let mut config = tls.config()?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = builder
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        if timeouts.connect < Duration::MAX {
            builder = builder.connect_timeout(timeouts.connect);
        }
        let client = builder.build().map_err(|cause| Error::at(Stage::Setup, None, Fault::Failed(cause.into())))?;
        Ok(Self {
            client,
            timeouts,
            #[cfg(feature = "compression")]
            compression: true,
        })
    }

    /// Whether answers are asked for in a compressed form, and decoded: yes by default. A request that has an
    /// `accept-encoding` of its own gets what it asks for, as it comes.
    #[cfg(feature = "compression")]
    #[must_use]
    pub fn compression(self, compression: bool) -> Self {
        Self { compression, ..self }
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let timeouts = request.extensions_mut().remove().unwrap_or(self.timeouts);
        let parsed = prepare(&mut request, &["http", "https"])
            .and_then(|peer| Ok((peer, Url::parse(&request.uri().to_string()).map_err(|error| error.to_string())?)));
        let (peer, url) = match parsed {
            Ok(parsed) => parsed,
            Err(reason) => return std::future::ready(Err(Error::invalid_request(reason))).boxed(),
        };
        #[cfg(feature = "compression")]
        let is_decoded = self.compression && compression::ask(request.headers_mut());
        let upload = upload::watch(request.body_mut());
        let (head, body) = request.into_parts();
        let mut request = reqwest::Request::new(head.method, url);
        *request.headers_mut() = head.headers;
        *request.body_mut() = outgoing(body);
        let response = self.client.execute(request);
        let connect = self.timeouts.connect;
        async move {
            let longest = connect.saturating_add(timeouts.first_byte);
            let response: Response<reqwest::Body> = match timeout(longest, response).await {
                Err(_) => return Err(Error::at(Stage::Response, Some(peer), Fault::TimedOut(longest))),
                Ok(Err(error)) => return Err(failed(error, peer, upload, connect)),
                Ok(Ok(response)) => response.into(),
            };
            let response = response.map(|body| Body::watched(body, Some(peer.clone()), timeouts.idle, None));
            #[cfg(feature = "compression")]
            if is_decoded {
                return Ok(compression::decode(response, &peer));
            }
            Ok(response)
        }
        .boxed()
    }
}

/// The body as reqwest takes it. A body without content is none.
fn outgoing(body: Body) -> Option<reqwest::Body> {
    match body.as_bytes() {
        Some(bytes) if bytes.is_empty() => None,
        Some(bytes) => Some(bytes.clone().into()),
        None => Some(reqwest::Body::wrap(Shared(Mutex::new(body)))),
    }
}

/// Sorts an error of the client by how far the request got. It tells less of it than hyper.
#[cold]
fn failed(error: reqwest::Error, peer: Peer, upload: Option<Broken>, connect: Duration) -> Error {
    if let Some(broken) = upload.and_then(|upload| upload.take()) {
        return broken.of_request(peer);
    }
    let stage = match &error {
        error if error.is_builder() => Stage::Request,
        error if error.is_connect() => Stage::Connect,
        _ => Stage::Response,
    };
    if stage == Stage::Connect && error.is_timeout() {
        return Error::at(stage, Some(peer), Fault::TimedOut(connect));
    }
    // hyper says "canceled" of a request that it took back before writing any of it.
    let taken_back = chain(&error).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_canceled);
    // Its text, and that of each cause, may have the path and the query in it.
    let error = Error::at(stage, Some(peer), Fault::Failed(error.without_url().into()));
    if taken_back { error.unsent() } else { error }
}

/// A body that is [`Sync`], which reqwest asks for and nobody makes use of.
struct Shared(Mutex<Body>);

impl http_body::Body for Shared {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner)).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}
