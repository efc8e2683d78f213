//! When a provider stops answering: one request at a time asks whether it is back, ever more slowly.

use crate::{Backoff, Nanos};

/// Consecutive failures of requests to one scope, whoever made them.
///
/// While it [`is_on`](Self::is_on), one request at a time should go out. A success ends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outage {
    failures: u32,
    since: Option<Nanos>,
    answered_before: bool,
}

/// So many failures in a row, without one success, are taken for an outage. At a failure rate of 10 % that happens
/// by chance once in 100,000 requests, and then costs one round trip.
const FAILURES: u32 = 5;

impl Outage {
    /// No failure yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 0, since: None, answered_before: false }
    }

    /// A request was answered: whatever was going on is over.
    pub const fn answered(&mut self) {
        *self = Self { failures: 0, since: None, answered_before: true };
    }

    /// A request sent at `sent_at` failed for a reason that is not its own.
    pub fn failed(&mut self, sent_at: Nanos) {
        self.failures = self.failures.saturating_add(1);
        self.since = Some(self.since.map_or(sent_at, |since| since.min(sent_at)));
    }

    /// Whether requests should go out one at a time.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.failures >= FAILURES
    }

    /// Whether nothing but failures (three at least) has been seen for longer than `patience`: time to give up.
    #[must_use]
    pub fn outlasts(&self, patience: Nanos, now: Nanos) -> bool {
        self.failures >= 3 && self.lasting(now) > patience
    }

    /// How long nothing but failures has been seen.
    #[must_use]
    pub fn lasting(&self, now: Nanos) -> Nanos {
        self.since.map_or(Nanos::ZERO, |since| now.saturating_sub(since))
    }

    /// Whether anything was ever answered.
    #[must_use]
    pub const fn answered_before(&self) -> bool {
        self.answered_before
    }

    /// How long to wait before the next request asks, while the outage is on.
    #[must_use]
    pub fn delay(&self, backoff: &Backoff, random: u64) -> Nanos {
        if self.is_on() { backoff.delay(self.failures - FAILURES, random) } else { Nanos::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_are_an_outage_and_one_answer_ends_it() {
        let mut outage = Outage::new();
        for second in 0..4 {
            outage.failed(Nanos::from_secs(second));
        }
        assert!(!outage.is_on());
        outage.failed(Nanos::from_secs(9));
        assert!(outage.is_on());
        assert_eq!(outage.lasting(Nanos::from_secs(12)), Nanos::from_secs(12));
        outage.answered();
        assert!(!outage.is_on());
        assert_eq!(outage.lasting(Nanos::from_secs(12)), Nanos::ZERO);
        assert!(outage.answered_before());
    }
}
