//! How much comes back as time goes by, by what remains and what went in between: whether that is what a limit says.
//!
//! More than a limit's amount within less than its window says that the window is shorter than was assumed. Far less
//! between two refusals says that the provider lets less through than it tells. Then what comes back is measured.

use super::{Account, Parts, Word};
use crate::{Limit, Nanos};

/// What came back of one limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Returns {
    /// Where counting began, by words of requests that were let through.
    anchor: Option<Numbered>,
    /// The same by a refusal that found nothing there.
    empty: Option<Numbered>,
    /// What comes back in a window, where that was found to be far less than is told.
    rate: Option<u64>,
    /// The most that was ever there, and the most since the refusal that counting began with.
    most: u64,
    peak: u64,
    /// How many were refused since then that had to fit.
    refused: u64,
}

#[derive(Clone, Copy, Debug)]
struct Numbered {
    number: u64,
    word: Word,
}

/// Less than a quarter of what is told is far less: another client of the same quota may take half of it.
const FAR_LESS: u64 = 4;
/// Nearly nothing is left of what can be there where it is an eighth.
const NEARLY: u64 = 8;
/// And so many are refused one after the other, while hardly any is let through: far more than one flight of a client that
/// sends what is told, in which a few are too many.
const OFTEN: u64 = 32;
/// What had to come back is much where so many requests of this size would have found it.
const MUCH: u64 = 16;
/// What came back tells a rate where it is so many times what may be part of a word or not: exact to an eighth.
const TELLING: u64 = 8;
/// After a quarter of a window whatever came back is what comes back.
const LONGEST: u64 = 4;

/// However little comes back, it is asked for so often in a window: of one that turns, or slides, it comes back at once.
const ASKS: u64 = 6;

impl Returns {
    /// What comes back in a window, where it is less than what is `told`.
    pub(crate) fn rate(&self, told: u64) -> Option<u64> {
        self.rate.filter(|rate| *rate < told)
    }

    /// So much was there.
    pub(crate) fn saw(&mut self, there: u64) {
        self.most = self.most.max(there);
        self.peak = self.peak.max(there);
    }

    /// Whether no more than a quarter of what is `told` was ever there.
    pub(crate) const fn is_shallow(&self, told: u64) -> bool {
        self.most < told / FAR_LESS
    }

    /// How much of what is thought to be there when it is `full` can be there, where less comes back than is `told`.
    pub(crate) fn at_most(&self, full: u64, told: u64) -> u64 {
        if self.rate(told).is_some() { full.min(self.most) } else { full }
    }

    /// A request that was admitted as `number` was not counted after all.
    pub(crate) fn forget(&mut self, number: u64, parts: &Parts) {
        for counted in [&mut self.anchor, &mut self.empty].into_iter().flatten() {
            if number < counted.number {
                counted.word.account.forget(parts);
            }
        }
    }

    /// Nobody knows any more what was counted.
    pub(crate) const fn interrupt(&mut self) {
        (self.anchor, self.empty) = (None, None);
    }

    /// The admission `number` was let through, and `word` remained, which was read no later than at `now`. Returns how
    /// much came back at least, and within how long, where that is more than the limit's amount within less than its window.
    pub(crate) fn came_back(&mut self, word: &Word, number: u64, limit: &Limit, now: Nanos) -> Option<(u64, Nanos)> {
        let anchor = self.anchor.filter(|anchor| anchor.word.at <= word.at).map(|anchor| anchor.word);
        let elapsed = anchor.map_or(Nanos::MAX, |anchor| now.saturating_sub(anchor.at));
        if elapsed >= limit.window() {
            self.anchor = Some(Numbered { number, word: *word });
            return None;
        }
        let anchor = anchor?;
        let doubt = |word: &Word| word.doubtful.saturating_add(word.rounded);
        let doubtful = doubt(word).saturating_add(doubt(&anchor));
        let back = word.remaining.saturating_add(used(&word.account, &anchor.account));
        let back = back.saturating_sub(anchor.remaining).saturating_sub(doubtful);
        if back <= limit.amount() {
            return None;
        }
        self.anchor = Some(Numbered { number, word: *word });
        Some((back, elapsed))
    }

