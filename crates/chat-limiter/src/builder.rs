//! Settings of a client.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use limiter_core::{Dimension, Limit, Order};
use providers::{Provider, Registry};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, watch};
use transport::{HyperTransport, Timeouts, Transport};

use crate::Error;
use crate::client::{ChatLimiter, Shared};
use crate::clock::Clock;
use crate::learned::{Learned, Learning};
use crate::mask::Mask;
use crate::retry::RetryPolicy;
use crate::scope::Patience;
use crate::scopes::{BufferRatio, Scopes, Told};
use crate::slots::Slots;

/// Settings of a [`ChatLimiter`]. Everything has a default but the key, which is read from the provider's own
/// environment variable where it is not set.
pub struct Builder {
    provider: Result<Arc<dyn Provider>, String>,
    base_url: Option<String>,
    key: Option<SecretString>,
    key_variable: Option<String>,
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
    transport: Option<Arc<dyn Transport>>,
    answer_limit: usize,
    outage_patience: Duration,
    silence_patience: Duration,
    pub(crate) learned: Learned,
}

impl Builder {
    pub(crate) fn new(provider: &str) -> Self {
        Self::from(Registry::standard().by_name(provider).map_err(|error| error.to_string()))
    }

    /// Settings of a client of a provider of your own.
    #[must_use]
    pub fn for_provider(provider: Arc<dyn Provider>) -> Self {
        Self::from(Ok(provider))
    }

    fn from(provider: Result<Arc<dyn Provider>, String>) -> Self {
        Self {
            provider,
            base_url: None,
            key: None,
            key_variable: None,
            limits: Vec::new(),
            limits_for: Vec::new(),
            ratio: Ok(BufferRatio::default()),
            expected: Vec::new(),
            order: Order::Turn,
            concurrency: 1_000,
            retry: RetryPolicy::default(),
            timeouts: None,
            headers: Vec::new(),
            transport: None,
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

    /// A transport of your own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
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

    /// The client.
    ///
    /// # Errors
    ///
    /// An [`Error`] with [`is_configuration`](Error::is_configuration) that names what is missing or wrong: an unknown
    /// provider, no key (the variable is named), an invalid URL, header or number.
    pub fn build(self) -> Result<ChatLimiter, Error> {
        let provider = self.provider.map_err(Error::configuration)?;
        let base_url = self.base_url.unwrap_or_else(|| provider.base_url().to_owned());
        providers::join_url(&base_url, "/").map_err(Error::configuration)?;
        if self.concurrency == 0 || self.retry.max_attempts == 0 {
            return Err(Error::configuration("concurrency and attempts must be at least 1"));
        }
        let mut headers = own_headers(&self.headers)?;
        if let Some(key) = find_key(self.key, self.key_variable, provider.as_ref())? {
            provider.authenticate(key.expose_secret(), &mut headers).map_err(Error::configuration)?;
        }
        let timeouts = self.timeouts.unwrap_or_default();
        let transport = match self.transport {
            Some(transport) => transport,
            // Certificates are not needed, and on a bare machine not there, for a server without TLS.
            None if base_url.starts_with("http://") => Arc::new(HyperTransport::http(timeouts)),
            None => Arc::new(HyperTransport::https(timeouts).map_err(Error::configuration)?),
        };
        let mut told = Told::new(self.limits, self.concurrency);
        told.ratio = self.ratio.map_err(Error::configuration)?;
        for (model, limit) in self.limits_for {
            told.set(Some(&Arc::from(&*provider.model_group(&model))), limit);
        }
        let clock = Clock::start();
        let patience = Patience {
            wait: self.retry.longest_wait.into(),
            outage: self.outage_patience.into(),
            silence: self.silence_patience.into(),
        };
        let learning = Learning::after(self.learned, provider.name());
        let shared = Shared {
            provider,
            base_url,
            mask: Mask::new(&headers),
            headers,
            transport,
            clock,
            scopes: Arc::new(Scopes::new(told, &self.expected, self.order, clock, patience)),
            slots: Slots::new(self.concurrency),
            gate: Arc::default(),
            credit: Mutex::default(),
            closed: watch::Sender::new(false),
            retry: self.retry,
            budget: Mutex::new(self.retry.budget(self.concurrency)),
            timeouts,
            scale_first_byte: self.timeouts.is_none(),
            answer_limit: self.answer_limit,
            learning,
            counted: OnceCell::new(),
        };
        Ok(ChatLimiter { shared: Arc::new(shared) })
    }
}

/// The headers of every request but the credential.
fn own_headers(extra: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("chat-limiter/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in extra {
        let parsed = HeaderName::try_from(name.as_str());
        let header = parsed.map_err(|_| Error::configuration(format!("invalid header name {name:?}")))?;
        let mut value = HeaderValue::try_from(value.as_str())
            .map_err(|_| Error::configuration(format!("invalid value of the header {name}")))?;
        // It may well be a credential.
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// The key that was given, or the one in the environment. `None` where the provider needs none.
fn find_key(
    key: Option<SecretString>,
    variable: Option<String>,
    provider: &dyn Provider,
) -> Result<Option<SecretString>, Error> {
    if key.is_some() {
        return Ok(key);
    }
    let needed = variable.is_some() || provider.key_variable().is_some();
    let Some(name) = variable.or_else(|| provider.key_variable().map(str::to_owned)).filter(|_| needed) else {
        return Ok(None);
    };
    match std::env::var(&name) {
        Ok(value) if !value.trim().is_empty() => Ok(Some(SecretString::from(value))),
        Ok(_) => {
            Err(Error::configuration(format!("the environment variable {name} is empty: it should hold the API key")))
        }
        Err(std::env::VarError::NotPresent) => Err(Error::configuration(format!(
            "no API key: set the environment variable {name}, or name another one that holds it"
        ))),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::configuration(format!("the environment variable {name} does not hold text")))
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
