//! Failures by status, body and hints.

use serde_json::json;

use limiter_core::Nanos;

use super::wait::until_reset;
use super::*;
use crate::dialect::ResetMeans;
use crate::test_support::header_map;

const DIALECT: Dialect = Dialect::COMMON;

fn until(means: ResetMeans, reading: Reading, requested: Option<u64>) -> Option<Nanos> {
    let mut observation = Observation::new();
    observation.push(reading);
    let failure = Failure { dimension: Some(reading.dimension), requested, ..Failure::new(ErrorKind::RateLimited) };
    until_reset(means, &failure, &observation)
}

#[test]
fn a_bucket_that_fills_has_room_in_proportion() {
    let reset = Some(Nanos::from_secs(60));
    let tokens = Reading { limit: Some(100), remaining: Some(10), reset, ..Reading::of(Dimension::Tokens) };
    assert_eq!(until(ResetMeans::Full, tokens, Some(40)), Some(Nanos::from_secs(20)));
    assert_eq!(until(ResetMeans::Full, tokens, Some(5)), Some(Nanos::ZERO));
    assert_eq!(until(ResetMeans::Full, tokens, Some(u64::MAX)), reset, "no longer than until it is full");
    assert_eq!(until(ResetMeans::Full, tokens, None), reset);
    assert_eq!(until(ResetMeans::Available, tokens, Some(40)), reset);
    let full = Reading { remaining: Some(100), ..tokens };
    assert_eq!(until(ResetMeans::Full, full, Some(40)), reset);
}

#[test]
fn a_hint_may_stand_in_a_field_of_the_body() {
    let check = |error: Value, expected: Option<Nanos>| {
        let body = ErrorBody::of_value(&json!({"error": error}));
        assert_eq!(failure_inside(&DIALECT, &body).retry_after, expected, "{error}");
    };
    check(json!({"message": "m", "code": 503, "availability": {"retry_after": 2.5}}), Some(Nanos::from_millis(2_500)));
    check(json!({"message": "m", "code": 503, "metadata": {"retry_after_seconds": 4}}), Some(Nanos::from_secs(4)));
    check(json!({"message": "m", "code": 503, "availability": {"retry_after": -1}}), None);
    check(json!({"message": "m", "code": 503, "availability": {"retry_after": 1e300}}), None);
    check(json!({"message": "m", "code": 400, "availability": {"retry_after": 2}}), None);
}

#[test]
fn an_answer_without_an_error_is_none() {
    for answer in [
        json!(null),
        json!([]),
        json!("error"),
        json!({"error": null}),
        json!({"error": {}}),
        json!({"error": ""}),
        json!({"error": false}),
        json!({"error": {"message": "", "code": null}}),
        json!({"choices": []}),
        json!({"choices": "error"}),
        json!({"type": "message", "content": [{"type": "error"}]}),
    ] {
        assert_eq!(failure_in_answer(&DIALECT, &answer), None, "{answer}");
    }
}

#[test]
fn an_array_of_one_error_is_an_error() {
    let answer = json!([{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}]);
    assert_eq!(failure_in_answer(&DIALECT, &answer).map(|failure| failure.kind), Some(ErrorKind::Overloaded));
    let answer = json!([{"candidates": []}, {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}]);
    assert_eq!(failure_in_answer(&DIALECT, &answer).map(|failure| failure.kind), Some(ErrorKind::Overloaded));
    assert_eq!(failure_in_answer(&DIALECT, &json!([{"candidates": []}])), None);
}

/// A refusal of a limit by its words, with a hint in a header.
fn waits(message: &str, hint: &str) -> (ErrorKind, Option<Nanos>) {
    let body = json!({"error": {"message": message}}).to_string();
    let headers = header_map(&[("retry-after", hint)]);
    let status = StatusCode::TOO_MANY_REQUESTS;
    let failure = failure(&DIALECT, status, &headers, body.as_bytes(), UnixTime::from_secs(1_800_000_000));
    (failure.kind, failure.retry_after)
}

#[test]
fn hours_are_not_believed_of_a_limit_of_a_minute() {
    let minute = "Rate limit reached on tokens per min (TPM)";
    assert_eq!(waits(minute, "59"), (ErrorKind::RateLimited, Some(Nanos::from_secs(59))));
    assert_eq!(waits(minute, "7200"), (ErrorKind::RateLimited, Some(Nanos::MINUTE)));
    assert_eq!(waits(minute, "99999999"), (ErrorKind::RateLimited, Some(Nanos::MINUTE)));
}

#[test]
fn hours_without_a_window_are_a_days_limit() {
    assert_eq!(waits("slow down", "3600"), (ErrorKind::RateLimited, Some(Nanos::HOUR)));
    assert_eq!(waits("slow down", "3601"), (ErrorKind::DailyLimit, Some(Nanos::from_secs(3_601))));
    assert_eq!(waits("on requests per day (RPD)", "7200"), (ErrorKind::DailyLimit, Some(Nanos::from_secs(7_200))));
}

#[test]
fn hours_are_not_believed_beside_headers_of_a_minute_either() {
    let headers = header_map(&[
        ("retry-after", "7200"),
        ("x-ratelimit-limit-requests-minute", "10"),
        ("x-ratelimit-remaining-requests-minute", "0"),
    ]);
    let observation =
        headers::observe(&DIALECT, StatusCode::TOO_MANY_REQUESTS, &headers, UnixTime::from_secs(1_800_000_000));
    assert_eq!(observation.retry_after, Some(Nanos::MINUTE));
}

#[test]
fn hours_are_not_believed_beside_a_reset_of_a_second() {
    let hint = |reset: &str| {
        let headers = header_map(&[
            ("retry-after", "7200"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", reset),
        ]);
        let status = StatusCode::TOO_MANY_REQUESTS;
        headers::observe(&DIALECT, status, &headers, UnixTime::from_secs(1_800_000_000)).retry_after
    };
    assert_eq!(hint("1s"), Some(Nanos::MINUTE));
    assert_eq!(hint("2h0m0s"), Some(Nanos::from_secs(7_200)));
}

#[test]
fn without_a_hint_the_numbers_tell_the_wait() {
    let message = "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.";
    let body = json!({"error": {"message": message}}).to_string();
    let failure =
        failure(&DIALECT, StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body.as_bytes(), UnixTime::default());
    assert_eq!(failure.retry_after, Some(Nanos::from_secs(2)));
}
