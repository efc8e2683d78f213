//! OpenRouter: what is left of a key and of an account.
//!
//! Sources: <https://openrouter.ai/docs/api/api-reference/api-keys/get-current-key>,
//! <https://openrouter.ai/docs/api/api-reference/credits/get-credits>, <https://openrouter.ai/docs/limits>.

use limiter_core::{Dimension, Nanos};
use serde_json::Value;

use super::{DiscoveryError, DiscoveryRequest, KeyKind, ScopeLimits, amount, count, parse, text};
use crate::duration::parse_go_duration;

/// What OpenRouter says about a key. Sums are in US dollars.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key's label: its beginning and end, or the name that its owner gave it.
    pub label: Option<String>,
    /// The most that the key may spend; `None` where it may spend all there is.
    pub limit: Option<f64>,
    /// What is left of `limit`. Below zero where more was spent.
    pub limit_remaining: Option<f64>,
    /// How often `limit` begins anew: `daily`, `weekly`, `monthly`; `None` for never.
    pub limit_reset: Option<String>,
    /// What the key has spent.
    pub usage: Option<f64>,
    /// What it has spent since midnight UTC.
    pub usage_daily: Option<f64>,
    /// What it has spent since Monday.
    pub usage_weekly: Option<f64>,
    /// What it has spent this month.
    pub usage_monthly: Option<f64>,
    /// Whether no credit was ever bought.
    pub is_free_tier: Option<bool>,
    /// When the key ends to be valid, as RFC 3339.
    pub expires_at: Option<String>,
    /// What the account may still ask of free models today; about a minute old.
    pub free_requests: Option<FreeRequests>,
    /// Requests and the span they are for; keys since 2026 state none that holds.
    pub rate_limit: Option<(u64, Nanos)>,
}

/// Requests to free models since midnight UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeRequests {
    /// How many were sent.
    pub used: u64,
    /// How many may be sent in a day.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
}

/// What an account has bought and spent, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Credits {
    /// What was bought.
    pub total_credits: f64,
    /// What was spent.
    pub total_usage: f64,
}

impl Credits {
    /// What is left. Below zero where more was spent.
    #[must_use]
    pub fn remaining(&self) -> f64 {
        self.total_credits - self.total_usage
    }
}

/// Asks what is left of the key that it is sent with.
#[must_use]
pub fn key_request() -> DiscoveryRequest {
    DiscoveryRequest::get("/v1/key", KeyKind::Ordinary)
}

/// Asks for the credits of the account. It takes a management key.
#[must_use]
pub fn credits_request() -> DiscoveryRequest {
    DiscoveryRequest::get("/v1/credits", KeyKind::Admin)
}

/// Reads the answer to [`key_request`].
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with an object `data`.
pub fn parse_key(body: &[u8]) -> Result<KeyStatus, DiscoveryError> {
    let answer = parse(body)?;
    let data = answer.get("data").filter(|data| data.is_object()).ok_or(DiscoveryError::Missing("data"))?;
    Ok(KeyStatus {
        label: text(data.get("label")),
        limit: amount(data.get("limit")),
        limit_remaining: amount(data.get("limit_remaining")),
        limit_reset: text(data.get("limit_reset")),
        usage: amount(data.get("usage")),
        usage_daily: amount(data.get("usage_daily")),
        usage_weekly: amount(data.get("usage_weekly")),
        usage_monthly: amount(data.get("usage_monthly")),
        is_free_tier: data.get("is_free_tier").and_then(Value::as_bool),
        expires_at: text(data.get("expires_at")),
        free_requests: data.get("free_model_daily_requests").and_then(free_requests),
        rate_limit: data.get("rate_limit").and_then(rate_limit),
    })
}

/// Reads the answer to [`credits_request`].
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with the two sums in `data`.
pub fn parse_credits(body: &[u8]) -> Result<Credits, DiscoveryError> {
    let answer = parse(body)?;
    let sum =
        |name: &'static str| amount(answer.pointer(&format!("/data/{name}"))).ok_or(DiscoveryError::Missing(name));
    Ok(Credits { total_credits: sum("total_credits")?, total_usage: sum("total_usage")? })
}

fn free_requests(value: &Value) -> Option<FreeRequests> {
    let limit = count(value.get("limit"))?;
    let used = count(value.get("used")).unwrap_or_default();
    let remaining = count(value.get("remaining")).unwrap_or_else(|| limit.saturating_sub(used));
    Some(FreeRequests { used, limit, remaining })
}

/// The field is out of use: it holds -1, or a number beside a note that it does not count.
fn rate_limit(value: &Value) -> Option<(u64, Nanos)> {
    if value.get("note").is_some() {
        return None;
    }
    let requests = count(value.get("requests")).filter(|requests| *requests > 0)?;
    let interval = parse_go_duration(value.get("interval")?.as_str()?).filter(|interval| *interval > Nanos::ZERO)?;
    Some((requests, interval))
}

/// The requests to free models that every account may send in a minute.
const FREE_PER_MINUTE: u64 = 20;

impl KeyStatus {
    /// The limits that it speaks of: those of the free models, which share one bucket, and the key's own where it has
    /// any. The day of the free models begins at midnight UTC.
    #[must_use]
    pub fn limits(&self) -> Vec<ScopeLimits> {
        let mut limits = Vec::new();
        if let Some(free) = self.free_requests {
            let mut shared = ScopeLimits { scope: ":free".to_owned(), ..ScopeLimits::default() };
            shared.add(Dimension::Requests, Nanos::MINUTE, FREE_PER_MINUTE);
            shared.add(Dimension::Requests, Nanos::DAY, free.limit);
            limits.push(shared);
        }
        if let Some((requests, interval)) = self.rate_limit {
            let mut own = ScopeLimits { scope: "key".to_owned(), ..ScopeLimits::default() };
            own.add(Dimension::Requests, interval, requests);
            limits.push(own);
        }
        limits
    }

    /// Whether the key may spend nothing any more before its limit begins anew.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.limit_remaining.is_some_and(|remaining| remaining <= 0.0)
    }
}
