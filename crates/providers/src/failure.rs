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
    /// What the provider says about sending the request again: see [`is_retryable`](Self::is_retryable).
    pub should_retry: Option<bool>,
    /// How much the request was counted as, in the unit of `limit`.
    pub requested: Option<u64>,
    /// The limit that the message names; of a refusal for lack of credit, how many tokens are affordable.
    pub limit: Option<u64>,
    /// How much of the limit the message says was used.
    pub used: Option<u64>,
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
            used: None,
            observation: Observation::new(),
        }
    }

    /// Whether the same request may succeed later: what the provider says, else what the kind says.
    ///
    /// A provider that says `true` is not believed where its error says that waiting does not help: Anthropic says so of
    /// every 429, those for a reached spend limit included.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        use ErrorKind::{Authentication, Permission, QuotaExhausted, TooLarge};
        match self.should_retry {
            Some(true) => !matches!(self.kind, Authentication | Permission | QuotaExhausted | TooLarge),
            Some(false) => false,
            None => self.kind.is_retryable(),
        }
    }

    /// By how much the request has to shrink: of one that is too large, what it was counted as beyond the limit; of one
    /// that credit does not suffice for, beyond what is affordable. `None` where the response does not tell.
    #[must_use]
    pub fn excess(&self) -> Option<u64> {
        let (requested, limit) = self.requested.zip(self.limit)?;
        let is_alone = matches!(self.kind, ErrorKind::TooLarge | ErrorKind::QuotaExhausted);
        requested.checked_sub(limit).filter(|excess| is_alone && *excess > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excess_is_told_of_what_is_too_large_alone() {
        let failure = |kind, requested, limit| Failure { requested, limit, ..Failure::new(kind) };
        assert_eq!(failure(ErrorKind::TooLarge, Some(36_055), Some(30_000)).excess(), Some(6_055));
        assert_eq!(failure(ErrorKind::QuotaExhausted, Some(10), Some(4)).excess(), Some(6));
        assert_eq!(failure(ErrorKind::RateLimited, Some(36_055), Some(30_000)).excess(), None);
        assert_eq!(failure(ErrorKind::TooLarge, Some(5), Some(9)).excess(), None);
        assert_eq!(failure(ErrorKind::TooLarge, None, Some(9)).excess(), None);
    }

    #[test]
    fn what_waiting_does_not_clear_is_not_retried_whatever_the_provider_says() {
        for kind in [ErrorKind::QuotaExhausted, ErrorKind::Permission, ErrorKind::TooLarge, ErrorKind::Authentication] {
            assert!(!Failure { should_retry: Some(true), ..Failure::new(kind) }.is_retryable(), "{kind}");
        }
        assert!(Failure { should_retry: Some(true), ..Failure::new(ErrorKind::Invalid) }.is_retryable());
        assert!(!Failure { should_retry: Some(false), ..Failure::new(ErrorKind::RateLimited) }.is_retryable());
    }
}
