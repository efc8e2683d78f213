//! The provider to simulate: its limits, its policies, its faults.

mod foreign;
mod validate;

use std::fmt;
use std::time::{Duration, SystemTime};

pub use validate::ConfigError;

use crate::telling::Telling;
use crate::{Charge, Counting, Disturbance, Faults, HeaderPolicy, HiddenLimit, Metering, RefusalCost, Sharing};

/// What OpenAI was measured to charge for output where a request does not bound it.
const UNBOUNDED_OUTPUT: u64 = 16;

/// The most connections at once: below the usual bound on open files.
const MOST_CONNECTIONS: usize = 960;

/// The provider to simulate. The default answers after 50 ms within 3,000 requests and 1,000,000 tokens per minute.
///
/// ```
/// use simulator::{Charge, Config, Simulator};
///
/// let config = Config::default().with_requests_per_minute(600).with_charge(Charge::Produced);
/// let simulator = Simulator::new(config)?;
/// # Ok::<(), simulator::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) requests_per_minute: u64,
    pub(crate) tokens_per_minute: u64,
    pub(crate) input_tokens_per_minute: Option<u64>,
    pub(crate) output_tokens_per_minute: Option<u64>,
    pub(crate) bucket_depth: Duration,
    pub(crate) start_fill: f64,
    pub(crate) metering: Metering,
    pub(crate) charge: Charge,
    pub(crate) sharing: Sharing,
    pub(crate) headers: HeaderPolicy,
    pub(crate) latency: Duration,
    pub(crate) latency_per_output_token: Duration,
    pub(crate) output_tokens: (u64, u64),
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) faults: Faults,
    pub(crate) seed: u64,
    pub(crate) start_time: Option<SystemTime>,
    pub(crate) cached_share: f64,
    pub(crate) prompt_factor: f64,
    pub(crate) latency_tail: bool,
    pub(crate) clock_error: i64,
    pub(crate) disturbances: Vec<Disturbance>,
    pub(crate) telling: Telling,
    pub(crate) hidden_limits: Vec<HiddenLimit>,
    pub(crate) requests_per_day: Option<u64>,
    pub(crate) unbounded_output: u64,
    pub(crate) counting: Counting,
    pub(crate) most_connections: usize,
    pub(crate) refusal_cost: RefusalCost,
    pub(crate) retry_after: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            requests_per_minute: 3_000,
            tokens_per_minute: 1_000_000,
            input_tokens_per_minute: None,
            output_tokens_per_minute: None,
            bucket_depth: Duration::from_secs(60),
            start_fill: 1.0,
            metering: Metering::default(),
            charge: Charge::default(),
            sharing: Sharing::default(),
            headers: HeaderPolicy::default(),
            latency: Duration::from_millis(50),
            latency_per_output_token: Duration::ZERO,
            output_tokens: (16, 160),
            api_key: None,
            faults: Faults::default(),
            seed: 0,
            start_time: None,
            cached_share: 0.0,
            prompt_factor: 1.0,
            latency_tail: false,
            clock_error: 0,
            disturbances: Vec::new(),
            telling: Telling::default(),
            hidden_limits: Vec::new(),
            requests_per_day: None,
            unbounded_output: UNBOUNDED_OUTPUT,
            counting: Counting::default(),
            most_connections: MOST_CONNECTIONS,
            refusal_cost: RefusalCost::default(),
            retry_after: None,
        }
    }
}

impl Config {
    /// Requests per minute, of every face. 3,000 by default.
    #[must_use]
    pub const fn with_requests_per_minute(mut self, requests: u64) -> Self {
        self.requests_per_minute = requests;
        self
    }

    /// Tokens per minute, input and output together. 1,000,000 by default.
    #[must_use]
    pub const fn with_tokens_per_minute(mut self, tokens: u64) -> Self {
        self.tokens_per_minute = tokens;
        self
    }

    /// Input tokens per minute of the Anthropic face. By default four fifths of the tokens per minute.
    #[must_use]
    pub const fn with_input_tokens_per_minute(mut self, tokens: u64) -> Self {
        self.input_tokens_per_minute = Some(tokens);
        self
    }

    /// Output tokens per minute of the Anthropic face. By default what the input leaves of the tokens per minute.
    #[must_use]
    pub const fn with_output_tokens_per_minute(mut self, tokens: u64) -> Self {
        self.output_tokens_per_minute = Some(tokens);
        self
    }

