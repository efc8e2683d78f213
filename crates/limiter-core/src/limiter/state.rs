//! What a person or a progress bar wants to see.

use alloc::vec::Vec;

use super::{Limiter, Track};
use crate::{Limit, Nanos};

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
        let limits = self.quota.buckets().iter().zip(&self.tracks).map(|(bucket, track)| LimitState {
            limit: *bucket.limit(),
            level: bucket.level(now),
            source: if matches!(track, Track::Told) { LimitSource::Told } else { LimitSource::Found },
        });
        State {
            limits: limits.collect(),
            in_flight: self.in_flight,
            waiting: self.queue.waiting(),
            paused_until: Some(self.paused_until).filter(|until| *until > now),
        }
    }
}
