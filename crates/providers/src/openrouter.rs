//! OpenRouter.
//!
//! Sources: <https://openrouter.ai/docs/api-reference/limits>, <https://openrouter.ai/docs/api-reference/errors>,
//! <https://openrouter.ai/docs/use-cases/usage-accounting>.

use std::borrow::Cow;

use http::StatusCode;
use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::dialect::ResetMeans;
use crate::error_body::ErrorBody;
use crate::headers::{Field, Meaning};
use crate::{Dialect, ErrorKind, Provider, UnixTime, openai, words};

/// OpenRouter: many providers' models behind OpenAI's interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenRouter;

/// Its windows are fixed: at the reset everything is back. Its days end at midnight UTC.
static DIALECT: Dialect = Dialect {
    meaning_of,
    complete: with_windows,
    kind_of,
    reset: ResetMeans::Available,
    day_ends: Some(UnixTime::next_midnight),
    ..Dialect::COMMON
};

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

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn endpoint_of(&self, body: &Value) -> &'static str {
        if body.get("documents").is_some() && body.get("query").is_some() {
            "/v1/rerank"
        } else {
            openai::endpoint_of(body)
        }
    }

    /// The free models have one limit together. Each other model stands by itself.
    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(if model.ends_with(":free") { ":free" } else { model })
    }

    fn is_free(&self, model: &str) -> bool {
        model.ends_with(":free")
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

/// The same with the window. The platform's windows are the minute and the day (UTC), fixed on the clock: a reset more
/// than a minute away can only be that of the day. Where a message names the window, that counts.
fn with_windows(observation: Observation) -> Observation {
    let mut complete = Observation::new();
    complete.retry_after = observation.retry_after;
    for reading in observation.readings() {
        let window = reading.reset.map(|reset| if reset <= Nanos::MINUTE { Nanos::MINUTE } else { Nanos::DAY });
        complete.push(Reading { window, fixed_window: true, ..*reading });
    }
    complete
}

/// The names of the typed errors, and refusals for lack of credit that running requests will give back.
fn kind_of(status: StatusCode, body: &ErrorBody) -> Option<ErrorKind> {
    let at = |pointer| body.text_at(pointer);
    if at("/metadata/limit_source") == Some("openrouter_in_flight_budget") {
        return Some(ErrorKind::RateLimited);
    }
    match at("/metadata/error_type").or_else(|| at("/error_type"))? {
        "rate_limit_exceeded" if words::window(&body.message) != Some(Nanos::DAY) => Some(ErrorKind::RateLimited),
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
