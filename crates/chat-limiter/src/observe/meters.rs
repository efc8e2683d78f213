//! The numbers of a client, through the crate `metrics`.
//!
//! Every one has the labels `provider` and `model_group`. Gauges are counted up and down, so a recorder has to be installed
//! before the first request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use limiter_core::Nanos;
use metrics::{Gauge, Label, SharedString, counter, gauge, histogram};

use super::names;
use crate::history::Attempt;
use crate::usage::UsageTotals;

/// Counts for one client.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    provider: SharedString,
    /// When the utilisation was written last, in nanoseconds since the client was built.
    written: Arc<AtomicU64>,
}

/// One more in a gauge, until it is dropped.
pub(crate) struct Gauged(Gauge);

impl Meters {
    pub(crate) fn new(provider: &str) -> Self {
        Self { provider: SharedString::from_shared(Arc::from(provider)), written: Arc::default() }
    }

    /// Somebody waits.
    pub(crate) fn waiting(&self, group: &Arc<str>) -> Gauged {
        Gauged::new(gauge!(names::WAITING, self.labels(group)))
    }

    /// Somebody was let through.
    pub(crate) fn in_flight(&self, group: &Arc<str>) -> Gauged {
        counter!(names::ADMITTED, self.labels(group)).increment(1);
        Gauged::new(gauge!(names::IN_FLIGHT, self.labels(group)))
    }

    /// What became of an attempt, and what it took.
    pub(crate) fn used(&self, group: &Arc<str>, totals: &UsageTotals) {
        let counts = [
            (names::ANSWERED, totals.requests),
            (names::RATE_LIMITED, totals.rate_limited),
            (names::FAILED, totals.failed),
            (names::ABANDONED, totals.abandoned),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            counter!(name, self.labels(group)).increment(count);
        }
        let directions = [("input", totals.input_tokens), ("output", totals.output_tokens)];
        for (direction, tokens) in directions.into_iter().filter(|(_, tokens)| *tokens > 0) {
            counter!(names::TOKENS, self.labels_and(group, "direction", direction)).increment(tokens);
        }
    }

    /// How long an attempt took, and the wait before it.
    pub(crate) fn attempted(&self, group: &Arc<str>, attempt: &Attempt) {
        histogram!(names::WAIT, self.labels(group)).record(attempt.waited);
        histogram!(names::LATENCY, self.labels(group)).record(attempt.took);
    }

    /// An attempt is going to be followed by another.
    pub(crate) fn trying_again(&self, group: &Arc<str>) {
        counter!(names::RETRIES, self.labels(group)).increment(1);
    }

    /// How much of a limit of `group` is used up.
    pub(super) fn utilization(&self, group: &Arc<str>, dimension: &str, share: f64) {
        let dimension = SharedString::from(dimension.to_owned());
        gauge!(names::UTILIZATION, self.labels_and(group, "dimension", dimension)).set(share);
    }

    /// Whether it is time to write what is not written every time: once a second.
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let now = now.get();
        let is_due = written == 0 || now.saturating_sub(written) >= Nanos::SECOND.get();
        // Of several that come at once, one writes.
        is_due && self.written.compare_exchange(written, now.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn labels(&self, group: &Arc<str>) -> Vec<Label> {
        vec![
            Label::new("provider", self.provider.clone()),
            Label::new("model_group", SharedString::from_shared(Arc::clone(group))),
        ]
    }

    fn labels_and(&self, group: &Arc<str>, name: &'static str, value: impl Into<SharedString>) -> Vec<Label> {
        let mut labels = self.labels(group);
        labels.push(Label::new(name, value));
        labels
    }
}

impl Gauged {
    fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Gauged {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl std::fmt::Debug for Gauged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gauged")
    }
}
