//! What a person or a progress bar wants to see.

use alloc::vec::Vec;

use super::Limiter;
use crate::{Bucket, Limit, Nanos};

/// A limiter at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Every limit with its level.
    pub limits: Vec<LimitState>,
    /// Requests admitted and not yet ended.
    pub in_flight: u64,
    /// Requests in the queue.
    pub waiting: usize,
    /// When the pause ends that the provider asked for, if one is on.
    pub paused_until: Option<Nanos>,
}

/// One limit at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The limit.
    pub limit: Limit,
    /// Units available; negative when units are owed.
    pub level: i64,
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
}

impl Limiter {
    /// The limiter's state at `now`.
    #[must_use]
    pub fn state(&self, now: Nanos) -> State {
        let state = |bucket: &Bucket, source| LimitState { limit: *bucket.limit(), level: bucket.level(now), source };
        let told = self.told.buckets().iter().map(|bucket| state(bucket, LimitSource::Told));
        let heeded = self.found.iter().filter(|found| found.is_heeded(self.tells, now));
        let found = heeded.map(|found| state(found.bucket(), LimitSource::Found));
        State {
            limits: told.chain(found).collect(),
            in_flight: self.in_flight,
            waiting: self.queue.waiting(),
            paused_until: Some(self.paused_until).filter(|until| *until > now),
        }
    }
}