    /// How much quota can be saved up: what comes back in this span, though never less than one request or token.
    /// The length of the window where windows are fixed. 60 seconds by default.
    #[must_use]
    pub const fn with_bucket_depth(mut self, depth: Duration) -> Self {
        self.bucket_depth = depth;
        self
    }

    /// How full the buckets are at the start, from 0 to 1. 1 by default.
    #[must_use]
    pub const fn with_start_fill(mut self, fill: f64) -> Self {
        self.start_fill = fill;
        self
    }

    /// How spent quota comes back.
    #[must_use]
    pub const fn with_metering(mut self, metering: Metering) -> Self {
        self.metering = metering;
        self
    }

    /// What a request costs in tokens.
    #[must_use]
    pub const fn with_charge(mut self, charge: Charge) -> Self {
        self.charge = charge;
        self
    }

    /// Who shares one set of limits.
    #[must_use]
    pub const fn with_sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// When limits are told.
    #[must_use]
    pub const fn with_headers(mut self, headers: HeaderPolicy) -> Self {
        self.headers = headers;
        self
    }

    /// The time from an admitted request to its answer, or to the first event of its stream. Refusals are answered at
    /// once. 50 ms by default.
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The time each output token takes on top. Zero by default.
    #[must_use]
    pub const fn with_latency_per_output_token(mut self, latency: Duration) -> Self {
        self.latency_per_output_token = latency;
        self
    }

    /// The least and the most output tokens an answer has where the request does not ask for less. 16 to 160 by
    /// default.
    #[must_use]
    pub const fn with_output_tokens(mut self, least: u64, most: u64) -> Self {
        self.output_tokens = (least, most);
        self
    }

    /// The key that requests have to send. None is asked for by default.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey(key.into()));
        self
    }

    /// What goes wrong on purpose.
    #[must_use]
    pub const fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The seed of everything random.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What the provider's calendar reads at the start. By default the real time.
    #[must_use]
    pub const fn with_start_time(mut self, time: SystemTime) -> Self {
        self.start_time = Some(time);
        self
    }

    /// The share of each prompt that is read from a cache, from 0 to 1, in whole tokens rounded down; embeddings are
    /// not cached. Every answer's usage tells it; what it costs is for the [`Charge`] to say. 0 by default.
    #[must_use]
    pub const fn with_cached_share(mut self, share: f64) -> Self {
        self.cached_share = share;
        self
    }

    /// By what the provider multiplies its count of a prompt, rounded up to whole tokens, where it charges as where it
    /// reports: how far a client's own count is off. More than 0, at most 10. 1 by default.
    #[must_use]
    pub const fn with_prompt_factor(mut self, factor: f64) -> Self {
        self.prompt_factor = factor;
        self
    }

    /// Whether some requests take much longer than most: the latencies of each are multiplied by a draw of its own
    /// from a Pareto distribution of shape 1.5 that starts at 1 (two in a hundred reach 13.6), and at most by 30.
    /// Off by default.
    #[must_use]
    pub const fn with_latency_tail(mut self, tail: bool) -> Self {
        self.latency_tail = tail;
        self
    }

    /// By how many seconds the provider's calendar is fast (more than 0) or slow (less than 0): its `Date`, the times
    /// at which limits are full, and when answers were created. Its metering is not affected. 0 by default.
    #[must_use]
    pub const fn with_clock_error(mut self, seconds: i64) -> Self {
        self.clock_error = seconds;
        self
    }

    /// The most connections that are served at once over TCP, at least one; further ones wait to be accepted. 960 by
    /// default: each takes an open file, of which many systems allow 1,024.
    #[must_use]
    pub const fn with_most_connections(mut self, connections: usize) -> Self {
        self.most_connections = connections;
        self
    }

    /// What changes while it runs. Nothing by default.
    #[must_use]
    pub fn with_disturbances(mut self, disturbances: Vec<Disturbance>) -> Self {
        self.disturbances = disturbances;
        self
    }

    /// Input and output tokens per minute of a face that meters them apart.
    pub(crate) fn split_limits(&self) -> (u64, u64) {
        let input = self.input_tokens_per_minute.unwrap_or_else(|| (self.tokens_per_minute / 5 * 4).max(1));
        let output =
            self.output_tokens_per_minute.unwrap_or_else(|| self.tokens_per_minute.saturating_sub(input).max(1));
        (input, output)
    }
}

/// A key that is compared and never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) fn is(&self, sent: &str) -> bool {
        self.0 == sent
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
