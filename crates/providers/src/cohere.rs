//! Cohere.
//!
//! Sources: <https://docs.cohere.com/docs/rate-limits> (trial keys: 20 chat requests a minute and 1,000 calls a month),
//! <https://docs.cohere.com/reference/errors>, recorded answers (the names of the headers; until 2024
//! `x-ratelimit-{limit,remaining,reset}` with seconds since 1970).

use limiter_core::{Dimension, Nanos};

use crate::headers::{Field, MONTH, Meaning, common};
use crate::{Dialect, Provider};

/// Cohere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cohere;

static DIALECT: Dialect = Dialect { meaning_of, ..Dialect::COMMON };

impl Provider for Cohere {
    fn name(&self) -> &str {
        "cohere"
    }

    /// Its interface in OpenAI's form.
    fn base_url(&self) -> &str {
        "https://api.cohere.ai/compatibility/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("COHERE_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        matches!(host, "api.cohere.com" | "api.cohere.ai")
    }
}

fn meaning_of(name: &str) -> Option<Meaning> {
    let (field, family, window) = match name {
        "x-trial-endpoint-call-limit" => (Field::Limit, 200, Nanos::MINUTE),
        "x-trial-endpoint-call-remaining" => (Field::Remaining, 200, Nanos::MINUTE),
        "x-endpoint-monthly-call-limit" => (Field::Limit, 201, MONTH),
        _ => return common(name),
    };
    Some(Meaning { field, family, dimension: Dimension::Requests, window: Some(window) })
}

#[cfg(test)]
mod tests {
    use limiter_core::Reading;

    use super::*;
    use crate::test_support::{classify, observe};
    use crate::{ErrorKind, StreamUsage, Usage};

    #[test]
    fn a_trial_keys_limits_are_read() {
        let lines = [
            ("x-endpoint-monthly-call-limit", "1000"),
            ("x-trial-endpoint-call-limit", "40"),
            ("x-trial-endpoint-call-remaining", "39"),
            ("num_chars", "1200"),
        ];
        let month = Reading { window: Some(MONTH), limit: Some(1_000), ..Reading::of(Dimension::Requests) };
        let minute = Reading { window: Some(Nanos::MINUTE), limit: Some(40), remaining: Some(39), ..month };
        assert_eq!(observe(&Cohere, 200, &lines).readings(), [month, minute]);
    }

    #[test]
    fn how_much_too_large_a_request_was_is_read() {
        let body = r#"{"error_type":"TOO_MANY_TOKENS","id":"x","message":"too many tokens: size limit exceeded by 36 tokens. The limit for this model is 4000 tokens."}"#;
        let failure = classify(&Cohere, 400, &[], body);
        assert_eq!((failure.kind, failure.excess()), (ErrorKind::TooLarge, Some(36)));
        assert!(failure.observation.is_empty(), "a model's context is no rate");
    }

    #[test]
    fn what_was_read_counts_and_not_what_was_charged() {
        let usage = r#""usage":{"billed_units":{"input_tokens":5,"output_tokens":2},"tokens":{"input_tokens":71,"output_tokens":2},"cached_tokens":64}"#;
        let expected = Usage { input: 71, cached_input: 64, output: 2, total: 73, ..Usage::default() };
        assert_eq!(Cohere.usage(format!("{{{usage}}}").as_bytes()), Some(expected));
        let mut stream = StreamUsage::new();
        let end = format!(
            "event: message-end\ndata: {{\"type\":\"message-end\",\"delta\":{{\"finish_reason\":\"COMPLETE\",{usage}}}}}\n\n"
        );
        stream.push(end.as_bytes()).unwrap();
        assert_eq!((stream.usage(), stream.is_complete()), (Some(expected), true));
        let older = br#"{"text":"Hi","meta":{"api_version":{"version":"1"},"billed_units":{"input_tokens":3,"output_tokens":1}}}"#;
        assert_eq!(Cohere.usage(older).map(|usage| (usage.input, usage.output)), Some((3, 1)));
        let searches = br#"{"results":[],"meta":{"billed_units":{"search_units":1}}}"#;
        assert_eq!(Cohere.usage(searches), None);
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, body: &str| classify(&Cohere, status, &[], body).kind;
        let limited = r#"{"message":"You are using a Trial key, which is limited to 40 API calls / minute."}"#;
        assert_eq!(kind(429, limited), ErrorKind::RateLimited);
        assert_eq!(kind(401, r#"{"id":"x","message":"invalid api token"}"#), ErrorKind::Authentication);
    }
}
