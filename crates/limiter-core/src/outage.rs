//! When a provider stops answering: one request at a time asks whether it is back, more slowly the longer it lasts.

use crate::backoff::upper_half;
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
    /// When the outage was noticed.
    on_since: Option<Nanos>,
}

/// So many failures in a row, without one success, are taken for an outage. At a failure rate of 10 % that happens
/// by chance once in 100,000 requests, and then costs one round trip.
const FAILURES: u32 = 5;

/// The next request asks after this part of the time that the outage has lasted. So it is noticed soon after it is over,
/// measured by what it has cost already, however long that was, and an outage that lasts twice as long is asked about
/// a handful of times more. A delay that doubles would leave a provider that is back alone for as long as it was away.
const PART: u64 = 8;

impl Outage {
    /// No failure yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 0, since: None, answered_before: false, answered_at: Nanos::ZERO, on_since: None }
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
            Some(on_since) => sent_at > on_since,
            None if self.is_on() => {
                self.on_since = Some(now);
                true
            }
            None => false,
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

    /// How long to wait at `now` before the next request asks, while the outage is on: at most an eighth of the time
    /// that it has lasted, at least half of the backoff's base, at most its ceiling.
    #[must_use]
    pub fn delay(&self, backoff: &Backoff, now: Nanos, random: u64) -> Nanos {
        if !self.is_on() {
            return Nanos::ZERO;
        }
        let part = Nanos::new(self.lasting(now).get() / PART);
        upper_half(part.max(backoff.base).min(backoff.ceiling), random)
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

    /// Fifty requests were in flight when the provider went away, and fail together.
    fn noticed() -> Outage {
        let mut outage = Outage::new();
        let waits = (0..50).filter(|_| outage.failed(Nanos::ZERO, Nanos::SECOND)).count();
        assert_eq!(waits, 1, "that is one outage");
        outage
    }

    #[test]
    fn the_next_request_asks_after_an_eighth_of_what_the_outage_has_lasted() {
        let backoff = Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE };
        let outage = noticed();
        for (lasting, most) in [(1, 1_000), (8, 1_000), (16, 2_000), (60, 7_500), (400, 50_000), (900, 60_000)] {
            let now = Nanos::from_secs(lasting);
            assert_eq!(outage.delay(&backoff, now, u64::MAX), Nanos::from_millis(most), "{lasting} s");
            assert_eq!(outage.delay(&backoff, now, 0), Nanos::from_millis(most / 2), "{lasting} s");
        }
    }

    #[test]
    fn an_outage_that_lasts_twice_as_long_is_asked_about_a_handful_of_times_more() {
        let backoff = Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE };
        let mut outage = noticed();
        let mut now = Nanos::SECOND;
        let mut asked_within = |end: u64| {
            let mut asked = 0;
            while now < Nanos::from_secs(end) {
                now = now.saturating_add(outage.delay(&backoff, now, u64::MAX / 2));
                assert!(outage.failed(now, now));
                asked += 1;
            }
            asked
        };
        assert_eq!([10, 20, 40, 80, 160, 320].map(&mut asked_within), [12, 8, 8, 8, 7, 8]);
    }
}
