//! What OpenAI's answers mean.

use limiter_core::Dimension::{Images, Requests, Tokens};
use serde_json::json;

use super::*;
use crate::test_support::{classify, observe, reading};

const MINUTE: Option<Nanos> = Some(Nanos::MINUTE);

#[test]
fn requests_and_tokens_are_read() {
    let lines = [
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-requests", "8.64s"),
        ("x-ratelimit-reset-tokens", "30ms"),
        ("retry-after", "20"),
        ("x-request-id", "req_1"),
    ];
    let observation = observe(&OpenAi, 200, &lines);
    let expected = [reading(Requests, None, 10_000, 9_999, 8_640), reading(Tokens, MINUTE, 2_000_000, 1_999_000, 30)];
    assert_eq!(observation.readings(), expected);
    assert_eq!(observation.retry_after, None, "on a success it is no request to hold back");
}

#[test]
fn of_account_and_project_the_lower_limit_counts() {
    let lines = [
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "29000"),
        ("x-ratelimit-reset-tokens", "2s"),
        ("x-ratelimit-limit-project-tokens", "10000"),
        ("x-ratelimit-remaining-project-tokens", "9000"),
        ("x-ratelimit-reset-project-tokens", "6s"),
    ];
    assert_eq!(observe(&OpenAi, 200, &lines).readings(), [reading(Tokens, MINUTE, 10_000, 9_000, 6_000)]);
}

#[test]
fn a_bucket_that_takes_longer_is_no_minutes() {
    let lines = [
        ("x-ratelimit-limit-tokens", "100000"),
        ("x-ratelimit-remaining-tokens", "99000"),
        ("x-ratelimit-reset-tokens", "14m24s"),
    ];
    let observation = observe(&OpenAi, 200, &lines);
    assert_eq!(observation.readings(), [reading(Tokens, None, 100_000, 99_000, 864_000)]);
    assert_eq!(OpenAi.window_of(&observation.readings()[0]), Some(Nanos::DAY));
}

#[test]
fn a_subscription_says_when_it_is_back() {
    let lines = [("x-codex-primary-used-percent", "100.0"), ("x-codex-primary-reset-at", "1800000090")];
    let failure = classify(&OpenAi, 429, &lines, r#"{"error":{"message":"slow down"}}"#);
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(90)));
    let failure = classify(&OpenAi, 429, &[("x-codex-primary-used-percent", "3"), lines[1]], "{}");
    assert_eq!(failure.retry_after, None);
}

#[test]
fn images_reset_in_bare_seconds() {
    let lines = [
        ("x-ratelimit-limit-images", "5"),
        ("x-ratelimit-remaining-images", "0"),
        ("x-ratelimit-reset-images", "4"),
        ("x-ratelimit-limit-tokens_usage_based", "90000"),
    ];
    assert_eq!(observe(&OpenAi, 429, &lines).readings(), [reading(Images, MINUTE, 5, 0, 4_000)]);
}

#[test]
fn a_refusal_says_in_words_what_ran_out_and_when_to_come_back() {
    let body = json!({"error": {"type": "tokens", "param": null, "code": "rate_limit_exceeded", "message":
        "Rate limit reached for some-model in organization org-x on tokens per min (TPM): Limit 20000, Used 15000, \
         Requested 8000. Please try again in 9s. Visit the console."}});
    let failure = classify(&OpenAi, 429, &[], &body.to_string());
    assert_eq!((failure.kind, failure.dimension), (ErrorKind::RateLimited, Some(Tokens)));
    assert_eq!((failure.limit, failure.requested), (Some(20_000), Some(8_000)));
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(9)));
    assert_eq!(failure.code.as_deref(), Some("rate_limit_exceeded"));
    let [said] = failure.observation.readings() else { panic!("one reading expected") };
    assert_eq!((said.window, said.limit, said.remaining), (MINUTE, Some(20_000), Some(5_000)));
}

#[test]
fn what_cannot_succeed_is_not_to_be_retried() {
    let check = |status, message: &str, code: &str, expected| {
        let body = json!({"error": {"message": message, "type": "tokens", "code": code}});
        let failure = classify(&OpenAi, status, &[("retry-after", "1")], &body.to_string());
        assert_eq!((failure.kind, failure.is_retryable(), failure.retry_after), (expected, false, None), "{message}");
    };
    let too_large = "Request too large for m on tokens per min (TPM): Limit 10, Requested 20. The input or output tokens \
                     must be reduced.";
    check(429, too_large, "rate_limit_exceeded", ErrorKind::TooLarge);
    check(
        429,
        "You exceeded your current quota, please check your plan",
        "insufficient_quota",
        ErrorKind::QuotaExhausted,
    );
    check(401, "Incorrect API key provided: abc.", "invalid_api_key", ErrorKind::Authentication);
    check(404, "The model does not exist", "model_not_found", ErrorKind::NotFound);
}

