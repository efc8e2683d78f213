//! The `details` of Google's errors: which quota was exceeded, and when to come back.
//!
//! Sources: <https://ai.google.dev/gemini-api/docs/rate-limits>, <https://cloud.google.com/apis/design/errors> (the
//! messages `QuotaFailure`, `RetryInfo` and `ErrorInfo` of `google.rpc`). The same is said in words, in lines such as
//! `* Quota exceeded for metric: .../generate_content_free_tier_requests, limit: 5, model: gemini-2.5-flash`, sometimes
//! alone.

use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::duration::parse_go_duration;
use crate::error_body::ErrorBody;
use crate::words;

/// What the details say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Details {
    /// The limits that were exceeded, with their amounts where they are stated.
    pub(crate) exceeded: Observation,
    /// Whether one of them is a day's.
    pub(crate) is_daily: bool,
    /// Whether one of them is zero: the plan has no quota for this model, and none will come.
    pub(crate) is_zero: bool,
    /// How long to wait. Beside a day's quota it says nothing about that one.
    pub(crate) retry: Option<Nanos>,
}

/// How many violations are looked at.
const MOST: usize = 16;

/// Reads the details of an error, and the words that repeat them.
pub(crate) fn details(body: &ErrorBody) -> Details {
    let mut details = Details::default();
    let empty = Vec::new();
    let members = body.object.get("details").and_then(Value::as_array).unwrap_or(&empty);
    for member in members.iter().take(MOST) {
        let text = |pointer: &str| member.pointer(pointer).and_then(Value::as_str);
        match text("/@type").and_then(|name| name.rsplit('.').next()) {
            Some("QuotaFailure") => {
                let violations = member.get("violations").and_then(Value::as_array).unwrap_or(&empty);
                violations.iter().take(MOST).for_each(|violation| details.add_violation(violation));
            }
            Some("RetryInfo") => details.retry = text("/retryDelay").and_then(parse_go_duration),
            Some("ErrorInfo") => {
                let names = [text("/metadata/quota_metric"), text("/metadata/quota_limit")];
                details.add(names.into_iter().flatten(), text("/metadata/quota_limit_value").and_then(number));
            }
            _ => {}
        }
    }
    // The words state amounts that the details leave out: a zero above all, which JSON made of Protocol Buffers omits.
    let has_details = !details.exceeded.is_empty();
    for (metric, limit) in quotas_in(&body.message) {
        details.is_zero |= limit == Some(0);
        if !has_details {
            details.add([metric].into_iter(), limit);
        }
    }
    details
}

/// The quotas that the words name, with their amounts.
fn quotas_in(words: &str) -> impl Iterator<Item = (&str, Option<u64>)> {
    words.split("Quota exceeded for metric: ").skip(1).take(MOST).map(|line| {
        let line = line.lines().next().unwrap_or_default();
        let limit = line.split_once("limit: ").and_then(|(_, rest)| number(rest));
        (line.split(',').next().unwrap_or_default(), limit)
    })
}

impl Details {
    fn add_violation(&mut self, violation: &Value) {
        let text = |name: &str| violation.get(name).and_then(Value::as_str);
        let limit = match violation.get("quotaValue") {
            Some(Value::String(text)) => number(text),
            Some(value) => value.as_u64(),
            None => None,
        };
        self.add([text("quotaId"), text("quotaMetric")].into_iter().flatten(), limit);
    }

    /// One quota, by what it is called. Of two that differ in their window only, both are kept.
    fn add<'a>(&mut self, names: impl Iterator<Item = &'a str> + Clone, limit: Option<u64>) {
        let window = names.clone().find_map(window);
        self.is_daily |= window == Some(Nanos::DAY);
        self.is_zero |= limit == Some(0);
        if let Some(dimension) = names.clone().find_map(dimension) {
            // Of requests none was left, or one more had fitted; of tokens some may have been.
            let remaining = (dimension == Dimension::Requests).then_some(0);
            self.exceeded.push(Reading { window, limit, remaining, ..Reading::of(dimension) });
        }
    }
}

