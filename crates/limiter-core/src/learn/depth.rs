//! How much the provider lets be saved up, which is not always a window's amount.
//!
//! It shows in two ways: when a request goes out that should have found everything there, and the provider says that
//! less was; or when the level was thought to be higher than it ever was seen, and is not.

use crate::Nanos;

/// What is known of one limit's depth, in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    /// The most that can be saved up, where that is less than the bucket holds.
    ceiling: u64,
    /// The most that was ever there.
    most_seen: u64,
    /// The number and the time of the last admission that found all there that can be.
    full_at: Option<(u64, Nanos)>,
    /// What was admitted so soon after it that it may have been counted before it.
    followed_by: u64,
    /// How often in a row less than half of what was thought was there.
    surprises: u32,
}

/// So often in a row is no coincidence.
const SURPRISES: u32 = 3;

impl Depth {
    pub(crate) const fn new() -> Self {
        Self { ceiling: u64::MAX, most_seen: 0, full_at: None, followed_by: 0, surprises: 0 }
    }

    /// How much of a bucket that holds `burst` can be there.
    pub(crate) fn within(&self, burst: u64) -> u64 {
        burst.min(self.ceiling)
    }

    /// How much of a bucket that holds `burst` was ever there: all of it while nothing was seen.
    pub(crate) fn seen(&self, burst: u64) -> u64 {
        if self.most_seen == 0 { self.within(burst) } else { self.within(burst).min(self.most_seen) }
    }

    /// The admission `number` found everything there at `at`.
    pub(crate) const fn was_full(&mut self, number: u64, at: Nanos) {
        (self.full_at, self.followed_by) = (Some((number, at)), 0);
    }

    /// Another one took `amount` at `at`; requests may be counted in another order within `reordering`.
    pub(crate) fn followed(&mut self, amount: u64, at: Nanos, reordering: Nanos) {
        if self.full_at.is_some_and(|(_, full_at)| at <= full_at.saturating_add(reordering)) {
            self.followed_by = self.followed_by.saturating_add(amount);
        }
    }

    /// So much was there once, and it was somebody else who took what was missing since.
    pub(crate) const fn held(&mut self, amount: u64) {
        if amount > self.ceiling {
            self.ceiling = amount;
        }
        if amount > self.most_seen {
            self.most_seen = amount;
        }
        self.surprises = 0;
    }

    /// Nothing is known of another limit.
    pub(crate) const fn forget(&mut self) {
        (self.ceiling, self.most_seen) = (u64::MAX, 0);
    }

    /// The admission `number`, which reserved `reserved`, was answered: `remaining` was left of a bucket that holds
    /// `burst`. Returns whether it showed that less can be there than was thought.
    pub(crate) fn learn(&mut self, remaining: u64, reserved: u64, number: u64, refused: bool, burst: u64) -> bool {
        let full = remaining.saturating_add(reserved).saturating_add(self.followed_by);
        if remaining > self.ceiling {
            self.ceiling = remaining;
        }
        let known = self.within(burst);
        // A tenth: prompts are not counted alike, and others may have come first.
        let was_full = self.full_at.is_some_and(|(full_at, _)| full_at == number);
        if !refused && was_full && full < known - known / 10 {
            self.ceiling = full;
            return true;
        }
        false
    }

    /// The same, where the level was `thought` to be higher than it was ever seen, though all that is in flight was taken off
    /// it: `there` was there when the request was counted, and `by_now` is what that has become since.
    pub(crate) fn learn_most(&mut self, there: u64, by_now: u64, thought: i64) -> bool {
        let a_tenth_more = |amount: u64| i64::try_from(amount.saturating_add(amount / 10)).unwrap_or(i64::MAX);
        let is_less = thought > a_tenth_more(by_now);
        // More may have been there once, before the limit was another one or while it was not kept.
        let is_half = thought / 2 > i64::try_from(by_now).unwrap_or(i64::MAX);
        self.surprises = if is_half { self.surprises.saturating_add(1) } else { 0 };
        if self.surprises >= SURPRISES {
            self.most_seen = there;
        }
        let beyond = self.most_seen > 0 && thought > a_tenth_more(self.most_seen) && is_less;
        self.most_seen = self.most_seen.max(there);
        if beyond && there > 0 {
            self.ceiling = by_now.max(there);
        }
        beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_should_have_found_everything_shows_the_depth() {
        let mut depth = Depth::new();
        depth.was_full(7, Nanos::ZERO);
        assert!(!depth.learn(50, 50, 6, false, 1_000));
        depth.followed(900, Nanos::from_millis(10), Nanos::SECOND);
        assert!(!depth.learn(50, 50, 7, false, 1_000), "the other one may have come first");
        depth.was_full(7, Nanos::SECOND);
        depth.followed(900, Nanos::from_secs(3), Nanos::SECOND);
        assert!(depth.learn(50, 50, 7, false, 1_000));
        assert_eq!(depth.within(1_000), 100);
        // More than that was there after all.
        depth.learn(300, 50, 8, false, 1_000);
        assert_eq!(depth.within(1_000), 300);
        depth.forget();
        assert_eq!(depth.within(1_000), 1_000);
    }

    #[test]
    fn a_level_that_was_thought_higher_than_it_ever_was_shows_it_too() {
        let mut depth = Depth::new();
        assert!(!depth.learn_most(100, 100, 500));
        assert!(!depth.learn_most(105, 105, 110));
        // The answer took long, and what is there has grown meanwhile.
        assert!(!depth.learn_most(100, 490, 500));
        assert!(depth.learn_most(100, 100, 500));
        assert_eq!(depth.within(1_000), 100);
    }
}
