//! Google's Gemini API, and Vertex AI, which has the same models in Google's cloud.
//!
//! Sources: <https://ai.google.dev/gemini-api/docs/rate-limits> (requests a minute and a day, input tokens a minute, for
//! each project; a day ends at midnight in California), <https://ai.google.dev/gemini-api/docs/troubleshooting>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429> (a shared quota: no limit of one's own),
//! <https://ai.google.dev/api/generate-content#UsageMetadata>. Neither states limits in headers (none of 2,331 recorded
//! answers); refusals name them in their details, which every provider's errors are read for.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use crate::provider::sensitive_value;
use crate::{Dialect, InvalidKey, Provider, UnixTime};

/// The Gemini API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gemini;

/// Vertex AI. Each region and project has an address of its own: the one here leads nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vertex;

static DIALECT: Dialect = Dialect { day_ends: Some(midnight_in_california), ..Dialect::COMMON };

impl Provider for Gemini {
    fn name(&self) -> &str {
        "gemini"
    }

    /// Its interface in OpenAI's form.
    fn base_url(&self) -> &str {
        "https://generativelanguage.googleapis.com/v1beta/openai"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("GEMINI_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    /// `x-goog-api-key`, and `Authorization` for the interface in OpenAI's form.
    fn authenticate(&self, key: &str, headers: &mut HeaderMap) -> Result<(), InvalidKey> {
        headers.insert(HeaderName::from_static("x-goog-api-key"), sensitive_value("", key)?);
        crate::provider::bearer(key, headers)
    }

    /// Models are written with and without where they are kept.
    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(plain_name(model))
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "generativelanguage.googleapis.com"
    }

    fn owns_model(&self, model: &str) -> bool {
        model.starts_with("gemini-") || model.starts_with("models/gemini-")
    }
}

impl Provider for Vertex {
    fn name(&self) -> &str {
        "vertex"
    }

    /// A name that never resolves (RFC 2606), because each project and region has a path and a host of its own.
    fn base_url(&self) -> &str {
        "https://your-region.vertex.invalid/v1"
    }

