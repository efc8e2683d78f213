//! limiter-core as it is measured: two dimensions, and limits that are never reached.

use std::hint::black_box;

use governor::clock::{Clock as _, DefaultClock, QuantaInstant, Reference as _};
use limiter_core::{Amounts, Bucket, Cost, Dimension, Limit, Limiter, Nanos, Quota};

use crate::clock::Clock;

/// Where `now` comes from.
pub(crate) trait Time {
    fn now(&mut self) -> Nanos;
}

/// Time that is given: it moves on a little whenever somebody asks.
#[derive(Default)]
pub(crate) struct Given(Nanos);

impl Time for Given {
    fn now(&mut self) -> Nanos {
        // A minute's limit of 2^32 - 1 gives back 715 tokens meanwhile: more than a request takes.
        self.0 = self.0.saturating_add(Nanos::new(10_000));
        self.0
    }
}

impl Time for Clock {
    fn now(&mut self) -> Nanos {
        Self::now(self)
    }
}

/// The processor's counter, by which governor tells the time.
pub(crate) struct Counter {
    clock: DefaultClock,
    origin: QuantaInstant,
}

impl Counter {
    pub(crate) fn start() -> Self {
        let clock = DefaultClock::default();
        Self { origin: clock.now(), clock }
    }
}

impl Time for Counter {
    fn now(&mut self) -> Nanos {
        Nanos::new(self.clock.now().duration_since(self.origin).as_u64())
    }
}

/// A prompt of 40 tokens that may produce 10: so little that even governor's largest bucket lasts for the whole run.
pub(crate) fn cost() -> Cost {
    Cost::of_request(40, 10)
}

/// What it takes in the end.
pub(crate) fn actual() -> Amounts {
    *Cost::of_request(40, 6).expected()
}

/// Limits that are never reached, the same as governor's.
fn limits() -> [Limit; 2] {
    [Dimension::Requests, Dimension::Tokens].map(|dimension| Limit::per_minute(dimension, u32::MAX.into()))
}

/// A limiter that was told these limits.
pub(crate) fn limiter() -> Limiter {
    let mut limiter = Limiter::new();
    for limit in limits() {
        limiter.set_limit(limit, Nanos::ZERO);
    }
    limiter
}

/// The same limits without a queue and without reservations.
pub(crate) fn quota() -> Quota<[Bucket; 2]> {
    Quota::new(limits().map(|limit| Bucket::full(limit, Nanos::ZERO)))
}

/// One request: reserved and settled. Whether it was admitted.
pub(crate) fn reserve_and_settle(limiter: &mut Limiter, cost: &Cost, actual: &Amounts, time: &mut impl Time) -> bool {
    let Ok(reservation) = limiter.try_reserve(black_box(cost), time.now()) else { return false };
    limiter.settle(black_box(reservation), black_box(actual), time.now());
    true
}

/// The same without a limiter around the buckets.
pub(crate) fn take_and_settle(
    quota: &mut Quota<[Bucket; 2]>,
    cost: &Cost,
    actual: &Amounts,
    time: &mut impl Time,
) -> bool {
    let Ok(taken) = quota.try_take(black_box(cost), time.now()) else { return false };
    quota.settle(black_box(taken), cost, black_box(actual), time.now());
    true
}
