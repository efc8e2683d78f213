//! One limit's level, in exact integers.
//!
//! A bucket counts in *grains*: one grain is 1 / window of a unit, so a bucket that refills `amount` units per window
//! of `w` nanoseconds gains exactly `amount` grains per nanosecond, and one unit is `w` grains. No division is made
//! while refilling and nothing is rounded, so a year of admissions loses nothing. The largest limit (10^15 units, 31
//! days) needs 2.7 * 10^30 grains; `i128` holds 1.7 * 10^38.

use crate::{Limit, Nanos, Refill};

/// The level of one [`Limit`].
///
/// The level may be negative: a request larger than the bucket borrows what is missing, and what a settled request
/// really used may be more than was reserved. Time that goes backwards changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    limit: Limit,
    level: i128,
    at: Nanos,
}

/// The deepest debt, in units: what no bucket can repay in 1,000 of the largest windows is a mistake.
const MAX_DEBT: i128 = 1_000 * Limit::MAX_AMOUNT as i128;

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(limit: Limit, now: Nanos) -> Self {
        Self { level: units(limit.burst(), &limit), limit, at: now }
    }

    /// A bucket that holds `level` units (at most the limit's burst).
    #[must_use]
    pub fn holding(limit: Limit, level: u64, now: Nanos) -> Self {
        Self { level: units(level.min(limit.burst()), &limit), limit, at: now }
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Whole units available at `now`, negative when units are owed.
    #[must_use]
    pub fn level(&self, now: Nanos) -> i64 {
        let whole = self.level_at(now).div_euclid(self.window());
        i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
    }

    /// The earliest instant, not before `now`, at which `amount` units can be taken. An amount larger than the bucket
    /// ever holds can be taken when the bucket is full. [`Nanos::MAX`] where that lies beyond the end of time.
    #[must_use]
    pub fn ready_at(&self, amount: u64, now: Nanos) -> Nanos {
        let now = now.max(self.at);
        let missing = units(amount.min(self.limit.burst()), &self.limit) - self.level_at(now);
        if missing <= 0 {
            return now;
        }
        let wait = match self.limit.refill() {
            Refill::Continuous => div_ceil(missing, self.rate()),
            Refill::AtBoundary { phase } => {
                let window = self.limit.window().get();
                i128::from(window - since_boundary(now, phase, window))
            }
        };
        u64::try_from(wait).map_or(Nanos::MAX, |wait| now.saturating_add(Nanos::new(wait)))
    }

    /// Takes `amount` units whether or not they are there: ask [`ready_at`](Self::ready_at) first.
    pub fn take(&mut self, amount: u64, now: Nanos) {
        self.change(-units(amount, &self.limit), now);
    }

    /// Gives back `amount` units; what does not fit is lost.
    pub fn give(&mut self, amount: u64, now: Nanos) {
        self.change(units(amount, &self.limit), now);
    }

    /// Sets the level to `level` units as of `at`, less `taken_since`; the time since `at` refills it.
    ///
    /// This is how the provider's word replaces what was counted here: `level` is what it said remained at `at`.
    pub fn set_level(&mut self, level: u64, at: Nanos, taken_since: u64, now: Nanos) {
        self.level = units(level.min(self.limit.burst()), &self.limit);
        // Refilled first and charged afterwards, a full bucket would lose what came in between.
        self.level = (self.level - units(taken_since, &self.limit)).max(self.floor());
        let now = now.max(self.at);
        self.at = at.min(now);
        self.advance(now);
    }

    /// Replaces the limit. What was taken and has not come back stays taken.
    pub fn set_limit(&mut self, limit: Limit, now: Nanos) {
        self.advance(now);
        let taken = self.capacity() - self.level;
        // The same number of units in the new limit's grains, without leaving i128: whole units and the rest apart.
        let (old, new) = (self.window(), i128::from(limit.window().get()));
        let taken = (taken.div_euclid(old) * new).saturating_add(taken.rem_euclid(old) * new / old);
        self.limit = limit;
        self.level = (self.capacity() - taken).max(self.floor());
    }

    fn change(&mut self, grains: i128, now: Nanos) {
        self.advance(now);
        self.level = (self.level + grains).clamp(self.floor(), self.capacity());
    }

    fn advance(&mut self, now: Nanos) {
        self.level = self.level_at(now);
        self.at = self.at.max(now);
    }

    fn level_at(&self, now: Nanos) -> i128 {
        let elapsed = now.saturating_sub(self.at).get();
        match self.limit.refill() {
            Refill::Continuous => self.level.saturating_add(i128::from(elapsed) * self.rate()).min(self.capacity()),
            Refill::AtBoundary { phase } => {
                let window = self.limit.window().get();
                let turned = since_boundary(self.at, phase, window).saturating_add(elapsed) >= window;
                if turned { self.capacity() } else { self.level }
            }
        }
    }

    fn rate(&self) -> i128 {
        i128::from(self.limit.amount())
    }

    fn window(&self) -> i128 {
        i128::from(self.limit.window().get())
    }

    fn capacity(&self) -> i128 {
        units(self.limit.burst(), &self.limit)
    }

    fn floor(&self) -> i128 {
        -MAX_DEBT * self.window()
    }
}

