//! What OpenRouter's answers mean.

use serde_json::json;

use super::*;
use crate::test_support::{RECEIVED, classify, observe, reading};

fn fixed(window: Nanos, limit: u64, reset_millis: u64) -> Reading {
    Reading { fixed_window: true, ..reading(Dimension::Requests, Some(window), limit, 0, reset_millis) }
}

/// Milliseconds since 1970, `seconds` after the response.
fn epoch_millis(seconds: u64) -> String {
    (RECEIVED.as_nanos() / 1_000_000 + seconds * 1_000).to_string()
}

#[test]
fn the_reset_tells_the_minute_from_the_day() {
    let check = |seconds, window| {
        let reset = epoch_millis(seconds);
        let lines =
            [("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(observe(&OpenRouter, 429, &lines).readings(), [fixed(window, 20, seconds * 1_000)]);
    };
    check(32, Nanos::MINUTE);
    check(61, Nanos::DAY);
}

#[test]
fn limit_headers_copied_into_the_body_are_read() {
    let body = json!({"error": {"message": "Rate limit exceeded: free-models-per-day. Add credits", "code": 429,
        "metadata": {"headers": {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": epoch_millis(40)}}}});
    let failure = classify(&OpenRouter, 429, &[], &body.to_string());
    assert_eq!((failure.kind, failure.dimension), (ErrorKind::DailyLimit, Some(Dimension::Requests)));
    assert_eq!(failure.observation.readings(), [fixed(Nanos::DAY, 50, 40_000)]);
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(40)));
}

#[test]
fn every_refusal_is_told_apart() {
    let check = |status, error: Value, expected| {
        let failure = classify(&OpenRouter, status, &[], &json!({"error": error}).to_string());
        assert_eq!(failure.kind, expected, "{status} {error}");
    };
    let free =
        |window: &str| json!({"message": format!("Rate limit exceeded: free-models-per-{window}"), "code": "429"});
    check(429, free("min"), ErrorKind::RateLimited);
    check(429, free("day-high-balance"), ErrorKind::DailyLimit);
    let typed = |name: &str| json!({"message": "m", "code": 400, "metadata": {"error_type": name}});
    check(429, typed("capacity_exhausted"), ErrorKind::Overloaded);
    check(503, typed("provider_overloaded"), ErrorKind::Overloaded);
    check(502, typed("provider_unavailable"), ErrorKind::Transient);
    check(403, typed("permission_denied"), ErrorKind::Permission);
    check(400, typed("context_length_exceeded"), ErrorKind::TooLarge);
    check(400, typed("brand_new"), ErrorKind::Invalid);
    check(402, json!({"message": "Insufficient credits", "code": 402}), ErrorKind::QuotaExhausted);
    let in_flight = json!({"message": "m", "code": 402, "metadata": {"limit_source": "openrouter_in_flight_budget"}});
    check(402, in_flight, ErrorKind::RateLimited);
}

#[test]
fn a_refusal_for_lack_of_credit_says_what_is_affordable() {
    let body = r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can only afford 812."}}"#;
    let failure = classify(&OpenRouter, 402, &[], body);
    assert_eq!((failure.kind, failure.is_retryable()), (ErrorKind::QuotaExhausted, false));
    assert_eq!((failure.requested, failure.limit), (Some(4_096), Some(812)));
    assert!(failure.observation.is_empty(), "credit is no rate");
}

#[test]
fn what_the_provider_behind_it_said_is_passed_on() {
    let body = r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"a/b:free is limited upstream. Please retry in 3s","provider_name":"P"}}}"#;
    let failure = classify(&OpenRouter, 429, &[], body);
    assert_eq!(failure.kind, ErrorKind::RateLimited);
    assert_eq!(failure.message, "Provider returned error: a/b:free is limited upstream. Please retry in 3s");
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(3)));
}

#[test]
fn a_success_may_hold_a_failure() {
    let kind = |body: Value| OpenRouter.failure_in_success(body.to_string().as_bytes()).map(|failure| failure.kind);
    let error = json!({"code": 502, "message": "upstream"});
    assert_eq!(kind(json!({"error": error})), Some(ErrorKind::Transient));
    assert_eq!(kind(json!({"choices": [{"error": error, "finish_reason": "error"}]})), Some(ErrorKind::Transient));
    assert_eq!(kind(json!({"choices": [{"message": {}, "finish_reason": "error"}]})), Some(ErrorKind::Transient));
    assert_eq!(kind(json!({"choices": [{"message": {}, "finish_reason": "stop"}]})), None);
}

#[test]
fn the_free_models_share_one_limit() {
    assert_eq!(OpenRouter.model_group("a/b:free"), OpenRouter.model_group("c/d:free"));
    assert_eq!(OpenRouter.model_group("a/b"), "a/b");
}
