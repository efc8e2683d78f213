//! A sliding window as gateways approximate it: two counters, of this window and of the one before.
//!
//! What was taken in the window before counts by the share of it that a window ending now would still cover.

use super::rule::Rule;
use super::units::{capacity, part};

/// All of something, in billionths.
const ALL: i128 = 1_000_000_000;

/// Two counters of windows that are aligned to the Unix epoch.
#[derive(Debug)]
pub(super) struct Counter {
    /// The nanoseconds of a window.
    depth: i128,
    capacity: i128,
    before: i128,
    now: i128,
    at: i128,
}

impl Counter {
    /// Counters for `per_minute` over windows of `depth` nanoseconds. What `fill` billionths leave of the capacity was
    /// taken in the window before.
    pub(super) fn new(per_minute: u64, depth: i128, fill: i128, at: i128) -> Self {
        let capacity = capacity(per_minute, depth);
        Self { depth, capacity, before: part(capacity, ALL - fill), now: 0, at }
    }

    const fn number(&self, at: i128) -> i128 {
        at.div_euclid(self.depth)
    }

    /// The nanoseconds of this window that are left.
    const fn left(&self) -> i128 {
        self.depth - self.at.rem_euclid(self.depth)
    }

    /// The part of `amount` that counts when so many nanoseconds of the next window are left.
    const fn counts(&self, amount: i128, left: i128) -> i128 {
        (amount / self.depth).saturating_mul(left).saturating_add(amount % self.depth * left / self.depth)
    }

    /// The most nanoseconds that may be left of a window so that of `amount` from before no more than `room` counts; none
    /// where it has to be over.
    const fn most_left(&self, amount: i128, room: i128) -> i128 {
        // What counts falls with what is left.
        let (mut fits, mut too_much) = (0, self.depth + 1);
        while fits + 1 < too_much {
            let middle = fits.midpoint(too_much);
            if self.counts(amount, middle) <= room {
                fits = middle;
            } else {
                too_much = middle;
            }
        }
        fits
    }
}

impl Rule for Counter {
    fn advance(&mut self, to: i128) {
        match self.number(to) - self.number(self.at) {
            0 => {}
            1 => (self.before, self.now) = (self.now, 0),
            _ => (self.before, self.now) = (0, 0),
        }
        self.at = to;
    }

    fn capacity(&self) -> i128 {
        self.capacity
    }

    fn level(&self) -> i128 {
        self.capacity.saturating_sub(self.now).saturating_sub(self.counts(self.before, self.left()))
    }

    fn wait(&self, amount: i128) -> i128 {
        if amount <= self.level() {
            return 0;
        }
        let room = self.capacity.saturating_sub(amount);
        // What was taken before counts less and less until this window ends, and then what was taken in this one does.
        match self.most_left(self.before, room.saturating_sub(self.now)) {
            0 => self.left() + self.depth - self.most_left(self.now, room),
            left => self.left() - left,
        }
    }

    fn until_full(&self) -> i128 {
        match (self.before, self.now) {
            (0, 0) => 0,
            (_, 0) => self.left(),
            _ => self.left() + self.depth,
        }
    }

    fn take(&mut self, amount: i128) {
        self.now = self.now.saturating_add(amount);
    }

    fn give_back(&mut self, amount: i128, taken_at: i128) {
        match self.number(self.at) - self.number(taken_at) {
            0 => self.now = self.now.saturating_sub(amount).max(0),
            1 => self.before = self.before.saturating_sub(amount).max(0),
            _ => {}
        }
    }

    fn change(&mut self, per_minute: u64) {
        self.capacity = capacity(per_minute, self.depth);
    }
}
