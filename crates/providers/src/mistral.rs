//! Mistral.
//!
//! Sources: <https://docs.mistral.ai/deployment/ai-studio/tier> (requests a second, tokens a minute and a month, for an
//! organization), recorded answers (the names of the headers: `x-ratelimit-limit-req-minute` since 2025, before it
//! `ratelimitbysize-*` and `x-ratelimitbysize-*`; none states a reset but the oldest).
//!
//! What is charged is what was used, input and output.

use limiter_core::{Dimension, Nanos};

use crate::headers::{Field, MONTH, Meaning, common};
use crate::{Dialect, Provider};

/// Mistral.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mistral;

static DIALECT: Dialect = Dialect { meaning_of, ..Dialect::COMMON };

impl Provider for Mistral {
    fn name(&self) -> &str {
        "mistral"
    }

    fn base_url(&self) -> &str {
        "https://api.mistral.ai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("MISTRAL_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.mistral.ai" || host == "codestral.mistral.ai"
    }

    fn owns_model(&self, model: &str) -> bool {
        const FAMILIES: [&str; 6] =
            ["mistral-small-", "mistral-medium-", "mistral-large-", "ministral-", "magistral-", "codestral-"];
        FAMILIES.iter().any(|family| model.starts_with(family)) && !model.contains(['/', ':'])
    }
}

/// The names of all, and those by which tokens were metered until 2025.
fn meaning_of(name: &str) -> Option<Meaning> {
    let Some(rest) = name.strip_prefix("x-").unwrap_or(name).strip_prefix("ratelimitbysize-") else {
        return common(name);
    };
    let (field, window) = rest.split_once('-').unwrap_or((rest, "minute"));
    let (number, window) = match window {
        "minute" => (200, Nanos::MINUTE),
        "month" => (201, MONTH),
        _ => return None,
    };
    Some(Meaning { field: Field::parse(field)?, family: number, dimension: Dimension::Tokens, window: Some(window) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe};

    #[track_caller]
    fn check(lines: &[(&str, &str)], expected: &[(Dimension, Nanos, u64, u64)]) {
        let observation = observe(&Mistral, 200, lines);
        let found: Vec<_> = observation
            .readings()
            .iter()
            .map(|it| (it.dimension, it.window.unwrap(), it.limit.unwrap(), it.remaining.unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn windows_stand_in_the_names() {
        check(
            &[
                ("x-ratelimit-limit-req-minute", "360"),
                ("x-ratelimit-remaining-req-minute", "359"),
                ("x-ratelimit-limit-tokens-minute", "50000"),
                ("x-ratelimit-remaining-tokens-minute", "49900"),
                ("x-ratelimit-limit-tokens-month", "4000000"),
                ("x-ratelimit-remaining-tokens-month", "3999900"),
                ("x-ratelimit-limit-audio-seconds-minute", "7200"),
                ("x-ratelimit-tokens-query-cost", "100"),
            ],
            &[
                (Dimension::Requests, Nanos::MINUTE, 360, 359),
                (Dimension::Tokens, Nanos::MINUTE, 50_000, 49_900),
                (Dimension::Tokens, MONTH, 4_000_000, 3_999_900),
            ],
        );
    }

    #[test]
    fn the_older_names_are_tokens() {
        check(
            &[
                ("ratelimitbysize-limit", "500000"),
                ("ratelimitbysize-remaining", "400000"),
                ("ratelimitbysize-reset", "19"),
                ("x-ratelimitbysize-limit-month", "1000000000"),
                ("x-ratelimitbysize-remaining-month", "999000000"),
            ],
            &[
                (Dimension::Tokens, Nanos::MINUTE, 500_000, 400_000),
                (Dimension::Tokens, MONTH, 1_000_000_000, 999_000_000),
            ],
        );
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, body: &str| classify(&Mistral, status, &[], body).kind;
        assert_eq!(kind(429, r#"{"message":"Requests rate limit exceeded"}"#), ErrorKind::RateLimited);
        let limited = r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","code":"1300"}"#;
        assert_eq!(kind(429, limited), ErrorKind::RateLimited);
        let full = r#"{"object":"error","message":"Service tier capacity exceeded for this model.","code":"3505"}"#;
        assert_eq!(kind(429, full), ErrorKind::Overloaded);
        assert_eq!(kind(401, r#"{"detail":"Invalid API Key"}"#), ErrorKind::Authentication);
    }
}
