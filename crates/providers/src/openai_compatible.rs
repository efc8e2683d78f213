//! Any server that speaks OpenAI's interface: vLLM, llama.cpp, Ollama, gateways, and providers without a file here.
//!
//! Nothing is known about such a server, so every common family of limit headers is read: OpenAI's, the plain
//! `x-ratelimit-limit`, and the `ratelimit-*` fields of <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>
//! (the three separate fields of its earlier versions). No window is assumed that a header does not name.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use limiter_core::{Dimension, Nanos, Observation};
use serde_json::Value;

use crate::classify::{self, ResetMeans, Rules};
use crate::error_body::ErrorBody;
use crate::headers::{self, Field, Meaning};
use crate::payload::{ChatDialect, ChatPayload, ChatRequest, Form, PayloadError};
use crate::provider::bearer;
use crate::{Failure, InvalidKey, Provider, RequestSize, UnixTime, Usage, openai, size};

/// A server that speaks OpenAI's interface and of which nothing else is known.
#[derive(Clone, Debug)]
pub struct OpenAiCompatible {
    name: String,
    base_url: String,
    key_variable: Option<String>,
}

const RULES: Rules = Rules { kind: |_, _| None, reset: ResetMeans::Full };

impl OpenAiCompatible {
    /// A server on this machine that needs no key: `http://127.0.0.1:8000/v1`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: "openai-compatible".to_owned(),
            base_url: "http://127.0.0.1:8000/v1".to_owned(),
            key_variable: None,
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same at another address. It is checked when it is used, by [`join_url`](crate::join_url).
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// The same with a key that is kept in this environment variable.
    #[must_use]
    pub fn with_key_variable(mut self, variable: impl Into<String>) -> Self {
        self.key_variable = Some(variable.into());
        self
    }
}

impl Default for OpenAiCompatible {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.name
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn key_variable(&self) -> Option<&str> {
        self.key_variable.as_deref()
    }

    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        bearer(key, headers)
    }

    fn endpoint_of(&self, body: &Value) -> &'static str {
        openai::endpoint_of(body)
    }

    fn observe(&self, status: StatusCode, headers: &HeaderMap, received: UnixTime) -> Observation {
        headers::observe(status, headers, received, meaning_of)
    }

    fn classify(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], received: UnixTime) -> Failure {
        let observation = self.observe(status, headers, received);
        classify::failure(&RULES, status, headers, &ErrorBody::read(body), &observation, received)
    }

    fn usage(&self, body: &[u8]) -> Option<Usage> {
        Usage::from_body(body)
    }

    fn failure_in_success(&self, body: &[u8]) -> Option<Failure> {
        classify::failure_in_success(&RULES, body)
    }

    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(model)
    }

    fn cost(&self, endpoint: &str, body: &Value) -> RequestSize {
        size::of_body(endpoint, body)
    }

    fn chat_payload(&self, request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
        Form::OpenAiChat.payload(request, &ChatDialect::COMPATIBLE)
    }
}

/// `[x-]ratelimit-{limit,remaining,reset}[-{what}][-{window}]`.
fn meaning_of(name: &str) -> Option<Meaning> {
    let name = name.strip_prefix("x-").unwrap_or(name).strip_prefix("ratelimit-")?;
    let (field, family) = name.split_once('-').unwrap_or((name, ""));
    let field = Field::parse(field)?;
    let (what, window) = split_window(family);
    let dimension = match what {
        "" | "requests" | "request" | "req" => Dimension::Requests,
        "tokens" | "token" => Dimension::Tokens,
        "input-tokens" | "prompt-tokens" | "tokens-prompt" => Dimension::InputTokens,
        "output-tokens" | "completion-tokens" | "tokens-generated" => Dimension::OutputTokens,
        "images" | "input-images" => Dimension::Images,
        "concurrent" | "concurrent-requests" => Dimension::Concurrent,
        _ => return None,
    };
    // One number for each dimension and window that can be told apart, and one for the nameless family.
    let unit = match window {
        None => 0,
        Some(Nanos::SECOND) => 1,
        Some(Nanos::MINUTE) => 2,
        Some(Nanos::HOUR) => 3,
        Some(Nanos::DAY) => 4,
        Some(_) => 5,
    };
    let nameless = u8::from(family.is_empty()) * 64;
    let number = u8::try_from(dimension.index()).unwrap_or(u8::MAX).saturating_mul(8).saturating_add(unit + nameless);
    Some(Meaning { field, family: number, dimension, window })
}

/// Splits the window off the end: `tokens-minute`, `requests-day`, or the window alone.
fn split_window(family: &str) -> (&str, Option<Nanos>) {
    const WINDOWS: [(&str, Nanos); 7] = [
        ("10-second", Nanos::from_secs(10)),
        ("second", Nanos::SECOND),
        ("minute", Nanos::MINUTE),
        ("hour", Nanos::HOUR),
        ("day", Nanos::DAY),
        ("week", Nanos::from_secs(7 * 86_400)),
        ("month", Nanos::from_secs(30 * 86_400)),
    ];
    for (name, window) in WINDOWS {
        if let Some(what) = family.strip_suffix(name)
            && (what.is_empty() || what.ends_with('-'))
        {
            return (what.trim_end_matches('-'), Some(window));
        }
    }
    (family, None)
}

#[cfg(test)]
mod tests;
