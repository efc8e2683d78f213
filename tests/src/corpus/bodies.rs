//! Usage and errors in recorded bodies.

use chat_limiter::providers::{Provider, StreamUsage, UnixTime, Usage};
use http::HeaderMap;
use serde_json::Value;

use super::Counts;
use super::oracle::{Tokens, is_input_alone, tokens};
use super::rows::{Body, Recorded};

/// How many bodies state usage, and of how many it was read as it was noted.
#[derive(Debug, Default)]
pub struct Usages {
    /// Bodies of which a usage was noted.
    pub noted: u64,
    /// Those whose usage was read and is equal.
    pub equal: u64,
}

/// Counts one body, and says what was not as expected.
pub(super) fn add(counts: &mut Counts, provider: &dyn Provider, body: &Body, recorded: &Recorded) -> Vec<String> {
    let bytes = body.body.as_bytes();
    if !body.status.is_success() {
        let failure = provider.classify(body.status, &HeaderMap::new(), bytes, UnixTime::default());
        *counts.errors.entry(failure.kind.name()).or_default() += 1;
        return Vec::new();
    }
    let is_stream = match recorded.kind.as_str() {
        "json" => false,
        "sse" => true,
        _ => return Vec::new(),
    };
    let (usage, failure) = if is_stream {
        let mut stream = StreamUsage::new();
        let followed = stream.push(bytes).and_then(|()| stream.finish());
        if followed.is_err() {
            return vec![format!("{}: {}: an event is too large", body.provider, body.id)];
        }
        (stream.usage(), stream.failure().cloned())
    } else {
        (provider.usage(bytes), provider.failure_in_success(bytes))
    };
    let mut examples = Vec::new();
    if is_an_error(&recorded.error) {
        counts.inside.noted += 1;
        counts.inside.seen += u64::from(failure.is_some());
        if failure.is_none() {
            examples.push(format!("{}: {}: an error that was not seen: {}", body.provider, body.id, recorded.error));
        }
    }
    if let Some(failure) = failure {
        *counts.errors.entry(failure.kind.name()).or_default() += 1;
        let is_noted =
            !recorded.error.is_null() || recorded.finish.eq_ignore_ascii_case("error") || says_so(&body.body);
        counts.false_alarms += u64::from(!is_noted);
        if !is_noted {
            examples.push(format!("{}: {}: no error, but {failure:?}", body.provider, body.id));
        }
    }
    if recorded.usage.is_null() {
        return examples;
    }
    let usages = if is_stream { &mut counts.streams } else { &mut counts.json };
    usages.noted += 1;
    let expected = tokens(&body.provider, &recorded.usage);
    let found = usage.as_ref().map(numbers);
    let same_input = || found.zip(expected).is_some_and(|([found, ..], [expected, ..])| found == expected);
    if found == expected || is_input_alone(&recorded.usage) && same_input() {
        usages.equal += 1;
    } else {
        let noted = &recorded.usage;
        examples.push(format!("{}: {}: {found:?}, not {expected:?}: {noted}", body.provider, body.id));
    }
    examples
}

fn is_an_error(noted: &Value) -> bool {
    noted.is_string() || noted.as_object().is_some_and(|error| !error.is_empty())
}

fn numbers(usage: &Usage) -> Tokens {
    let Usage { input, cached_input, cache_written, output, reasoning, total, .. } = *usage;
    [input, cached_input, cache_written, output, reasoning, total]
}

/// Whether a job or a response says of itself that it failed, which is not noted as an error of the answer.
fn says_so(body: &str) -> bool {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    answer.get("status").is_some_and(|status| status == "failed")
}
