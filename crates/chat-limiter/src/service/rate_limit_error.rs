//! What a rate limit refused, with its sizes.

use limiter_core::NeverFits;
use thiserror::Error as ThisError;

/// A request that a rate limit does not let through, with the tokens that it asked for.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message}")]
#[non_exhaustive]
pub struct RateLimitError {
    /// What happened.
    pub message: String,
    /// The tokens of the prompt.
    pub input_token_len: u64,
    /// The tokens that the answer was expected to have.
    pub estimated_output_len: u64,
}

impl RateLimitError {
    /// An error with all three.
    #[must_use]
    pub fn new(message: impl Into<String>, input_token_len: u64, estimated_output_len: u64) -> Self {
        Self { message: message.into(), input_token_len, estimated_output_len }
    }

    /// The tokens of prompt and answer together.
    #[must_use]
    pub const fn requested_tokens(&self) -> u64 {
        self.input_token_len.saturating_add(self.estimated_output_len)
    }

    /// The refusal of a request that is larger than a limit.
    pub(crate) fn too_large(never: &NeverFits, input_token_len: u64, estimated_output_len: u64) -> Self {
        Self::new(never.to_string(), input_token_len, estimated_output_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_fields_are_kept_and_the_sum_does_not_overflow() {
        let error = RateLimitError::new("slow down", 30, 12);
        assert_eq!((error.to_string().as_str(), error.requested_tokens()), ("slow down", 42));
        assert_eq!(RateLimitError::new("", u64::MAX, 1).requested_tokens(), u64::MAX);
    }
}
