//! From a failed response to a [`Failure`]: what all providers share.

mod wait;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::{Dimension, Observation, Reading};
use memchr::memmem;
use serde_json::Value;

use crate::dialect::Dialect;
use crate::error_body::ErrorBody;
use crate::redact::presentable;
use crate::retry_hint::{may_be_retried, retry_after, server_time, should_retry};
use crate::{ErrorKind, Failure, UnixTime, google_rpc, headers, words};
use wait::Refusal;
pub(crate) use wait::{exhausted, plausible, span_of};

/// Judges a failed response.
pub(crate) fn failure(
    dialect: &Dialect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    received: UnixTime,
) -> Failure {
    let body = ErrorBody::read(body).with_exception(headers);
    let mut observation = headers::observe(dialect, status, headers, received);
    let copied = headers_in_body(dialect, status, headers, &body, received);
    if observation.readings().is_empty() {
        observation = copied;
    }
    let mut failure = judge(dialect, status, &body);
    if !copied.is_empty() && failure.kind.is_limit() {
        // They say what the words say, and more.
        failure.observation = copied;
    }
    failure.should_retry = should_retry(headers);
    if failure.kind.is_limit() {
        // The words may be no more than the status has: `Too Many Requests`.
        failure.dimension = named_type(headers)
            .or(failure.dimension)
            .or_else(|| exhausted(&observation, None).map(|reading| reading.dimension));
    }
    if failure.is_retryable() {
        let now = server_time(headers).unwrap_or(received);
        let asked = retry_after(status, headers, received);
        let asked = asked.or_else(|| (dialect.wait)(headers, now).filter(|_| may_be_retried(status)));
        Refusal { dialect, headers, body: &body, observation: &observation, now }.settle(&mut failure, asked);
    }
    failure
}

/// Judges an error that came without headers of its own: inside a success, or inside a stream.
pub(crate) fn failure_inside(dialect: &Dialect, body: &ErrorBody) -> Failure {
    // OpenRouter and others put the status that the response would have had into the code.
    let status = body.code.as_deref().and_then(|code| code.parse().ok()).filter(|status| *status >= 400);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    let mut failure = judge(dialect, status, body);
    if failure.is_retryable() {
        let (headers, observation) = (&HeaderMap::new(), &failure.observation.clone());
        // Without a date, the end of the day is not known.
        let dialect = &Dialect { day_ends: None, ..*dialect };
        Refusal { dialect, headers, body, observation, now: UnixTime::default() }.settle(&mut failure, None);
    }
    failure
}

/// What a copy of the limit headers in the body says: OpenRouter puts one into `error.metadata.headers`.
fn headers_in_body(
    dialect: &Dialect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &ErrorBody,
    received: UnixTime,
) -> Observation {
    let Some(Value::Object(copied)) = body.object.pointer("/metadata/headers") else { return Observation::new() };
    let now = server_time(headers).unwrap_or(received);
    let mut lines = HeaderMap::new();
    for (name, value) in copied.iter().take(32) {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(text)) {
            lines.append(name, value);
        }
    }
    let found = headers::observe(dialect, status, &lines, now);
    let Some(window) = words::window(&body.message) else { return found };
    let mut named = Observation::new();
    named.retry_after = found.retry_after;
    found.readings().iter().for_each(|reading| named.push(Reading { window: Some(window), ..*reading }));
    named
}

/// What ran out, in the header that Azure has for it.
fn named_type(headers: &HeaderMap) -> Option<Dimension> {
    let name = headers.get("x-ratelimit-type")?.to_str().ok()?;
    match name.trim_ascii() {
        name if name.eq_ignore_ascii_case("tokens") => Some(Dimension::Tokens),
        name if name.eq_ignore_ascii_case("requests") => Some(Dimension::Requests),
        _ => None,
    }
}

/// The error in a JSON answer that came with a success status.
pub(crate) fn failure_in_success(dialect: &Dialect, body: &[u8]) -> Option<Failure> {
    // Nearly every answer is what it claims to be, and most of those do not even contain the word.
    memmem::find(body, b"\"error\"")?;
    let answer: Value = serde_json::from_slice(body).ok()?;
    failure_in_answer(dialect, &answer)
}

