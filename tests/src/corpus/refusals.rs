//! Refusals that people have labelled.

use std::collections::BTreeMap;

use chat_limiter::providers::{ErrorKind, Failure, Provider, UnixTime};
use serde_json::Value;

use super::rows::Refusal;

/// How many labels there are, and how many were met.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Answers that were read.
    pub answers: u64,
    /// With a label that says what kind it is.
    pub labelled: u64,
    /// Of the same kind.
    pub right_kind: u64,
    /// With a label that says how long to wait.
    pub with_wait: u64,
    /// Within a second or a twentieth of it.
    pub right_wait: u64,
    /// With a dimension that is metered, or with numbers.
    pub with_details: u64,
    /// The same of all of them.
    pub right_details: u64,
    /// All answers, by their kind.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl Refusals {
    pub(super) fn add(&mut self, provider: &dyn Provider, refusal: &Refusal) -> Vec<String> {
        // Dates stand in the headers; without one there is no date to compare with.
        let received = UnixTime::from_secs(1_767_225_600);
        let failure = provider.classify(refusal.status, &refusal.headers, refusal.body.as_bytes(), received);
        self.answers += 1;
        *self.kinds.entry(failure.kind.name()).or_default() += 1;
        let mut examples = Vec::new();
        let mut tally = |label: String, is_right: bool, (all, right): (&mut u64, &mut u64)| {
            *all += 1;
            *right += u64::from(is_right);
            if !is_right {
                let body: String = refusal.body.chars().take(300).collect();
                examples.push(format!("{}: {label}: {failure:?}: {body}", refusal.provider));
            }
        };
        if let Some(kind) = refusal.label.get("kind").and_then(Value::as_str) {
            let is_right = kind_of(kind) == Some(failure.kind);
            tally(format!("kind {kind}"), is_right, (&mut self.labelled, &mut self.right_kind));
        }
        if let Some(seconds) = wait(&refusal.label) {
            let found = failure.retry_after.map(|span| span.get() as f64 / 1e9);
            let is_right = found.is_some_and(|found| (found - seconds).abs() <= f64::max(1.0, seconds * 0.05));
            tally(format!("wait {seconds} s"), is_right, (&mut self.with_wait, &mut self.right_wait));
        }
        if let Some(is_right) = details(&refusal.label, &failure) {
            tally("dimension and numbers".to_owned(), is_right, (&mut self.with_details, &mut self.right_details));
        }
        examples
    }
}

/// What the labels call the kinds.
fn kind_of(label: &str) -> Option<ErrorKind> {
    Some(match label {
        "rate_limit" => ErrorKind::RateLimited,
        "daily" => ErrorKind::DailyLimit,
        "too_large" => ErrorKind::TooLarge,
        "quota" => ErrorKind::QuotaExhausted,
        // Neither waiting nor paying for more of the same helps: the plan does not have it.
        "access" => ErrorKind::Permission,
        "overloaded" => ErrorKind::Overloaded,
        "transient" | "server_error" => ErrorKind::Transient,
        "authentication" => ErrorKind::Authentication,
        "invalid" => ErrorKind::Invalid,
        "not_found" => ErrorKind::NotFound,
        _ => return None,
    })
}

/// How long is to be waited: where waiting helps, and where the note does not say that the hint misleads.
fn wait(label: &Value) -> Option<f64> {
    let of = |name: &str| label.get(name).and_then(Value::as_f64);
    let helps = matches!(label.get("kind").and_then(Value::as_str), Some("rate_limit" | "daily"));
    let misleads = label.get("note").and_then(Value::as_str).is_some_and(|note| note.contains("mislead"));
    of("wait_s").or_else(|| of("retry_after_s").filter(|_| helps && !misleads))
}

/// Whether dimension and numbers are as labelled; `None` where the label has none.
fn details(label: &Value, failure: &Failure) -> Option<bool> {
    let number = |name: &str| label.get(name).and_then(Value::as_u64);
    let dimension = label.get("dimension").and_then(Value::as_str).filter(|name| *name != "batch_enqueued_tokens");
    let dimension = dimension.map(|name| name.strip_suffix("_per_day").unwrap_or(name));
    let expected = [number("limit").or(number("affordable")), number("used"), number("requested")];
    if dimension.is_none() && expected.iter().all(Option::is_none) {
        return None;
    }
    let found = [failure.limit, failure.used, failure.requested];
    let stated = failure.observation.readings().first().and_then(|reading| reading.limit);
    let same = expected.iter().zip(found).all(|(expected, found)| expected.is_none() || *expected == found);
    // A limit that only headers state is no part of the error.
    let same_limit = failure.limit.is_none() && (stated == number("limit") || failure.message.is_empty());
    Some(
        dimension.is_none_or(|name| failure.dimension.is_some_and(|found| found.name() == name))
            && (same || same_limit),
    )
}
