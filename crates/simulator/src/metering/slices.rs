//! A token bucket that is let out second by second.

use super::bucket::Bucket;
use super::rule::Rule;
use super::units::{SECOND, capacity, times};

/// A bucket, and what the current second may still take from it. The seconds are those of the calendar.
#[derive(Debug)]
pub(super) struct Slices {
    bucket: Bucket,
    /// What each second may take.
    worth: i128,
    /// What this second may still take; below zero where the seconds to come pay for what was taken.
    level: i128,
    at: i128,
}

impl Slices {
    /// Slices of a bucket as [`Bucket::new`] makes it. The first second is untouched, however full the bucket is.
    pub(super) fn new(per_minute: u64, depth: i128, fill: i128, at: i128) -> Self {
        let worth = capacity(per_minute, SECOND);
        Self { bucket: Bucket::new(per_minute, depth, fill, at), worth, level: worth, at }
    }

    const fn number(at: i128) -> i128 {
        at.div_euclid(SECOND)
    }

    /// How long until this or a later second may take `amount`.
    fn until(&self, amount: i128) -> i128 {
        match times(amount.saturating_sub(self.level), self.worth) {
            0 => 0,
            seconds => SECOND - self.at.rem_euclid(SECOND) + (seconds - 1).saturating_mul(SECOND),
        }
    }
}

impl Rule for Slices {
    fn advance(&mut self, to: i128) {
        self.bucket.advance(to);
        let turns = Self::number(to) - Self::number(self.at);
        self.level = self.level.saturating_add(self.worth.saturating_mul(turns)).min(self.worth);
        self.at = to;
    }

    fn capacity(&self) -> i128 {
        self.bucket.capacity()
    }

    fn level(&self) -> i128 {
        self.bucket.level().min(self.level)
    }

    /// More than a second's worth has to begin with a second that is untouched, and so has room for its whole worth.
    fn wait(&self, amount: i128) -> i128 {
        self.bucket.wait(amount).max(self.until(amount.min(self.worth)))
    }

    fn until_full(&self) -> i128 {
        match self.bucket.until_full() {
            0 => self.until(self.worth),
            filling => filling,
        }
    }

    fn take(&mut self, amount: i128) {
        self.bucket.take(amount);
        self.level = self.level.saturating_sub(amount);
    }

    /// A second that is over has nothing to give back but what later ones pay for it.
    fn give_back(&mut self, amount: i128, taken_at: i128) {
        self.bucket.give_back(amount, taken_at);
        let most = if Self::number(taken_at) == Self::number(self.at) { self.worth } else { self.level.max(0) };
        self.level = self.level.saturating_add(amount).min(most);
    }

    fn change(&mut self, per_minute: u64) {
        self.bucket.change(per_minute);
        self.worth = capacity(per_minute, SECOND);
        self.level = self.level.min(self.worth);
    }
}
