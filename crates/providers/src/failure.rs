//! Everything that one failed response says.

use limiter_core::{Dimension, Nanos, Observation};

use crate::ErrorKind;

/// What a failed response says: what went wrong, what ran out, and when to come back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// What it means for the request.
    pub kind: ErrorKind,
    /// The provider's own words, at most [`Failure::MESSAGE_LIMIT`] bytes, with anything that looks like a key masked.
    /// Empty where the response had none.
    pub message: String,
    /// The provider's code or, without one, its type of error: `rate_limit_exceeded`, `overloaded_error`, `429`.
    pub code: Option<String>,
    /// What ran out, where the response tells.
    pub dimension: Option<Dimension>,
    /// How long to wait before the request is sent again: the headers' hint, else the message's, else the reset of what
    /// ran out. `None` where there is no hint or waiting does not help.
    pub retry_after: Option<Nanos>,
    /// What the provider says about sending the request again. It wins over the kind.
    pub should_retry: Option<bool>,
    /// How much the request was counted as, in the unit of `limit`.
    pub requested: Option<u64>,
    /// The limit that the message names; of a refusal for lack of credit, how many tokens are affordable.
    pub limit: Option<u64>,
    /// What the body says about limits. The headers' observation is the response's
    /// [`observe`](crate::Provider::observe).
    pub observation: Observation,
}

impl Failure {
    /// The longest message kept, in bytes.
    pub const MESSAGE_LIMIT: usize = 1_000;

    /// A failure of this kind that says nothing else.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            message: String::new(),
            code: None,
            dimension: None,
            retry_after: None,
            should_retry: None,
            requested: None,
            limit: None,
            observation: Observation::new(),
        }
    }

    /// Whether the same request may succeed later: what the provider says, else what the kind says.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.should_retry.unwrap_or(self.kind.is_retryable())
    }
}
