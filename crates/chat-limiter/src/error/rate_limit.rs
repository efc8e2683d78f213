//! What a refusal for the rate, or for the size, says in numbers.

use std::time::Duration;

use limiter_core::{Dimension, NeverFits};

use super::Kind;
use crate::exchange::Trace;

/// A request that was refused for its rate, or because it is larger than a limit: what it asked for, and of what.
///
/// [`Error::rate_limit`](crate::Error::rate_limit) has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct RateLimitError {
    /// What happened, on one line: the provider's own words, where it refused.
    pub message: String,
    /// Tokens of the prompt, as they were counted before sending.
    #[doc(alias = "input_token_len")]
    pub input_tokens: u64,
    /// Tokens that it was expected to produce: `max_tokens`, or what earlier answers of the model produced.
    #[doc(alias = "estimated_output_len")]
    pub estimated_output_tokens: u64,
    /// What ran out or is too small, where that is known.
    pub dimension: Option<Dimension>,
    /// How much there is of it in all, where that is known.
    pub limit: Option<u64>,
    /// How long to wait before it may work, where that is known.
    pub retry_after: Option<Duration>,
}

impl RateLimitError {
    /// A refusal of a limiter of your own, by its message, the tokens of the prompt, and those that the answer was expected
    /// to have.
    #[must_use]
    pub fn new(message: impl Into<String>, input_tokens: u64, estimated_output_tokens: u64) -> Self {
        let message = message.into();
        Self { message, input_tokens, estimated_output_tokens, dimension: None, limit: None, retry_after: None }
    }

    /// The same for a request that is larger than a limit.
    pub(crate) fn too_large(never: &NeverFits, input_tokens: u64) -> Self {
        let (dimension, limit) = (Some(never.dimension), Some(never.capacity));
        Self { dimension, limit, ..Self::new(never.to_string(), input_tokens, 0) }
    }

    /// The tokens that were asked for: prompt and expected output together.
    #[must_use]
    pub const fn requested_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.estimated_output_tokens)
    }

    /// Of a failed request, where it is one of these.
    pub(super) fn of(kind: &Kind, trace: &Trace) -> Option<Self> {
        if !kind.is_rate_limited() && !kind.is_too_large() {
            return None;
        }
        let (dimension, limit) = match kind {
            Kind::NeverFits(never) => (Some(never.dimension), Some(never.capacity)),
            Kind::Refused { failure, .. } => (failure.dimension, failure.limit),
            _ => (None, None),
        };
        Some(Self {
            message: kind.message().into_owned(),
            input_tokens: trace.input_tokens,
            estimated_output_tokens: trace.output_tokens,
            dimension,
            limit,
            retry_after: kind.retry_after(),
        })
    }
}
