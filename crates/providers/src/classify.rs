//! From a failed response to a [`Failure`]: what all providers share.

use http::{HeaderMap, StatusCode};
use limiter_core::{Nanos, Observation, Reading};
use serde_json::Value;

use crate::error_body::ErrorBody;
use crate::headers::{may_be_retried, retry_after, should_retry};
use crate::{ErrorKind, Failure, UnixTime, message};

/// What a reset means to who waits for capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetMeans {
    /// Capacity is back at the reset.
    Available,
    /// The bucket is full at the reset: some of it is back earlier, in proportion.
    Full,
}

/// What one provider adds to the judgement.
pub(crate) struct Rules {
    /// The kind, where the provider's own names or words tell more than the status does.
    pub(crate) kind: fn(StatusCode, &ErrorBody) -> Option<ErrorKind>,
    /// What its resets mean.
    pub(crate) reset: ResetMeans,
}

/// Judges a failed response. `observation` is what its headers say about limits.
pub(crate) fn failure(
    rules: &Rules,
    status: StatusCode,
    headers: &HeaderMap,
    body: &ErrorBody,
    observation: &Observation,
    received: UnixTime,
) -> Failure {
    let mut failure = judge(rules, status, body);
    failure.should_retry = should_retry(headers);
    if failure.is_retryable() {
        failure.retry_after = retry_after(status, headers, received).or_else(|| hint(body));
    }
    if failure.kind.is_limit() {
        if failure.dimension.is_none() {
            failure.dimension = exhausted(observation).map(|reading| reading.dimension);
        }
        if failure.is_retryable() && failure.retry_after.is_none() {
            failure.retry_after = until_reset(rules.reset, &failure, observation);
        }
    }
    failure
}

/// Judges an error that came without headers of its own: inside a success, or inside a stream.
pub(crate) fn failure_inside(rules: &Rules, body: &ErrorBody) -> Failure {
    // OpenRouter and others put the status that the response would have had into the code.
    let status = body.code.as_deref().and_then(|code| code.parse().ok()).filter(|status| *status >= 400);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    let mut failure = judge(rules, status, body);
    if failure.is_retryable() {
        failure.retry_after = hint(body);
    }
    failure
}

/// The error in a JSON answer that came with a success status.
pub(crate) fn failure_in_success(rules: &Rules, body: &[u8]) -> Option<Failure> {
    // Nearly every answer is what it claims to be, and most of those do not even contain the word.
    if !body.windows(7).any(|window| window == b"\"error\"") {
        return None;
    }
    let answer: Value = serde_json::from_slice(body).ok()?;
    failure_in_answer(rules, &answer)
}

/// The error in an answer or an event of a stream: at the top, in the response that an event carries, or in a choice.
pub(crate) fn failure_in_answer(rules: &Rules, answer: &Value) -> Option<Failure> {
    let answer = answer.get(0).unwrap_or(answer);
    let choice = answer.pointer("/choices/0");
    let says_error = |value: &&Value| value.get("error").is_some_and(|error| error.is_object() || error.is_string());
    let holder = [Some(answer), answer.get("response"), choice].into_iter().flatten().find(says_error);
    if let Some(holder) = holder {
        let body = ErrorBody::of_value(holder);
        if !body.is_empty() || body.error_type.is_some() && holder.get("type") == Some(&Value::from("error")) {
            return Some(failure_inside(rules, &body));
        }
    }
    if answer.get("type").is_some_and(|name| name == "error") {
        return Some(failure_inside(rules, &ErrorBody::of_value(answer)));
    }
    let reason = choice.and_then(|choice| choice.get("finish_reason"));
    reason.is_some_and(|reason| reason == "error").then(|| Failure::new(ErrorKind::Transient))
}

/// Kind, words and numbers.
fn judge(rules: &Rules, status: StatusCode, body: &ErrorBody) -> Failure {
    let mut failure = Failure::new((rules.kind)(status, body).unwrap_or_else(|| kind(status, body)));
    failure.message = message::presentable(&body.message);
    failure.code = body.code.clone().or_else(|| body.error_type.clone()).map(|code| message::presentable(&code));
    if failure.kind.is_limit() || matches!(failure.kind, ErrorKind::TooLarge | ErrorKind::QuotaExhausted) {
        let numbers = message::numbers(&body.message);
        failure.limit = numbers.limit;
        failure.requested = numbers.requested;
        failure.dimension = message::dimension(&body.message);
        if failure.kind != ErrorKind::QuotaExhausted
            && let Some(dimension) = failure.dimension
        {
            failure.observation.push(Reading {
                window: message::window(&body.message),
                limit: numbers.limit,
                remaining: numbers.limit.zip(numbers.used).map(|(limit, used)| limit.saturating_sub(used)),
                ..Reading::of(dimension)
            });
        }
    }
    failure
}

