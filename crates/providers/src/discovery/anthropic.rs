//! Anthropic: the rate limits of an organization and of its workspaces.
//!
//! Source: <https://platform.claude.com/docs/en/manage-claude/rate-limits-api> (the Admin API).

use http::HeaderValue;
use limiter_core::{Dimension, Nanos};
use serde_json::Value;

use super::{DiscoveryError, DiscoveryRequest, KeyKind, Page, ScopeLimits, count, items, parse, text};
use crate::payload::path_segment;

/// Asks for the limits of the organization, a group each. `page` is [`Page::next`] of the part before.
#[must_use]
pub fn rate_limits_request(page: Option<&str>) -> DiscoveryRequest {
    with_page(versioned(DiscoveryRequest::get("/v1/organizations/rate_limits", KeyKind::Admin)), page)
}

/// Asks for the limits that a workspace has of its own; in all others it has the organization's.
#[must_use]
pub fn workspace_rate_limits_request(workspace: &str, page: Option<&str>) -> DiscoveryRequest {
    let path = format!("/v1/organizations/workspaces/{}/rate_limits", path_segment(workspace));
    with_page(versioned(DiscoveryRequest::get(path, KeyKind::Admin)), page)
}

pub(super) fn versioned(mut request: DiscoveryRequest) -> DiscoveryRequest {
    request.headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    request
}

fn with_page(request: DiscoveryRequest, page: Option<&str>) -> DiscoveryRequest {
    page.into_iter().fold(request, |request, page| request.with_query("page", page))
}

/// Reads the answer to either request. The scope of models that share limits is the first of their names.
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with a list `data`.
pub fn parse_rate_limits(body: &[u8]) -> Result<Page<ScopeLimits>, DiscoveryError> {
    let answer = parse(body)?;
    let data = answer.get("data").filter(|data| data.is_array()).ok_or(DiscoveryError::Missing("data"))?;
    let items = items(Some(data)).iter().filter_map(group).collect();
    Ok(Page { items, next: text(answer.get("next_page")) })
}

/// Limits are named by what they count. Which of them cache reads count against does not change the number.
fn group(entry: &Value) -> Option<ScopeLimits> {
    let kind = text(entry.get("group_type")).or_else(|| text(entry.pointer("/group/type")))?;
    let models: Vec<String> = items(entry.get("models")).iter().filter_map(|model| text(Some(model))).collect();
    let mut limits = ScopeLimits { scope: models.first().cloned().unwrap_or(kind), models, ..ScopeLimits::default() };
    for limit in items(entry.get("limits")) {
        let (Some(name), Some(amount)) = (limit.get("type").and_then(Value::as_str), count(limit.get("value"))) else {
            continue;
        };
        let (dimension, window) = match name {
            "requests_per_minute" => (Dimension::Requests, Nanos::MINUTE),
            "input_tokens_per_minute" | "input_tokens_per_minute_cache_aware" => {
                (Dimension::InputTokens, Nanos::MINUTE)
            }
            "output_tokens_per_minute" => (Dimension::OutputTokens, Nanos::MINUTE),
            "tokens_per_minute" => (Dimension::Tokens, Nanos::MINUTE),
            "tokens_per_day" => (Dimension::Tokens, Nanos::DAY),
            _ => {
                limits.other.push((name.to_owned(), amount));
                continue;
            }
        };
        limits.add(dimension, window, amount);
    }
    Some(limits)
}
