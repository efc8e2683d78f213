//! What Anthropic's answers mean.

use limiter_core::Dimension::{InputTokens, OutputTokens, Requests, Tokens};
use serde_json::json;

use super::*;
use crate::test_support::{classify, header_map, observe, reading};

const MINUTE: Option<Nanos> = Some(Nanos::MINUTE);

#[test]
fn the_combined_tokens_are_left_out_where_their_parts_are_stated() {
    let lines = [
        ("date", "Fri, 15 Jan 2027 07:59:00 GMT"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2027-01-15T07:59:02Z"),
        ("anthropic-ratelimit-input-tokens-limit", "30000"),
        ("anthropic-ratelimit-input-tokens-remaining", "29000"),
        ("anthropic-ratelimit-input-tokens-reset", "2027-01-15T07:59:03Z"),
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "8000"),
        ("anthropic-ratelimit-output-tokens-reset", "2027-01-15T07:58:00Z"),
        ("anthropic-ratelimit-tokens-limit", "38000"),
        ("anthropic-ratelimit-tokens-remaining", "37000"),
        ("anthropic-ratelimit-tokens-reset", "2027-01-15T07:59:03Z"),
        ("anthropic-ratelimit-unified-5h-reset", "1800000300"),
        ("anthropic-fast-input-tokens-limit", "1"),
    ];
    let expected = [
        reading(Requests, MINUTE, 50, 49, 2_000),
        reading(InputTokens, MINUTE, 30_000, 29_000, 3_000),
        reading(OutputTokens, MINUTE, 8_000, 8_000, 0),
    ];
    assert_eq!(observe(&Anthropic, 200, &lines).readings(), expected);
}

#[test]
fn the_combined_tokens_are_read_where_they_are_alone() {
    let lines = [
        ("anthropic-ratelimit-tokens-limit", "25000"),
        ("anthropic-ratelimit-tokens-remaining", "16000"),
        ("anthropic-ratelimit-tokens-reset", "2027-01-15T08:00:01Z"),
    ];
    assert_eq!(observe(&Anthropic, 200, &lines).readings(), [reading(Tokens, MINUTE, 25_000, 16_000, 1_000)]);
}

#[test]
fn without_a_hint_the_wait_is_until_the_exhausted_limit_is_back() {
    let lines = [
        ("x-should-retry", "true"),
        ("anthropic-ratelimit-requests-limit", "5"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2027-01-15T08:00:07Z"),
        ("anthropic-ratelimit-tokens-limit", "25000"),
        ("anthropic-ratelimit-tokens-remaining", "16000"),
        ("anthropic-ratelimit-tokens-reset", "2027-01-15T08:00:50Z"),
    ];
    let failure = classify(&Anthropic, 429, &lines, "");
    assert_eq!((failure.kind, failure.dimension), (ErrorKind::RateLimited, Some(Requests)));
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(7)));
}

#[test]
fn every_refusal_is_told_apart() {
    let check = |status, error_type: &str, message: &str, expected| {
        let body = json!({"type": "error", "error": {"type": error_type, "message": message}});
        let failure = classify(&Anthropic, status, &[], &body.to_string());
        assert_eq!((failure.kind, failure.code.as_deref()), (expected, Some(error_type)), "{status} {message}");
    };
    check(429, "rate_limit_error", "would exceed 40,000 input tokens per minute", ErrorKind::RateLimited);
    check(429, "rate_limit_error", "Extra usage is required for long context requests.", ErrorKind::Permission);
    let for_others = "The long context beta is not yet available for this subscription.";
    check(400, "invalid_request_error", for_others, ErrorKind::Permission);
    check(400, "invalid_request_error", "You have reached your specified API usage limits.", ErrorKind::QuotaExhausted);
    check(400, "invalid_request_error", "Your credit balance is too low", ErrorKind::QuotaExhausted);
    check(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", ErrorKind::TooLarge);
    check(400, "invalid_request_error", "max_tokens: required", ErrorKind::Invalid);
    check(401, "authentication_error", "invalid x-api-key", ErrorKind::Authentication);
    check(402, "billing_error", "pay", ErrorKind::QuotaExhausted);
    check(403, "permission_error", "no", ErrorKind::Permission);
    check(404, "not_found_error", "model: x", ErrorKind::NotFound);
    check(413, "request_too_large", "m", ErrorKind::TooLarge);
    check(500, "api_error", "m", ErrorKind::Transient);
    check(504, "timeout_error", "m", ErrorKind::Transient);
    check(529, "overloaded_error", "Overloaded", ErrorKind::Overloaded);
}

#[test]
fn a_reached_spend_limit_is_not_waited_for() {
    let body = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "You will regain access later",
        "details": {"error_code": "enforced_spend_limit_reached"}}});
    let failure = classify(&Anthropic, 429, &[], &body.to_string());
    assert_eq!((failure.kind, failure.is_retryable()), (ErrorKind::QuotaExhausted, false));
}

#[test]
fn the_words_of_a_refusal_name_the_limit() {
    let body = json!({"type": "error", "error": {"type": "rate_limit_error", "message":
        "This request would exceed the rate limit for your organization (x) of 40,000 input tokens per minute."}});
    let failure = classify(&Anthropic, 429, &[("retry-after", "16")], &body.to_string());
    assert_eq!((failure.dimension, failure.limit), (Some(InputTokens), Some(40_000)));
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(16)));
}

#[test]
fn the_key_has_a_header_of_its_own_and_the_version_can_be_chosen() {
    let mut headers = HeaderMap::new();
    Anthropic.authenticate("sk-ant-secret", &mut headers).unwrap();
    assert_eq!((&headers["x-api-key"], &headers["anthropic-version"]), (&"sk-ant-secret".parse().unwrap(), &VERSION));
    assert!(!format!("{headers:?}").contains("secret"));
    let mut headers = header_map(&[("anthropic-version", "2031-01-01")]);
    Anthropic.authenticate("sk-ant-secret", &mut headers).unwrap();
    assert_eq!(headers["anthropic-version"], "2031-01-01");
}

#[test]
fn a_generation_shares_one_limit() {
    let check = |model, expected| assert_eq!(Anthropic.model_group(model), expected);
    check("claude-opus-4-5-20251101", "claude-opus-4");
    check("claude-opus-4-1", "claude-opus-4");
    check("claude-sonnet-4-20250514", "claude-sonnet-4");
    check("claude-sonnet-4-6", "claude-sonnet-4");
    check("claude-sonnet-4@20250514", "claude-sonnet-4");
    check("claude-opus-5", "claude-opus-5");
    check("claude-haiku-4-5-20251001", "claude-haiku-4-5");
    check("claude-3-5-haiku-latest", "claude-3-5-haiku");
    check("claude-opus-40", "claude-opus-40");
    check("", "");
}

#[test]
fn a_body_tells_its_path() {
    assert_eq!(Anthropic.endpoint_of(&json!({"messages": [], "max_tokens": 1})), "/v1/messages");
    assert_eq!(Anthropic.endpoint_of(&json!({"prompt": "Human:", "max_tokens_to_sample": 1})), "/v1/complete");
    assert_eq!(Anthropic.endpoint_of(&json!(null)), "/v1/messages");
}
