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
    answered_at: Nanos,
    /// When the outage was noticed, and how many requests have asked in vain since.
    on_since: Option<Nanos>,
    asked: u32,
}

/// So many failures in a row, without one success, are taken for an outage. At a failure rate of 10 % that happens
/// by chance once in 100,000 requests, and then costs one round trip.
const FAILURES: u32 = 5;

impl Outage {
    /// No failure yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 0, since: None, answered_before: false, answered_at: Nanos::ZERO, on_since: None, asked: 0 }
    }

    /// A request was answered at `now`: whatever was going on is over.
    #[inline]
    pub const fn answered(&mut self, now: Nanos) {
        if self.failures > 0 {
            *self = Self::new();
        }
        (self.answered_before, self.answered_at) = (true, now);
    }

    /// A request sent at `sent_at` failed at `now` for a reason that is not its own. Returns whether to wait for
    /// [`delay`](Self::delay) now: when the outage is noticed, and when a request that asked has failed. What was in
    /// flight before and fails too is no more news.
    pub fn failed(&mut self, sent_at: Nanos, now: Nanos) -> bool {
        self.failures = self.failures.saturating_add(1);
        let since = sent_at.max(self.answered_at);
        self.since = Some(self.since.map_or(since, |first| first.min(since)));
        match self.on_since {
            Some(on_since) if sent_at > on_since => {
                self.asked = self.asked.saturating_add(1);
                true
            }
            None if self.is_on() => {
                self.on_since = Some(now);
                true
            }
            _ => false,
        }
    }

    /// The same outage on another clock.
    #[cfg(feature = "alloc")]
    pub(crate) fn on_clock(mut self, convert: impl Fn(Nanos) -> Nanos) -> Self {
        self.answered_at = convert(self.answered_at);
        (self.since, self.on_since) = (self.since.map(&convert), self.on_since.map(&convert));
        self
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
        if self.is_on() { backoff.half_jittered(self.asked, random) } else { Nanos::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_are_an_outage_and_one_answer_ends_it() {
        let mut outage = Outage::new();
        for second in 0..4 {
            assert!(!outage.failed(Nanos::from_secs(second), Nanos::from_secs(second)));
        }
        assert!(!outage.is_on());
        assert!(outage.failed(Nanos::from_secs(9), Nanos::from_secs(9)));
        assert!(outage.is_on());
        assert_eq!(outage.lasting(Nanos::from_secs(12)), Nanos::from_secs(12));
        outage.answered(Nanos::from_secs(12));
        assert!(!outage.is_on());
        assert_eq!(outage.lasting(Nanos::from_secs(12)), Nanos::ZERO);
        assert!(outage.answered_before());
    }

    #[test]
    fn only_requests_that_ask_and_fail_make_the_next_wait_longer() {
        let backoff = Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE };
        let mut outage = Outage::new();
        // Fifty were in flight, and fail together: that is one outage.
        let waits = (0..50).filter(|_| outage.failed(Nanos::ZERO, Nanos::SECOND)).count();
        assert_eq!((waits, outage.delay(&backoff, u64::MAX)), (1, Nanos::SECOND));
        for (at, delay) in [(2, 2), (4, 4), (8, 8)] {
            assert!(outage.failed(Nanos::from_secs(at), Nanos::from_secs(at)));
            assert_eq!(outage.delay(&backoff, u64::MAX), Nanos::from_secs(delay));
        }
    }
}