/// Grains in `amount` units. An amount above any limit counts as that limit's bound of debt, so nothing overflows.
fn units(amount: u64, limit: &Limit) -> i128 {
    i128::from(amount).min(MAX_DEBT) * i128::from(limit.window().get())
}

fn div_ceil(dividend: i128, divisor: i128) -> i128 {
    dividend / divisor + i128::from(dividend % divisor != 0)
}

/// Nanoseconds from the last boundary to `at`.
fn since_boundary(at: Nanos, phase: Nanos, window: u64) -> u64 {
    let (at, phase) = (at.get() % window, phase.get() % window);
    if at >= phase { at - phase } else { window - (phase - at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dimension;

    fn tokens(amount: u64) -> Limit {
        Limit::per_minute(Dimension::Tokens, amount)
    }

    #[test]
    fn a_bucket_is_ready_at_the_exact_nanosecond_and_not_one_earlier() {
        // 7 per minute: the first unit back after 60 s / 7 = 8571428571.43 ns, so at ...572.
        let mut bucket = Bucket::full(tokens(7), Nanos::ZERO);
        bucket.take(7, Nanos::ZERO);
        let ready = bucket.ready_at(1, Nanos::ZERO);
        assert_eq!(ready, Nanos::new(8_571_428_572));
        assert_eq!(bucket.level(Nanos::new(ready.get() - 1)), 0);
        assert_eq!(bucket.level(ready), 1);
    }

    #[test]
    fn a_year_of_admissions_loses_nothing() {
        let mut bucket = Bucket::full(tokens(7), Nanos::ZERO);
        bucket.take(7, Nanos::ZERO);
        let mut now = Nanos::ZERO;
        let year = Nanos::from_secs(365 * 86_400);
        let mut taken: u64 = 0;
        while now < year {
            now = bucket.ready_at(1, now);
            bucket.take(1, now);
            taken += 1;
        }
        assert_eq!(taken, 365 * 24 * 60 * 7);
    }

    #[test]
    fn a_fixed_window_gives_nothing_before_its_boundary_and_everything_at_it() {
        let limit = tokens(10).with_refill(Refill::AtBoundary { phase: Nanos::from_secs(15) });
        let mut bucket = Bucket::full(limit, Nanos::from_secs(20));
        bucket.take(10, Nanos::from_secs(20));
        assert_eq!(bucket.ready_at(1, Nanos::from_secs(30)), Nanos::from_secs(75));
        assert_eq!(bucket.level(Nanos::new(Nanos::from_secs(75).get() - 1)), 0);
        assert_eq!(bucket.level(Nanos::from_secs(75)), 10);
        // A new window knows nothing of a debt.
        bucket.take(25, Nanos::from_secs(75));
        assert_eq!(bucket.ready_at(6, Nanos::from_secs(75)), Nanos::from_secs(75 + 60));
    }

    #[test]
    fn an_amount_larger_than_the_bucket_waits_for_a_full_one_and_leaves_a_debt() {
        let mut bucket = Bucket::full(tokens(60), Nanos::ZERO);
        assert_eq!(bucket.ready_at(90, Nanos::ZERO), Nanos::ZERO);
        bucket.take(90, Nanos::ZERO);
        assert_eq!(bucket.level(Nanos::ZERO), -30);
        assert_eq!(bucket.ready_at(1, Nanos::ZERO), Nanos::from_secs(31));
    }

    #[test]
    fn the_providers_word_sets_the_level_less_what_was_taken_since() {
        let mut bucket = Bucket::full(tokens(60), Nanos::ZERO);
        bucket.set_level(30, Nanos::from_secs(10), 5, Nanos::from_secs(12));
        assert_eq!(bucket.level(Nanos::from_secs(12)), 27);
    }

    #[test]
    fn a_changed_limit_keeps_what_was_taken() {
        let mut bucket = Bucket::full(tokens(100), Nanos::ZERO);
        bucket.take(30, Nanos::ZERO);
        bucket.set_limit(Limit::new(Dimension::Tokens, 1_000, Nanos::DAY), Nanos::ZERO);
        assert_eq!(bucket.level(Nanos::ZERO), 970);
        bucket.set_limit(tokens(20), Nanos::ZERO);
        assert_eq!(bucket.level(Nanos::ZERO), -10);
    }

    #[test]
    fn hostile_amounts_and_times_saturate() {
        for limit in [
            Limit::new(Dimension::Tokens, u64::MAX, Nanos::MAX),
            Limit::new(Dimension::Tokens, 0, Nanos::ZERO),
            tokens(1).with_refill(Refill::AtBoundary { phase: Nanos::MAX }),
            tokens(u64::MAX).with_burst(0),
        ] {
            let mut bucket = Bucket::full(limit, Nanos::MAX);
            for now in [Nanos::ZERO, Nanos::MAX, Nanos::new(1)] {
                bucket.take(u64::MAX, now);
                bucket.give(u64::MAX, now);
                bucket.set_level(u64::MAX, now, u64::MAX, now);
                bucket.set_limit(tokens(5), now);
                bucket.set_limit(limit, now);
                let _ = (bucket.level(now), bucket.ready_at(u64::MAX, now), bucket.ready_at(0, now));
            }
        }
    }
}
