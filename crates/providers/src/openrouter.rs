//! OpenRouter.
//!
//! Sources: <https://openrouter.ai/docs/api-reference/limits>, <https://openrouter.ai/docs/api-reference/errors>,
//! <https://openrouter.ai/docs/use-cases/usage-accounting>.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::classify::{self, ResetMeans, Rules};
use crate::error_body::ErrorBody;
use crate::headers::{self, Field, Meaning};
use crate::payload::{ChatDialect, ChatPayload, ChatRequest, Form, PayloadError};
use crate::provider::bearer;
use crate::retry_hint::server_time;
use crate::{ErrorKind, Failure, InvalidKey, Provider, RequestSize, UnixTime, Usage, message, openai, size};

/// OpenRouter: many providers' models behind OpenAI's interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenRouter;

/// Its windows are fixed: at the reset everything is back.
pub(crate) const RULES: Rules = Rules { kind, reset: ResetMeans::Available };

impl Provider for OpenRouter {
    fn name(&self) -> &str {
        "openrouter"
    }

    fn base_url(&self) -> &str {
        "https://openrouter.ai/api/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("OPENROUTER_API_KEY")
    }

    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        bearer(key, headers)
    }

    fn endpoint_of(&self, body: &Value) -> &'static str {
        if body.get("documents").is_some() && body.get("query").is_some() {
            "/v1/rerank"
        } else {
            openai::endpoint_of(body)
        }
    }

    fn observe(&self, status: StatusCode, headers: &HeaderMap, received: UnixTime) -> Observation {
        with_windows(&headers::observe(status, headers, received, meaning_of), None)
    }

    fn classify(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], received: UnixTime) -> Failure {
        let body = ErrorBody::read(body);
        let mut observation = self.observe(status, headers, received);
        let copied = headers_in_body(status, headers, &body, received);
        if observation.readings().is_empty() {
            observation = copied;
        }
        let mut failure = classify::failure(&RULES, status, headers, &body, &observation, received);
        if !copied.is_empty() {
            // They say what the words say, and more.
            failure.observation = copied;
        }
        failure
    }

    fn usage(&self, body: &[u8]) -> Option<Usage> {
        Usage::from_body(body)
    }

    fn failure_in_success(&self, body: &[u8]) -> Option<Failure> {
        classify::failure_in_success(&RULES, body)
    }

    /// The free models have one limit together. Each other model stands by itself.
    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(if model.ends_with(":free") { ":free" } else { model })
    }

    fn cost(&self, endpoint: &str, body: &Value) -> RequestSize {
        size::of_body(endpoint, body)
    }

    fn chat_payload(&self, request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
        Form::OpenAiChat.payload(request, &ChatDialect::OPENROUTER)
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "openrouter.ai" || host.ends_with(".openrouter.ai")
    }

    /// `vendor/model`, in lower case: upper case is how Hugging Face writes the names of weights.
    fn owns_model(&self, model: &str) -> bool {
        model
            .split_once('/')
            .is_some_and(|(vendor, model)| !vendor.is_empty() && !model.is_empty() && !model.contains('/'))
            && !model.contains(|c: char| c.is_ascii_uppercase() || c.is_whitespace())
    }
}

/// `x-ratelimit-{limit,remaining,reset}`: requests. Only refusals carry them.
fn meaning_of(name: &str) -> Option<Meaning> {
    let field = Field::parse(name.strip_prefix("x-ratelimit-")?)?;
    Some(Meaning { field, family: 0, dimension: Dimension::Requests, window: None })
}

/// The same with the window. The platform's windows are the minute and the day (UTC), fixed on the clock; the message
/// names which, and without one a reset more than a minute away can only be that of the day.
fn with_windows(observation: &Observation, named: Option<Nanos>) -> Observation {
    let mut complete = Observation::new();
    complete.retry_after = observation.retry_after;
    for reading in observation.readings() {
        let window = match (named, reading.reset) {
            (Some(window), _) => Some(window),
            (None, Some(reset)) => Some(if reset <= Nanos::MINUTE { Nanos::MINUTE } else { Nanos::DAY }),
            (None, None) => None,
        };
        complete.push(Reading { window, fixed_window: true, ..*reading });
    }
    complete
}

/// What the copy of the limit headers in `error.metadata.headers` says.
fn headers_in_body(status: StatusCode, headers: &HeaderMap, body: &ErrorBody, received: UnixTime) -> Observation {
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
    let observation = headers::observe(status, &lines, now, meaning_of);
    with_windows(&observation, message::window(&body.message))
}

/// The names of the typed errors, and refusals for lack of credit that running requests will give back.
fn kind(status: StatusCode, body: &ErrorBody) -> Option<ErrorKind> {
    let at = |pointer| body.text_at(pointer);
    if at("/metadata/limit_source") == Some("openrouter_in_flight_budget") {
        return Some(ErrorKind::RateLimited);
    }
    match at("/metadata/error_type").or_else(|| at("/error_type"))? {
        "rate_limit_exceeded" if message::window(&body.message) != Some(Nanos::DAY) => Some(ErrorKind::RateLimited),
        "rate_limit_exceeded" => Some(ErrorKind::DailyLimit),
        "provider_overloaded" | "capacity_exhausted" => Some(ErrorKind::Overloaded),
        "provider_unavailable" | "timeout" | "server" | "unmapped" => Some(ErrorKind::Transient),
        "payment_required" => Some(ErrorKind::QuotaExhausted),
        "authentication" => Some(ErrorKind::Authentication),
        "permission_denied" => Some(ErrorKind::Permission),
        "not_found" => Some(ErrorKind::NotFound),
        "context_length_exceeded" | "payload_too_large" => Some(ErrorKind::TooLarge),
        "invalid_request" if status.is_client_error() || status.is_success() => Some(ErrorKind::Invalid),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
