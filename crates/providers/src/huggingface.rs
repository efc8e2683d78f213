//! Hugging Face's router to other providers.
//!
//! Sources: <https://huggingface.co/docs/inference-providers>, recorded answers: it passes on the headers of the provider
//! behind it, among them limits near 2^63 for "none" and windows in the names. Used-up credit is 402.

use crate::Provider;

/// Hugging Face's router.
#[derive(Clone, Copy, Debug, Default)]
pub struct HuggingFace;

impl Provider for HuggingFace {
    fn name(&self) -> &str {
        "huggingface"
    }

    fn base_url(&self) -> &str {
        "https://router.huggingface.co/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("HF_TOKEN")
    }

    fn owns_host(&self, host: &str) -> bool {
        matches!(host, "router.huggingface.co" | "api-inference.huggingface.co")
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::{Dimension, Nanos, Reading};

    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe};

    #[test]
    fn what_the_provider_behind_it_states_is_read() {
        let lines = [
            ("x-ratelimit-limit-tokens", "9223372036854767616"),
            ("x-ratelimit-remaining-tokens", "9223372036854767615"),
            ("x-ratelimit-remaining-requests-minute", "899"),
            ("x-ratelimit-remaining-tokens-day", "5000000"),
            ("ratelimit-limit", "100"),
            ("ratelimit-remaining", "199"),
            ("ratelimit-reset", "1"),
            ("retry-after", "3"),
        ];
        let of =
            |dimension, window, remaining| Reading { window, remaining: Some(remaining), ..Reading::of(dimension) };
        let nameless = of(Dimension::Requests, None, 100);
        let expected = [
            of(Dimension::Requests, Some(Nanos::MINUTE), 899),
            of(Dimension::Tokens, Some(Nanos::DAY), 5_000_000),
            Reading { limit: Some(100), reset: Some(Nanos::SECOND), ..nameless },
        ];
        assert_eq!(observe(&HuggingFace, 200, &lines).readings(), expected);
    }

    #[test]
    fn used_up_credit_is_not_waited_for() {
        let body = r#"{"error":"You have exceeded your monthly included credits for Inference Providers."}"#;
        for status in [402, 429] {
            assert_eq!(classify(&HuggingFace, status, &[], body).kind, ErrorKind::QuotaExhausted);
        }
        let body = r#"{"error":["Error in `inputs`: field required"]}"#;
        let failure = classify(&HuggingFace, 400, &[], body);
        assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Invalid, "Error in `inputs`: field required"));
    }
}
