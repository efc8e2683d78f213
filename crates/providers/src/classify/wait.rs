//! How long a refusal asks to wait, and whether that can be.
//!
//! Hints that cannot be meant are replaced by what is known better: seconds beside a day's quota (Gemini), a second
//! beside an empty counter that turns once a minute (Azure), hours for a limit of a minute.

use http::HeaderMap;
use limiter_core::{Dimension, Nanos, Observation, Reading};
use serde_json::Value;

use crate::dialect::{Dialect, ResetMeans};
use crate::duration::parse_go_duration;
use crate::error_body::ErrorBody;
use crate::google_rpc::{self, Details};
use crate::{ErrorKind, Failure, UnixTime, words};

/// Beside a day's quota, Google's hint is for another one where it is shorter than this.
const SHORT: Nanos = Nanos::from_secs(600);
/// After so many windows everything that can come back has come back several times.
const WINDOWS: u64 = 10;
/// Nothing but a day's limit makes anybody wait for longer.
const LONGEST: Nanos = Nanos::HOUR;

/// What a wait is judged by.
pub(super) struct Refusal<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a ErrorBody,
    /// What headers and body say about limits.
    pub(super) observation: &'a Observation,
    /// By the server's clock.
    pub(super) now: UnixTime,
}

impl Refusal<'_> {
    /// Settles how long to wait, given what the headers ask for, and with it whether the limit is a day's.
    pub(super) fn settle(&self, failure: &mut Failure, asked: Option<Nanos>) {
        let details = google_rpc::details(self.body);
        // A hint of nothing is none.
        let mut asked = asked.filter(|span| *span > Nanos::ZERO).or_else(|| self.asked_in_body(&details)).or(asked);
        if self.dialect.hint_is_short {
            asked = asked.max(self.asked_in_body(&details));
        }
        if !failure.kind.is_limit() {
            failure.retry_after = asked;
            return;
        }
        let window = self.window(failure);
        let until_reset = self.until_reset(failure);
        let believed = asked
            .filter(|span| !(details.is_daily && *span < SHORT))
            .map(|span| plausible(span, window))
            .map(|span| if self.dialect.hint_is_short { self.not_before(span, until_reset) } else { span });
        if believed.is_some_and(|span| span > LONGEST) {
            failure.kind = ErrorKind::DailyLimit;
        }
        let until_day_ends = self.dialect.day_ends.map(|ends| ends(self.now).since(self.now));
        failure.retry_after = believed
            .or_else(|| by_arithmetic(failure, words::window(&self.body.message)))
            .or(until_reset)
            .or(until_day_ends.filter(|_| failure.kind == ErrorKind::DailyLimit));
        if let Some(until) = until_day_ends {
            failure.observation = with_day_ends(&failure.observation, until);
        }
    }

    /// The body's own hint.
    fn asked_in_body(&self, details: &Details) -> Option<Nanos> {
        const SECONDS: [&str; 8] = [
            "/availability/retry_after",
            "/metadata/availability/retry_after",
            "/metadata/retry_after_seconds",
            "/metadata/retry_after",
            "/details/retry_after",
            "/retry_after_seconds",
            "/retry_after",
            "/resets_in_seconds",
        ];
        let seconds = SECONDS.iter().find_map(|pointer| self.body.object.pointer(pointer).and_then(Value::as_f64));
        seconds
            .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
            .map(Nanos::from)
            // Google cuts off in the details what the words say of a second.
            .or_else(|| details.retry.max(words::wait(&self.body.message)))
            .or_else(|| self.body.upstream().and_then(words::wait))
    }

    /// The window of the limit that refused, where that is known.
    fn window(&self, failure: &Failure) -> Option<Nanos> {
        words::window(&self.body.message).or_else(|| exhausted(self.observation, failure.dimension).and_then(span_of))
    }

    /// A hint, or what the counters say where that is longer: until the reset, or else a whole window.
    fn not_before(&self, span: Nanos, until_reset: Option<Nanos>) -> Nanos {
        let window = || exhausted(self.observation, None).and_then(span_of);
        span.max(until_reset.or_else(window).unwrap_or(span))
    }

    /// Until the reset of what ran out.
    fn until_reset(&self, failure: &Failure) -> Option<Nanos> {
        let means = match self.dialect.reset {
            ResetMeans::AsWritten if has_spans(self.headers) => ResetMeans::Full,
            ResetMeans::AsWritten => ResetMeans::Available,
            means => means,
        };
        until_reset(means, failure, self.observation)
    }
}

