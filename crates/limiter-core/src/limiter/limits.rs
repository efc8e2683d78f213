//! The caller's own limits, and its other settings.

use super::found::Found;
use super::order::Allowance;
use super::{Limiter, Order};
use crate::{Backoff, Bucket, Dimension, Limit, Nanos, Refill, Reservation};

impl Limiter {
    /// A limiter that knows no limit but the caller's own ones of `other`, of which as much is taken as there; what comes
    /// back [`OnRelease`](crate::Refill::OnRelease) begins full. Probing, backoff, order, ageing and shares are as there.
    #[must_use]
    pub fn with_told_of(other: &Self) -> Self {
        let mut told = other.told.clone();
        for bucket in told.buckets_mut() {
            // What is in flight there ends there.
            if bucket.limit().refill() == Refill::OnRelease {
                *bucket = Bucket::full(*bucket.limit(), other.time.present());
            }
            *bucket = bucket.after(other.admissions);
        }
        let mut limiter = Self {
            time: other.time,
            told,
            admissions: other.admissions,
            probes: other.probes,
            backoff: other.backoff,
            shares: other.shares,
            allowance: other.allowance.map(Allowance::renewed),
            ..Self::new()
        };
        limiter.queue.set_ageing(other.queue.ageing());
        limiter
    }

    /// Sets a limit of the caller's own: a ceiling, whatever the provider allows. It replaces the caller's limit for
    /// the same dimension and window, keeping what was taken; a new one begins full, but for what is in flight where
    /// it comes back [`OnRelease`](crate::Refill::OnRelease).
    pub fn set_limit(&mut self, limit: Limit, now: Nanos) {
        let now = self.advance(now);
        let limit = self.time.limit_in(limit);
        let same = |bucket: &&mut Bucket| is_same(bucket.limit(), &limit);
        let begun = self.begin(limit, now);
        match self.told.buckets_mut().iter_mut().find(same) {
            Some(bucket) if limit.refill() == Refill::OnRelease && bucket.limit().refill() != Refill::OnRelease => {
                *bucket = begun;
            }
            Some(bucket) => bucket.set_limit(limit, now),
            None => self.told.buckets_mut().push(begun),
        }
    }

    /// Begins with a guess at one of the provider's limits: it holds until an answer says what the limit is, and gives way
    /// to it in both directions. Where the provider never says it, refusals and their absence correct it. It may be too
    /// low, so what is larger than it waits for all of it and is not refused.
    ///
    /// What the caller is sure of, and means as a ceiling, is set with [`set_limit`](Self::set_limit). A guess for what is
    /// known already, one too many of them, or one for what comes back [`OnRelease`](crate::Refill::OnRelease), of which
    /// no answer tells what remains, is left out.
    pub fn expect_limit(&mut self, limit: Limit, now: Nanos) {
        let now = self.advance(now);
        let is_known = self.found.iter().any(|found| found.dimension() == limit.dimension());
        let is_held = limit.dimension() == Dimension::Concurrent || limit.refill() == Refill::OnRelease;
        if is_held || is_known || self.found.len() >= Reservation::MOST_FOUND {
            return;
        }
        let limit = self.time.limit_in(limit);
        let mut guessed = Found::guessed(limit, self.flight.in_dimension(limit.dimension()), self.admissions, now);
        guessed.use_share(self.shares.of(limit.dimension()), self.admissions, now);
        self.found.push(guessed);
    }

    /// Uses no more than so many millionths of what the provider allows in this dimension; all of it, unless set. Zero
    /// counts as one, and more than a million as all.
    ///
    /// In no window more than that share is taken, and the rest of what the provider says remains is left there, whoever
    /// else takes of it. What is certain to take more than the share ever holds is refused as larger than the limit. The
    /// caller's own limits are taken as they are: give a [share](Limit::share) of them.
    ///
    /// ```
    /// use limiter_core::{Amounts, Cost, Dimension, Limiter, Nanos, Observation, Reading};
    ///
    /// let mut limiter = Limiter::new();
    /// limiter.set_share(Dimension::Requests, 900_000, Nanos::ZERO);
    /// let mut first = limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap();
    /// // Ten of a hundred requests are left: they are for others.
    /// let mut answer = Observation::new();
    /// answer.push(Reading { limit: Some(100), remaining: Some(10), ..Reading::of(Dimension::Requests) });
    /// limiter.observe(&mut first, &answer, Nanos::ZERO);
    /// limiter.settle(first, &Amounts::of_request(1, 0), Nanos::ZERO);
    /// assert!(limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).is_err());
    /// ```
    pub fn set_share(&mut self, dimension: Dimension, millionths: u32, now: Nanos) {
        let now = self.advance(now);
        self.shares.set(dimension, millionths);
        let share = self.shares.of(dimension);
        let admissions = self.admissions;
        let found = self.found.iter_mut().filter(|found| found.dimension() == dimension);
        found.for_each(|found| found.use_share(share, admissions, now));
    }

