//! Our own count of a limit's level, which a word of the provider's corrects and does not replace.
//!
//! A word does not say which of the requests in flight it includes: they are counted in another order than they were sent
//! in, and of a burst any of them may have been first. To take all off that may not be included holds twice what is. In a
//! limit that comes back soon this costs nothing; of a fixed window, what is held twice stays unused until the last of a
//! burst is answered, or until the window turns.
//!
//! What was admitted is known here, and once it is known how it is charged, so is what remains, without any word. A word
//! then only says within what bounds that is: no more than what remained when all was counted that may have been, less what
//! surely was not, and no less than if nothing had been that may not.

use super::{Books, Found};
use crate::{Bucket, Dimension, Nanos, Refill};

impl Found {
    /// Whether our own count is kept as far as a word allows it: of a window, of which nothing comes back soon. A refusal says that it was wrong; where what is charged is
    /// not known, or changes when a request ends, a word tells more.
    pub(super) fn trusts_count(&self, refused: bool, books: &Books<'_>) -> bool {
        let is_charge_known =
            !self.is_charged_by_rule() || !self.charge.is_unsettled() && !self.charge.rule().settles();
        let turns = matches!(self.bucket.limit().refill(), Refill::AtBoundary { .. });
        self.has_word && books.tells && !refused && is_charge_known && turns
    }

    /// Whether it is in doubt what a request is charged.
    pub(super) const fn is_charged_by_rule(&self) -> bool {
        matches!(self.bucket.limit().dimension(), Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens)
    }

    /// Whether an admission, whose slot of what is in flight begins at `start`, is taken off the level beside the last word.
    pub(super) fn is_held(&self, start: Nanos) -> bool {
        self.counts || start >= self.uncertain_from
    }

    /// The level that the last word told, as it has become since: nothing of what it may not include is taken off.
    pub(super) fn told_level(&self, books: &Books<'_>, now: Nanos) -> i64 {
        let (level, returned) = self.said;
        match self.bucket.limit().refill() {
            // What is counted in a log may be more than the provider counts.
            Refill::Sliding => level.saturating_add_unsigned(self.returned(now).wrapping_sub(returned)),
            _ if self.counts => {
                let shape = self.shape();
                if shape.turned(self.said_at, now) {
                    return i64::try_from(shape.full).unwrap_or(i64::MAX);
                }
                level.saturating_add_unsigned(shape.refilled(self.said_at, now))
            }
            _ => {
                let level = self.surely(self.bucket.level(now), now);
                level.saturating_add_unsigned(self.in_flight_since(self.uncertain_from, books))
            }
        }
    }

    /// What was held twice before our own count was kept has been answered: as much is there at least as the last word told,
    /// less what is in flight and may not be part of it.
    pub(super) fn release_doubles(&mut self, books: &Books<'_>, now: Nanos) {
        if self.is_sliced && self.shape().turned(self.said_at, now) {
            // Of a new second something may be owed, and nothing is held twice.
            return;
        }
        let held = self.in_flight_since(self.uncertain_from, books);
        let least = self.told_level(books, now).saturating_sub_unsigned(held);
        if self.counts && least > self.bucket.level(now) {
            let owed = least.min(0).unsigned_abs();
            self.bucket.set_level(least.max(0).unsigned_abs(), now, owed, now);
        }
    }

    /// The level after a word of which `remaining` and what is surely not included make `most`, and what may not be included
    /// `least`: `counted`, which is our own count, within these.
    pub(super) fn within(least: Bucket, most: Bucket, counted: i64, now: Nanos) -> Bucket {
        let (at_least, at_most) = (least.level(now), most.level(now));
        if counted <= at_least || at_most <= at_least {
            return least;
        }
        let mut level = most;
        level.lose(at_most.saturating_sub(counted).max(0).unsigned_abs(), now);
        level
    }
}
