//! Cerebras.
//!
//! Sources: <https://inference-docs.cerebras.ai/support/rate-limits> (token buckets; headers name their windows),
//! <https://inference-docs.cerebras.ai/support/error>. Resets are seconds with a fraction. What is charged is an estimate
//! of the input and `max_completion_tokens`.

use crate::dialect::ResetMeans;
use crate::{Dialect, Provider};

/// Cerebras.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cerebras;

/// Its resets count down to the turn of a window: recorded ones go on together, whatever was used.
static DIALECT: Dialect = Dialect { reset: ResetMeans::Available, ..Dialect::COMMON };

impl Provider for Cerebras {
    fn name(&self) -> &str {
        "cerebras"
    }

    fn base_url(&self) -> &str {
        "https://api.cerebras.ai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("CEREBRAS_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.cerebras.ai"
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::{Dimension, Nanos};

    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe};

    #[test]
    fn windows_stand_in_the_names_and_resets_have_fractions() {
        let lines = [
            ("x-ratelimit-limit-requests-day", "1440000"),
            ("x-ratelimit-remaining-requests-day", "1439999"),
            ("x-ratelimit-reset-requests-day", "24482.894107818604"),
            ("x-ratelimit-limit-tokens-minute", "100000"),
            ("x-ratelimit-remaining-tokens-minute", "99000"),
            ("x-ratelimit-reset-tokens-minute", "2.25"),
        ];
        let [requests, tokens] = observe(&Cerebras, 200, &lines).readings().to_vec()[..] else { panic!() };
        assert_eq!((requests.dimension, requests.window), (Dimension::Requests, Some(Nanos::DAY)));
        assert_eq!(requests.reset, Some(Nanos::new(24_482_894_107_818)));
        assert_eq!((tokens.dimension, tokens.window), (Dimension::Tokens, Some(Nanos::MINUTE)));
        assert_eq!(tokens.reset, Some(Nanos::from_millis(2_250)));
    }

    #[test]
    fn an_error_at_the_top_is_read() {
        let body = r#"{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}"#;
        let failure = classify(&Cerebras, 429, &[], body);
        assert_eq!((failure.kind, failure.dimension), (ErrorKind::RateLimited, Some(Dimension::Tokens)));
        assert_eq!(failure.code.as_deref(), Some("token_quota_exceeded"));
        let body = r#"{"message":"Requests per day limit exceeded","type":"too_many_requests_error","code":"request_quota_exceeded"}"#;
        assert_eq!(classify(&Cerebras, 429, &[], body).kind, ErrorKind::DailyLimit);
    }
}
