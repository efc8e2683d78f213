//! What a server meters by: nothing of it is shared with what the limiter guesses, where that would be the same mistake.

use alloc::collections::VecDeque;

use crate::{Bucket, Limit, Nanos, Refill};

/// One limit of a server's.
#[expect(clippy::large_enum_variant, reason = "there are three of them")]
pub(super) enum Meter {
    Bucket(Bucket),
    /// Every taking of the last window, each with its instant.
    Log(Limit, VecDeque<Nanos>),
    /// How many were taken in each window, the first one first: the one before the present counts by what is left of this.
    Counter(Limit, VecDeque<u64>),
}

impl Meter {
    /// One that counts in two windows.
    pub(super) fn of_two(limit: Limit) -> Self {
        Self::Counter(limit, VecDeque::new())
    }

    /// Which window it is, and how much of it is over.
    fn window_at(limit: &Limit, now: Nanos) -> (usize, u64) {
        let window = limit.window().get();
        ((now.get() / window) as usize, now.get() % window)
    }

    pub(super) fn full(limit: Limit) -> Self {
        match limit.refill() {
            Refill::Sliding => Self::Log(limit, VecDeque::new()),
            _ => Self::Bucket(Bucket::full(limit, Nanos::ZERO)),
        }
    }

    pub(super) fn limit(&self) -> &Limit {
        match self {
            Self::Bucket(bucket) => bucket.limit(),
            Self::Log(limit, _) | Self::Counter(limit, _) => limit,
        }
    }

    pub(super) fn change(&mut self, limit: Limit, now: Nanos) {
        match self {
            Self::Bucket(bucket) => bucket.set_limit(limit, now),
            Self::Log(known, _) | Self::Counter(known, _) => *known = limit,
        }
    }

    /// What of a log counts at `now`, the oldest first.
    fn counted<'a>(limit: &Limit, taken: &'a VecDeque<Nanos>, now: Nanos) -> impl Iterator<Item = &'a Nanos> {
        let window = limit.window();
        taken.iter().filter(move |at| now < at.saturating_add(window))
    }

    pub(super) fn level(&self, now: Nanos) -> u64 {
        match self {
            Self::Bucket(bucket) => u64::try_from(bucket.level(now)).unwrap_or(0),
            Self::Log(limit, taken) => limit.amount().saturating_sub(Self::counted(limit, taken, now).count() as u64),
            Self::Counter(limit, taken) => {
                let (window, over) = Self::window_at(limit, now);
                let in_window = |window: Option<usize>| window.and_then(|it| taken.get(it)).copied().unwrap_or(0);
                let before = in_window(window.checked_sub(1)) * (limit.window().get() - over);
                let counted = in_window(Some(window)) + before.div_ceil(limit.window().get());
                limit.amount().saturating_sub(counted)
            }
        }
    }

    /// When `amount` is there.
    pub(super) fn ready_at(&self, amount: u64, now: Nanos) -> Nanos {
        match self {
            Self::Bucket(bucket) => bucket.ready_at(amount, now),
            Self::Log(limit, taken) => {
                let missing = amount.saturating_sub(self.level(now)) as usize;
                let back = |at: &Nanos| at.saturating_add(limit.window());
                missing.checked_sub(1).and_then(|nth| Self::counted(limit, taken, now).nth(nth)).map_or(now, back)
            }
            Self::Counter(..) if self.level(now) >= amount => now,
            Self::Counter(limit, _) => now.saturating_add(Nanos::new(limit.window().get() / limit.amount())),
        }
    }

    pub(super) fn full_at(&self, now: Nanos) -> Nanos {
        match self {
            // It says when it turns.
            Self::Counter(limit, _) => {
                now.saturating_add(Nanos::new(limit.window().get() - Self::window_at(limit, now).1))
            }
            _ => self.ready_at(self.limit().burst(), now),
        }
    }

    /// When the next of what was taken comes back.
    pub(super) fn oldest_back_at(&self, now: Nanos) -> Nanos {
        match self {
            Self::Bucket(_) | Self::Counter(..) => self.full_at(now),
            Self::Log(limit, taken) => {
                Self::counted(limit, taken, now).next().map_or(now, |at| at.saturating_add(limit.window()))
            }
        }
    }

    pub(super) fn take(&mut self, amount: u64, now: Nanos) {
        match self {
            Self::Bucket(bucket) => {
                let _ = bucket.take(amount, now);
            }
            Self::Log(_, taken) => taken.extend((0..amount).map(|_| now)),
            Self::Counter(limit, taken) => {
                let (window, _) = Self::window_at(limit, now);
                taken.resize(taken.len().max(window + 1), 0);
                taken[window] += amount;
            }
        }
    }
}
