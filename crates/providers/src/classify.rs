//! From a failed response to a [`Failure`]: what all providers share.

use http::{HeaderMap, StatusCode};
use limiter_core::{Dimension, Nanos, Observation, Reading};
use memchr::memmem;
use serde_json::Value;

use crate::error_body::ErrorBody;
use crate::redact::presentable;
use crate::retry_hint::{retry_after, should_retry};
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
    memmem::find(body, b"\"error\"")?;
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
    let mut failure = Failure::new((rules.kind)(status, body).unwrap_or_else(|| ErrorKind::of(status, body)));
    failure.message = match body.upstream() {
        Some(upstream) => presentable(&format!("{}: {upstream}", body.message)),
        None => presentable(&body.message),
    };
    failure.code = body.code.clone().or_else(|| body.error_type.clone()).map(|code| presentable(&code));
    if failure.kind.is_limit() || matches!(failure.kind, ErrorKind::TooLarge | ErrorKind::QuotaExhausted) {
        let numbers = message::numbers(&body.message);
        failure.limit = numbers.limit;
        failure.requested = numbers.requested;
        failure.dimension = message::dimension(&body.message).or_else(|| named_dimension(body));
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

/// What ran out by the type of the error, where OpenAI's words do not tell.
fn named_dimension(body: &ErrorBody) -> Option<Dimension> {
    match body.error_type.as_deref()? {
        "tokens" | "tokens_usage_based" => Some(Dimension::Tokens),
        "requests" => Some(Dimension::Requests),
        _ => None,
    }
}

/// The body's own hint how long to wait.
fn hint(body: &ErrorBody) -> Option<Nanos> {
    let stated = ["/availability/retry_after", "/metadata/availability/retry_after", "/metadata/retry_after_seconds"];
    let seconds = stated.iter().find_map(|pointer| body.object.pointer(pointer).and_then(Value::as_f64));
    seconds
        .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
        .map(Nanos::from)
        .or_else(|| message::wait(&body.message))
        .or_else(|| body.upstream().and_then(message::wait))
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
        Dimension::Requests => Some(1),
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

#[cfg(test)]
mod tests;