/// The error in an answer or an event of a stream: at the top, in the response that an event carries, or in a choice.
pub(crate) fn failure_in_answer(dialect: &Dialect, answer: &Value) -> Option<Failure> {
    if let Some(answers) = answer.as_array() {
        // Google sends a stream as an array where nothing else is asked for. The error is its only or its last member.
        return answers
            .iter()
            .filter(|answer| !answer.is_array())
            .find_map(|answer| failure_in_answer(dialect, answer));
    }
    let choice = answer.pointer("/choices/0");
    let says_error = |value: &&Value| value.get("error").is_some_and(|error| error.is_object() || error.is_string());
    let holder = [Some(answer), answer.get("response"), choice].into_iter().flatten().find(says_error);
    if let Some(holder) = holder {
        let body = ErrorBody::of_value(holder);
        if !body.is_empty() || body.error_type.is_some() && holder.get("type") == Some(&Value::from("error")) {
            return Some(failure_inside(dialect, &body));
        }
    }
    if answer.get("type").is_some_and(|name| name == "error") {
        return Some(failure_inside(dialect, &ErrorBody::of_value(answer)));
    }
    if let Some(failure) = failure_at_end(dialect, answer) {
        return Some(failure);
    }
    let reason = choice.and_then(|choice| choice.get("finish_reason"));
    reason.is_some_and(|reason| reason == "error").then(|| Failure::new(ErrorKind::Transient))
}

/// The error in the last event of Cohere's streams: `{"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "..."}}`,
/// and `{"event_type": "stream-end", "finish_reason": "ERROR"}` in its first interface.
fn failure_at_end(dialect: &Dialect, answer: &Value) -> Option<Failure> {
    let is = |name: &str, end: &str| answer.get(name).is_some_and(|name| name == end);
    let end = if is("type", "message-end") {
        answer.get("delta")?
    } else {
        is("event_type", "stream-end").then_some(answer)?
    };
    let reason = end.get("finish_reason").and_then(Value::as_str)?;
    if !reason.starts_with("ERROR") {
        return None;
    }
    let failure = failure_inside(dialect, &ErrorBody::of_value(end));
    Some(if failure.kind == ErrorKind::Unknown { Failure { kind: ErrorKind::Transient, ..failure } } else { failure })
}

/// Kind, words and numbers.
fn judge(dialect: &Dialect, status: StatusCode, body: &ErrorBody) -> Failure {
    let mut failure = Failure::new((dialect.kind_of)(status, body).unwrap_or_else(|| ErrorKind::of(status, body)));
    failure.message = match body.upstream() {
        Some(upstream) => presentable(&format!("{}: {upstream}", body.message)),
        None => presentable(&body.message),
    };
    failure.code = body.code.clone().or_else(|| body.error_type.clone()).map(|code| presentable(&code));
    if failure.kind.is_limit() || matches!(failure.kind, ErrorKind::TooLarge | ErrorKind::QuotaExhausted) {
        let numbers = words::numbers(&body.message);
        (failure.limit, failure.used, failure.requested) = (numbers.limit, numbers.used, numbers.requested);
        failure.dimension = words::dimension(&body.message).or_else(|| named_dimension(body));
    }
    // Credit is no rate, and what is too large says nothing of what is left.
    if failure.kind.is_limit() || failure.kind == ErrorKind::TooLarge {
        failure.observation = google_rpc::details(body).exceeded;
        if let Some(named) = failure.observation.readings().first() {
            failure.dimension = Some(named.dimension);
            failure.limit = named.limit.or(failure.limit);
        }
        let window = words::window(&body.message);
        // What is too large may be so for the model's context, which is no limit of a rate.
        if let Some(dimension) = failure.dimension.filter(|_| failure.observation.is_empty())
            && (failure.kind.is_limit() || window.is_some())
        {
            failure.observation.push(Reading {
                window,
                limit: failure.limit,
                remaining: failure.limit.zip(failure.used).map(|(limit, used)| limit.saturating_sub(used)),
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

#[cfg(test)]
mod tests;
