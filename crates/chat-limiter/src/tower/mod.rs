//! Limiting as a tower layer, around an HTTP client of your own; and the client as a tower service.
//!
//! [`RateLimitLayer`] wraps any service that takes an [`http::Request`] to the provider and answers with an
//! [`http::Response`]: hyper-util's client, reqwest's, async-openai's (the crate's examples show it), or a stack of
//! other layers. For each request it reads the body to see what it costs, waits until the limits have room for it, takes
//! in what the head of the response says of limits, and settles when the body of the response has ended.
//!
//! ```
//! use bytes::Bytes;
//! use chat_limiter::ChatLimiter;
//! use chat_limiter::tower::{BoxError, RateLimitLayer, TransportService};
//! use chat_limiter::transport::{Body, HyperTransport, Timeouts};
//! use tower_layer::Layer;
//! use tower_service::Service;
//!
//! # async fn example() -> Result<(), BoxError> {
//! // It says what the limits are, and whose; it sends nothing here and needs no key.
//! let limiter = ChatLimiter::builder("openai-compatible").requests_per_minute(500).build()?;
//! let transport = HyperTransport::https(Timeouts::default())?;
//! let mut client = RateLimitLayer::new(limiter).layer(TransportService::new(transport));
//!
//! let body = Body::from_bytes(r#"{"model":"llama3","messages":[]}"#);
//! let request = http::Request::post("https://llm.example.com/v1/chat/completions").body(body)?;
//! let response = client.call(request).await?;
//! # let _ = response;
//! # Ok(()) }
//! ```
//!
//! # What it does not do
//!
//! One layer does one thing. It retries nothing: a layer above it does ([`Again`] keeps a request's place in line), and
//! what that one sends again comes through here again. It sends no credentials, sets no timeout, bounds no body of a
//! response, and judges no status: a 429 comes back as what it is, after the limits have been told of it.
//!
//! # Order of layers
//!
//! What stands above it (towards the caller) sees the wait; what stands below is only called when there is room. So a
//! timeout for the provider belongs below, and one for the caller above.

mod again;
mod body;
mod client;
mod future;
mod hold;
mod layer;
mod reading;
mod service;
mod transport;

pub use self::transport::TransportService;
pub use again::Again;
pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::RateLimitLayer;
pub use service::RateLimit;

/// What a service of a stack fails with: an error of the service inside, or a [`chat_limiter::Error`](crate::Error).
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
