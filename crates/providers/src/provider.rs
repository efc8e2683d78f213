//! The shape that all providers share.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use limiter_core::{Nanos, Observation, Reading};
use serde_json::Value;
use thiserror::Error;
use tokenizer::Shape;

use crate::discovery::{self, AccountInquiry, DiscoveryRequest};
use crate::payload::{ChatDialect, ChatPayload, ChatRequest, Form, PayloadError};
use crate::tasks::{self, Endpoint};
use crate::{Dialect, Failure, HeaderUse, UnixTime, Usage, classify, headers, openai, size, window};

/// What one provider says and wants. It does no I/O and keeps no state: bytes and values in, values out.
///
/// A provider is who it is ([`name`](Self::name), [`base_url`](Self::base_url), [`key_variable`](Self::key_variable)) and
/// how it speaks ([`dialect`](Self::dialect)). Everything else has a default that suits a server with OpenAI's interface,
/// and is overridden where the provider differs:
///
/// ```
/// use providers::{Provider, Registry};
///
/// #[derive(Debug)]
/// struct Ours;
///
/// impl Provider for Ours {
///     fn name(&self) -> &str { "ours" }
///     fn base_url(&self) -> &str { "https://llm.example/v1" }
///     fn key_variable(&self) -> Option<&str> { Some("OUR_KEY") }
/// }
///
/// let mut registry = Registry::standard();
/// registry.register(std::sync::Arc::new(Ours));
/// assert_eq!(registry.by_name("ours")?.endpoint_of(&serde_json::json!({"messages": []})), "/v1/chat/completions");
/// # Ok::<(), providers::UnknownProvider>(())
/// ```
///
/// Nothing here fails on what a server sends. What cannot be read is left out, because an answer from the provider must
/// never be lost to a header that changed its form.
pub trait Provider: Send + Sync + fmt::Debug {
    /// The name by which it is chosen: lower case, such as `openai`.
    fn name(&self) -> &str;

    /// Where its interface is, with the version: `https://api.openai.com/v1`.
    fn base_url(&self) -> &str;

    /// The environment variable that its key is kept in by convention; `None` where no key is needed.
    fn key_variable(&self) -> Option<&str>;

    /// How it speaks: what its headers state, and what its errors mean.
    fn dialect(&self) -> &Dialect {
        Dialect::common()
    }

