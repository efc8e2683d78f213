//! Words that do not include what was surely counted: a figure that is read from a cache once a second, one that is told
//! before the request itself is counted, or one from another machine that lags behind.
//!
//! Beside the level that words tell, what was admitted is counted here alone. A word may lower that at once: somebody else
//! may have taken something. It raises it only as far as all words of a few seconds agree: as soon as the level moves less,
//! a word that is old says what one that is new says, while what comes back sooner than it is thought to is there in all of
//! them. No word makes more of a limit than is left by that count.

use super::{Ended, Found};
use crate::learn::Margin;
use crate::{Bucket, Nanos, Refill, Reservation, Taken};

/// What all words of this time say is true: few caches are older.
const OLDEST: Nanos = Nanos::from_secs(4);

/// What is left by our own count alone.
#[derive(Debug)]
pub(super) struct Own {
    bucket: Bucket,
    /// How much more words said at least, since when, and how much in the time before that.
    excess: i64,
    since: Nanos,
    before: i64,
    /// When something was taken last, and when it was after so long a pause that no word is older.
    taken_at: Nanos,
    rested_at: Nanos,
    /// Whether a request was refused though words said that there is enough for it.
    is_contradicted: bool,
}

impl Own {
    pub(super) const fn new(bucket: Bucket, now: Nanos) -> Self {
        Self {
            bucket,
            excess: i64::MAX,
            since: now,
            before: i64::MAX,
            taken_at: now,
            rested_at: Nanos::ZERO,
            is_contradicted: false,
        }
    }

    fn restart(&mut self, bucket: Bucket, now: Nanos) {
        (self.bucket, self.excess, self.since, self.before) = (bucket, i64::MAX, now, i64::MAX);
    }

    fn raise(&mut self, more: i64, now: Nanos) {
        let level = self.bucket.level(now).saturating_add(more);
        self.bucket.set_level(level.max(0).unsigned_abs(), now, level.min(0).unsigned_abs(), now);
    }

    /// A word says that at most so much is left. What `is_of_before` may be of before a turn.
    fn hear(&mut self, at_most: i64, sent: Nanos, is_of_before: bool, now: Nanos) {
        let more = at_most.saturating_sub(self.bucket.level(now));
        if more <= 0 && !is_of_before {
            self.bucket.lose(more.unsigned_abs(), now);
        }
        if more > 0 && sent == self.rested_at {
            // All that was taken before is part of it, however old it is.
            self.raise(more, now);
            (self.excess, self.before) = (0, i64::MAX);
            return;
        }
        if now >= self.since.saturating_add(Nanos::new(OLDEST.get() / 2)) {
            let agreed = self.excess.min(self.before);
            if agreed > 0 && agreed < i64::MAX {
                self.raise(agreed, now);
                self.excess = self.excess.saturating_sub(agreed);
            }
            (self.before, self.excess, self.since) = (self.excess, i64::MAX, now);
        }
        self.excess = self.excess.min(more.max(0));
    }
}

impl Found {
    /// Keeps the level within our own count, after a word by which there is `at_most` so much.
    pub(super) fn hold_to_own(&mut self, at_most: i64, sent: Nanos, is_new: bool, tells: bool, now: Nanos) {
        if is_new || self.is_sliced || self.is_weighted() || !tells {
            let bucket = self.bucket;
            self.own.restart(bucket, now);
            return;
        }
        let is_of_before = self.last_turn(now).is_some_and(|turn| sent < turn.saturating_add(OLDEST));
        self.own.hear(at_most, sent, is_of_before, now);
        self.keep_to_own(now);
    }

    /// Keeps the level within our own count.
    pub(super) fn keep_to_own(&mut self, now: Nanos) {
        if self.is_sliced
            || self.is_weighted()
            || self.slides()
            || self.has_rivals()
            || !self.own.is_contradicted && (self.is_charged_by_rule() || !self.comes_back_as_known())
        {
            return;
        }
        let over = self.bucket.level(now).saturating_sub(self.own.bucket.level(now));
        if over > 0 {
            self.bucket.lose(over.unsigned_abs(), now);
        }
    }

