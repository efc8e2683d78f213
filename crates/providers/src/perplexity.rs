//! Perplexity.
//!
//! Sources: <https://docs.perplexity.ai/guides/rate-limits-usage-tiers> (requests a minute by tier, a leaky bucket; no
//! headers), recorded answers (usage with its cost, in streams on every chunk).

use serde_json::Value;

use crate::{Provider, openai};

/// Perplexity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Perplexity;

impl Provider for Perplexity {
    fn name(&self) -> &str {
        "perplexity"
    }

    fn base_url(&self) -> &str {
        "https://api.perplexity.ai"
    }

    /// Its paths have no version.
    fn endpoint_of(&self, body: &Value) -> &'static str {
        let path = openai::endpoint_of(body);
        path.strip_prefix("/v1").unwrap_or(path)
    }

    fn key_variable(&self) -> Option<&str> {
        Some("PERPLEXITY_API_KEY")
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.perplexity.ai"
    }

    fn owns_model(&self, model: &str) -> bool {
        model == "sonar" || model.starts_with("sonar-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::classify;
    use crate::{ErrorKind, StreamUsage};

    #[test]
    fn of_the_usage_on_every_chunk_the_last_counts() {
        let mut stream = StreamUsage::new();
        for (output, cost) in [(1, 0.001), (2, 0.002)] {
            let total = 5 + output;
            let chunk = format!(
                "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":{output},\
                 \"total_tokens\":{total},\"cost\":{{\"total_cost\":{cost}}}}}}}\r\n\r\n"
            );
            stream.push(chunk.as_bytes()).unwrap();
        }
        let usage = stream.usage().unwrap();
        assert_eq!((usage.input, usage.output, usage.total, usage.cost), (5, 2, 7, Some(0.002)));
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, name: &str| {
            let body = format!(r#"{{"error":{{"message":"m","type":"{name}","code":{status}}}}}"#);
            classify(&Perplexity, status, &[], &body).kind
        };
        assert_eq!(kind(400, "too_many_prompt_tokens"), ErrorKind::TooLarge);
        assert_eq!(kind(401, "invalid_api_key"), ErrorKind::Authentication);
        assert_eq!(kind(429, "rate_limit"), ErrorKind::RateLimited);
    }
}