    /// The admission `number` was refused, which takes `needed`, and found less there, though what is told has to come back
    /// evenly; whether it `fits` by that. Returns whether far less comes back.
    pub(crate) fn found_nothing(
        &mut self,
        word: &Word,
        number: u64,
        needed: u64,
        fits: bool,
        told: u64,
        limit: &Limit,
    ) -> bool {
        self.refused = self.refused.saturating_add(1);
        // Of what can be there nearly all has to be gone, and not more than half may have been there since: what is saved up
        // runs over.
        if !fits || !self.is_shallow(told) || word.remaining > self.most / NEARLY {
            return false;
        }
        if self.peak > self.most / 2 {
            self.empty = None;
        }
        let Some(empty) = self.empty.filter(|empty| empty.word.at <= word.at).map(|empty| empty.word) else {
            (self.empty, self.peak, self.refused) = (Some(Numbered { number, word: *word }), 0, 0);
            return false;
        };
        let span = word.at.saturating_sub(empty.at);
        let due = within(limit.amount(), span, limit.window());
        let back = used(&word.account, &empty.account).saturating_add(word.remaining).saturating_sub(empty.remaining);
        let is_much = due >= needed.max(1).saturating_mul(MUCH);
        let let_through = word.account.requests_since(&empty.account).cast_signed().max(0).unsigned_abs();
        let is_much = is_much && self.refused >= OFTEN && self.refused / FAR_LESS >= let_through;
        // Where nothing came back at all, it may be that all of it comes back at once.
        let is_less = is_much && back > 0 && back.saturating_add(needed) < due / FAR_LESS;
        if is_much {
            (self.empty, self.peak, self.refused) = (Some(Numbered { number, word: *word }), 0, 0);
        }
        if is_less {
            // What went at last may have been refused, too. Twice as much is less than is told by far.
            self.set(back.saturating_add(needed).saturating_mul(2), span, needed, limit);
        }
        is_less
    }

    /// Follows what comes back, where that is less than is told: `charged` says what was taken between two accounts.
    /// Nothing runs over, unless it was full.
    pub(crate) fn follow(
        &mut self,
        word: &Word,
        number: u64,
        needed: u64,
        is_full: bool,
        limit: &Limit,
        charged: impl Fn(&Parts) -> u64,
    ) {
        if self.rate.is_none() {
            return;
        }
        let Some(anchor) = self.anchor.filter(|anchor| anchor.word.at <= word.at && !is_full) else {
            self.anchor = Some(Numbered { number, word: *word });
            return;
        };
        let span = word.at.saturating_sub(anchor.word.at);
        let parts = word.account.admitted_since(&anchor.word.account);
        let used = if parts.whole.cast_signed() < 0 { 0 } else { charged(&parts) };
        let back = word.remaining.saturating_add(used).saturating_sub(anchor.word.remaining);
        let doubtful = word.doubtful.saturating_add(word.rounded).saturating_add(1);
        let is_long = span.get() > limit.window().get() / LONGEST;
        if back >= doubtful.saturating_mul(TELLING) || is_long {
            self.set(back, span, needed, limit);
            self.anchor = Some(Numbered { number, word: *word });
        }
    }

    fn set(&mut self, back: u64, span: Nanos, needed: u64, limit: &Limit) {
        // All that is told has to be able to come back within the longest window.
        let least = within(limit.burst(), limit.window(), Limit::MAX_WINDOW).saturating_add(1);
        let least = least.max(needed.saturating_mul(ASKS));
        self.rate = Some(within(back, limit.window(), span).max(least));
    }
}

