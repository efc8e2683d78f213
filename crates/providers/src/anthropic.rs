//! Anthropic.
//!
//! Sources: <https://platform.claude.com/docs/en/api/rate-limits> (headers, buckets, shared limits),
//! <https://platform.claude.com/docs/en/api/errors>, <https://platform.claude.com/docs/en/api/versioning>.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::Nanos;
use serde_json::Value;

use crate::dialect::ResetMeans;
use crate::duration::Reset;
use crate::error_body::ErrorBody;
use crate::payload::Form;
use crate::provider::sensitive_value;
use crate::{Dialect, ErrorKind, InvalidKey, Provider, UnixTime, headers};

/// Anthropic: the Messages interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anthropic;

/// The version of the interface that this crate reads and writes.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Its resets are the time of full replenishment, but what a refusal needs is not told in its unit.
pub(crate) static DIALECT: Dialect =
    Dialect { meaning_of: headers::anthropic, kind_of, wait, reset: ResetMeans::Available, ..Dialect::COMMON };

impl Provider for Anthropic {
    fn name(&self) -> &str {
        "anthropic"
    }

    fn base_url(&self) -> &str {
        "https://api.anthropic.com/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("ANTHROPIC_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    /// `x-api-key`, and `anthropic-version` unless the caller has set one.
    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        headers.insert(HeaderName::from_static("x-api-key"), sensitive_value("", key)?);
        headers.entry(HeaderName::from_static("anthropic-version")).or_insert(VERSION);
        Ok(())
    }

    fn endpoint_of(&self, body: &Value) -> &'static str {
        // The old text completions are the only bodies with a prompt.
        if body.get("prompt").is_some() && body.get("messages").is_none() { "/v1/complete" } else { "/v1/messages" }
    }

    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(group_of(model))
    }

    fn chat_form(&self) -> Form {
        Form::Anthropic
    }

    fn bare_model<'a>(&self, model: &'a str) -> &'a str {
        model.strip_prefix("anthropic/").unwrap_or(model)
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.anthropic.com"
    }

    fn owns_model(&self, model: &str) -> bool {
        model.starts_with("claude-")
    }
}

/// Refusals that come with the status of something else.
fn kind_of(_status: StatusCode, body: &ErrorBody) -> Option<ErrorKind> {
    let lower = body.message.to_ascii_lowercase();
    let is_for_others = lower.contains("long context") && lower.contains("not yet available");
    if lower.starts_with("extra usage is required") || is_for_others {
        // A 429 that no waiting clears: the plan does not include contexts of this length.
        return Some(ErrorKind::Permission);
    }
    // A limit that the account's owner has set is refused with 400.
    lower.contains("reached your specified api usage limits").then_some(ErrorKind::QuotaExhausted)
}

/// A subscription's refusal says when it is back in `anthropic-ratelimit-unified-reset`.
fn wait(headers: &HeaderMap, now: UnixTime) -> Option<Nanos> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_refused = text("anthropic-ratelimit-unified-status") == Some("rejected");
    let reset = text("anthropic-ratelimit-unified-reset").filter(|_| is_refused).and_then(Reset::parse)?;
    Some(reset.from(now))
}

/// All of Opus 4.x draws on one bucket, all of Sonnet 4.x on another; a dated snapshot shares with its alias.
fn group_of(model: &str) -> &str {
    for shared in ["claude-opus-4", "claude-sonnet-4"] {
        if model.strip_prefix(shared).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '@'])) {
            return shared;
        }
    }
    match model.rsplit_once(['-', '@']) {
        Some((front, "latest")) => front,
        Some((front, date)) if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => front,
        _ => model,
    }
}

#[cfg(test)]
mod tests;
