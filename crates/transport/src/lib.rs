//! Sends HTTP requests and streams their responses, for clients of LLM providers.
//!
//! [`Transport`] is the whole contract: a request goes in, a response head and a streaming [`Body`] come out.
//! [`Timeouts`] bound each stage, and one [`Error`] tells how far the request got. Tests and other HTTP clients implement
//! the trait themselves, with [`Body::from_bytes`] or [`Body::new`].
//!
//! What it does not do: it knows no provider and no limit, retries nothing that may have been sent, follows no redirect
//! (a credential goes to the host it was meant for and to no other), and buffers no body.

mod body;
mod error;
mod peer;
mod timeouts;

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

pub use body::Body;
pub use error::{Error, Stage};
pub use timeouts::Timeouts;

/// A request in, a response head and a streaming body out.
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
    /// # Errors
    ///
    /// An [`Error`] of any stage before [`Stage::Body`]; those of the body come from reading it.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Body>, Error>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Body>, Error>> {
        (**self).send(request)
    }
}
