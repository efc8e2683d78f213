//! The limits that come back with time, as the order of a batch looks at them: how full each is, and what it takes.

use super::Limiter;
use super::found::Found;
use crate::{Amounts, Bucket, Limit, Nanos, Refill};

/// A limit of the caller's or one that was found, or a rate that was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter<'a> {
    bucket: &'a Bucket,
    found: Option<&'a Found>,
    /// How much of what may be produced is, in 1,024 parts.
    yields: u64,
}

impl Meter<'_> {
    pub(super) const fn limit(&self) -> &Limit {
        self.bucket.limit()
    }

    /// What is there at `now`.
    pub(super) fn level(&self, now: Nanos) -> u64 {
        u64::try_from(self.bucket.level(now)).unwrap_or(0)
    }

    /// What can be there at most, as far as is known.
    pub(super) fn full(&self) -> u64 {
        self.found.map_or(self.limit().burst(), Found::full)
    }

    /// What it takes for `amounts`.
    pub(super) fn takes(&self, amounts: &Amounts) -> u64 {
        self.found.map_or_else(|| amounts.of(self.limit().dimension()), |found| found.charges(amounts, self.yields))
    }

    /// The time in which so much comes back as it takes for `amounts`.
    pub(super) fn span(&self, amounts: &Amounts) -> Nanos {
        let limit = self.limit();
        let amount = u128::from(self.takes(amounts));
        let span = (amount * u128::from(limit.window().get())).div_ceil(u128::from(limit.amount()));
        Nanos::new(u64::try_from(span).unwrap_or(u64::MAX))
    }

    /// What is above this is lost, if what is left of `other` is used up first. Half of a bucket that refills, because what
    /// is above is nearer to being lost than to being missed. What is left of a window at its turn is lost: no more than
    /// as much as is left of the other one, if that is of the same window; and of a second, which holds few requests, that
    /// alone.
    pub(super) fn much_beside(&self, other: &Self, now: Nanos) -> u64 {
        let half = self.full() / 2;
        if self.limit().refill() == Refill::Continuous || self.limit().window() != other.limit().window() {
            return half;
        }
        let share = u128::from(other.level(now)) * u128::from(self.full()) / u128::from(other.full().max(1));
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        if self.limit().window() <= Nanos::SECOND { share } else { share.min(half) }
    }
}

impl Limiter {
    /// The limits that come back with time.
    pub(super) fn meters(&self, now: Nanos) -> impl Iterator<Item = Meter<'_>> {
        let yields = self.yields.parts();
        let found = self.heeded(now).map(move |found| Meter { bucket: found.bucket(), found: Some(found), yields });
        let counted = self.told.buckets().iter().chain(self.pace.buckets());
        let counted = counted.map(move |bucket| Meter { bucket, found: None, yields });
        counted.chain(found).filter(|meter| meter.limit().refill() != Refill::OnRelease)
    }
}
