//! The configuration of the layer.

use tower_layer::Layer;

use super::RateLimit;
use crate::ChatLimiter;

/// The largest request body that is read to see what it costs, in bytes.
const REQUEST_LIMIT: usize = 64 << 20;

/// Wraps services in [`RateLimit`]. All that one layer (and clones of its limiter) wraps share the limits.
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    limiter: ChatLimiter,
    request_limit: usize,
}

impl RateLimitLayer {
    /// A layer that holds to the limits of `limiter`: those it was told, and those it finds in what passes.
    #[must_use]
    pub const fn new(limiter: ChatLimiter) -> Self {
        Self { limiter, request_limit: REQUEST_LIMIT }
    }

    /// The largest body of a request, in bytes: 64 MiB by default. A body is held in memory while its request waits; a
    /// larger one is refused.
    #[must_use]
    pub const fn request_limit(mut self, bytes: usize) -> Self {
        self.request_limit = bytes;
        self
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit::new(inner, self.limiter.clone(), self.request_limit)
    }
}
