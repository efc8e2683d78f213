//! Fireworks.
//!
//! Sources: <https://docs.fireworks.ai/guides/quotas_usage/rate-limits> (adaptive limits; tokens of the prompt, of the
//! prompt without what was cached, and produced). Its page states tokens a second, reports from the field say a minute, so
//! no window is assumed.

use crate::Provider;

/// Fireworks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fireworks;

impl Provider for Fireworks {
    fn name(&self) -> &str {
        "fireworks"
    }

    fn base_url(&self) -> &str {
        "https://api.fireworks.ai/inference/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("FIREWORKS_API_KEY")
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.fireworks.ai"
    }

    fn owns_model(&self, model: &str) -> bool {
        model.starts_with("accounts/")
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::Dimension;

    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe};

    #[test]
    fn what_is_read_and_produced_is_metered_apart() {
        let lines = [
            ("x-ratelimit-limit-requests", "600"),
            ("x-ratelimit-remaining-requests", "599"),
            ("x-ratelimit-limit-tokens-prompt", "60000"),
            ("x-ratelimit-remaining-tokens-prompt", "59000"),
            ("x-ratelimit-limit-tokens-cache-adjusted-prompt", "30000"),
            ("x-ratelimit-remaining-tokens-cache-adjusted-prompt", "29500"),
            ("x-ratelimit-limit-tokens-generated", "6000"),
            ("x-ratelimit-remaining-tokens-generated", "5990"),
            ("x-ratelimit-over-limit", "no"),
        ];
        let observation = observe(&Fireworks, 200, &lines);
        let found: Vec<_> = observation.readings().iter().map(|it| (it.dimension, it.limit, it.remaining)).collect();
        let expected = [
            (Dimension::Requests, Some(600), Some(599)),
            (Dimension::InputTokens, Some(30_000), Some(29_500)),
            (Dimension::OutputTokens, Some(6_000), Some(5_990)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_that_is_a_text_is_read() {
        let body =
            r#"{"error":"Too Many Requests","message":"You have exceeded your usage limits. Please try again later."}"#;
        let failure = classify(&Fireworks, 429, &[], body);
        assert_eq!((failure.kind, failure.code.as_deref()), (ErrorKind::RateLimited, Some("Too Many Requests")));
    }
}
