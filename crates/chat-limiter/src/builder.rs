//! Settings of a client.

mod build;
mod detect;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use limiter_core::{Dimension, Limit, Order};
use providers::{Provider, Registry};
use secrecy::SecretString;
use transport::{Timeouts, Transport};

use crate::learned::Learned;
use crate::mask::host_of;
use crate::retry::RetryPolicy;
use crate::scopes::BufferRatio;

use wire::Wire;

use detect::by_url;
pub(crate) use detect::has_key;

/// The header that names a project of OpenAI's.
const PROJECT: &str = "openai-project";

/// Settings of a [`ChatLimiter`](crate::ChatLimiter). Everything has a default but the key, which is read from the provider's own
/// environment variable where it is not set.
pub struct Builder {
    provider: Result<Arc<dyn Provider>, String>,
    base_url: Option<String>,
    key: Option<SecretString>,
    key_variable: Option<String>,
    is_keyless: bool,
    limits: Vec<Limit>,
    limits_for: Vec<(String, Limit)>,
    /// What is wrong with it, where it is none.
    ratio: Result<BufferRatio, String>,
    expected: Vec<Limit>,
    order: Order,
    concurrency: usize,
    retry: RetryPolicy,
    timeouts: Option<Timeouts>,
    headers: Vec<(String, String)>,
    /// Headers that hold no secret.
    notes: Vec<(&'static str, String)>,
    transport: Option<Arc<dyn Transport>>,
    wire: Wire,
    answer_limit: usize,
    outage_patience: Duration,
    silence_patience: Duration,
    pub(crate) learned: Learned,
}

impl Builder {
    pub(crate) fn new(provider: &str) -> Self {
        Self::from(Registry::standard().by_name(provider).map_err(|error| error.to_string()))
    }

    pub(crate) fn from_url(url: &str) -> Self {
        Self::from(by_url(&Registry::standard(), url)).base_url(url)
    }

    /// Settings of a client of a provider of your own.
    #[must_use]
    pub fn for_provider(provider: Arc<dyn Provider>) -> Self {
        Self::from(Ok(provider))
    }

    pub(crate) fn from(provider: Result<Arc<dyn Provider>, String>) -> Self {
        Self {
            provider,
            base_url: None,
            key: None,
            key_variable: None,
            is_keyless: false,
            limits: Vec::new(),
            limits_for: Vec::new(),
            ratio: Ok(BufferRatio::default()),
            expected: Vec::new(),
            order: Order::Turn,
            concurrency: 1_000,
            retry: RetryPolicy::default(),
            timeouts: None,
            headers: Vec::new(),
            notes: Vec::new(),
            transport: None,
            wire: Wire::default(),
            answer_limit: 64 << 20,
            outage_patience: Duration::from_secs(15 * 60),
            silence_patience: Duration::from_secs(60),
            learned: Learned::default(),
        }
    }

    /// Where the interface is, in place of the provider's own address: `http://127.0.0.1:8080/v1`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The API key.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(SecretString::from(key.into()));
        self
    }

    /// The environment variable that holds the API key, in place of the provider's own.
    #[must_use]
    pub fn api_key_variable(mut self, name: impl Into<String>) -> Self {
        self.key_variable = Some(name.into());
        self
    }

    /// Sends no key, whatever the environment holds: for servers that need none, and gateways that have it.
    #[must_use]
    pub const fn without_key(mut self) -> Self {
        self.is_keyless = true;
        self
    }

    /// A ceiling of your own, per set of models that share limits: what the provider allows beyond it is not used.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    /// A ceiling on requests per minute.
    #[must_use]
    pub fn requests_per_minute(self, amount: u64) -> Self {
        self.limit(Limit::per_minute(Dimension::Requests, amount))
    }

    /// A ceiling on tokens (input and output) per minute.
    #[must_use]
    pub fn tokens_per_minute(self, amount: u64) -> Self {
        self.limit(Limit::per_minute(Dimension::Tokens, amount))
    }

