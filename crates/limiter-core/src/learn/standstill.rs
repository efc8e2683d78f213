//! Whether anything comes back as time goes by, where no reset tells how a limit refills.
//!
//! Of a token bucket that is not full, what was said to remain, less what was used since, grows at the limit's rate. Of
//! a sliding window nothing comes back in the first window. What requests count is certain, so their limit tells
//! which of both it is, whatever tokens are charged.

use super::Word;
use crate::{Limit, Nanos};

/// What the answers since an earlier one say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standstill {
    anchor: Option<Word>,
    /// How often in a row nothing came back, and since when.
    seen: u32,
    since: Nanos,
}

/// Two may be chance: another client that takes as much as comes back.
const ENOUGH: u32 = 3;
/// A bucket that is let out second by second stands still within each.
const LONG: Nanos = Nanos::from_millis(1_200);
/// What comes back, or runs over, is told from nothing when it is so many times what may be part of a word or not.
const TELLING: u64 = 4;
/// Beyond a quarter of a window something may have come back of a sliding one.
const LONGEST: u64 = 4;

impl Standstill {
    /// Takes in a word about a limit on requests. Returns whether it is seen that nothing comes back; once is enough where
    /// that `is_likely`.
    pub(crate) fn learn(&mut self, word: &Word, limit: &Limit, is_likely: bool) -> bool {
        let Some(anchor) = self.anchor.filter(|anchor| anchor.at <= word.at) else {
            self.anchor = Some(*word);
            return false;
        };
        let span = word.at.saturating_sub(anchor.at).get();
        let back = u128::from(span) * u128::from(limit.amount()) / u128::from(limit.window().get());
        let back = u64::try_from(back).unwrap_or(u64::MAX);
        let used = word.account.admitted_since(&anchor.account).whole;
        let doubt = |word: &Word| word.doubtful.saturating_add(word.rounded);
        let doubtful = doubt(word).saturating_add(doubt(&anchor)).saturating_add(1);
        // A bucket that is full and not as deep as a window's amount loses nothing; another gets back what came back.
        let differs = back.min(used);
        let is_long = span > limit.window().get() / LONGEST;
        if differs < doubtful.saturating_mul(TELLING) && !is_long {
            return false;
        }
        self.anchor = Some(*word);
        // More was refused than admitted, or what came back may have run over.
        if is_long || used > limit.amount() || anchor.remaining.saturating_add(back) > limit.amount() {
            return false;
        }
        let left = anchor.remaining.checked_sub(used);
        let stood = left.is_some_and(|left| left.abs_diff(word.remaining) <= differs / 4);
        if self.seen == 0 {
            self.since = anchor.at;
        }
        self.seen = if stood { self.seen.saturating_add(1) } else { 0 };
        is_likely && stood || self.seen >= ENOUGH && word.at.saturating_sub(self.since) >= LONG
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Account, Parts};
    use crate::{Amounts, Dimension};

    /// Ten requests a second of 3,000 a minute, for ten seconds, of which `remaining` is left after so many and so long.
    fn seen(remaining: impl Fn(u64, u64) -> u64) -> bool {
        let (mut standstill, mut account) = (Standstill::default(), Account::NONE);
        let request = Amounts::of_request(100, 100);
        (1..=100).fold(false, |seen, number| {
            account.admit(&Parts::of(&request, Dimension::Requests));
            let at = Nanos::from_millis(number * 100);
            let remaining = remaining(number, number / 10);
            let word = Word { at, remaining, account, doubtful: 1, rounded: 0 };
            standstill.learn(&word, &Limit::per_minute(Dimension::Requests, 3_000), false) || seen
        })
    }

    #[test]
    fn a_window_from_which_nothing_comes_back_is_seen() {
        assert!(seen(|used, _| 3_000 - used));
        assert!(seen(|used, _| 1_500 - used));
    }

    #[test]
    fn a_bucket_that_is_full_or_fills_up_is_not_taken_for_one() {
        assert!(!seen(|_, _| 2_999));
        assert!(!seen(|used, seconds| 1_000 + seconds * 50 - used));
    }

    #[test]
    fn a_bucket_that_is_full_and_not_deep_is_not_taken_for_one() {
        assert!(!seen(|_, _| 299));
    }

    #[test]
    fn a_bucket_that_stays_empty_is_not_taken_for_one() {
        assert!(!seen(|_, _| 0));
    }

    #[test]
    fn another_client_that_takes_half_of_it_is_not_taken_for_a_standstill() {
        assert!(!seen(|used, seconds| 1_000 + seconds * 25 - used));
    }
}
