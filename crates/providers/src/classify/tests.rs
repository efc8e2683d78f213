//! Failures by status, body and hints.

use serde_json::json;

use limiter_core::Nanos;

use super::wait::until_reset;
use super::*;
use crate::dialect::ResetMeans;

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
}
