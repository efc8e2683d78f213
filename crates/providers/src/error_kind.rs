//! What a failure means for the request that met it.

use http::StatusCode;
use limiter_core::Nanos;

use crate::error_body::ErrorBody;
use crate::retry_hint::may_be_retried;
use crate::{google_rpc, names, words};

/// What kind of failure a response is, in the terms that decide what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too fast for a limit of seconds, minutes or hours, or a limit whose window was not named: wait, then send again.
    RateLimited,
    /// Too much for a day's limit: wait, possibly for hours.
    DailyLimit,
    /// The request alone is larger than a limit or the model's context: never succeeds unchanged.
    TooLarge,
    /// Credit, budget or quota is used up: waiting does not help, paying does.
    QuotaExhausted,
    /// The provider has no capacity at the moment: wait longer than for a rate limit and come back slowly.
    Overloaded,
    /// Something went wrong that may not go wrong again.
    Transient,
    /// The key is missing, wrong or revoked.
    Authentication,
    /// The key is right but may not do this: a plan (one whose quota for a model is zero, for instance), a region, a
    /// policy. Waiting does not help.
    Permission,
    /// The model or the address does not exist.
    NotFound,
    /// The request is malformed.
    Invalid,
    /// Not recognized; treated as final.
    Unknown,
}

impl ErrorKind {
    /// The kind by the names and words that providers use, else by the status.
    ///
    /// A name that says one thing only counts more than words, and words count more than the status: gateways answer
    /// 429 to what no waiting clears, and 400 or 403 where credit is used up.
    pub(crate) fn of(status: StatusCode, body: &ErrorBody) -> Self {
        let words = body.message.to_ascii_lowercase();
        let may_pass = may_be_retried(status) || status.is_success();
        if status == StatusCode::PAYMENT_REQUIRED {
            return Self::QuotaExhausted;
        }
        if let Some(kind) = body.all_names().find_map(names::kind_of) {
            return kind;
        }
        if may_pass && let Some(kind) = Self::of_exceeded(body) {
            return kind;
        }
        // Google begins like this about every quota, and says when those are back that come back.
        let is_googles = body.is_named("RESOURCE_EXHAUSTED") && words.starts_with("you exceeded your current quota");
        let comes_back = is_googles && (google_rpc::details(body).retry.is_some() || words::wait(&words).is_some());
        if !comes_back && words::tell_exhaustion(&words) {
            // A subscription's share, for instance, which comes back by itself.
            let returns = may_pass && (words::tell_reset(&words) || body.object.get("resets_in_seconds").is_some());
            return if returns { Self::DailyLimit } else { Self::QuotaExhausted };
        }
        let upstream = body.upstream().map(str::to_ascii_lowercase).unwrap_or_default();
        if status == StatusCode::PAYLOAD_TOO_LARGE || words::tell_size(&words) || words::tell_size(&upstream) {
            return Self::TooLarge;
        }
        if matches!(status.as_u16(), 400 | 401 | 403) && words::tell_authentication(&words) {
            return Self::Authentication;
        }
        // The words alone do not make a bad request an overload.
        if may_pass && words::tell_overload(&words) {
            return Self::Overloaded;
        }
        let is_daily = words::window(&words) == Some(Nanos::DAY);
        match status.as_u16() {
            401 => Self::Authentication,
            403 => Self::Permission,
            404 => Self::NotFound,
            429 if is_daily => Self::DailyLimit,
            429 => Self::RateLimited,
            // 498 is what Groq answers where its flexible tier has no capacity.
            498 | 503 | 529 => Self::Overloaded,
            _ if may_be_retried(status) => Self::Transient,
            400..=499 => Self::Invalid,
            _ => match body.all_names().find_map(names::kind_of_weak).unwrap_or(Self::Unknown) {
                Self::RateLimited if is_daily => Self::DailyLimit,
                kind => kind,
            },
        }
    }

