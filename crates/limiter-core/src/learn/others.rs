//! How much of a limit somebody else takes.
//!
//! Two jobs with one key draw on one limit, and neither is told of the other. What the provider says is left tells it: what
//! was left before, and what came back since, less what was taken here, is what ought to be left; what is missing of that,
//! others took. Their part of all that was taken is believed as far as the words prove it, and no further: each pair of
//! words bounds it from below and from above by what may be part of a word or not, and what is believed moves only as far as
//! the bounds demand. So a client that is alone learns of nobody, and one that is left alone forgets the others at once.
//!
//! What is left is not only ours then. Before the next word comes, they take their part of it.

use super::{Account, Parts};
use crate::Nanos;

/// All of it, in parts of a limit.
const ONE: u64 = 1_024;
/// How much of a limit others are believed to take at most, fifteen sixteenths: who takes nothing hears nothing.
const MOST: u64 = ONE - ONE / 16;
/// The bounds of a part are narrow enough to compare with the next words where what was taken is so many times what may be
/// part of a word or not.
const NARROW: u64 = 8;
/// Two words are compared no longer than for so much of the window, a quarter: what others take changes.
const LONGEST: u64 = 4;

/// How many usual requests more have to be there where others are: as many may have gone that came back for the same.
const APART: u64 = 3;
/// By so small a part of it is what a word was wrong by forgotten in each interval; the last few units stay: who was wrong once may be again.
const CALMS: u64 = 8;
/// So many words tell what is left at most.
const WORDS: u32 = 8;
/// What is usual is a mean of so many.
const USUAL: u64 = 16;

/// The part of a limit that others take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Others {
    part: u64,
    base: Option<Spoken>,
    /// The lowest of the words about one moment, and all that was admitted in it.
    moment: Option<Moment>,
    /// By how much words were wrong in our favour lately.
    noise: u64,
    /// The most that was ever left: more may have run over.
    most: u64,
    /// How many words were heard, and whether they told that it is not alone that a second's part is let out to us.
    words: u32,
    is_less: bool,
    /// Whether nothing was ever left when the first were refused: others were there before.
    came_later: bool,
    /// What a request takes on average, in sixteenths.
    usual: u64,
    /// Until when others are thought to be there.
    until: Nanos,
    /// What was taken here about when the request of the last word was, beside that.
    lately: u64,
}

/// Words in the answers to requests that were sent at about one moment: the last of them that was counted tells least.
#[derive(Clone, Copy, Debug)]
struct Moment {
    since: Nanos,
    word: Spoken,
}

/// A word in the answer to an admission, and what had been admitted with that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken {
    pub(crate) at: Nanos,
    pub(crate) number: u64,
    pub(crate) remaining: u64,
    pub(crate) account: Account,
    /// What may be part of it or not.
    pub(crate) doubtful: u64,
    pub(crate) rounded: u64,
}

/// What a limit lets come back between two words, and holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    /// What came back.
    pub(crate) back: u64,
    /// The most that can be there.
    pub(crate) full: u64,
    pub(crate) window: Nanos,
}

impl Others {
    /// The admission `number`, which took this, was not counted after all.
    pub(crate) fn forget(&mut self, number: u64, parts: &Parts) {
        let moment = self.moment.as_mut().map(|moment| &mut moment.word);
        for word in moment.into_iter().chain(&mut self.base).filter(|word| word.number >= number) {
            word.account.forget(parts);
        }
    }

    /// The word that the next one is compared with.
    pub(crate) const fn base(&self) -> Option<&Spoken> {
        self.base.as_ref()
    }

