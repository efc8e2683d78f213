//! Several buckets that one request must all pass: all of them, or none.

use core::fmt;

use crate::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, Taken};

/// Why a cost can never be admitted: its certain part is larger than a bucket ever holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeverFits {
    /// The dimension that is too small.
    pub dimension: Dimension,
    /// What the request is sure to take.
    pub needed: u64,
    /// What the bucket holds when full.
    pub capacity: u64,
}

impl NeverFits {
    /// Whether the certain part of `cost` can ever be within `limit`.
    #[inline]
    pub(crate) fn check(cost: &Cost, limit: &Limit) -> Result<(), Self> {
        let dimension = limit.dimension();
        let (needed, capacity) = (cost.certain().of(dimension), limit.burst());
        if needed > capacity { Err(Self { dimension, needed, capacity }) } else { Ok(()) }
    }
}

impl fmt::Display for NeverFits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dimension, needed, capacity } = self;
        write!(f, "the request needs {needed} {dimension} and the limit holds at most {capacity}")
    }
}

impl core::error::Error for NeverFits {}

/// Buckets of one scope, over any storage: an array where there is no allocator, a `Vec` where there is.
///
/// A dimension may have several buckets (per minute and per day) or none (not limited).
#[derive(Clone, Debug, Default)]
pub struct Quota<S> {
    buckets: S,
}

impl<S: AsRef<[Bucket]> + AsMut<[Bucket]>> Quota<S> {
    /// A quota of these buckets.
    #[must_use]
    pub const fn new(buckets: S) -> Self {
        Self { buckets }
    }

    /// The buckets.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        self.buckets.as_ref()
    }

    /// The earliest instant, not before `now`, at which every bucket can give its part of `cost`.
    ///
    /// # Errors
    ///
    /// [`NeverFits`] when the certain part of the cost is larger than a bucket.
    pub fn ready_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        let mut ready = now;
        for bucket in self.buckets.as_ref() {
            NeverFits::check(cost, bucket.limit())?;
            let expected = cost.expected().of(bucket.limit().dimension());
            if expected > 0 {
                ready = ready.max(bucket.ready_at(expected, now));
            }
        }
        Ok(ready)
    }

    /// Takes `cost` from every bucket, if all of them can give it at `now`; takes nothing otherwise.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotYet`] with the instant at which it fits, or [`Refusal::NeverFits`].
    pub fn try_take(&mut self, cost: &Cost, now: Nanos) -> Result<Taken, Refusal> {
        if !self.has(cost, now)? {
            return Err(Refusal::NotYet { ready_at: self.ready_at(cost, now)? });
        }
        Ok(self.take(cost, now))
    }

    /// Whether every bucket has its part of `cost` at `now`.
    #[inline]
    pub(crate) fn has(&mut self, cost: &Cost, now: Nanos) -> Result<bool, NeverFits> {
        let mut has = true;
        for bucket in self.buckets.as_mut() {
            NeverFits::check(cost, bucket.limit())?;
            let expected = cost.expected().of(bucket.limit().dimension());
            has &= expected == 0 || bucket.has(expected, now);
        }
        Ok(has)
    }

    /// Takes `cost` from every bucket, whether or not it is there.
    pub fn take(&mut self, cost: &Cost, now: Nanos) -> Taken {
        let buckets = self.buckets.as_ref().iter();
        let number = buckets.map(Bucket::takings).max().unwrap_or(0).saturating_add(1);
        let taken = Taken { number, at: now };
        self.take_as(&taken, cost);
        taken
    }

    /// Takes `cost` from every bucket as the taking that the caller counts.
    pub(crate) fn take_as(&mut self, taken: &Taken, cost: &Cost) {
        for bucket in self.buckets.as_mut() {
            let amount = cost.expected().of(bucket.limit().dimension());
            bucket.take_as(taken, amount);
        }
    }

    /// Settles `cost`, which was `taken`, with the `actual` amounts in every bucket: see [`Bucket::settle`].
    pub fn settle(&mut self, taken: Taken, cost: &Cost, actual: &Amounts, now: Nanos) {
        self.settle_as(&taken, cost, actual, now);
    }

    /// Settles the taking that the caller counts.
    pub(crate) fn settle_as(&mut self, taken: &Taken, cost: &Cost, actual: &Amounts, now: Nanos) {
        for bucket in self.buckets.as_mut() {
            let dimension = bucket.limit().dimension();
            bucket.settle_as(taken, cost.expected().of(dimension), actual.of(dimension), now);
        }
    }
}

#[cfg(feature = "alloc")]
impl Quota<alloc::vec::Vec<Bucket>> {
    pub(crate) fn buckets_mut(&mut self) -> &mut alloc::vec::Vec<Bucket> {
        &mut self.buckets
    }
}

/// Why a cost is not admitted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It fits at this instant if nothing else is taken before.
    NotYet {
        /// The earliest such instant; one nanosecond before it, it does not fit.
        ready_at: Nanos,
    },
    /// It never fits.
    NeverFits(NeverFits),
}

impl From<NeverFits> for Refusal {
    fn from(never: NeverFits) -> Self {
        Self::NeverFits(never)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { ready_at } => write!(f, "not before {ready_at:?}"),
            Self::NeverFits(never) => never.fmt(f),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota() -> Quota<[Bucket; 2]> {
        Quota::new([
            Bucket::full(Limit::per_minute(Dimension::Requests, 2), Nanos::ZERO),
            Bucket::full(Limit::per_minute(Dimension::Tokens, 600), Nanos::ZERO),
        ])
    }

    #[test]
    fn a_request_is_charged_in_every_dimension_or_in_none() {
        let mut quota = quota();
        assert!(quota.try_take(&Cost::of_request(500, 0), Nanos::ZERO).is_ok());
        let before = quota.clone();
        // One request is left, but 200 tokens are missing: 10 a second.
        assert_eq!(
            quota.try_take(&Cost::of_request(300, 0), Nanos::ZERO),
            Err(Refusal::NotYet { ready_at: Nanos::from_secs(20) })
        );
        assert_eq!(quota.buckets(), before.buckets());
        assert!(quota.try_take(&Cost::of_request(300, 0), Nanos::from_secs(20)).is_ok());
        assert_eq!(quota.buckets()[0].level(Nanos::from_secs(20)), 0);
    }

    #[test]
    fn a_prompt_larger_than_the_bucket_is_never_admitted_and_an_estimate_borrows() {
        let mut quota = quota();
        assert_eq!(
            quota.try_take(&Cost::of_request(601, 0), Nanos::ZERO),
            Err(Refusal::NeverFits(NeverFits { dimension: Dimension::Tokens, needed: 601, capacity: 600 }))
        );
        assert!(quota.try_take(&Cost::of_request(600, 10_000), Nanos::ZERO).is_ok());
        assert_eq!(quota.buckets()[1].level(Nanos::ZERO), -10_000);
    }

    #[test]
    fn a_dimension_without_a_bucket_is_not_limited() {
        let mut quota = Quota::new([Bucket::full(Limit::per_minute(Dimension::Requests, 2), Nanos::ZERO)]);
        let cost = Cost::exact(Amounts::ZERO.with(Dimension::Tokens, u64::MAX));
        assert!(quota.try_take(&cost, Nanos::ZERO).is_ok());
    }
}