    /// Adds the headers that prove who is asking. They are marked sensitive, so that `Debug` does not show them.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] where the key is empty or cannot stand in a header.
    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        bearer(key, headers)
    }

    /// The header in which it takes a key of the caller's own for a request, so that a request that is sent again counts as
    /// the same one; `None` where it has none, as most.
    fn idempotency_header(&self) -> Option<HeaderName> {
        None
    }

    /// The path, as a batch file states it (`/v1/chat/completions`), that a bare request body is meant for.
    ///
    /// Join it with a base address by [`join_url`](crate::join_url).
    fn endpoint_of(&self, body: &Value) -> &'static str {
        openai::endpoint_of(body)
    }

    /// What a response's headers say about limits.
    ///
    /// `received` is the instant at which the response arrived. Resets stated as dates become spans against the
    /// response's own `Date` header, and against `received` only where it has none: a clock that is wrong on either
    /// side does no harm.
    fn observe(&self, status: StatusCode, headers: &HeaderMap, received: UnixTime) -> Observation {
        headers::observe(self.dialect(), status, headers, received)
    }

    /// The window of a reading: as it is stated, else as a bucket with this level and reset shows it. `None` where neither
    /// tells.
    ///
    /// This is for people and reports. A limiter is better served by two answers that agree, because one alone can look
    /// like a bucket by chance; so [`observe`](Self::observe) states only windows that are known.
    fn window_of(&self, reading: &Reading) -> Option<Nanos> {
        reading.window.or_else(|| window::infer(reading, self.dialect().windows))
    }

    /// What becomes of one header, whose name is in lower case: whether it is read, or why not.
    fn explain_header(&self, name: &str, value: &str) -> HeaderUse {
        headers::explain(self.dialect(), name, value)
    }

    /// What a response that is not a success means. Never fails: a body that nobody understands is judged by its status.
    fn classify(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], received: UnixTime) -> Failure {
        classify::failure(self.dialect(), status, headers, body, received)
    }

    /// What a whole JSON answer says about the tokens it took; `None` where it says nothing, and where it is not whole or
    /// not JSON. For streams see [`StreamUsage`](crate::StreamUsage).
    fn usage(&self, body: &[u8]) -> Option<Usage> {
        Usage::from_body(body)
    }

    /// The error inside a body that came with a success status; `None` where it is the success it claims to be.
    fn failure_in_success(&self, body: &[u8]) -> Option<Failure> {
        classify::failure_in_success(self.dialect(), body)
    }

    /// What `model` shares its limits with: models with the same group draw on the same quota.
    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(model)
    }

    /// How large a request is, before it is sent. `endpoint` is its path, with or without a leading version.
    fn cost(&self, endpoint: &str, body: &Value) -> RequestSize {
        size::of_body(endpoint, body)
    }

    /// The form in which it takes chat requests at its base address. Many have a second one of their own elsewhere: see
    /// [`Form::base_url`].
    fn chat_form(&self) -> Form {
        Form::OpenAiChat
    }

    /// A chat request in this provider's form.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or cannot be expressed.
    fn chat_payload(&self, request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
        let form = self.chat_form();
        let mut payload = form.payload(request, ChatDialect::of(self.name()))?;
        if form == Form::OpenAiChat {
            payload.endpoint = Cow::Borrowed(self.endpoint_of(&payload.body));
        }
        Ok(payload)
    }

    /// What it can be asked to do, and where.
    fn endpoints(&self) -> Vec<Endpoint> {
        tasks::of_provider(self.name())
    }

    /// Asks for its models; `None` where it has no list. [`parse_model_list`](crate::discovery::parse_model_list) reads
    /// the answer.
    fn model_list(&self, page: Option<&str>) -> Option<DiscoveryRequest> {
        discovery::model_list(self.name(), page)
    }

    /// Asks what limits and credit the account has; `None` where it tells neither when it is asked. `project` is the one
    /// that the key belongs to, where that is known.
    fn account_inquiry(&self, project: Option<&str>) -> Option<AccountInquiry> {
        AccountInquiry::of(self.name(), project)
    }

    /// The name of a model as this provider takes it: without the provider's own name in front, where none of its models
    /// has it there.
    fn bare_model<'a>(&self, model: &'a str) -> &'a str {
        model
    }

    /// Whether `model` costs nothing.
    fn is_free(&self, model: &str) -> bool {
        let _ = model;
        false
    }

    /// Whether `host` (lower case, without the port) is this provider's.
    fn owns_host(&self, host: &str) -> bool {
        let _ = host;
        false
    }

    /// Whether `model` is written as this provider writes its models and no other does.
    fn owns_model(&self, model: &str) -> bool {
        let _ = model;
        false
    }
}

/// How large a request is, as far as it can be told before sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestSize {
    /// Tokens of the prompt, as they are billed.
    pub input_tokens: u64,
    /// Tokens that a limit may count for the prompt before it is read: at least `input_tokens`. Providers estimate by
    /// the number of characters (OpenAI's rate limit guide; a quarter of it fits recorded answers), often of the whole
    /// body.
    pub metered_input_tokens: u64,
    /// The most tokens that it may produce; `None` where the request sets no bound, zero where it produces none.
    pub max_output_tokens: Option<u64>,
    /// Images in the prompt.
    pub images: u64,
    /// What the prompt consists of, apart from its text.
    pub shape: Shape,
}

/// A key that cannot be sent. Its text never shows the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Nothing but white space.
    #[error("the API key is empty")]
    Empty,
    /// Control characters (a line break, perhaps) or others than ASCII inside.
    #[error("the API key contains characters that cannot be sent in a header")]
    Characters,
}

/// The key without white space around it, as a header's value marked sensitive.
pub(crate) fn sensitive_value(prefix: &str, key: &str) -> Result<HeaderValue, InvalidKey> {
    let key = key.trim();
    if key.is_empty() {
        return Err(InvalidKey::Empty);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidKey::Characters);
    }
    let mut value = HeaderValue::from_str(&format!("{prefix}{key}")).map_err(|_| InvalidKey::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Adds `Authorization: Bearer KEY`.
pub(crate) fn bearer(key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
    headers.insert(header::AUTHORIZATION, sensitive_value("Bearer ", key)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_but_not_shown() {
        let mut headers = HeaderMap::new();
        bearer(" sk-secret\n", &mut headers).unwrap();
        assert_eq!(headers[header::AUTHORIZATION], "Bearer sk-secret");
        assert!(!format!("{headers:?}").contains("secret"));
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_refused_and_not_shown() {
        for (key, expected) in [
            ("", InvalidKey::Empty),
            (" \t\n", InvalidKey::Empty),
            ("sk-secret\r\nx: y", InvalidKey::Characters),
            ("sk secret", InvalidKey::Characters),
            ("sk-sécret", InvalidKey::Characters),
        ] {
            let error = bearer(key, &mut HeaderMap::new()).unwrap_err();
            assert_eq!(error, expected, "{key:?}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }
}
