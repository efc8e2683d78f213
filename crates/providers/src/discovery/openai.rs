//! OpenAI: the rate limits of a project, and those of fine tuning.
//!
//! Source: <https://developers.openai.com/api/reference/resources/organization/subresources/projects/subresources/rate_limits>.

use limiter_core::{Dimension, Nanos};
use serde_json::Value;

use super::{DiscoveryError, DiscoveryRequest, KeyKind, Page, ScopeLimits, count, items, parse, text};
use crate::payload::path_segment;

/// Asks for the projects of the organization. `after` is [`Page::next`] of the part before.
#[must_use]
pub fn projects_request(after: Option<&str>) -> DiscoveryRequest {
    let request = DiscoveryRequest::get("/v1/organization/projects", KeyKind::Admin).with_query("limit", "100");
    after.into_iter().fold(request, |request, after| request.with_query("after", after))
}

/// Asks for the rate limits of a project, a model each. `after` is [`Page::next`] of the part before.
#[must_use]
pub fn rate_limits_request(project: &str, after: Option<&str>) -> DiscoveryRequest {
    let path = format!("/v1/organization/projects/{}/rate_limits", path_segment(project));
    let request = DiscoveryRequest::get(path, KeyKind::Admin).with_query("limit", "100");
    after.into_iter().fold(request, |request, after| request.with_query("after", after))
}

/// Asks how many jobs of fine tuning each model takes.
#[must_use]
pub fn fine_tuning_limits_request() -> DiscoveryRequest {
    DiscoveryRequest::get("/v1/fine_tuning/model_limits", KeyKind::Ordinary)
}

/// Reads the ids of projects out of the answer to [`projects_request`].
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with a list `data`.
pub fn parse_projects(body: &[u8]) -> Result<Page<String>, DiscoveryError> {
    read_page(body, |project| {
        let is_active = project.get("status").and_then(Value::as_str).is_none_or(|status| status == "active");
        text(project.get("id")).filter(|_| is_active)
    })
}

/// Reads the answer to [`rate_limits_request`].
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with a list `data`.
pub fn parse_rate_limits(body: &[u8]) -> Result<Page<ScopeLimits>, DiscoveryError> {
    read_page(body, rate_limit)
}

/// Reads the answer to [`fine_tuning_limits_request`]: every number beside a model's name.
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with a list `data`.
pub fn parse_fine_tuning_limits(body: &[u8]) -> Result<Page<ScopeLimits>, DiscoveryError> {
    read_page(body, |entry| {
        let model = text(entry.get("model")).or_else(|| text(entry.get("id")))?;
        let mut limits = of_model(model);
        let members = entry.as_object().into_iter().flatten();
        limits.other = members.filter_map(|(name, value)| Some((name.clone(), count(Some(value))?))).collect();
        Some(limits)
    })
}

fn of_model(model: String) -> ScopeLimits {
    ScopeLimits { scope: model.clone(), models: vec![model], ..ScopeLimits::default() }
}

fn rate_limit(entry: &Value) -> Option<ScopeLimits> {
    const METERED: [(&str, Dimension, Nanos); 4] = [
        ("max_requests_per_1_minute", Dimension::Requests, Nanos::MINUTE),
        ("max_tokens_per_1_minute", Dimension::Tokens, Nanos::MINUTE),
        ("max_images_per_1_minute", Dimension::Images, Nanos::MINUTE),
        ("max_requests_per_1_day", Dimension::Requests, Nanos::DAY),
    ];
    const OTHER: [&str; 2] = ["max_audio_megabytes_per_1_minute", "batch_1_day_max_input_tokens"];
    let mut limits = of_model(text(entry.get("model"))?);
    for (name, dimension, window) in METERED {
        if let Some(amount) = count(entry.get(name)) {
            limits.add(dimension, window, amount);
        }
    }
    limits.other = OTHER.into_iter().filter_map(|name| Some((name.to_owned(), count(entry.get(name))?))).collect();
    Some(limits)
}

fn read_page<T>(body: &[u8], read: impl Fn(&Value) -> Option<T>) -> Result<Page<T>, DiscoveryError> {
    let answer = parse(body)?;
    let data = answer.get("data").filter(|data| data.is_array()).ok_or(DiscoveryError::Missing("data"))?;
    let more = answer.get("has_more").and_then(Value::as_bool).unwrap_or_default();
    let next = text(answer.get("last_id")).filter(|_| more);
    Ok(Page { items: items(Some(data)).iter().filter_map(read).collect(), next })
}
