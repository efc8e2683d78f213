//! One limit's level, in exact integers.
//!
//! A bucket counts in *grains*: one grain is 1 / window of a unit, so a bucket that refills `amount` units per window
//! of `w` nanoseconds gains exactly `amount` grains per nanosecond, and one unit is `w` grains. No division is made
//! while refilling and nothing is rounded, so a year of admissions loses nothing. The largest limit (10^15 units, 31
//! days) needs 2.7 * 10^30 grains; `i128` holds 1.7 * 10^38.

mod log;
mod marks;

use crate::{Limit, Nanos, Refill};
use log::Log;
use marks::Marks;

/// The level of one [`Limit`].
///
/// The level may be negative: a request larger than the bucket borrows what is missing, and what a settled request
/// really used may be more than was reserved. No debt is deeper than what [`Limit::MAX_WINDOW`] brings less a bucketful,
/// or nearly a bucketful where that is more; the rest is forgiven, but for what comes back before the bucket is full
/// again. Time that goes backwards changes nothing.
// What every decision looks at lies together, in the order written: threads that share a limiter pass it from one
// processor's cache to another's, line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Bucket {
    limit: Limit,
    at: Nanos,
    /// The number of the latest taking, and of the latest one before this bucket was there.
    takings: u64,
    first: u64,
    /// Grains in a full bucket.
    capacity: i128,
    level: Level,
    /// Grains of debt that were forgiven: until it was full again, what comes back repays them first.
    forgiven: i128,
    /// The takings up to this one give nothing back: how the limit refilled when they were taken is forgotten.
    spent: u64,
}

/// Something that was taken from a bucket or a quota. It can be settled once, where it was taken, and need not be.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub(crate) number: u64,
    pub(crate) at: Nanos,
}

