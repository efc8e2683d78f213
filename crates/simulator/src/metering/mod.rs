//! One limit, metered exactly.
//!
//! Nothing here is shared with the limiter that is tested against it.

mod bucket;
mod counter;
mod rule;
mod schedule;
mod slices;
mod sliding;
mod units;
mod window;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{Config, Metering};
use bucket::Bucket;
use counter::Counter;
use rule::Rule;
use schedule::Schedule;
use slices::Slices;
use sliding::Log;
use units::{DAY, UNITS, billionths, duration, nanoseconds, units, whole};
use window::Window;

/// One limit, its level, and what happens to both. Times are spans since the Unix epoch.
#[derive(Debug)]
pub(crate) struct Meter {
    rule: Box<dyn Rule>,
    /// What the limit is without disturbances.
    configured: u64,
    per_minute: u64,
    schedule: Schedule,
    /// What others took so far.
    by_others: i128,
    at: i128,
}

impl Meter {
    /// A meter for `per_minute` of a provider as `config` says that started at `started`.
    pub(crate) fn new(config: &Config, per_minute: u64, started: Duration) -> Self {
        Self::with(config.metering, config, per_minute, started)
    }

    /// The same with another metering.
    pub(crate) fn with(metering: Metering, config: &Config, per_minute: u64, started: Duration) -> Self {
        let (configured, depth, at) = (per_minute, nanoseconds(config.bucket_depth), nanoseconds(started));
        let schedule = Schedule::new(&config.disturbances, depth, started);
        let per_minute = schedule.limit(at, configured);
        let fill = billionths(config.start_fill.min(1.0));
        let rule: Box<dyn Rule> = match metering {
            Metering::TokenBucket => Box::new(Bucket::new(per_minute, depth, fill, at)),
            Metering::FixedWindow => Box::new(Window::new(per_minute, depth, fill, at)),
            Metering::SlidingWindow => Box::new(Log::new(per_minute, depth, fill, at)),
            Metering::SlidingCounter => Box::new(Counter::new(per_minute, depth, fill, at)),
            Metering::Slices => Box::new(Slices::new(per_minute, depth, fill, at)),
        };
        Self { rule, configured, per_minute, schedule, by_others: 0, at }
    }

    /// A meter for `limit` a calendar day, which nothing disturbs.
    pub(crate) fn daily(limit: u64, started: Duration) -> Self {
        let at = nanoseconds(started);
        let rule = Box::new(Window::of(units(limit), DAY, at));
        Self {
            rule,
            configured: limit,
            per_minute: limit,
            schedule: Schedule::new(&[], DAY, started),
            by_others: 0,
            at,
        }
    }

    /// What the limit says, per minute; that of a day, per day.
    pub(crate) const fn per_minute(&self) -> u64 {
        self.per_minute
    }

    /// The most that can ever be taken at once.
    pub(crate) fn capacity(&self) -> u64 {
        whole(self.rule.capacity())
    }

    /// What can be taken now.
    pub(crate) fn remaining(&self) -> u64 {
        whole(self.rule.level())
    }

    /// What a minute's limit lacks now: the limit less what remains. More than the limit where there is debt.
    pub(crate) fn used(&self) -> u64 {
        let used = i128::from(self.per_minute) - self.rule.level().div_euclid(UNITS);
        u64::try_from(used).unwrap_or(0)
    }

    /// Brings the level to `now`, through all that happened until then. Time that goes backwards is ignored.
    pub(crate) fn advance(&mut self, now: Duration) {
        let now = nanoseconds(now).max(self.at);
        while let Some(at) = self.schedule.next(self.at).filter(|&at| at <= now) {
            // What others took in a step belongs to the time before its end: to the second or window that ends there.
            self.rule.advance(at - 1);
            for amount in self.schedule.taken(at, self.per_minute) {
                let taken = amount.min(self.rule.level().max(0));
                self.by_others = self.by_others.saturating_add(taken);
                self.rule.take(taken);
            }
            self.rule.advance(at);
            let limit = self.schedule.limit(at, self.configured);
            if limit != self.per_minute {
                self.per_minute = limit;
                self.rule.change(limit);
            }
            self.at = at;
        }
        self.rule.advance(now);
        self.at = now;
    }

    /// How long from the last [`advance`](Self::advance) until `amount` can be taken where nothing happens meanwhile: to
    /// the nanosecond, one earlier it cannot. `None` where that never comes.
    pub(crate) fn wait(&self, amount: u64) -> Option<Duration> {
        let amount = units(amount);
        (amount <= self.rule.capacity()).then(|| duration(self.rule.wait(amount)))
    }

    /// How long until nothing is missing: the bucket is full, the window turns, or its log is empty.
    pub(crate) fn until_full(&self) -> Duration {
        duration(self.rule.until_full())
    }

    /// What others took until the last [`advance`](Self::advance), in whole requests or tokens.
    pub(crate) fn by_others(&self) -> u64 {
        whole(self.by_others)
    }

    /// Takes `amount`, whether it is there or not.
    pub(crate) fn take(&mut self, amount: u64) {
        self.rule.take(units(amount));
    }

    /// Corrects what was `charged` at `charged_at` to what is `due` now.
    pub(crate) fn correct(&mut self, now: Duration, charged_at: Duration, charged: u64, due: u64) {
        self.advance(now);
        if charged >= due {
            self.rule.give_back(units(charged - due), nanoseconds(charged_at));
        } else {
            self.rule.take(units(due - charged));
        }
    }
}
