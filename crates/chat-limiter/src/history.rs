//! Every attempt of a request, for its caller.

use std::time::Duration;

use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::error::Kind;

/// One attempt to have a request answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// When it was sent, since the caller asked. In seconds where it is serialized, as the other spans.
    #[serde(serialize_with = "seconds")]
    pub started: Duration,
    /// How long the request waited before it since it was asked for, or since the attempt before failed: in the queue,
    /// for a limit, for a pause, for a backoff.
    #[serde(serialize_with = "seconds")]
    pub waited: Duration,
    /// How long it took from there to the answer or failure; of a stream, to its first event.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// The status, where there was an answer.
    #[serde(serialize_with = "number")]
    pub status: Option<StatusCode>,
    /// Why it failed, as [`Error::code`](crate::Error::code) has it; `None` where it was answered.
    pub code: Option<&'static str>,
    /// The same in words: one line, [`Attempt::REASON_LIMIT`] bytes at most, without keys. Empty where it was answered.
    pub reason: String,
    /// Whether it was refused for the rate.
    pub is_rate_limited: bool,
    /// How long the provider asked to wait before the next one.
    #[serde(serialize_with = "optional_seconds")]
    pub retry_after: Option<Duration>,
}

impl Attempt {
    /// The longest reason kept, in bytes: many requests may fail many times.
    pub const REASON_LIMIT: usize = 200;

    pub(crate) const fn new(started: Duration, waited: Duration, took: Duration) -> Self {
        Self {
            started,
            waited,
            took,
            status: None,
            code: None,
            reason: String::new(),
            is_rate_limited: false,
            retry_after: None,
        }
    }

    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn with_failure(mut self, kind: &Kind) -> Self {
        self.status = kind.response().map(|response| response.status);
        self.code = Some(kind.code());
        self.reason = beginning(kind.message().into_owned());
        self.is_rate_limited = kind.is_rate_limited();
        self.retry_after = kind.retry_after();
        self
    }
}

/// The attempts of one request, in their order; the last one is that of the answer, where there was one.
///
/// Where the first attempt is answered, nothing is allocated for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    before: Vec<Attempt>,
    last: Option<Attempt>,
}

impl History {
    /// So many attempts are kept at most. Of more, those in the middle are left out, and the last one is there.
    pub const LIMIT: usize = 1_000;

    pub(crate) fn push(&mut self, attempt: Attempt) {
        if let Some(before) = self.last.replace(attempt)
            && self.before.len() + 1 < Self::LIMIT
        {
            self.before.push(before);
        }
    }

    /// The last attempt, which had been answered, broke off in the middle.
    pub(crate) fn broke(&mut self, kind: &Kind) {
        if let Some(last) = self.last.take() {
            let status = last.status;
            self.last = Some(Attempt { status, ..last.with_failure(kind) });
        }
    }

    /// The attempts, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.before.iter().chain(&self.last)
    }

    /// The last attempt; `None` of a request that was never sent.
    #[must_use]
    pub const fn last(&self) -> Option<&Attempt> {
        self.last.as_ref()
    }

    /// How many attempts are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.before.len() + usize::from(self.last.is_some())
    }

    /// Whether the request was never sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.last.is_none()
    }
}

impl<'a> IntoIterator for &'a History {
    type Item = &'a Attempt;
    type IntoIter = std::iter::Chain<std::slice::Iter<'a, Attempt>, std::option::Iter<'a, Attempt>>;

    fn into_iter(self) -> Self::IntoIter {
        self.before.iter().chain(&self.last)
    }
}

impl Serialize for History {
    /// As a list of attempts.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

fn optional_seconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs_f64()).serialize(serializer)
}

fn number<S: Serializer>(status: &Option<StatusCode>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| status.as_u16()).serialize(serializer)
}

/// So much of a text as is kept, in whole characters.
fn beginning(mut text: String) -> String {
    let end = (0..=Attempt::REASON_LIMIT).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u64) -> Attempt {
        Attempt::new(Duration::from_secs(number), Duration::ZERO, Duration::ZERO)
    }

    #[test]
    fn attempts_are_kept_in_order_and_bounded_with_the_last_one_among_them() {
        let mut history = History::default();
        assert!(history.is_empty() && history.last().is_none());
        for number in 0..5_000 {
            history.push(attempt(number));
        }
        assert_eq!((history.len(), history.iter().count()), (History::LIMIT, History::LIMIT));
        let started: Vec<u64> = history.iter().map(|attempt| attempt.started.as_secs()).collect();
        assert!(started.is_sorted());
        assert_eq!((started[0], started[998], started[999]), (0, 998, 4_999));
    }

    #[test]
    fn one_attempt_that_is_answered_allocates_nothing() {
        let mut history = History::default();
        history.push(attempt(0).with_status(StatusCode::OK));
        assert_eq!((history.before.capacity(), history.len()), (0, 1));
        assert_eq!(history.last().map(|last| last.reason.capacity()), Some(0));
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        assert_eq!(beginning("short".to_owned()), "short");
        for shift in 0..4 {
            let text = format!("{}{}", "x".repeat(shift), "\u{1f980}".repeat(100));
            let cut = beginning(text.clone());
            assert!(
                text.starts_with(&cut) && cut.len() <= Attempt::REASON_LIMIT && cut.len() > Attempt::REASON_LIMIT - 4
            );
        }
    }
}