#[test]
fn without_a_hint_the_wait_is_until_one_request_is_back() {
    let lines = [
        ("x-ratelimit-limit-requests", "200"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "24h0m0s"),
    ];
    let failure = classify(&OpenAi, 429, &lines, "");
    assert_eq!(failure.dimension, Some(Requests));
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(432)), "a day for 200 of them");
}

#[test]
fn the_headers_hint_wins_over_the_words() {
    let body = r#"{"error":{"message":"Rate limit reached. Please try again in 9s."}}"#;
    let wait = |lines: &[(&str, &str)]| classify(&OpenAi, 429, lines, body).retry_after;
    assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "2")]), Some(Nanos::from_millis(1_500)));
    assert_eq!(wait(&[("retry-after", "2")]), Some(Nanos::from_secs(2)));
    assert_eq!(wait(&[]), Some(Nanos::from_secs(9)));
}

#[test]
fn what_the_server_says_about_retrying_wins() {
    let check = |status, said: &str, expected| {
        let failure = classify(&OpenAi, status, &[("x-should-retry", said)], "");
        assert_eq!(failure.is_retryable(), expected, "{status} {said}");
    };
    check(500, "false", false);
    check(400, "true", true);
    check(500, "perhaps", true);
}

#[test]
fn a_success_may_hold_a_failure() {
    let kind = |body: &str| OpenAi.failure_in_success(body.as_bytes()).map(|failure| failure.kind);
    assert_eq!(
        kind(r#"{"status":"failed","error":{"code":"server_error","message":"m"}}"#),
        Some(ErrorKind::Transient)
    );
    assert_eq!(kind(r#"{"status":"completed","error":null,"usage":{}}"#), None);
    assert_eq!(kind(r#"{"object":"job","error":{"code":null,"message":null,"param":null}}"#), None);
    assert_eq!(kind(r#"{"choices":[{"message":{"content":"{\"error\": \"x\"}"}}]}"#), None);
    assert_eq!(kind("not json \"error\""), None);
    assert_eq!(
        kind(r#"{"error":{"code":"token_limit_exceeded","message":"Enqueued token limit"}}"#),
        Some(ErrorKind::RateLimited)
    );
}

#[test]
fn snapshots_and_tuned_models_share_with_their_base() {
    let check = |model, expected| assert_eq!(OpenAi.model_group(model), expected);
    check("gpt-4o-2024-08-06", "gpt-4o");
    check("gpt-4o", "gpt-4o");
    check("gpt-4o-mini-2024-07-18", "gpt-4o-mini");
    check("gpt-4-0613", "gpt-4");
    check("gpt-4-1106-preview", "gpt-4-1106-preview");
    check("o3-mini-2025-01-31", "o3-mini");
    check("ft:gpt-4o-mini-2024-07-18:org:name:id", "gpt-4o-mini");
    check("text-embedding-3-small", "text-embedding-3-small");
    check("2024-08-06", "2024-08-06");
    check("--", "--");
    check("", "");
}

#[test]
fn a_body_tells_its_path() {
    let check = |body: Value, expected| assert_eq!(OpenAi.endpoint_of(&body), expected, "{body}");
    check(json!({"model": "m", "messages": []}), "/v1/chat/completions");
    check(json!({"model": "m", "input": "Hi"}), "/v1/responses");
    check(json!({"model": "text-embedding-3-small", "input": "Hi"}), "/v1/embeddings");
    check(json!({"model": "m", "input": ["Hi"], "encoding_format": "float"}), "/v1/embeddings");
    check(json!({"model": "omni-moderation-latest", "input": "Hi"}), "/v1/moderations");
    check(json!({"model": "m", "input": "Hi", "voice": "alloy"}), "/v1/audio/speech");
    check(json!({"model": "dall-e-3", "prompt": "a cat"}), "/v1/images/generations");
    check(json!({"model": "davinci-002", "prompt": "Once"}), "/v1/completions");
    check(json!({"model": "m", "prompt": {"id": "pmpt_1"}}), "/v1/responses");
    check(json!([]), "/v1/chat/completions");
}