    /// Whether it is known how soon it comes back: of a short window that nobody stated, words say so before anything else.
    fn comes_back_as_known(&self) -> bool {
        self.stated_window.or(self.form.window()).is_some_and(|window| window >= Nanos::MINUTE)
    }

    /// Whether a word that `remaining` is left says nothing, because it is the same whatever is taken.
    pub(in crate::limiter) fn says_nothing(&mut self, remaining: u64, is_alone: bool, refused: bool) -> bool {
        if refused {
            self.constant.refused();
            return false;
        }
        let is_silent = self.constant.hear(remaining, self.told, is_alone);
        if is_silent {
            // Nor did the words before it say anything.
            (self.has_word, self.margin) = (false, Margin::default());
            self.depth.forget();
        }
        is_silent
    }

    /// A request was let through of which it is not known whether it took anything.
    pub(in crate::limiter) fn took_nothing(&mut self, reservation: &Reservation, index: usize, now: Nanos) {
        if self.constant.is_boundless() {
            let reserved = self.reserved(reservation, index);
            self.settle(&reservation.taken(), reserved, 0, now);
            self.own.bucket.settle_as(&reservation.taken(), reserved, 0, now);
        }
    }

    /// A request was refused though the word in its answer says that there is enough for it. Then our own count holds of
    /// tokens, too, though what they are charged is less certain than what a request is.
    pub(in crate::limiter) const fn is_contradicted(&mut self) {
        self.own.is_contradicted = true;
    }

    pub(super) fn take_own(&mut self, taken: &Taken, amount: u64) {
        if taken.at >= self.own.taken_at.saturating_add(OLDEST) {
            self.own.rested_at = taken.at;
        }
        self.own.taken_at = taken.at;
        self.own.bucket.take_as(taken, amount);
    }

    /// A request was refused for which `reserved` was taken.
    pub(super) fn uncount_own(&mut self, reservation: &Reservation, reserved: u64, now: Nanos) {
        self.own.bucket.settle_as(&reservation.taken(), reserved, 0, now);
    }

    /// A request ended for which `reserved` was taken and is still counted.
    pub(super) fn end_own(&mut self, reservation: &Reservation, reserved: u64, ended: &Ended, now: Nanos) {
        let parts = self.parts(reservation.cost.expected());
        let due = match ended {
            Ended::Answered(actual) if self.charge.rule().settles() => self.charge.settled(&parts, &self.parts(actual)),
            Ended::Answered(_) => reserved,
            Ended::Counted(amounts) => amounts.of(self.dimension()).min(reserved),
        };
        self.own.bucket.settle_as(&reservation.taken(), reserved, due, now);
    }

    /// The limit is another one now.
    pub(super) fn follow_own(&mut self, now: Nanos) {
        let limit = *self.bucket.limit();
        if limit.refill() == Refill::Sliding && self.own.bucket.limit().refill() != Refill::Sliding {
            let bucket = self.bucket;
            self.own.restart(bucket, now);
        } else {
            self.own.bucket.set_limit(limit, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dimension, Limit};

    #[test]
    fn a_word_lowers_our_own_count_at_once_and_raises_it_when_all_words_of_a_while_agree() {
        let second = Nanos::from_secs;
        let full = Bucket::full(Limit::per_minute(Dimension::Requests, 60), Nanos::ZERO);
        let mut own = Own::new(full, Nanos::ZERO);
        own.hear(10, second(1), false, second(1));
        assert_eq!(own.bucket.level(second(1)), 10);
        own.hear(50, second(2), false, second(2));
        assert_eq!(own.bucket.level(second(2)), 11);
        (3..12).for_each(|at| own.hear(50, second(at), false, second(at)));
        assert!(own.bucket.level(second(12)) > 40);
    }
}
