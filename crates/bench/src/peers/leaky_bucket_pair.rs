//! leaky-bucket: a limiter for each dimension, because one of its limiters knows one.

use std::hint::black_box;

use leaky_bucket::RateLimiter;

/// The cost in tokens of one request.
const TOKENS: usize = 50;

/// Requests and tokens. A request is two calls.
pub(crate) struct LeakyBucketPair {
    requests: RateLimiter,
    tokens: RateLimiter,
}

impl LeakyBucketPair {
    /// With the largest buckets there are, full, so that every call passes.
    pub(crate) fn new(fair: bool) -> Self {
        Self::holding(usize::MAX, fair)
    }

    /// Whose tokens are used up, and come back one in a tenth of a second.
    pub(crate) fn exhausted(fair: bool) -> Self {
        Self::holding(0, fair)
    }

    fn holding(balance: usize, fair: bool) -> Self {
        let limiter = || RateLimiter::builder().initial(balance).max(balance.max(1)).fair(fair).build();
        Self { requests: limiter(), tokens: limiter() }
    }

    /// Takes a request and its tokens. Whether both were there.
    pub(crate) fn take(&self) -> bool {
        self.requests.try_acquire(1) && self.take_tokens()
    }

    /// Takes the tokens. Whether they were there.
    pub(crate) fn take_tokens(&self) -> bool {
        self.tokens.try_acquire(black_box(TOKENS))
    }
}