/// The same, where a day's limit is back all at once when the day ends.
fn with_day_ends(observation: &Observation, until: Nanos) -> Observation {
    let mut complete = Observation::new();
    complete.retry_after = observation.retry_after;
    for reading in observation.readings() {
        let is_day = reading.window == Some(Nanos::DAY);
        let reset = reading.reset.or(is_day.then_some(until));
        complete.push(Reading { reset, fixed_window: reading.fixed_window || is_day, ..*reading });
    }
    complete
}

/// A hint as far as the limit's window allows it: after the window, or when its reset says, everything is back.
pub(crate) fn plausible(span: Nanos, window: Option<Nanos>) -> Nanos {
    match window {
        Some(window) if span > Nanos::new(window.get().saturating_mul(WINDOWS)).max(SHORT) => window,
        _ => span,
    }
}

/// The reading of which nothing remains; of several, the one that takes longest to come back.
pub(crate) fn exhausted(observation: &Observation, dimension: Option<Dimension>) -> Option<&Reading> {
    let empty = || observation.readings().iter().filter(|reading| reading.remaining == Some(0));
    let of = |dimension| empty().filter(move |reading| reading.dimension == dimension);
    let named = dimension.and_then(|dimension| of(dimension).max_by_key(|reading| reading.reset));
    named.or_else(|| empty().max_by_key(|reading| reading.reset))
}

/// After how long a limit that ran out is back at the latest: its window, or its reset, as far as one is told. A short
/// reset says little: a minute is waited for anyhow.
pub(crate) fn span_of(reading: &Reading) -> Option<Nanos> {
    reading.window.or_else(|| reading.reset.map(|reset| reset.max(Nanos::MINUTE)))
}

/// Whether resets are written as spans with a unit.
fn has_spans(headers: &HeaderMap) -> bool {
    let resets = headers.iter().filter(|(name, _)| name.as_str().contains("reset"));
    resets
        .filter_map(|(_, value)| value.to_str().ok())
        .any(|value| value.ends_with(|last: char| last.is_ascii_alphabetic()) && parse_go_duration(value).is_some())
}

/// What a bucket needs to hold the request again, by the numbers of the refusal.
fn by_arithmetic(failure: &Failure, window: Option<Nanos>) -> Option<Nanos> {
    let (limit, used) = failure.limit.zip(failure.used)?;
    let missing = used.saturating_add(failure.requested.unwrap_or(0)).saturating_sub(limit);
    let span = u128::from(window?.get()) * u128::from(missing) / u128::from(limit.max(1));
    u64::try_from(span).ok().map(Nanos::new).filter(|span| *span > Nanos::ZERO)
}

pub(super) fn until_reset(means: ResetMeans, failure: &Failure, observation: &Observation) -> Option<Nanos> {
    let of_dimension = |dimension| observation.readings().iter().filter(move |reading| reading.dimension == dimension);
    let named = failure.dimension.and_then(|dimension| of_dimension(dimension).max_by_key(|reading| reading.reset));
    let reading = named.or_else(|| exhausted(observation, None))?;
    let reset = reading.reset?;
    let needed = match reading.dimension {
        Dimension::Requests => Some(1),
        _ => failure.requested,
    };
    match (means, needed, reading.limit.zip(reading.remaining)) {
        (ResetMeans::Full, Some(needed), Some((limit, remaining))) if limit > remaining => {
            let missing = u128::from(needed.saturating_sub(remaining));
            let span = u128::from(reset.get()) * missing / u128::from(limit - remaining);
            Some(Nanos::new(u64::try_from(span).unwrap_or(u64::MAX)).min(reset))
        }
        _ => Some(reset),
    }
}
