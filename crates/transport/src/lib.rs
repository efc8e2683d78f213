//! Sends HTTP requests and streams their responses, for clients of LLM providers.
//!
//! [`Transport`] is the whole contract: a request goes in, a response head and a streaming [`Body`] come out. The body of
//! the request is a [`Body`] too: bytes that are all there, or a stream that is sent as it comes.
//! [`HyperTransport`] is its implementation on hyper and rustls: pooled connections, HTTP/1.1 and HTTP/2, a timeout for
//! each stage ([`Timeouts`]), one [`Error`] that tells how far the request got, proxies ([`Proxies`]), and certificates of
//! one's own ([`Tls`]). With the feature `reqwest` there is another one on reqwest. Tests and other HTTP clients implement the
//! trait themselves, with [`Body::from_bytes`] or [`Body::new`].
//!
//! With the feature `compression`, which is on by default, answers are asked for in gzip, br or zstd, and decoded as they come.
//!
//! What it does not do: it knows no provider and no limit, retries nothing that may have been sent, follows no redirect
//! (a credential goes to the host it was meant for and to no other), and buffers no body.
//!
//! ```no_run
//! use transport::{Body, Error, HyperTransport, Timeouts, Transport};
//!
//! # async fn example() -> Result<(), Error> {
//! let transport = HyperTransport::https(Timeouts::default())?;
//! let request = http::Request::post("https://api.example.com/v1/chat/completions")
//!     .header("content-type", "application/json")
//!     .body(Body::from_bytes("{\"messages\":[]}"))
//!     .map_err(Error::invalid_request)?;
//! let response = transport.send(request).await?;
//! if response.status().is_success() {
//!     let mut body = response.into_body();
//!     while let Some(chunk) = body.chunk().await? {
//!         // As it arrives.
//!         # let _ = chunk;
//!     }
//! } else {
//!     let reason = response.into_body().collect_bounded(64 * 1024).await?;
//!     # let _ = reason;
//! }
//! # Ok(())
//! # }
//! ```

mod body;
mod builder;
#[cfg(feature = "compression")]
mod compression;
mod connector;
mod error;
mod exchange;
mod hyper_client;
mod peer;
mod pools;
mod proxy;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_client;
mod route;
mod timeouts;
mod tls;
mod upload;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::BoxFuture;

pub use body::Body;
pub use builder::HyperBuilder;
pub use connector::{ConnectFn, Dialed, from_fn};
pub use error::{Error, Stage};
pub use hyper_client::HyperTransport;
pub use proxy::Proxies;
#[cfg(feature = "reqwest")]
pub use reqwest;
#[cfg(feature = "reqwest")]
pub use reqwest_client::ReqwestTransport;
pub use route::{Dialer, Route};
pub use timeouts::Timeouts;
pub use tls::Tls;

/// A request in, a response head and a streaming body out; the request's body may stream as well.
///
/// Object safe: share one as `Arc<dyn Transport>`.
///
/// An implementation:
///
/// * returns whatever status the server sent as `Ok`, redirects included: judging a status is the caller's;
/// * takes a [`Timeouts`] value in the request's extensions in place of its own;
/// * retries nothing that may have reached the server, and says in [`Error::was_sent`] whether it may have;
/// * stops working on the request, and stays usable, when the future or the body is dropped.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute, and waits for the head of the response.
    ///
    /// A body whose length is known is announced with it; another one goes out in chunks, as it comes.
    ///
    /// # Errors
    ///
    /// An [`Error`] of any stage before [`Stage::Body`]; those of the body come from reading it.
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, Error>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, Error>> {
        (**self).send(request)
    }
}