    /// Takes in a word, one of those about the moment that began `since`. Returns the
    /// last word of a moment that is over, and when that began.
    pub(crate) fn hear(&mut self, word: &Spoken, since: Nanos) -> Option<(Spoken, Nanos)> {
        let Some(moment) = self.moment.as_mut().filter(|moment| moment.since >= since) else {
            let over = self.moment.replace(Moment { since, word: *word });
            return over.map(|moment| (moment.word, moment.since));
        };
        if moment.since > since {
            return None;
        }
        if word.remaining < moment.word.remaining {
            (moment.word.remaining, moment.word.at) = (word.remaining, word.at);
        }
        if word.number > moment.word.number {
            (moment.word.account, moment.word.number) = (word.account, word.number);
        }
        None
    }

    /// Compares a word on a limit of which each request takes what is counted here with an earlier one.
    pub(crate) fn learn(&mut self, word: &Spoken, between: &Between) {
        let Some(base) = self.base else {
            self.base = Some(*word);
            return;
        };
        if word.at < base.at {
            return;
        }
        let own = word.account.admitted_since(&base.account).whole.cast_signed();
        let before = base.remaining.saturating_add(between.back);
        // What came back may have run over.
        let full = if self.came_later { between.full } else { between.full.min(self.most) };
        if own < 0 || before > full {
            self.base = Some(*word);
            return;
        }
        let own = own.unsigned_abs();
        let doubt = base.doubtful.saturating_add(word.doubtful).saturating_add(base.rounded.max(1));
        // As far as words were wrong in our favour they may be wrong against us.
        let surplus = own.saturating_add(word.remaining).saturating_sub(before.saturating_add(doubt));
        self.noise = surplus.max(self.noise);
        if surplus > 0 {
            (self.part, self.until, self.base) = (0, Nanos::ZERO, Some(*word));
            return;
        }
        let doubt = doubt.saturating_add(self.noise);
        let gone = before.saturating_sub(word.remaining);
        let others = gone.saturating_sub(own);
        let least = others.saturating_sub(doubt);
        let most = gone.saturating_add(doubt).saturating_sub(own);
        self.part = self.part.clamp(part(least, own.saturating_add(doubt)), part(most, own.saturating_sub(doubt)));
        if least > 0 {
            self.until = word.at.saturating_add(between.window);
        }
        let is_narrow = gone.max(own) >= doubt.saturating_mul(NARROW);
        let is_long = word.at.saturating_sub(base.at).get() >= between.window.get() / LONGEST;
        if is_narrow || is_long {
            self.noise -= self.noise / CALMS;
            self.base = Some(*word);
        }
    }

    /// One was refused that had to fit, whatever can be saved up, of a limit of this window.
    pub(crate) fn met(&mut self, window: Nanos, now: Nanos) {
        self.until = self.until.max(now.saturating_add(window));
    }

    /// By how much words may be wrong.
    pub(crate) const fn noise(&self) -> u64 {
        self.noise
    }

    /// One was refused, of a limit of this window, and never was any left.
    pub(crate) fn were_first(&mut self, window: Nanos, now: Nanos) {
        self.came_later = true;
        self.met(window, now);
    }

    /// So much was taken here about when the request of the last word was, beside that.
    pub(crate) const fn took(&mut self, lately: u64) {
        self.lately = lately;
    }

    /// How much others take before the next word comes, while what is `unsaid` of our own and what was taken about when the last word was
    /// given is taken here; and how much of it that is of what is unsaid.
    pub(crate) fn beside(&self, unsaid: u64) -> (u64, u64) {
        let theirs = |ours: u64| {
            let theirs = u128::from(ours) * u128::from(self.part) / u128::from(ONE - self.part);
            u64::try_from(theirs).unwrap_or(u64::MAX)
        };
        (theirs(unsaid.saturating_add(self.lately)), theirs(unsaid))
    }

    /// How much has to be there beside a request, where all that come back for one see it at once.
    pub(crate) fn apart(&self) -> u64 {
        self.usual / USUAL * APART
    }

    /// A request took `amount`.
    pub(crate) fn take(&mut self, amount: u64) {
        let is_first = self.usual == 0;
        let amount = amount.saturating_mul(USUAL);
        self.usual = if is_first { amount } else { self.usual - self.usual / USUAL + amount / USUAL };
    }