/// What was admitted between two accounts and not refused.
fn used(later: &Account, earlier: &Account) -> u64 {
    later.admitted_since(earlier).whole.cast_signed().max(0).unsigned_abs()
}

/// What of `amount` in each `window` is within `span`.
fn within(amount: u64, span: Nanos, window: Nanos) -> u64 {
    let part = u128::from(amount) * u128::from(span.get()) / u128::from(window.get().max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dimension;

    fn word(millis: u64, remaining: u64, account: &Account) -> Word {
        Word { at: Nanos::from_millis(millis), remaining, account: *account, doubtful: 0, rounded: 0 }
    }

    fn admit(account: &mut Account, requests: u64) {
        (0..requests).for_each(|_| account.admit(&Parts { requests: 1, whole: 1, output: 0, larger: 1 }));
    }

    #[test]
    fn more_than_a_window_holds_within_less_says_that_it_is_shorter() {
        let limit = Limit::per_minute(Dimension::Requests, 10);
        let (mut returns, mut account) = (Returns::default(), Account::NONE);
        let mut after = |requests, millis, remaining| {
            admit(&mut account, requests);
            let word = word(millis, remaining, &account);
            returns.came_back(&word, 1, &limit, word.at)
        };
        // A window that turned in between would have given ten back.
        assert_eq!([after(10, 0, 0), after(1, 6_000, 9), after(9, 6_100, 0)], [None; 3]);
        assert_eq!(after(1, 12_000, 9), Some((20, Nanos::from_secs(12))));
        // From there on it is counted anew.
        assert_eq!(after(9, 12_100, 0), None);
        assert_eq!(after(10, 80_000, 0), None);
    }

    #[test]
    fn what_is_uncertain_and_what_was_refused_does_not_count_as_having_come_back() {
        let limit = Limit::per_minute(Dimension::Requests, 10);
        let (mut returns, mut account) = (Returns::default(), Account::NONE);
        admit(&mut account, 12);
        assert_eq!(returns.came_back(&word(0, 0, &account), 12, &limit, Nanos::ZERO), None);
        // Two of those had been refused.
        let refused = Parts { requests: 1, whole: 2, output: 0, larger: 2 };
        returns.forget(5, &refused);
        account.forget(&refused);
        admit(&mut account, 3);
        let doubtful = Word { doubtful: 3, ..word(5_000, 10, &account) };
        assert_eq!(returns.came_back(&doubtful, 15, &limit, Nanos::from_secs(5)), None);
        let word = word(6_000, 10, &account);
        assert_eq!(returns.came_back(&word, 15, &limit, word.at).map(|(back, _)| back), Some(13));
    }

    /// A million a minute is told, a hundred were there at first, and one comes back in 60 ms. Each millisecond one is
    /// refused.
    fn flooded(let_through: impl Fn(u64) -> bool, told: u64) -> Option<u64> {
        let limit = Limit::per_minute(Dimension::Requests, told);
        let (mut returns, mut account) = (Returns::default(), Account::NONE);
        returns.saw(100);
        for number in 1..=1_000 {
            if let_through(number) {
                admit(&mut account, 1);
                returns.saw(1);
            }
            let _ = returns.found_nothing(&word(number, 0, &account), number, 1, true, told, &limit);
        }
        returns.rate(told)
    }

    #[test]
    fn far_less_than_is_told_is_found_out_by_one_refusal_after_the_other() {
        let rate = flooded(|number| number % 60 == 0, 1_000_000).expect("it is far less");
        // What was under way may have been refused, too: what comes back is measured from then on.
        assert!((1_000..=10_000).contains(&rate), "{rate}");
    }

    #[test]
    fn a_limit_of_which_nothing_or_enough_comes_back_or_much_was_there_is_believed() {
        assert_eq!(flooded(|_| false, 1_000_000), None, "it may be a window");
        assert_eq!(flooded(|_| true, 1_000_000), None);
        assert_eq!(flooded(|number| number % 60 == 0, 200), None);
    }
}
