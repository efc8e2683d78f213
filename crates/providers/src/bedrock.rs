//! Amazon Bedrock: what its bodies say. Requests are authorized by an API key; the signatures of AWS are left to others.
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html> (charged at the start: input
//! and `max_tokens`; at the end: input, what was written into a cache, and output times a factor of the model's),
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html> (input without what was cached).
//! It states no limits in headers; the exception's name stands in `x-amzn-ErrorType`.

use crate::Provider;

/// Amazon Bedrock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bedrock;

impl Provider for Bedrock {
    fn name(&self) -> &str {
        "bedrock"
    }

    /// Its interface in OpenAI's form, in the region most have.
    fn base_url(&self) -> &str {
        "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("AWS_BEARER_TOKEN_BEDROCK")
    }

    fn owns_host(&self, host: &str) -> bool {
        (host.starts_with("bedrock-runtime") || host.starts_with("bedrock-mantle"))
            && (host.ends_with(".amazonaws.com") || host.ends_with(".api.aws"))
    }

    fn owns_model(&self, model: &str) -> bool {
        const VENDORS: [&str; 7] = ["amazon.", "anthropic.", "meta.", "mistral.", "cohere.", "ai21.", "deepseek."];
        const REGIONS: [&str; 5] = ["us.", "eu.", "apac.", "global.", "us-gov."];
        let model = REGIONS.iter().find_map(|region| model.strip_prefix(region)).unwrap_or(model);
        VENDORS.iter().any(|vendor| model.starts_with(vendor)) && !model.contains('/')
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::Dimension;

    use super::*;
    use crate::test_support::classify;
    use crate::{ErrorKind, Usage};

    #[test]
    fn an_exception_is_named_in_a_header() {
        let check = |status, exception: &str, message: &str, expected| {
            let body = format!(r#"{{"message":"{message}"}}"#);
            let failure = classify(&Bedrock, status, &[("x-amzn-errortype", exception)], &body);
            assert_eq!(failure.kind, expected, "{exception}");
            failure
        };
        let failure = check(429, "ThrottlingException", "Too many requests, please wait.", ErrorKind::RateLimited);
        assert_eq!(failure.dimension, Some(Dimension::Requests));
        let failure = check(429, "ThrottlingException", "Too many tokens, please wait.", ErrorKind::RateLimited);
        assert_eq!(failure.dimension, Some(Dimension::Tokens));
        check(503, "ServiceUnavailableException:http://x", "Model is getting throttled.", ErrorKind::Overloaded);
        check(429, "ModelNotReadyException", "m", ErrorKind::Overloaded);
        check(408, "ModelTimeoutException", "m", ErrorKind::Transient);
        check(424, "ModelErrorException", "m", ErrorKind::Transient);
        check(403, "ExpiredTokenException", "m", ErrorKind::Authentication);
        check(403, "AccessDeniedException", "You don't have access to the model", ErrorKind::Permission);
        check(400, "ValidationException", "m", ErrorKind::Invalid);
        check(400, "ValidationException", "Input is too long for requested model.", ErrorKind::TooLarge);
        check(404, "ResourceNotFoundException", "m", ErrorKind::NotFound);
    }

    #[test]
    fn what_was_cached_is_added_to_the_input() {
        let body =
            br#"{"usage":{"inputTokens":4,"cacheReadInputTokens":100,"cacheWriteInputTokens":20,"outputTokens":6,
            "totalTokens":130}}"#;
        let expected =
            Usage { input: 124, cached_input: 100, cache_written: 20, output: 6, total: 130, ..Usage::default() };
        assert_eq!(Bedrock.usage(body), Some(expected));
    }

    #[test]
    fn its_models_and_hosts_are_recognized() {
        for model in
            ["anthropic.claude-3-sonnet-20240229-v1:0", "us.amazon.nova-micro-v1:0", "global.anthropic.claude-x"]
        {
            assert!(Bedrock.owns_model(model), "{model}");
        }
        assert!(!Bedrock.owns_model("meta/llama") && !Bedrock.owns_model("claude-opus-4"));
        assert!(Bedrock.owns_host("bedrock-runtime.eu-west-1.amazonaws.com"));
        assert!(!Bedrock.owns_host("bedrock-runtime.example.com") && !Bedrock.owns_host("s3.amazonaws.com"));
    }
}
