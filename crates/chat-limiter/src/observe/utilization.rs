//! How much of the limits is used up.

use std::collections::BTreeMap;

use limiter_core::LimitState;

use crate::ChatLimiter;
use crate::client::Shared;

impl ChatLimiter {
    /// Writes how much of each limit is used up now, for the crate `metrics`. That is done when an attempt ends, too, once a
    /// second at most; while nothing is sent limits fill up and nobody writes it, so a program that wants to see that calls
    /// this before its numbers are read.
    pub fn record_metrics(&self) {
        self.shared.record();
    }
}

impl Shared {
    /// Writes it, if that was not done within the last second.
    pub(super) fn record_now_and_then(&self) {
        if self.scopes.books().meters.is_due(self.clock.now()) {
            self.record();
        }
    }

    fn record(&self) {
        for view in self.scopes.views() {
            let mut most = BTreeMap::new();
            for limit in &view.state.limits {
                let share: &mut f64 = most.entry(limit.limit.dimension().name()).or_default();
                *share = share.max(used_up(limit));
            }
            for group in &view.models {
                for (dimension, share) in &most {
                    self.scopes.books().meters.utilization(group, dimension, *share);
                }
            }
        }
    }
}

/// The share of a limit that is not there, from 0 to 1.
fn used_up(known: &LimitState) -> f64 {
    let amount = known.limit.amount();
    match amount {
        0 => 1.0,
        amount => (1.0 - known.level as f64 / amount as f64).clamp(0.0, 1.0),
    }
}
