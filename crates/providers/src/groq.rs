//! Groq.
//!
//! Sources: <https://console.groq.com/docs/rate-limits> (headers: requests are a day's, tokens a minute's; other limits
//! have none; 413 for what is larger than a limit), <https://console.groq.com/docs/errors> (498: no capacity in the
//! flexible tier). Recorded answers confirm the windows: of 215, all show a minute for tokens, 211 a day for requests.
//!
//! What is charged: prompt and `max_tokens` in 2024-25 and since July 2026, the prompt alone in late 2025; cached tokens
//! are given back afterwards.

use limiter_core::{Dimension, Nanos};

use crate::dialect::ResetMeans;
use crate::headers::{Meaning, common};
use crate::{Dialect, Provider};

/// Groq.
#[derive(Clone, Copy, Debug, Default)]
pub struct Groq;

static DIALECT: Dialect = Dialect { meaning_of, reset: ResetMeans::Full, ..Dialect::COMMON };

impl Provider for Groq {
    fn name(&self) -> &str {
        "groq"
    }

    fn base_url(&self) -> &str {
        "https://api.groq.com/openai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("GROQ_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.groq.com"
    }
}

fn meaning_of(name: &str) -> Option<Meaning> {
    let meaning = common(name)?;
    let window = meaning.window.or(match meaning.dimension {
        Dimension::Requests => Some(Nanos::DAY),
        _ => Some(Nanos::MINUTE),
    });
    Some(Meaning { window, ..meaning })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{classify, observe, reading};
    use crate::{ErrorKind, StreamUsage};

    #[test]
    fn requests_are_a_days_and_tokens_a_minutes() {
        let lines = [
            ("x-ratelimit-limit-requests", "14400"),
            ("x-ratelimit-remaining-requests", "14370"),
            ("x-ratelimit-reset-requests", "2m59.56s"),
            ("x-ratelimit-limit-tokens", "18000"),
            ("x-ratelimit-remaining-tokens", "17997"),
            ("x-ratelimit-reset-tokens", "7.66ms"),
        ];
        let [requests, tokens] = observe(&Groq, 200, &lines).readings().to_vec()[..] else { panic!() };
        assert_eq!(requests, reading(Dimension::Requests, Some(Nanos::DAY), 14_400, 14_370, 179_560));
        assert_eq!((tokens.window, tokens.reset), (Some(Nanos::MINUTE), Some(Nanos::new(7_660_000))));
    }

    #[test]
    fn usage_that_stands_twice_counts_once_and_an_error_may_follow() {
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "queue_time": 0.01});
        let chunk = json!({"choices": [], "x_groq": {"id": "r", "usage": usage}, "usage": usage});
        let error = json!({"error": {"message": "tool call validation failed", "type": "invalid_request_error",
            "code": "tool_use_failed"}});
        let mut stream = StreamUsage::new();
        stream.push(format!("data: {chunk}\n\nevent: error\ndata: {error}\n\n").as_bytes()).unwrap();
        assert_eq!(stream.usage().map(|usage| (usage.input, usage.output, usage.total)), Some((9, 4, 13)));
        assert_eq!(stream.failure().map(|failure| failure.kind), Some(ErrorKind::Invalid));
        let alone = json!({"choices": [{"finish_reason": "stop"}], "x_groq": {"usage": usage}});
        let mut stream = StreamUsage::new();
        stream.push(format!("data: {alone}\n\n").as_bytes()).unwrap();
        assert_eq!(stream.usage().map(|usage| usage.total), Some(13));
    }

    #[test]
    fn refusals_are_told_apart() {
        let check = |status, message: &str, kind, wait_millis: Option<u64>, excess| {
            let body = json!({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}});
            let failure = classify(&Groq, status, &[], &body.to_string());
            let wait = failure.retry_after;
            assert_eq!((failure.kind, wait, failure.excess()), (kind, wait_millis.map(Nanos::from_millis), excess));
        };
        check(
            429,
            "Rate limit reached for model `m` in organization `o` service tier `on_demand` on tokens per day (TPD): \
             Limit 1000, Used 990, Requested 20. Please try again in 14m24s.",
            ErrorKind::DailyLimit,
            Some(864_000),
            None,
        );
        check(
            413,
            "Request too large for model `m` on tokens per minute (TPM): Limit 800, Requested 1000, please reduce your \
             message size and try again.",
            ErrorKind::TooLarge,
            None,
            Some(200),
        );
        check(498, "Flex Tier Capacity Exceeded", ErrorKind::Overloaded, None, None);
    }
}