    /// A bucket for a limit that was not there until now: full, but for what is in flight where that comes back.
    pub(super) fn begin(&self, limit: Limit, now: Nanos) -> Bucket {
        let mut bucket = Bucket::full(limit, now);
        if limit.refill() != Refill::OnRelease {
            return bucket.after(self.admissions);
        }
        bucket.lose(self.flight.since(Nanos::ZERO, limit.dimension()), now);
        bucket.begun_at(self.admissions)
    }

    /// Puts `by` in the place of the caller's limit for this dimension and window, keeping what was taken, whatever window
    /// `by` has. Whether there was one to replace; a limit that `by` would replace otherwise is gone with it.
    pub fn replace_limit(&mut self, dimension: Dimension, window: Nanos, by: Limit, now: Nanos) -> bool {
        let now = self.advance(now);
        let (known, by) = (Limit::new(dimension, 1, window), self.time.limit_in(by));
        let Some(mut bucket) = self.told.buckets().iter().find(|bucket| is_same(bucket.limit(), &known)).copied()
        else {
            return false;
        };
        let is_begun = by.refill() == Refill::OnRelease && bucket.limit().refill() != Refill::OnRelease;
        if is_begun || by.dimension() != dimension {
            bucket = self.begin(by, now);
        } else {
            bucket.set_limit(by, now);
        }
        self.told.buckets_mut().retain(|other| !is_same(other.limit(), &known) && !is_same(other.limit(), &by));
        self.told.buckets_mut().push(bucket);
        true
    }

    /// Removes the caller's limit for this dimension and window (whatever window where that means nothing). Whether there
    /// was one.
    pub fn remove_limit(&mut self, dimension: Dimension, window: Nanos) -> bool {
        let limit = Limit::new(dimension, 1, window);
        let before = self.told.buckets().len();
        self.told.buckets_mut().retain(|bucket| !is_same(bucket.limit(), &limit));
        self.told.buckets().len() < before
    }

    /// In what order requests are admitted that come from now on. Those who wait already are looked at as if they were
    /// all of one size.
    pub fn set_order(&mut self, order: Order) {
        self.allowance = match order {
            Order::Turn => None,
            Order::LookAhead { bound } => Some(self.allowance.unwrap_or(Allowance::new(bound)).within(bound)),
        };
    }

    /// How long a request has to wait for as much as one level of [`Priority`](crate::Priority); ten seconds unless set.
    /// With zero, priorities only decide between requests that came at the same instant.
    pub const fn set_ageing(&mut self, span: Nanos) {
        self.queue.set_ageing(span);
    }

    /// Whether the way is felt where the provider does not say it: the number of requests in flight grows with the answers
    /// (a few at first, twice as many each time they were answered well), also where limits are told, and stays below what
    /// was refused; while no limit is known requests are spaced; and a rate is measured between refusals that nothing
    /// explains. It is, unless set: turn it off where the caller's own limits are all there are.
    pub const fn set_probing(&mut self, probes: bool) {
        self.probes = probes;
    }

    /// How long to hold back after failures and refusals that do not say it; a second, doubling up to a minute, unless
    /// set.
    pub const fn set_backoff(&mut self, backoff: Backoff) {
        self.backoff = backoff;
    }
}

/// Whether two limits are for the same thing. How many are in flight has no window.
fn is_same(one: &Limit, other: &Limit) -> bool {
    one.dimension() == other.dimension() && (one.window() == other.window() || one.dimension() == Dimension::Concurrent)
}