/// `GenerateRequestsPerDayPerProjectPerModel-FreeTier`, `generate_content_free_tier_input_token_count`, ...
fn dimension(name: &str) -> Option<Dimension> {
    let lower = name.to_ascii_lowercase();
    let lower = lower.replace('_', "");
    if lower.contains("inputtoken") {
        Some(Dimension::InputTokens)
    } else if lower.contains("outputtoken") {
        Some(Dimension::OutputTokens)
    } else if lower.contains("token") {
        Some(Dimension::Tokens)
    } else if lower.contains("images") {
        Some(Dimension::Images)
    } else if lower.contains("request") {
        Some(Dimension::Requests)
    } else {
        None
    }
}

fn window(name: &str) -> Option<Nanos> {
    let lower = name.to_ascii_lowercase();
    let spaced = lower.replace('_', "");
    [("perday", Nanos::DAY), ("perhour", Nanos::HOUR), ("perminute", Nanos::MINUTE)]
        .into_iter()
        .find_map(|(part, window)| spaced.contains(part).then_some(window))
        .or_else(|| words::window(name))
}

/// The number at the start of a text.
fn number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(error: &Value) -> Details {
        details(&ErrorBody::of_value(&json!({"error": error})))
    }

    fn violation(id: &str, value: Value) -> Value {
        json!({"message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": id, "quotaMetric": "x/y", "quotaValue": value}]}]})
    }

    #[test]
    fn a_violation_names_its_quota() {
        let check = |id: &str, dimension, window| {
            let [found] = read(&violation(id, json!("20"))).exceeded.readings().to_vec()[..] else { panic!("{id}") };
            assert_eq!((found.dimension, found.window, found.limit), (dimension, Some(window), Some(20)), "{id}");
        };
        check("GenerateRequestsPerDayPerProjectPerModel-FreeTier", Dimension::Requests, Nanos::DAY);
        check("GenerateContentInputTokensPerModelPerMinute-FreeTier", Dimension::InputTokens, Nanos::MINUTE);
        check("GenerateRequestsPerMinutePerProjectPerModel", Dimension::Requests, Nanos::MINUTE);
    }

    #[test]
    fn a_quota_of_zero_is_noticed_however_it_is_written() {
        for value in [json!("0"), json!(0)] {
            assert!(read(&violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier", value)).is_zero);
        }
        let words = json!({"message": "You exceeded.\n* Quota exceeded for metric: a/b_free_tier_requests, limit: 0, model: m"});
        assert!(read(&words).is_zero);
        let words = json!({"message": "You exceeded.\n* Quota exceeded for metric: a/b_free_tier_requests, limit: 05, model: m"});
        assert!(!read(&words).is_zero);
        let mut omitted = violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier", json!(null));
        omitted["message"] =
            json!("You exceeded.\n* Quota exceeded for metric: a/b_free_tier_requests, limit: 0, model: m");
        assert!(read(&omitted).is_zero);
        omitted["message"] = json!("* Quota exceeded for metric: a/b_free_tier_requests\n the limit: 0");
        assert!(!read(&omitted).is_zero);
    }

    #[test]
    fn one_daily_quota_among_others_is_noticed() {
        let error = json!({"message": "m", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"},
                {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}]});
        let details = read(&error);
        assert!(details.is_daily && !details.is_zero);
        assert_eq!((details.retry, details.exceeded.readings().len()), (Some(Nanos::from_secs(13)), 2));
        let info = json!({"message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "Gemini25ProRequestsPerDay"}}]});
        assert!(read(&info).is_daily);
    }

    #[test]
    fn hostile_details_are_survived() {
        for details in [
            json!(null),
            json!("text"),
            json!({}),
            json!([null, 3, [], {"@type": 7}]),
            json!([{"@type": "QuotaFailure", "violations": 3}, {"@type": "RetryInfo", "retryDelay": "-1s"}]),
        ] {
            let read = read(&json!({"message": "m", "details": details}));
            assert_eq!(read, Details::default());
        }
        let many = json!([{"@type": "QuotaFailure", "violations": vec![json!({"quotaId": "RequestsPerDay"}); 1_000]}]);
        assert!(read(&json!({"message": "m", "details": many})).exceeded.readings().len() <= Observation::CAPACITY);
    }
}
