//! What a person or a progress bar wants to see.

use alloc::vec::Vec;

use super::Limiter;
use super::found::Found;
use crate::{Amounts, Bucket, Limit, Nanos, Ticket, Waiting};

/// A limiter at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// Every limit with its level.
    pub limits: Vec<LimitState>,
    /// Requests admitted and not yet ended.
    pub in_flight: u64,
    /// Requests in the queue.
    pub waiting: usize,
    /// What they will take.
    pub waiting_amounts: Amounts,
    /// Who is next, and when it fits; [`Nanos::MAX`] where that depends on requests in flight.
    pub next: Option<(Ticket, Nanos)>,
    /// When the pause ends that the provider asked for, or that an outage makes, if one is on.
    pub paused_until: Option<Nanos>,
}

/// One limit at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitState {
    /// The limit.
    pub limit: Limit,
    /// Units available; negative when units are owed.
    pub level: i64,
    /// Units reserved by requests in flight.
    pub in_flight: u64,
    /// When it is full again if nothing more is taken; [`Nanos::MAX`] where that depends on requests in flight.
    pub full_at: Nanos,
    /// Where the limit comes from.
    pub source: LimitSource,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitSource {
    /// The caller set it.
    Told,
    /// The provider's answers said it.
    Found,
    /// The caller expects it, and no answer has spoken of it yet.
    Expected,
}

impl Limiter {
    /// The limiter's state at `now`.
    #[must_use]
    pub fn state(&self, now: Nanos) -> State {
        let time = self.time.peek(now);
        let now = time.present();
        let state = |bucket: &Bucket, source| LimitState {
            limit: time.limit_out(*bucket.limit()),
            level: bucket.level(now),
            in_flight: self.flight.since(Nanos::ZERO, bucket.limit().dimension()),
            full_at: time.out(bucket.full_at(now)),
            source,
        };
        let told = self.told.buckets().iter().map(|bucket| state(bucket, LimitSource::Told));
        let source = |found: &Found| if found.is_guess() { LimitSource::Expected } else { LimitSource::Found };
        let held = self.held.buckets().iter().map(|bucket| state(bucket, LimitSource::Found));
        let found = self.heeded(now).map(|found| state(found.bucket(), source(found))).chain(held);
        let next = self.queue.head().and_then(|(ticket, cost)| {
            let ready_at = if self.flight_is_full(now) { Nanos::MAX } else { self.ready_at(cost, now).ok()? };
            Some((ticket, time.out(ready_at)))
        });
        State {
            limits: told.chain(found).collect(),
            in_flight: self.in_flight,
            waiting: self.queue.waiting(),
            waiting_amounts: *self.queue.amounts(),
            next,
            paused_until: Some(time.out(self.held_until())).filter(|_| self.held_until() > now),
        }
    }

    /// Everybody who waits, in no particular order.
    pub fn waiters(&self) -> impl Iterator<Item = Waiting> {
        self.queue.iter().map(|waiting| Waiting { since: self.time.out(waiting.since), ..waiting })
    }
}
