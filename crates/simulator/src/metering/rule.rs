//! What every kind of metering has to say.

use std::fmt::Debug;

/// One limit under one kind of metering. Amounts are units, times nanoseconds since the Unix epoch.
pub(super) trait Rule: Debug + Send {
    /// Brings the level to the time `to`, which is not before the last one.
    fn advance(&mut self, to: i128);

    /// The most that can ever be taken at once.
    fn capacity(&self) -> i128;

    /// What can be taken now; below zero where more was taken than was there.
    fn level(&self) -> i128;

    /// How long until `amount`, which is at most the capacity, can be taken.
    fn wait(&self, amount: i128) -> i128;

    /// How long until nothing is missing.
    fn until_full(&self) -> i128;

    /// Takes `amount`, whether it is there or not.
    fn take(&mut self, amount: i128);

    /// Gives back `amount` of what was taken at `taken_at`.
    fn give_back(&mut self, amount: i128, taken_at: i128);

    /// Changes the limit to `per_minute`. What was taken stays taken.
    fn change(&mut self, per_minute: u64);
}
