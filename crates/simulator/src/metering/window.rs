//! A fixed window: everything comes back at its turn.

use super::rule::Rule;
use super::units::{capacity, part};

/// A window, aligned to the Unix epoch, and what it has left.
#[derive(Debug)]
pub(super) struct Window {
    /// The nanoseconds of the window.
    depth: i128,
    capacity: i128,
    level: i128,
    at: i128,
}

impl Window {
    /// A window of `depth` nanoseconds for `per_minute`, of which `fill` billionths are left.
    pub(super) fn new(per_minute: u64, depth: i128, fill: i128, at: i128) -> Self {
        let capacity = capacity(per_minute, depth);
        Self { depth, capacity, level: part(capacity, fill), at }
    }

    /// A window of `depth` nanoseconds that is untouched and holds `capacity`.
    pub(super) const fn of(capacity: i128, depth: i128, at: i128) -> Self {
        Self { depth, capacity, level: capacity, at }
    }

    const fn number(&self, at: i128) -> i128 {
        at.div_euclid(self.depth)
    }
}

impl Rule for Window {
    fn advance(&mut self, to: i128) {
        if self.number(to) > self.number(self.at) {
            self.level = self.capacity;
        }
        self.at = to;
    }

    fn capacity(&self) -> i128 {
        self.capacity
    }

    fn level(&self) -> i128 {
        self.level
    }

    fn wait(&self, amount: i128) -> i128 {
        if amount <= self.level { 0 } else { self.depth - self.at.rem_euclid(self.depth) }
    }

    fn until_full(&self) -> i128 {
        self.wait(self.capacity)
    }

    fn take(&mut self, amount: i128) {
        self.level = self.level.saturating_sub(amount);
    }

    /// A window that has turned gives nothing back: what was charged to it is gone with it.
    fn give_back(&mut self, amount: i128, taken_at: i128) {
        if self.number(taken_at) == self.number(self.at) {
            self.level = self.level.saturating_add(amount).min(self.capacity);
        }
    }

    fn change(&mut self, per_minute: u64) {
        let changed = capacity(per_minute, self.depth);
        self.level = self.level.saturating_add(changed.saturating_sub(self.capacity));
        self.capacity = changed;
    }
}