    /// Where Google's own tools keep a token for a short while.
    fn key_variable(&self) -> Option<&str> {
        Some("GOOGLE_OAUTH_ACCESS_TOKEN")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    /// Models are written with and without who made them, and with their version behind an `@`.
    fn model_group<'a>(&self, model: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(plain_name(model))
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "aiplatform.googleapis.com" || host.ends_with("-aiplatform.googleapis.com")
    }
}

/// The name of a model without `models/`, `google/` or a longer path in front of it, and without a version.
fn plain_name(model: &str) -> &str {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.split('@').next().unwrap_or(name)
}

/// The next midnight in California: eight hours behind UTC, seven from the second Sunday of March to the first of
/// November. On the two days of the change it may be an hour late.
fn midnight_in_california(now: UnixTime) -> UnixTime {
    const HOUR: u64 = 3_600_000_000_000;
    let behind = if is_summer(now.as_nanos() / (24 * HOUR)) { 7 * HOUR } else { 8 * HOUR };
    let local = UnixTime::from_nanos(now.as_nanos().saturating_sub(behind));
    UnixTime::from_nanos(local.next_midnight().as_nanos().saturating_add(behind))
}

/// Whether a day, counted from 1970-01-01, lies in summer time, by the calendar of the United States since 2007.
fn is_summer(day: u64) -> bool {
    let Ok(day) = i64::try_from(day) else { return false };
    let Ok(instant) = jiff::Timestamp::from_second(day.saturating_mul(86_400)) else { return false };
    let date = instant.to_zoned(jiff::tz::TimeZone::UTC).date();
    // The day of the month of the latest Sunday, this day included: zero or less where it was last month's.
    let sunday = i64::from(date.day()) - i64::from(date.weekday().to_sunday_zero_offset());
    match date.month() {
        4..=10 => true,
        3 => sunday >= 8,
        11 => sunday < 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::{Dimension, Nanos};
    use serde_json::{Value, json};

    use super::*;
    use crate::test_support::{RECEIVED, classify};
    use crate::{ErrorKind, Failure, StreamUsage, Usage};

    fn refused(message: &str, details: Value) -> Failure {
        let body =
            json!({"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}});
        classify(&Gemini, 429, &[], &body.to_string())
    }

    fn violations(ids: &[&str]) -> Value {
        let violations: Vec<_> = ids
            .iter()
            .map(|id| json!({"quotaId": id, "quotaMetric": "g/generate_content_requests", "quotaValue": "7"}))
            .collect();
        json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}])
    }

    const MESSAGE: &str = "You exceeded your current quota, please check your plan and billing details.";

    #[test]
    fn a_minutes_quota_is_waited_for_as_it_says() {
        let failure = refused(MESSAGE, violations(&["GenerateRequestsPerMinutePerProjectPerModel-FreeTier"]));
        assert_eq!((failure.kind, failure.dimension), (ErrorKind::RateLimited, Some(Dimension::Requests)));
        assert_eq!((failure.limit, failure.retry_after), (Some(7), Some(Nanos::from_secs(13))));
    }

    #[test]
    fn seconds_are_not_believed_beside_a_days_quota() {
        let ids = ["GenerateRequestsPerMinutePerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"];
        let failure = refused(MESSAGE, violations(&ids));
        assert_eq!(failure.kind, ErrorKind::DailyLimit);
        // The response came at 08:00 UTC in January: midnight there, and the next one is a day away.
        assert_eq!(failure.retry_after, Some(Nanos::DAY));
        let day = failure.observation.readings().iter().find(|reading| reading.window == Some(Nanos::DAY)).unwrap();
        assert_eq!((day.limit, day.remaining, day.reset, day.fixed_window), (Some(7), Some(0), Some(Nanos::DAY), true));
        let failure = refused("Please retry in 10h17m5.5s.", violations(&ids[1..])["0"].clone());
        assert_eq!((failure.kind, failure.retry_after), (ErrorKind::DailyLimit, Some(Nanos::from_millis(37_025_500))));
    }

    #[test]
    fn a_quota_of_zero_is_not_waited_for() {
        let message = format!(
            "{MESSAGE} \n* Quota exceeded for metric: g/generate_content_free_tier_requests, limit: 0, model: m\nPlease retry in 26.4s."
        );
        let failure = refused(&message, json!([]));
        assert_eq!((failure.kind, failure.is_retryable(), failure.retry_after), (ErrorKind::Permission, false, None));
    }

    #[test]
    fn refusals_without_details_are_told_apart() {
        let kind = |message: &str| refused(message, Value::Null).kind;
        assert_eq!(kind(MESSAGE), ErrorKind::QuotaExhausted);
        assert_eq!(kind("Resource has been exhausted (e.g. check quota)."), ErrorKind::RateLimited);
        assert_eq!(kind("Resource exhausted. Please try again later."), ErrorKind::Overloaded);
        let vertex = "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: m.";
        let body = json!([{"error": {"code": 429, "message": vertex, "status": "RESOURCE_EXHAUSTED"}}]);
        let failure = classify(&Vertex, 429, &[], &body.to_string());
        assert_eq!((failure.kind, failure.dimension), (ErrorKind::RateLimited, Some(Dimension::Requests)));
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told_apart() {
        let check = |status, error: Value, expected| {
            let failure = classify(&Gemini, status, &[], &json!({"error": error}).to_string());
            assert_eq!(failure.kind, expected, "{error}");
            failure
        };
        let reason = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
        check(
            400,
            json!({"code": 400, "message": "m", "status": "INVALID_ARGUMENT", "details": reason}),
            ErrorKind::Authentication,
        );
        check(400, json!({"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}), ErrorKind::Invalid);
        check(
            503,
            json!({"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}),
            ErrorKind::Overloaded,
        );
        check(500, json!({"code": 500, "message": "m", "status": "INTERNAL"}), ErrorKind::Transient);
        let long = "The input token count (1250) exceeds the maximum number of tokens allowed (1000).";
        let failure =
            check(400, json!({"code": 400, "message": long, "status": "INVALID_ARGUMENT"}), ErrorKind::TooLarge);
        assert_eq!(failure.excess(), Some(250));
    }

    #[test]
    fn thoughts_stand_beside_what_is_shown_and_what_tools_read_beside_the_prompt() {
        let member = json!({"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 7,
            "thoughtsTokenCount": 30, "toolUsePromptTokenCount": 5, "totalTokenCount": 142});
        let expected =
            Usage { input: 105, cached_input: 40, output: 37, reasoning: 30, total: 142, ..Usage::default() };
        let answer = json!({"candidates": [], "usageMetadata": member});
        assert_eq!(Gemini.usage(answer.to_string().as_bytes()), Some(expected));
        // A stream that nobody asked to be one of events is an array.
        let first = json!({"candidates": [], "usageMetadata": {"promptTokenCount": 100, "totalTokenCount": 100}});
        assert_eq!(Gemini.usage(json!([first, answer]).to_string().as_bytes()), Some(expected));
        let mut stream = StreamUsage::new();
        for event in [&first, &answer] {
            stream.push(format!("data: {event}\r\n\r\n").as_bytes()).unwrap();
        }
        assert_eq!(stream.usage(), Some(expected));
        // An answer without anything in it has no candidates' tokens.
        let empty = json!({"usageMetadata": {"promptTokenCount": 4, "thoughtsTokenCount": 9, "totalTokenCount": 13}});
        let usage = Gemini.usage(empty.to_string().as_bytes()).unwrap();
        assert_eq!((usage.input, usage.output, usage.reasoning, usage.total), (4, 9, 9, 13));
    }

    #[test]
    fn an_error_inside_a_stream_is_seen_in_either_form() {
        let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
        let mut stream = StreamUsage::new();
        stream.push(format!("data: {error}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(stream.failure().map(|failure| failure.kind), Some(ErrorKind::Overloaded));
        let array = json!([{"candidates": []}, error]).to_string();
        assert_eq!(Gemini.failure_in_success(array.as_bytes()).map(|it| it.kind), Some(ErrorKind::Overloaded));
    }

    #[test]
    fn a_model_has_one_limit_however_it_is_written() {
        for model in ["gemini-2.5-flash", "models/gemini-2.5-flash", "google/gemini-2.5-flash"] {
            assert_eq!(Gemini.model_group(model), "gemini-2.5-flash");
        }
        assert_eq!(Vertex.model_group("publishers/anthropic/models/claude-x@20250514"), "claude-x");
    }

    #[test]
    fn days_end_at_midnight_in_california() {
        let check = |now: &str, expected: &str| {
            let unix =
                |text: &str| UnixTime::from_secs(text.parse::<jiff::Timestamp>().unwrap().as_second().unsigned_abs());
            assert_eq!(midnight_in_california(unix(now)), unix(expected), "{now}");
        };
        check("2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z");
        check("2026-01-15T08:00:00Z", "2026-01-16T08:00:00Z");
        check("2026-07-04T06:59:59Z", "2026-07-04T07:00:00Z");
        check("2026-07-04T07:00:00Z", "2026-07-05T07:00:00Z");
        // In 2026 summer time begins on 8 March and ends on 1 November.
        check("2026-03-07T20:00:00Z", "2026-03-08T08:00:00Z");
        check("2026-03-09T20:00:00Z", "2026-03-10T07:00:00Z");
        check("2026-10-31T20:00:00Z", "2026-11-01T07:00:00Z");
        check("2026-11-02T20:00:00Z", "2026-11-03T08:00:00Z");
        assert!(midnight_in_california(UnixTime::from_nanos(u64::MAX)) >= RECEIVED);
    }
}