    /// A ceiling for the models that share limits with `model`, in place of one for all with the same dimension and
    /// window. Several models, each with its own, may be in one client.
    ///
    /// These models get books of their own from the beginning: what others use is not counted there. Where the provider
    /// has one quota for them all, what it says remains of it is what they notice of each other.
    #[must_use]
    pub fn limit_for(mut self, model: impl Into<String>, limit: Limit) -> Self {
        self.limits_for.push((model.into(), limit));
        self
    }

    /// How much of the limits on requests and tokens to use, the provider's and your own: more than 0, and at most 1,
    /// which is the default, because nothing is gained by leaving quota unused that nobody else needs.
    ///
    /// With 0.9 no more than nine tenths of a limit are taken in any window, and the last tenth of what the provider says
    /// remains is left to others on the same quota. A request that is larger than the share is refused as too large.
    #[must_use]
    pub fn buffer_ratio(self, ratio: f64) -> Self {
        self.request_buffer_ratio(ratio).token_buffer_ratio(ratio)
    }

    /// How much of the limits on requests to use: see [`buffer_ratio`](Self::buffer_ratio).
    #[must_use]
    pub fn request_buffer_ratio(mut self, ratio: f64) -> Self {
        self.ratio = self.ratio.and_then(|known| Ok(BufferRatio { requests: BufferRatio::parse(ratio)?, ..known }));
        self
    }

    /// How much of the limits on tokens to use: see [`buffer_ratio`](Self::buffer_ratio).
    #[must_use]
    pub fn token_buffer_ratio(mut self, ratio: f64) -> Self {
        self.ratio = self.ratio.and_then(|known| Ok(BufferRatio { tokens: BufferRatio::parse(ratio)?, ..known }));
        self
    }

    /// A guess at a limit of the provider's, per set of models that share limits: it holds until an answer says what the
    /// limit is, and gives way to it in both directions. Useful where a provider says its limits only when it refuses, or
    /// never. A limit that is never to be exceeded is set with [`limit`](Self::limit).
    #[must_use]
    pub fn expected_limit(mut self, limit: Limit) -> Self {
        self.expected.push(limit);
        self
    }

    /// Lets requests overtake others, where that keeps every limit busy or fills a gap in front of a large one: for work
    /// that may be done in any order. Nobody is overtaken by more than `bound` of the limits' time, and as much again as
    /// it waits for those before it. By default, requests go in the order they come.
    #[must_use]
    pub fn look_ahead(mut self, bound: Duration) -> Self {
        self.order = Order::LookAhead { bound: bound.into() };
        self
    }

    /// The most requests in flight at one moment. 1,000 by default.
    #[must_use]
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// What is tried again, and when.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Timeouts as they are. By default, the wait for the first byte is 120 s and a second for every 20 tokens that the
    /// request may produce, 600 s at most.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// A header sent with every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The organization that requests are counted for, where the key's owner is in several: OpenAI's header
    /// `OpenAI-Organization`.
    #[must_use]
    pub fn organization(self, id: impl Into<String>) -> Self {
        self.note("openai-organization", id)
    }

    /// The project that requests are counted for: OpenAI's header `OpenAI-Project`. Limits are asked for it alone, too
    /// ([`discover_limits`](crate::ChatLimiter::discover_limits)).
    #[must_use]
    pub fn project(self, id: impl Into<String>) -> Self {
        self.note(PROJECT, id)
    }

    /// What your program is called and where it is at home: the headers `HTTP-Referer` and `X-Title`, by which OpenRouter
    /// lists programs.
    #[must_use]
    pub fn application(self, url: impl Into<String>, title: impl Into<String>) -> Self {
        self.note("http-referer", url).note("x-title", title)
    }

    fn note(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.notes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.notes.push((name, value)),
        }
        self
    }

    /// The largest answer read, in bytes: 64 MiB by default.
    #[must_use]
    pub const fn answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// How long a provider that has answered before may fail until everything that waits fails too: 15 minutes by
    /// default.
    #[must_use]
    pub const fn outage_patience(mut self, patience: Duration) -> Self {
        self.outage_patience = patience;
        self
    }

    /// How long a provider that never answered may fail until everything that waits fails too: a minute by default.
    #[must_use]
    pub const fn silence_patience(mut self, patience: Duration) -> Self {
        self.silence_patience = patience;
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url.as_deref().map(host_of))
            .finish_non_exhaustive()
    }
}
