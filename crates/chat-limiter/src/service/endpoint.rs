//! One endpoint of a service, with limits of its own.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::{RateLimiter, SimpleRateLimiter};

/// Makes a rate limiter for so many requests and tokens in an interval.
pub type RateLimiterClass = dyn Fn(u64, u64, Duration) -> Arc<dyn RateLimiter> + Send + Sync;

/// An endpoint of a service: its path or name, its limits, its configuration.
///
/// ```
/// use chat_limiter::service::{Endpoint, RateLimiter};
///
/// let endpoint = Endpoint::default().with_max_requests(100);
/// assert_eq!((endpoint.endpoint(), endpoint.max_tokens()), ("chat/completions", 100_000));
/// assert!(endpoint.rate_limiter().is_none());
/// assert_eq!(endpoint.init_rate_limiter().available_request_capacity(), Some(100));
/// ```
#[derive(Clone)]
#[doc(alias = "EndPoint")]
pub struct Endpoint {
    endpoint: String,
    max_requests: u64,
    max_tokens: u64,
    interval: Duration,
    config: Map<String, Value>,
    class: Arc<RateLimiterClass>,
    rate_limiter: OnceLock<Arc<dyn RateLimiter>>,
}

impl Default for Endpoint {
    /// `chat/completions`.
    fn default() -> Self {
        Self::new("chat/completions")
    }
}

impl Endpoint {
    /// An endpoint with 1,000 requests and 100,000 tokens in 60 seconds.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            max_requests: 1_000,
            max_tokens: 100_000,
            interval: Duration::from_secs(60),
            config: Map::new(),
            class: Arc::new(|requests, tokens, interval| {
                Arc::new(SimpleRateLimiter::create(requests, tokens, interval)) as Arc<dyn RateLimiter>
            }),
            rate_limiter: OnceLock::new(),
        }
    }

    /// The same with so many requests in an interval.
    #[must_use]
    pub const fn with_max_requests(mut self, requests: u64) -> Self {
        self.max_requests = requests;
        self
    }

    /// The same with so many tokens in an interval.
    #[must_use]
    pub const fn with_max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = tokens;
        self
    }

    /// The same with another interval.
    #[must_use]
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The same with a configuration: what payloads hold where nothing is said.
    #[must_use]
    pub fn with_config(mut self, config: Map<String, Value>) -> Self {
        self.config = config;
        self
    }

    /// The same with a rate limiter of your own.
    #[doc(alias = "rate_limiter_class")]
    #[must_use]
    pub fn with_rate_limiter<F>(mut self, class: F) -> Self
    where
        F: Fn(u64, u64, Duration) -> Arc<dyn RateLimiter> + Send + Sync + 'static,
    {
        self.class = Arc::new(class);
        self
    }

    /// Its path, or the name of its task.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Requests in an interval.
    #[must_use]
    pub const fn max_requests(&self) -> u64 {
        self.max_requests
    }

    /// Tokens in an interval.
    #[must_use]
    pub const fn max_tokens(&self) -> u64 {
        self.max_tokens
    }

    /// The interval.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Its configuration.
    #[must_use]
    pub const fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// Its rate limiter, once it was made.
    #[must_use]
    pub fn rate_limiter(&self) -> Option<&Arc<dyn RateLimiter>> {
        self.rate_limiter.get()
    }

    /// Makes the rate limiter, full and with its first interval beginning now, unless there is one.
    pub fn init_rate_limiter(&self) -> &Arc<dyn RateLimiter> {
        self.rate_limiter.get_or_init(|| (self.class)(self.max_requests, self.max_tokens, self.interval))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("endpoint", &self.endpoint)
            .field("max_requests", &self.max_requests)
            .field("max_tokens", &self.max_tokens)
            .field("interval", &self.interval)
            .field("rate_limiter", &self.rate_limiter.get())
            .finish_non_exhaustive()
    }
}
