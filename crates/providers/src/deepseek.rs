//! DeepSeek.
//!
//! Sources: <https://api-docs.deepseek.com/quick_start/rate_limit> (no rates: a number of requests in flight for each
//! model, beyond which 429; the connection is kept open by blank lines and comments, and closed after ten minutes),
//! <https://api-docs.deepseek.com/quick_start/error_codes> (402: no balance). It states no limit in headers.

use crate::Provider;

/// DeepSeek.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeepSeek;

impl Provider for DeepSeek {
    fn name(&self) -> &str {
        "deepseek"
    }

    fn base_url(&self) -> &str {
        "https://api.deepseek.com/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("DEEPSEEK_API_KEY")
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.deepseek.com"
    }

    fn owns_model(&self, model: &str) -> bool {
        matches!(model, "deepseek-chat" | "deepseek-reasoner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::classify;
    use crate::{ErrorKind, Usage};

    #[test]
    fn an_answer_may_begin_with_blank_lines() {
        let body = b"\n\n\n{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13,\
                     \"prompt_cache_hit_tokens\":8,\"prompt_cache_miss_tokens\":1}}";
        let expected = Usage { input: 9, cached_input: 8, output: 4, total: 13, ..Usage::default() };
        assert_eq!(DeepSeek.usage(body), Some(expected));
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, message: &str| {
            let body = format!(
                r#"{{"error":{{"message":"{message}","type":"unknown_error","code":"invalid_request_error"}}}}"#
            );
            classify(&DeepSeek, status, &[], &body).kind
        };
        assert_eq!(kind(402, "Insufficient Balance"), ErrorKind::QuotaExhausted);
        assert_eq!(kind(429, "Rate limit reached"), ErrorKind::RateLimited);
        assert_eq!(kind(503, "Service is too busy"), ErrorKind::Overloaded);
        let long = "This model's maximum context length is 100 tokens. However, you requested 250 tokens (250 in the messages).";
        let body = format!(r#"{{"error":{{"message":"{long}"}}}}"#);
        let failure = classify(&DeepSeek, 400, &[], &body);
        assert_eq!((failure.kind, failure.excess()), (ErrorKind::TooLarge, Some(150)));
    }
}