    /// So much is left.
    pub(crate) fn saw(&mut self, remaining: u64) {
        self.most = self.most.max(remaining);
    }

    /// Where no more than `worth` remains because that is let out in a second, somebody is the first in one: never half of it was
    /// left.
    pub(crate) fn is_less_than(&mut self, worth: u64) -> bool {
        self.words = self.words.saturating_add(1);
        self.is_less |= self.words >= WORDS && self.most < worth / 2;
        self.is_less || self.came_later
    }

    /// Others take the same part of another limit.
    pub(crate) const fn follow(&mut self, other: &Self) {
        (self.part, self.until) = (other.part, other.until);
    }

    /// The most that was ever left.
    pub(crate) const fn most(&self) -> u64 {
        self.most
    }

    /// Until when others are thought to be there.
    pub(crate) const fn until(&self) -> Nanos {
        self.until
    }

    /// Whether anybody else was noticed.
    pub(crate) fn are_there(&self, now: Nanos) -> bool {
        now < self.until
    }
}

/// The part that `others` have of what was taken, where `own` is ours.
fn part(others: u64, own: u64) -> u64 {
    let all = u128::from(others) + u128::from(own);
    let part = (u128::from(others) * u128::from(ONE)).checked_div(all).unwrap_or(0);
    u64::try_from(part).unwrap_or(ONE).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Amounts, Dimension};

    /// One request each half a second of a limit of 600 a minute, a hundred of which were left at first: what is believed
    /// after so many, of which `told` says what remains when so many were sent.
    fn after(requests: u64, told: impl Fn(u64) -> u64) -> Others {
        let (mut others, mut account) = (Others::default(), Account::NONE);
        others.saw(600);
        let parts = Parts::of(&Amounts::of_request(1, 1), Dimension::Requests);
        for number in 1..=requests {
            account.admit(&parts);
            let at = Nanos::from_millis(number * 500);
            let word = Spoken { at, number, remaining: told(number), account, doubtful: 0, rounded: 0 };
            let span = at.saturating_sub(others.base().map_or(at, |base| base.at));
            let between = Between { back: span.get() / 100_000_000, full: 600, window: Nanos::MINUTE };
            others.learn(&word, &between);
        }
        others
    }

    fn now(requests: u64) -> Nanos {
        Nanos::from_millis(requests * 500)
    }

    #[test]
    fn who_is_alone_learns_of_nobody() {
        // Five come back for each one that goes.
        let alone = after(40, |number| 100 + number * 4);
        assert!(!alone.are_there(now(40)) && alone.beside(50) == (0, 0), "{alone:?}");
    }

    #[test]
    fn what_is_missing_was_taken_by_others() {
        let shared = after(40, |_| 100);
        assert!(shared.are_there(now(40)), "{shared:?}");
        // Four of five.
        let (theirs, _) = shared.beside(10);
        assert!((20..=60).contains(&theirs), "{theirs}, {shared:?}");
    }

    #[test]
    fn others_who_stop_are_hardly_believed_after_the_next_interval() {
        let left = after(60, |number| 100 + number.saturating_sub(40) * 4);
        assert!(left.beside(10).0 <= 1, "{left:?}");
    }

    #[test]
    fn words_that_leave_more_than_there_can_be_prove_hardly_anybody() {
        let noisy = after(40, |number| 100 + number * 4 + number % 2 * 40);
        assert!(noisy.beside(10).0 <= 1, "{noisy:?}");
    }

    #[test]
    fn a_request_that_was_not_counted_was_not_taken_by_others() {
        let mut shared = after(10, |_| 100);
        let before = shared.base().unwrap().account;
        let parts = Parts::of(&Amounts::of_request(1, 1), Dimension::Requests);
        shared.forget(11, &parts);
        assert_eq!(shared.base().unwrap().account, before, "it was admitted later");
        shared.forget(1, &parts);
        assert_ne!(shared.base().unwrap().account, before);
    }
}
