//! xAI.
//!
//! Sources: <https://docs.x.ai/docs/rate-limits> (requests and tokens a minute by tier; all tokens count, reasoning and
//! cached ones too), <https://docs.x.ai/docs/key-information/debugging>. It states no resets, and often as much remaining
//! as the limit though tokens were used. Used-up credit is answered with 403 or 429.
//!
//! In its chat completions, reasoning stands beside `completion_tokens`; in its responses, inside `output_tokens`.

use limiter_core::Nanos;

use crate::headers::{Meaning, common};
use crate::{Dialect, Provider};

/// xAI.
#[derive(Clone, Copy, Debug, Default)]
pub struct XAi;

static DIALECT: Dialect = Dialect { meaning_of, ..Dialect::COMMON };

impl Provider for XAi {
    fn name(&self) -> &str {
        "xai"
    }

    fn base_url(&self) -> &str {
        "https://api.x.ai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("XAI_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.x.ai" || host.ends_with(".api.x.ai")
    }

    fn owns_model(&self, model: &str) -> bool {
        model.starts_with("grok-")
    }
}

fn meaning_of(name: &str) -> Option<Meaning> {
    let meaning = common(name)?;
    Some(Meaning { window: meaning.window.or(Some(Nanos::MINUTE)), ..meaning })
}

#[cfg(test)]
mod tests {
    use limiter_core::{Dimension, Reading};

    use super::*;
    use crate::test_support::{classify, observe};
    use crate::{ErrorKind, Usage};

    #[test]
    fn limits_are_a_minutes() {
        let lines = [("x-ratelimit-limit-tokens", "2000000"), ("x-ratelimit-remaining-tokens", "2000000")];
        let expected = Reading {
            window: Some(Nanos::MINUTE),
            limit: Some(2_000_000),
            remaining: Some(2_000_000),
            ..Reading::of(Dimension::Tokens)
        };
        assert_eq!(observe(&XAi, 200, &lines).readings(), [expected]);
    }

    #[test]
    fn an_error_that_is_a_text_is_read() {
        let kind = |status, error: &str| {
            let body = format!(r#"{{"code":"some words","error":"{error}"}}"#);
            classify(&XAi, status, &[], &body).kind
        };
        let spent = "Your team t has either used all available credits or reached its monthly spending limit.";
        assert_eq!(kind(403, spent), ErrorKind::QuotaExhausted);
        assert_eq!(kind(429, spent), ErrorKind::QuotaExhausted);
        assert_eq!(kind(400, "Incorrect API key provided."), ErrorKind::Authentication);
        assert_eq!(kind(404, "The model x does not exist"), ErrorKind::NotFound);
    }

    #[test]
    fn reasoning_beside_the_output_is_added_to_it() {
        let body = br#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":45,
            "completion_tokens_details":{"reasoning_tokens":30}}}"#;
        let usage = XAi.usage(body).unwrap();
        assert_eq!(usage, Usage { input: 10, output: 35, reasoning: 30, total: 45, ..Usage::default() });
    }
}
