//! A sliding window: each amount comes back one window after it was taken.

use std::collections::VecDeque;

use super::rule::Rule;
use super::units::{capacity, part};

/// In how many parts that which is missing at the start comes back.
const PARTS: i128 = 60;
/// All of something, in billionths.
const ALL: i128 = 1_000_000_000;

/// What was taken at one moment.
#[derive(Clone, Copy, Debug)]
struct Taken {
    at: i128,
    amount: i128,
}

/// A log of what was taken within the last window, in the order of its times.
#[derive(Debug)]
pub(super) struct Log {
    /// The nanoseconds of the window.
    depth: i128,
    capacity: i128,
    entries: VecDeque<Taken>,
    /// What all entries amount to.
    taken: i128,
    at: i128,
}

impl Log {
    /// A log for `per_minute` over windows of `depth` nanoseconds. What `fill` billionths leave of the capacity counts
    /// as taken evenly in the window before.
    pub(super) fn new(per_minute: u64, depth: i128, fill: i128, at: i128) -> Self {
        let capacity = capacity(per_minute, depth);
        let mut log = Self { depth, capacity, entries: VecDeque::new(), taken: 0, at };
        let missing = part(capacity, ALL - fill);
        let start = at - depth;
        for number in 1..=PARTS {
            log.at = start + part_of(depth, number);
            log.take(part_of(missing, number) - part_of(missing, number - 1));
        }
        log.at = at;
        log
    }
}

/// What the first `number` of the parts of `amount` come to.
const fn part_of(amount: i128, number: i128) -> i128 {
    amount / PARTS * number + amount % PARTS * number / PARTS
}

impl Rule for Log {
    fn advance(&mut self, to: i128) {
        self.at = to;
        while let Some(oldest) = self.entries.front().filter(|oldest| oldest.at + self.depth <= to) {
            self.taken -= oldest.amount;
            self.entries.pop_front();
        }
    }

    fn capacity(&self) -> i128 {
        self.capacity
    }

    fn level(&self) -> i128 {
        self.capacity.saturating_sub(self.taken)
    }

    fn wait(&self, amount: i128) -> i128 {
        let mut missing = amount.saturating_sub(self.level());
        let mut wait = 0;
        for entry in &self.entries {
            if missing <= 0 {
                break;
            }
            missing = missing.saturating_sub(entry.amount);
            wait = entry.at + self.depth - self.at;
        }
        wait
    }

    fn until_full(&self) -> i128 {
        self.entries.back().map_or(0, |newest| newest.at + self.depth - self.at)
    }

    fn take(&mut self, amount: i128) {
        if amount == 0 {
            return;
        }
        self.taken = self.taken.saturating_add(amount);
        match self.entries.back_mut().filter(|newest| newest.at == self.at) {
            Some(newest) => newest.amount = newest.amount.saturating_add(amount),
            None => self.entries.push_back(Taken { at: self.at, amount }),
        }
    }

    /// What has come back by itself is not given back again.
    fn give_back(&mut self, amount: i128, taken_at: i128) {
        let Ok(place) = self.entries.binary_search_by_key(&taken_at, |entry| entry.at) else { return };
        let Some(entry) = self.entries.get_mut(place) else { return };
        let amount = amount.min(entry.amount);
        entry.amount -= amount;
        self.taken -= amount;
        if entry.amount == 0 {
            self.entries.remove(place);
        }
    }

    fn change(&mut self, per_minute: u64) {
        self.capacity = capacity(per_minute, self.depth);
    }
}
