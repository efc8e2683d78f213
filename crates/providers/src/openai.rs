//! OpenAI.
//!
//! Sources: <https://platform.openai.com/docs/guides/rate-limits> (headers, buckets, shared limits),
//! <https://platform.openai.com/docs/guides/error-codes>, and the API reference.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, StatusCode};
use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::dialect::ResetMeans;
use crate::duration::Reset;
use crate::error_body::ErrorBody;
use crate::headers::{Field, Meaning};
use crate::{Dialect, ErrorKind, Provider, UnixTime};

/// OpenAI: chat completions, responses, embeddings and the rest of its interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAi;

/// Its resets are the time until the bucket is full. It states limits for a minute and for a day.
pub(crate) static DIALECT: Dialect = Dialect {
    meaning_of,
    complete: without_false_minutes,
    kind_of,
    wait,
    reset: ResetMeans::Full,
    windows: &[Nanos::MINUTE, Nanos::DAY],
    ..Dialect::COMMON
};

impl Provider for OpenAi {
    fn name(&self) -> &str {
        "openai"
    }

    fn base_url(&self) -> &str {
        "https://api.openai.com/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("OPENAI_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    /// Its official clients make a key for each POST and keep it over all attempts
    /// (<https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py>), but name no header for it, and the
    /// reference has none. This is the name of the draft standard
    /// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>): a server that does not know it passes it
    /// over.
    fn idempotency_header(&self) -> Option<HeaderName> {
        Some(HeaderName::from_static("idempotency-key"))
    }

    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(group_of(model))
    }

    fn bare_model<'a>(&self, model: &'a str) -> &'a str {
        model.strip_prefix("openai/").unwrap_or(model)
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.openai.com" || host.ends_with(".api.openai.com")
    }

    fn owns_model(&self, model: &str) -> bool {
        const FAMILIES: [&str; 11] = [
            "gpt-",
            "chatgpt-",
            "o1",
            "o3",
            "o4",
            "ft:gpt-",
            "text-embedding-",
            "dall-e",
            "tts-",
            "whisper-",
            "omni-moderation",
        ];
        !model.contains('/') && FAMILIES.iter().any(|family| model.starts_with(family))
    }
}

/// `x-ratelimit-{limit,remaining,reset}-{family}`.
///
/// The window of `requests` is a minute for most accounts and a day for small ones, under one name, so it is left open.
/// `tokens_usage_based` repeats `tokens` and is left out.
fn meaning_of(name: &str) -> Option<Meaning> {
    let (field, family) = name.strip_prefix("x-ratelimit-")?.split_once('-')?;
    let (number, dimension, window) = match family {
        "requests" => (0, Dimension::Requests, None),
        "tokens" => (1, Dimension::Tokens, Some(Nanos::MINUTE)),
        "project-tokens" => (2, Dimension::Tokens, Some(Nanos::MINUTE)),
        "images" => (3, Dimension::Images, Some(Nanos::MINUTE)),
        "input-images" => (4, Dimension::Images, Some(Nanos::MINUTE)),
        _ => return None,
    };
    Some(Meaning { field: Field::parse(field)?, family: number, dimension, window })
}

/// A minute's bucket is full within a minute. Where it takes longer, tokens are metered over something else.
fn without_false_minutes(observation: Observation) -> Observation {
    const LONGEST: Nanos = Nanos::from_secs(61);
    let is_minute =
        |reading: &Reading| reading.window != Some(Nanos::MINUTE) || reading.reset.is_none_or(|reset| reset <= LONGEST);
    if observation.readings().iter().all(is_minute) {
        return observation;
    }
    let mut complete = Observation::new();
    complete.retry_after = observation.retry_after;
    for reading in observation.readings() {
        complete.push(Reading { window: reading.window.filter(|_| is_minute(reading)), ..*reading });
    }
    complete
}

/// Errors that only OpenAI has names for.
fn kind_of(status: StatusCode, body: &ErrorBody) -> Option<ErrorKind> {
    // The tokens of a batch that waits in the queue: free again when another batch is done.
    (status == StatusCode::OK && body.is_named("token_limit_exceeded")).then_some(ErrorKind::RateLimited)
}

/// A subscription's refusal says when it is back in the headers of its own interface alone.
fn wait(headers: &HeaderMap, now: UnixTime) -> Option<Nanos> {
    let used = |name: &str| headers.get(name)?.to_str().ok()?.trim_ascii().parse::<f64>().ok();
    let windows = ["x-codex-primary", "x-codex-secondary"];
    let spent =
        windows.into_iter().filter(|window| used(&format!("{window}-used-percent")).is_some_and(|it| it >= 100.0));
    let resets =
        spent.filter_map(|window| headers.get(format!("{window}-reset-at"))?.to_str().ok().and_then(Reset::parse));
    resets.map(|reset| reset.from(now)).max()
}

/// The path that a body is for, by the fields that only one interface has.
pub(crate) fn endpoint_of(body: &Value) -> &'static str {
    let has = |field: &str| body.get(field).is_some();
    let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
    if has("messages") {
        "/v1/chat/completions"
    } else if has("input") && has("voice") {
        "/v1/audio/speech"
    } else if has("input") && (has("encoding_format") || has("dimensions") || model.contains("embed")) {
        "/v1/embeddings"
    } else if has("input") && model.contains("moderation") {
        "/v1/moderations"
    } else if has("prompt") && (model.starts_with("dall-e") || model.contains("image")) {
        "/v1/images/generations"
    } else if has("input") || has("conversation") || body.get("prompt").is_some_and(Value::is_object) {
        "/v1/responses"
    } else if has("prompt") {
        "/v1/completions"
    } else {
        "/v1/chat/completions"
    }
}

/// A dated snapshot and a fine-tuned model share with the model they come from.
fn group_of(model: &str) -> &str {
    let base = model.strip_prefix("ft:").and_then(|tuned| tuned.split(':').next()).unwrap_or(model);
    let Some((front, end)) = base.rsplit_once('-') else { return base };
    let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(end, 4) && base.starts_with("gpt-") {
        // The first snapshots had month and day only: `gpt-4-0613`.
        return front;
    }
    let mut parts = base.rsplitn(4, '-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year), Some(front))
            if is_number(day, 2) && is_number(month, 2) && is_number(year, 4) =>
        {
            front
        }
        _ => base,
    }
}

#[cfg(test)]
mod tests;
