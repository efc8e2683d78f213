//! What servers do that no large provider documents: gateways, inference servers, free tiers.

use std::num::NonZeroU64;
use std::time::Duration;

use super::Config;
use crate::{Counting, HiddenLimit, ReadAt, RefusalCost, Resets};

impl Config {
    /// How the OpenAI face tells when a limit is full again.
    #[must_use]
    pub const fn with_resets(mut self, resets: Resets) -> Self {
        self.telling.resets = resets;
        self
    }

    /// When the levels are read that an answer tells. A refusal always tells those it was decided by.
    #[must_use]
    pub const fn with_levels_read_at(mut self, read_at: ReadAt) -> Self {
        self.telling.read_at = read_at;
        self
    }

    /// Limits that no header tells, beside the others. None by default.
    #[must_use]
    pub fn with_hidden_limits(mut self, limits: Vec<HiddenLimit>) -> Self {
        self.hidden_limits = limits;
        self
    }

    /// What the OpenAI face rounds remaining tokens to, to the nearest; nothing where it is 0 or 1, the default. The
    /// Anthropic face always rounds to thousands, as the provider documents it.
    #[must_use]
    pub const fn with_rounding(mut self, grain: u64) -> Self {
        self.telling.grain = NonZeroU64::new(grain);
        self
    }

    /// Requests per calendar day of the OpenAI face, beside those per minute, told in headers that end in
    /// `-requests-day`. Not limited by default.
    #[must_use]
    pub const fn with_requests_per_day(mut self, requests: u64) -> Self {
        self.requests_per_day = Some(requests);
        self
    }

    /// What each choice is charged for output that its request does not bound, where what may be produced is charged.
    /// 16 by default, as OpenAI was measured to do.
    #[must_use]
    pub const fn with_unbounded_output(mut self, tokens: u64) -> Self {
        self.unbounded_output = tokens;
        self
    }

    /// When the limits lose what a request is charged.
    #[must_use]
    pub const fn with_counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        self
    }

    /// What a refused request costs. Statistics leave it out.
    #[must_use]
    pub const fn with_refusal_cost(mut self, cost: RefusalCost) -> Self {
        self.refusal_cost = cost;
        self
    }

    /// What every 429 says that says `retry-after`, whatever the truth. By default the truth.
    #[must_use]
    pub const fn with_retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }
}