/// How the level is kept.
#[expect(clippy::large_enum_variant, reason = "a box would need an allocator")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// In grains, and how high it has been: refilled continuously.
    Marked(i128, Marks),
    /// In grains: refilled at a boundary, or when a request ends.
    Plain(i128),
    /// What was taken and still counts: a sliding window.
    Logged(Log),
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub const fn full(limit: Limit, now: Nanos) -> Self {
        let capacity = units(limit.burst(), &limit);
        let level = match limit.refill() {
            Refill::Continuous => Level::Marked(capacity, Marks::new()),
            Refill::AtBoundary { .. } | Refill::OnRelease => Level::Plain(capacity),
            Refill::Sliding => Level::Logged(Log::new()),
        };
        Self { limit, at: now, takings: 0, first: 0, capacity, level, forgiven: 0, spent: 0 }
    }

    /// A bucket that holds `level` units (at most the limit's burst).
    #[must_use]
    pub fn holding(limit: Limit, level: u64, now: Nanos) -> Self {
        let mut bucket = Self::full(limit, now);
        bucket.set_level(level, now, 0, now);
        bucket
    }

    /// The same bucket, which was not there for the takings up to `number`.
    #[cfg(feature = "alloc")]
    pub(crate) const fn after(mut self, number: u64) -> Self {
        (self.takings, self.first) = (number, number);
        self
    }

    /// The same bucket, which counts what was taken up to `number` before it was there.
    #[cfg(feature = "alloc")]
    pub(crate) const fn begun_at(mut self, number: u64) -> Self {
        self.takings = number;
        self
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Whole units available at `now`, negative when units are owed.
    #[must_use]
    pub fn level(&self, now: Nanos) -> i64 {
        let whole = self.grains(now).div_euclid(self.window());
        i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
    }

    /// The earliest instant, not before `now`, at which `amount` units can be taken; nothing can be taken while units
    /// are owed. An amount larger than the bucket ever holds can be taken when the bucket is full.
    ///
    /// It is at most [`Limit::MAX_WINDOW`] after `now`, or after the latest time the bucket has seen. Where an empty bucket
    /// takes more than half of that to fill, a debt may make it as much later as the bucket takes to fill: what a month's
    /// limit let through too much counts in the next month. For a limit that comes back
    /// [`OnRelease`](Refill::OnRelease) it is [`Nanos::MAX`] where that is what it waits for.
    #[must_use]
    pub fn ready_at(&self, amount: u64, now: Nanos) -> Nanos {
        let needed = units(amount.min(self.limit.burst()), &self.limit);
        let missing = needed - self.grains(now);
        if missing <= 0 {
            return now;
        }
        let now = now.max(self.at);
        let wait = match (&self.level, self.limit.refill()) {
            (Level::Logged(log), _) => {
                let rest = self.limit.burst().saturating_sub(amount);
                return log.falls_to(u128::from(rest), now, self.limit.window());
            }
            (_, Refill::AtBoundary { phase }) => {
                let window = self.limit.window().get();
                window - since_boundary(now, phase, window)
            }
            (_, Refill::OnRelease) => return Nanos::MAX,
            _ => u64::try_from(div_ceil(missing, self.rate())).unwrap_or(u64::MAX),
        };
        now.saturating_add(Nanos::new(wait))
    }

    /// The earliest instant, not before `now`, at which it is full if nothing more is taken.
    #[must_use]
    pub fn full_at(&self, now: Nanos) -> Nanos {
        self.ready_at(self.limit.burst(), now)
    }

    /// Takes `amount` units whether or not they are there: ask [`ready_at`](Self::ready_at) first.
    pub fn take(&mut self, amount: u64, now: Nanos) -> Taken {
        let taken = Taken { number: self.takings.saturating_add(1), at: now.max(self.at) };
        self.take_as(&taken, amount);
        taken
    }

    /// The number of the latest taking.
    pub(crate) const fn takings(&self) -> u64 {
        self.takings
    }

    /// Takes `amount` units as the taking that the caller counts: the next one.
    #[inline]
    pub(crate) fn take_as(&mut self, taken: &Taken, amount: u64) {
        self.advance(taken.at);
        self.takings = self.takings.max(taken.number);
        self.fall(amount, taken.number);
    }

    /// Settles what was `reserved` when it was `taken` with the `actual` amount, once.
    ///
    /// What was taken beyond it comes back, so that the level is never higher than if `actual` had been taken in the
    /// first place: nothing comes back for a time in which the bucket would have run over, nor for a window that is
    /// over. What was used beyond the reservation is taken now. A taking of another bucket can move the level, but not
    /// out of its bounds.
    pub fn settle(&mut self, taken: Taken, reserved: u64, actual: u64, now: Nanos) {
        self.settle_as(&taken, reserved, actual, now);
    }

    /// Settles the taking that the caller counts.
    #[inline]
    pub(crate) fn settle_as(&mut self, taken: &Taken, reserved: u64, actual: u64, now: Nanos) {
        let is_held = self.limit.refill() == Refill::OnRelease;
        if taken.number <= self.first || (actual == reserved && !is_held) {
            return;
        }
        self.advance(now);
        if is_held {
            self.rise(units(reserved, &self.limit));
        } else if actual < reserved {
            self.give_back(taken, reserved - actual);
        } else {
            self.debit(actual - reserved);
        }
    }

    /// More was used than was reserved.
    #[cold]
    fn debit(&mut self, amount: u64) {
        self.fall(amount, self.takings.saturating_add(1));
    }

    /// Takes `amount` units off the level that were never taken by anybody here.
    pub(crate) fn lose(&mut self, amount: u64, now: Nanos) {
        self.advance(now);
        let grains = units(amount, &self.limit);
        match &mut self.level {
            Level::Marked(level, _) | Level::Plain(level) => {
                *level = bounded(*level - grains, &self.limit, self.capacity);
            }
            Level::Logged(log) => log.take(self.at, amount, self.limit.window()),
        }
    }

    /// Sets the level to `level` units as of `at`, less `taken_since`; the time since `at` refills it.
    ///
    /// This is how the provider's word replaces what was counted here: `level` is what it said remained at `at`.
    pub fn set_level(&mut self, level: u64, at: Nanos, taken_since: u64, now: Nanos) {
        let (now, burst) = (now.max(self.at), self.limit.burst());
        let at = at.min(now);
        let level = level.min(burst);
        // Refilled first and charged afterwards, a full bucket would lose what came in between.
        let grains = units(level, &self.limit) - units(taken_since, &self.limit);
        let grains = bounded(grains, &self.limit, self.capacity);
        let window = self.limit.window();
        self.forgiven = 0;
        self.at = at;
        match &mut self.level {
            Level::Marked(mine, marks) => (*mine, *marks) = (grains, Marks::new()),
            // It may have been taken after the turn.
            Level::Plain(mine) => {
                *mine = units(level, &self.limit);
                self.lose(taken_since, now);
            }
            Level::Logged(log) => {
                log.set_used(burst - level, at, window);
                log.take(now, taken_since, window);
            }
        }
        self.advance(now);
    }

    /// Makes `level` of a sliding window's level, and changes as little as that takes in what is known of when it was
    /// taken: what was taken that nobody knows of was at `now`, or evenly in the window before it where nothing `is_known`.
    #[cfg(feature = "alloc")]
    pub(crate) fn correct(&mut self, level: i64, is_known: bool, now: Nanos) {
        self.advance(now);
        let (burst, window, at) = (self.limit.burst(), self.limit.window(), self.at);
        let used = u64::try_from(i128::from(burst) - i128::from(level)).unwrap_or(0);
        if let Level::Logged(log) = &mut self.level {
            if is_known {
                log.set_used(used, at, window);
            } else {
                let missing = u128::from(used).saturating_sub(log.used(at, window));
                log.spread(u64::try_from(missing).unwrap_or(u64::MAX), at, window);
            }
        }
    }

    /// What has come back of a sliding window up to `at`. Wraps: only differences mean anything.
    #[cfg(feature = "alloc")]
    pub(crate) fn returned(&self, at: Nanos) -> u64 {
        match &self.level {
            Level::Logged(log) => log.returned(at, self.limit.window()),
            _ => 0,
        }
    }

    /// Replaces the limit. What was taken and has not come back stays taken. Where another refill begins, or a boundary
    /// moves, what was taken before gives nothing back when it is settled; and what comes back when a request ends begins full.
    pub fn set_limit(&mut self, limit: Limit, now: Nanos) {
        self.advance(now);
        let (old, new) = (self.window(), i128::from(limit.window().get()));
        let (capacity, next_capacity) = (self.capacity, units(limit.burst(), &limit));
        // The same number of units in the new limit's grains, without leaving i128: whole units and the rest.
        let in_new = |grains: i128| {
            let whole = grains.div_euclid(old).saturating_mul(new);
            whole.saturating_add(div_ceil(grains.rem_euclid(old) * new, old))
        };
        let convert = |level: i128| next_capacity.saturating_sub(in_new(capacity - level));
        let level = convert(self.grains(now));
        self.forgiven = in_new(self.forgiven);
        if self.limit.refill() != limit.refill() {
            self.spent = self.takings;
        }
        self.level = match (self.level, limit.refill()) {
            (Level::Marked(_, mut marks), Refill::Continuous) => {
                marks.convert(convert);
                Level::Marked(level, marks)
            }
            (Level::Logged(log), Refill::Sliding) => Level::Logged(log),
            (_, Refill::Continuous) => Level::Marked(level, Marks::new()),
            (_, Refill::OnRelease) if self.limit.refill() != Refill::OnRelease => {
                self.first = self.takings;
                Level::Plain(next_capacity)
            }
            (_, Refill::AtBoundary { .. } | Refill::OnRelease) => Level::Plain(level),
            (_, Refill::Sliding) => {
                let mut log = Log::new();
                let missing = div_ceil(next_capacity.saturating_sub(level).max(0), new);
                log.take(self.at, u64::try_from(missing).unwrap_or(u64::MAX), limit.window());
                Level::Logged(log)
            }
        };
        (self.limit, self.capacity) = (limit, next_capacity);
        self.forgive();
        if let Level::Plain(level) = &mut self.level {
            *level = bounded(*level, &limit, next_capacity);
        }
    }

    /// Whether `amount` units are there, or all that there can be. The time of the bucket becomes `now`.
    #[inline]
    pub(crate) fn has(&mut self, amount: u64, now: Nanos) -> bool {
        self.advance(now);
        match &self.level {
            Level::Marked(level, _) | Level::Plain(level) => {
                *level >= units(amount.min(self.limit.burst()), &self.limit)
            }
            Level::Logged(_) => self.ready_at(amount, now) <= now,
        }
    }

    /// The level falls by `amount` units with the taking `number`.
    #[inline]
    fn fall(&mut self, amount: u64, number: u64) {
        if amount == 0 {
            return;
        }
        let grains = units(amount, &self.limit);
        match &mut self.level {
            Level::Marked(level, marks) => {
                if self.forgiven > 0 && *level >= self.capacity {
                    self.forgiven = 0;
                }
                marks.fall(number, *level, self.capacity);
                *level -= grains;
                if *level < 0 {
                    self.forgive();
                }
            }
            Level::Plain(level) => *level = bounded(*level - grains, &self.limit, self.capacity),
            Level::Logged(log) => log.take(self.at, amount, self.limit.window()),
        }
    }

    /// Forgives what is owed beyond the deepest debt there may be.
    #[cold]
    fn forgive(&mut self) {
        if let Level::Marked(level, _) = &mut self.level {
            let bounded = bounded(*level, &self.limit, self.capacity);
            self.forgiven = self.forgiven.saturating_add(bounded.saturating_sub(*level));
            *level = bounded;
        }
    }

    /// The level rises by `grains`, up to the bucket's capacity.
    fn rise(&mut self, grains: i128) {
        let (capacity, at, window) = (self.capacity, self.at, self.limit.window());
        match &mut self.level {
            Level::Marked(level, _) | Level::Plain(level) => *level = (*level + grains).min(capacity),
            Level::Logged(log) => {
                let used = log.used(at, window);
                let given = u128::try_from(grains / i128::from(window.get())).unwrap_or(0);
                log.set_used(u64::try_from(used.saturating_sub(given)).unwrap_or(u64::MAX), at, window);
            }
        }
    }

    /// Gives back `amount` units of what was `taken`, as far as they have not come back with time.
    #[inline]
    fn give_back(&mut self, taken: &Taken, amount: u64) {
        let (capacity, grains, now) = (self.capacity, units(amount, &self.limit), self.at);
        if taken.number <= self.spent {
            return;
        }
        let window = self.limit.window();
        match &mut self.level {
            Level::Marked(level, marks) => {
                let back = marks.give_back(taken.number, grains, *level, capacity);
                // What was forgiven is repaid first.
                let repaid = back.min(self.forgiven);
                self.forgiven -= repaid;
                *level += back - repaid;
            }
            Level::Plain(level) => {
                let turned = match self.limit.refill() {
                    Refill::AtBoundary { phase } => since_boundary(now, phase, window.get()),
                    _ => u64::MAX,
                };
                if now.saturating_sub(taken.at).get() <= turned {
                    *level = (*level + grains).min(capacity);
                }
            }
            Level::Logged(log) => log.give_back(taken.at, amount, now, window),
        }
    }

    #[inline]
    fn advance(&mut self, now: Nanos) {
        if now <= self.at {
            return;
        }
        let rate = self.rate();
        match &mut self.level {
            Level::Marked(level, _) => {
                let elapsed = now.saturating_sub(self.at).get();
                *level = (*level + i128::from(elapsed) * rate).min(self.capacity);
            }
            Level::Plain(_) => {
                let grains = self.grains(now);
                self.level = Level::Plain(grains);
            }
            Level::Logged(_) => {}
        }
        self.at = now;
    }

    /// The level at `now`.
    fn grains(&self, now: Nanos) -> i128 {
        let elapsed = now.saturating_sub(self.at).get();
        match &self.level {
            Level::Marked(level, _) => (*level + i128::from(elapsed) * self.rate()).min(self.capacity),
            Level::Plain(level) => match self.limit.refill() {
                Refill::AtBoundary { phase } => {
                    let window = self.limit.window().get();
                    let turned = since_boundary(self.at, phase, window).saturating_add(elapsed) >= window;
                    if turned { self.capacity } else { *level }
                }
                _ => *level,
            },
            Level::Logged(log) => {
                let used = log.used(now.max(self.at), self.limit.window());
                let used = i128::try_from(used).unwrap_or(i128::MAX).saturating_mul(self.window());
                bounded(self.capacity.saturating_sub(used), &self.limit, self.capacity)
            }
        }
    }

    fn rate(&self) -> i128 {
        i128::from(self.limit.amount())
    }

    fn window(&self) -> i128 {
        i128::from(self.limit.window().get())
    }
}

