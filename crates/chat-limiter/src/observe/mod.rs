//! What those who run a program see of its requests: a span each and its events ([`tracing`]), and numbers (the crate
//! `metrics`, behind the feature of that name).
//!
//! No key, no prompt, no answer and no word of a provider's goes into either: names, numbers and codes only. Where nobody
//! listens, a request costs a few atomic loads.

// One of two files with the same surface; without the feature, nothing of it is left.
#[cfg_attr(not(feature = "metrics"), path = "no_meters.rs")]
mod meters;
#[cfg(feature = "metrics")]
pub(crate) mod names;
mod semantics;
mod span;
#[cfg(feature = "metrics")]
mod utilization;

pub(crate) use meters::{Gauged, Meters};
pub(crate) use span::RequestSpan;

use crate::client::Shared;
use crate::exchange::{Prepared, Trace};

impl Shared {
    /// An attempt has come to its end, the last one of `trace`.
    pub(crate) fn attempted(&self, prepared: &Prepared, trace: &Trace) {
        let Some(attempt) = trace.history.last() else { return };
        let status = attempt.status.map(|status| status.as_u16());
        let (waited, took) = (attempt.waited.as_secs_f64(), attempt.took.as_secs_f64());
        let number = trace.attempts;
        match attempt.code {
            None => tracing::debug!(attempt = number, status, waited, took, "answered"),
            Some(code) => {
                let retry_after = attempt.retry_after.map(|wait| wait.as_secs_f64());
                tracing::debug!(attempt = number, code, status, waited, took, retry_after, "failed");
            }
        }
        self.scopes.books().meters.attempted(&prepared.group, attempt);
        #[cfg(feature = "metrics")]
        self.record_now_and_then();
    }

    /// It is going to be tried again.
    pub(crate) fn trying_again(&self, prepared: &Prepared, trace: &Trace, delay: std::time::Duration) {
        tracing::debug!(attempt = trace.attempts, delay = delay.as_secs_f64(), "trying again");
        self.scopes.books().meters.trying_again(&prepared.group);
    }
}