    /// By the quotas that Google names.
    fn of_exceeded(body: &ErrorBody) -> Option<Self> {
        let details = google_rpc::details(body);
        if details.is_zero {
            return Some(Self::Permission);
        }
        if details.is_daily {
            return Some(Self::DailyLimit);
        }
        (!details.exceeded.is_empty()).then_some(Self::RateLimited)
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::DailyLimit | Self::Overloaded | Self::Transient)
    }

    /// Whether the request was refused because of a limit that refills.
    #[must_use]
    pub const fn is_limit(self) -> bool {
        matches!(self, Self::RateLimited | Self::DailyLimit)
    }

    /// The name in lower case with underscores: `rate_limited`, `quota_exhausted`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::DailyLimit => "daily_limit",
            Self::TooLarge => "too_large",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Overloaded => "overloaded",
            Self::Transient => "transient",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: ErrorKind) {
        let kind = ErrorKind::of(StatusCode::from_u16(status).unwrap(), &ErrorBody::read(body.as_bytes()));
        assert_eq!(kind, expected, "{status} {body}");
    }

    #[test]
    fn without_words_the_status_decides() {
        for (status, expected) in [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Authentication),
            (402, ErrorKind::QuotaExhausted),
            (403, ErrorKind::Permission),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Transient),
            (409, ErrorKind::Transient),
            (413, ErrorKind::TooLarge),
            (422, ErrorKind::Invalid),
            (425, ErrorKind::Transient),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Transient),
            (502, ErrorKind::Transient),
            (503, ErrorKind::Overloaded),
            (504, ErrorKind::Transient),
            (529, ErrorKind::Overloaded),
            (599, ErrorKind::Transient),
            (302, ErrorKind::Unknown),
            (999, ErrorKind::Unknown),
        ] {
            check(status, "", expected);
        }
    }

    #[test]
    fn names_and_words_know_better_than_the_status() {
        check(429, r#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#, ErrorKind::QuotaExhausted);
        check(429, r#"{"error":{"message":"Your organization spend limit was hit"}}"#, ErrorKind::QuotaExhausted);
        check(429, r#"{"error":{"message":"Request too large for m on tokens per min (TPM)"}}"#, ErrorKind::TooLarge);
        check(429, r#"{"error":{"message":"on requests per day (RPD): Limit 2"}}"#, ErrorKind::DailyLimit);
        check(429, r#"{"error":{"message":"no room","code":"resource_unavailable"}}"#, ErrorKind::Overloaded);
        check(400, r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#, ErrorKind::TooLarge);
        check(500, r#"{"error":{"message":"The engine is currently overloaded"}}"#, ErrorKind::Overloaded);
        check(400, r#"{"error":{"message":"operator `+` is overloaded"}}"#, ErrorKind::Invalid);
    }

    #[test]
    fn what_is_used_up_and_comes_back_is_waited_for() {
        let used_up = |rest: &str| format!(r#"{{"error":{{"message":"The usage limit has been reached{rest}}}}}"#);
        check(429, &used_up("\""), ErrorKind::QuotaExhausted);
        check(429, &used_up(", your limit will reset at 2026-01-01\""), ErrorKind::DailyLimit);
        check(429, &used_up("\",\"resets_in_seconds\":18123"), ErrorKind::DailyLimit);
    }

    #[test]
    fn googles_quota_comes_back_where_it_says_when() {
        let error = |rest: &str| {
            format!(
                r#"{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota, please check your plan and billing details.{rest}}}}}"#
            )
        };
        check(429, &error(" Please retry in 46.9s.\""), ErrorKind::RateLimited);
        check(
            429,
            &error("\",\"details\":[{\"@type\":\"a/google.rpc.RetryInfo\",\"retryDelay\":\"9s\"}]"),
            ErrorKind::RateLimited,
        );
        check(429, &error("\""), ErrorKind::QuotaExhausted);
    }

    #[test]
    fn the_reason_may_stand_in_any_of_the_details() {
        let body = r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[
            {"locale":"de"},{"reason":"API_KEY_INVALID"}]}}"#;
        check(400, body, ErrorKind::Authentication);
    }

    #[test]
    fn what_a_gateway_passes_on_tells_of_size_but_not_of_quota() {
        let raw = r#"{"error":{"message":"m","metadata":{"raw":"the maximum context length is 8"}}}"#;
        check(400, raw, ErrorKind::TooLarge);
        let raw =
            r#"{"error":{"message":"m","metadata":{"raw":"You exceeded your current quota, please check your plan"}}}"#;
        check(429, raw, ErrorKind::RateLimited);
    }

    #[test]
    fn inside_a_success_the_names_decide() {
        check(200, r#"{"error":{"message":"m","type":"overloaded_error"}}"#, ErrorKind::Overloaded);
        check(
            200,
            r#"{"error":{"message":"m","type":"invalid_request_error","code":"rate_limit_exceeded"}}"#,
            ErrorKind::RateLimited,
        );
        check(
            200,
            r#"{"error":{"message":"on tokens per day (TPD)","code":"rate_limit_exceeded"}}"#,
            ErrorKind::DailyLimit,
        );
        check(200, r#"{"error":{"message":"m","type":"brand_new"}}"#, ErrorKind::Unknown);
    }
}
