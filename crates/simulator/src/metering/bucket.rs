//! A token bucket: what was taken comes back continuously.

use super::rule::Rule;
use super::units::{capacity, part, times};

/// A bucket and its level.
#[derive(Debug)]
pub(super) struct Bucket {
    per_minute: u64,
    /// The nanoseconds that fill it.
    depth: i128,
    capacity: i128,
    /// Below zero where something was charged afterwards that was not there.
    level: i128,
    at: i128,
}

impl Bucket {
    /// A bucket for `per_minute`, filled to `fill` billionths of what `depth` refills.
    pub(super) fn new(per_minute: u64, depth: i128, fill: i128, at: i128) -> Self {
        let capacity = capacity(per_minute, depth);
        Self { per_minute, depth, capacity, level: part(capacity, fill), at }
    }
}

impl Rule for Bucket {
    fn advance(&mut self, to: i128) {
        let refill = i128::from(self.per_minute).saturating_mul(to - self.at);
        self.level = self.level.saturating_add(refill).min(self.capacity);
        self.at = to;
    }

    fn capacity(&self) -> i128 {
        self.capacity
    }

    fn level(&self) -> i128 {
        self.level
    }

    fn wait(&self, amount: i128) -> i128 {
        times(amount - self.level, i128::from(self.per_minute))
    }

    fn until_full(&self) -> i128 {
        self.wait(self.capacity)
    }

    fn take(&mut self, amount: i128) {
        self.level = self.level.saturating_sub(amount);
    }

    fn give_back(&mut self, amount: i128, _taken_at: i128) {
        self.level = self.level.saturating_add(amount).min(self.capacity);
    }

    fn change(&mut self, per_minute: u64) {
        self.per_minute = per_minute;
        self.capacity = capacity(per_minute, self.depth);
        self.level = self.level.min(self.capacity);
    }
}