/// The kind by the names that most providers use, else by the status.
fn kind(status: StatusCode, body: &ErrorBody) -> ErrorKind {
    let lower = body.message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    let is_named = |names: &[&str]| names.iter().any(|name| body.is_named(name));
    if status == StatusCode::PAYMENT_REQUIRED
        || is_named(&["insufficient_quota", "billing_error", "billing_hard_limit_reached", "billing_not_active"])
        || says(&[
            "exceeded your current quota, please check your plan",
            "credit balance",
            "spend limit",
            "insufficient credit",
        ])
    {
        return ErrorKind::QuotaExhausted;
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE
        || is_named(&["context_length_exceeded", "request_too_large", "payload_too_large"])
        || says(&["request too large", "prompt is too long", "maximum context length"])
    {
        return ErrorKind::TooLarge;
    }
    if is_named(&["overloaded_error", "provider_overloaded", "resource_unavailable"]) || says(&["overloaded"]) {
        return ErrorKind::Overloaded;
    }
    match status.as_u16() {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        429 if message::window(&body.message) == Some(Nanos::DAY) => ErrorKind::DailyLimit,
        429 if says(&["capacity"]) => ErrorKind::Overloaded,
        429 => ErrorKind::RateLimited,
        503 | 529 => ErrorKind::Overloaded,
        _ if may_be_retried(status) => ErrorKind::Transient,
        400..=499 => ErrorKind::Invalid,
        _ => kind_of_name(body),
    }
}

/// The kind of an error whose status is that of a success.
fn kind_of_name(body: &ErrorBody) -> ErrorKind {
    const NAMES: [(&str, ErrorKind); 18] = [
        ("rate_limit_error", ErrorKind::RateLimited),
        ("rate_limit_exceeded", ErrorKind::RateLimited),
        ("api_error", ErrorKind::Transient),
        ("server_error", ErrorKind::Transient),
        ("internal_server_error", ErrorKind::Transient),
        ("timeout_error", ErrorKind::Transient),
        ("timeout", ErrorKind::Transient),
        ("provider_unavailable", ErrorKind::Transient),
        ("service_unavailable", ErrorKind::Overloaded),
        ("authentication_error", ErrorKind::Authentication),
        ("authentication", ErrorKind::Authentication),
        ("invalid_api_key", ErrorKind::Authentication),
        ("permission_error", ErrorKind::Permission),
        ("permission_denied", ErrorKind::Permission),
        ("not_found_error", ErrorKind::NotFound),
        ("model_not_found", ErrorKind::NotFound),
        ("invalid_request_error", ErrorKind::Invalid),
        ("invalid_request", ErrorKind::Invalid),
    ];
    let named =
        |which: &Option<String>| NAMES.iter().find(|(name, _)| which.as_deref() == Some(*name)).map(|(_, kind)| *kind);
    // The code is the more exact of the two.
    let kind = named(&body.code).or_else(|| named(&body.error_type)).unwrap_or(ErrorKind::Unknown);
    if kind == ErrorKind::RateLimited && message::window(&body.message) == Some(Nanos::DAY) {
        return ErrorKind::DailyLimit;
    }
    kind
}

/// The body's own hint how long to wait.
fn hint(body: &ErrorBody) -> Option<Nanos> {
    let stated = ["/availability/retry_after", "/metadata/availability/retry_after", "/metadata/retry_after_seconds"];
    let seconds = stated.iter().find_map(|pointer| body.object.pointer(pointer).and_then(Value::as_f64));
    seconds
        .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
        .map(Nanos::from)
        .or_else(|| message::wait(&body.message))
}

/// The reading of which nothing remains; of several, the one that takes longest to come back.
fn exhausted(observation: &Observation) -> Option<&Reading> {
    observation.readings().iter().filter(|reading| reading.remaining == Some(0)).max_by_key(|reading| reading.reset)
}

fn until_reset(means: ResetMeans, failure: &Failure, observation: &Observation) -> Option<Nanos> {
    let of_dimension = |dimension| observation.readings().iter().filter(move |reading| reading.dimension == dimension);
    let named = failure.dimension.and_then(|dimension| of_dimension(dimension).max_by_key(|reading| reading.reset));
    let reading = named.or_else(|| exhausted(observation))?;
    let reset = reading.reset?;
    let needed = match reading.dimension {
        limiter_core::Dimension::Requests => Some(1),
        _ => failure.requested,
    };
    match (means, needed, reading.limit.zip(reading.remaining)) {
        (ResetMeans::Full, Some(needed), Some((limit, remaining))) if limit > remaining => {
            let missing = u128::from(needed.saturating_sub(remaining));
            let span = u128::from(reset.get()) * missing / u128::from(limit - remaining);
            Some(Nanos::new(u64::try_from(span).unwrap_or(u64::MAX)).min(reset))
        }
        _ => Some(reset),
    }
}
