//! Azure OpenAI, AI Foundry, and GitHub Models, which runs on the same servers.
//!
//! Sources: <https://learn.microsoft.com/azure/ai-foundry/openai/quotas-limits> (tokens a minute for each deployment, a
//! counter set back each minute; requests in proportion, looked at over one or ten seconds),
//! <https://docs.github.com/github-models/use-github-models/prototyping-with-ai-models#rate-limits>, recorded answers
//! (resets are whole seconds; `x-ratelimit-renewalperiod-*` states the window; `-1` where nothing is tracked).
//!
//! A refusal asks for a second where the counter says that nothing is left of the minute; it is not believed.

use http::{HeaderMap, HeaderName};
use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::dialect::ResetMeans;
use crate::headers::common;
use crate::provider::sensitive_value;
use crate::{Dialect, InvalidKey, Provider, openai};

/// Azure OpenAI and AI Foundry. Each resource has an address of its own: the one here leads nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure;

/// GitHub Models.
#[derive(Clone, Copy, Debug, Default)]
pub struct GitHubModels;

static DIALECT: Dialect = Dialect {
    meaning_of: common,
    complete: by_the_minute,
    reset: ResetMeans::Available,
    hint_is_short: true,
    ..Dialect::COMMON
};

impl Provider for Azure {
    fn name(&self) -> &str {
        "azure"
    }

    /// A name that never resolves (RFC 2606), because each customer has a host of its own.
    fn base_url(&self) -> &str {
        "https://your-resource.azure.invalid/openai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("AZURE_OPENAI_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    /// `api-key`.
    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        headers.insert(HeaderName::from_static("api-key"), sensitive_value("", key)?);
        Ok(())
    }

    fn owns_host(&self, host: &str) -> bool {
        const DOMAINS: [&str; 4] =
            [".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", ".models.ai.azure.com"];
        DOMAINS.iter().any(|domain| host.ends_with(domain))
    }
}

impl Provider for GitHubModels {
    fn name(&self) -> &str {
        "github-models"
    }

    fn base_url(&self) -> &str {
        "https://models.github.ai/inference"
    }

    /// Its paths have no version.
    fn endpoint_of(&self, body: &Value) -> &'static str {
        let path = openai::endpoint_of(body);
        path.strip_prefix("/v1").unwrap_or(path)
    }

    fn key_variable(&self) -> Option<&str> {
        Some("GITHUB_TOKEN")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        matches!(host, "models.github.ai" | "models.inference.ai.azure.com")
    }
}