/// A level, but no debt deeper than what the longest window fills up, or a bucketful where that is more. A debt at a
/// boundary or in a log ends with its window, so it only has to stay within i128.
#[inline]
fn bounded(level: i128, limit: &Limit, capacity: i128) -> i128 {
    if level >= 0 {
        return level;
    }
    let unit = units(1, limit);
    level.max(match limit.refill() {
        Refill::Continuous => {
            let longest = i128::from(limit.amount()) * i128::from(Limit::MAX_WINDOW.get());
            -(longest - capacity).max(capacity - unit)
        }
        _ => -units(u64::MAX, limit),
    })
}

/// Grains in `amount` units: at most 2^64 * 2.7 * 10^15 = 4.9 * 10^34.
const fn units(amount: u64, limit: &Limit) -> i128 {
    amount as i128 * limit.window().get() as i128
}

fn div_ceil(dividend: i128, divisor: i128) -> i128 {
    dividend / divisor + i128::from(dividend % divisor != 0)
}

/// Nanoseconds from the last boundary to `at`.
fn since_boundary(at: Nanos, phase: Nanos, window: u64) -> u64 {
    let (at, phase) = (at.get() % window, phase.get() % window);
    if at >= phase { at - phase } else { window - (phase - at) }
}

#[cfg(test)]
mod tests;