/// Limits are a minute's where no header says otherwise, and what comes with a reset comes back at once.
fn by_the_minute(observation: Observation) -> Observation {
    let mut complete = Observation::new();
    complete.retry_after = observation.retry_after;
    for reading in observation.readings() {
        let is_counter = matches!(reading.dimension, Dimension::Tokens) && reading.reset.is_some();
        complete.push(Reading {
            window: reading.window.or(Some(Nanos::MINUTE)),
            fixed_window: reading.fixed_window || is_counter,
            ..*reading
        });
    }
    complete
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe, reading};

    #[test]
    fn the_renewal_period_is_the_window() {
        let lines = [
            ("x-ratelimit-limit-requests", "9000"),
            ("x-ratelimit-remaining-requests", "8999"),
            ("x-ratelimit-reset-requests", "10"),
            ("x-ratelimit-renewalperiod-requests", "10"),
            ("x-ratelimit-limit-tokens", "1500000"),
            ("x-ratelimit-remaining-tokens", "1499000"),
            ("x-ratelimit-reset-tokens", "48"),
            ("x-ratelimit-key", "deployment"),
        ];
        let tokens = reading(Dimension::Tokens, Some(Nanos::MINUTE), 1_500_000, 1_499_000, 48_000);
        let expected = [
            reading(Dimension::Requests, Some(Nanos::from_secs(10)), 9_000, 8_999, 10_000),
            Reading { fixed_window: true, ..tokens },
        ];
        assert_eq!(observe(&Azure, 200, &lines).readings(), expected);
    }

    #[test]
    fn what_is_not_tracked_says_nothing() {
        let lines = [
            ("x-ratelimit-limit-tokens", "-1"),
            ("x-ratelimit-remaining-tokens", "-1"),
            ("x-ratelimit-reset-tokens", "0"),
        ];
        assert!(observe(&Azure, 200, &lines).is_empty());
    }

    #[test]
    fn a_second_is_not_believed_beside_an_empty_counter() {
        let wait = |lines: &[(&str, &str)]| classify(&Azure, 429, lines, "{}").retry_after;
        let empty = [
            ("retry-after", "1"),
            ("x-ratelimit-type", "Tokens"),
            ("x-ratelimit-limit-tokens", "1000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-renewalperiod-tokens", "60"),
            ("x-ratelimit-reset-tokens", "37"),
        ];
        assert_eq!(wait(&empty), Some(Nanos::from_secs(37)));
        assert_eq!(wait(&empty[..5]), Some(Nanos::MINUTE), "nobody says when it turns");
        assert_eq!(wait(&empty[..1]), Some(Nanos::from_secs(1)), "nothing is known better");
    }

    #[test]
    fn the_words_tell_what_ran_out_and_for_how_long() {
        let check = |words: &str, kind, dimension, seconds| {
            let message = format!(
                "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version V have exceeded {words}"
            );
            let failure =
                classify(&Azure, 429, &[], &json!({"error": {"code": "429", "message": message}}).to_string());
            let expected = (kind, dimension, Some(Nanos::from_secs(seconds)));
            assert_eq!((failure.kind, failure.dimension, failure.retry_after), expected, "{words}");
        };
        let tier = "of your current OpenAI S0 pricing tier.";
        let (tokens, requests) = (Some(Dimension::Tokens), Some(Dimension::Requests));
        check(&format!("token rate limit {tier} Please retry after 7 seconds."), ErrorKind::RateLimited, tokens, 7);
        check(&format!("call rate limit {tier} Please retry after 3 seconds."), ErrorKind::RateLimited, requests, 3);
        check(
            &format!("token rate limit {tier} Please retry after 86400 seconds."),
            ErrorKind::DailyLimit,
            tokens,
            86_400,
        );
    }

    #[test]
    fn what_ran_out_is_named_in_a_header_where_the_words_only_repeat_the_status() {
        let body = json!({"error": {"code": "too_many_requests", "message": "Too Many Requests"}}).to_string();
        let dimension = |headers: &[(&str, &str)]| classify(&Azure, 429, headers, &body).dimension;
        assert_eq!(dimension(&[("x-ratelimit-type", "Tokens")]), Some(Dimension::Tokens));
        assert_eq!(dimension(&[("x-ratelimit-type", "Requests")]), Some(Dimension::Requests));
    }

    #[test]
    fn a_day_of_github_models_is_named_in_seconds() {
        let message =
            "Rate limit of 15 per 86400s exceeded for UserByModelByDay. Please wait 4000 seconds before retrying.";
        let body = json!({"error": {"code": "RateLimitReached", "message": message, "details": message}});
        let failure = classify(&GitHubModels, 429, &[("retry-after", "1"), ("retry-after-ms", "0")], &body.to_string());
        assert_eq!((failure.kind, failure.dimension), (ErrorKind::DailyLimit, Some(Dimension::Requests)));
        assert_eq!(failure.limit, Some(15));
        assert_eq!(failure.retry_after, Some(Nanos::from_secs(4_000)));
    }

    #[test]
    fn a_key_has_a_header_of_its_own() {
        let mut headers = HeaderMap::new();
        Azure.authenticate("secret", &mut headers).unwrap();
        assert_eq!(headers["api-key"], "secret");
        assert!(!format!("{headers:?}").contains("secret"));
    }
}
