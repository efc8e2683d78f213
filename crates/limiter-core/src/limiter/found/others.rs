//! What others take of a limit.

use super::{Books, Found, JITTER};
use crate::learn::{Between, Others, Spoken, Word};
use crate::{Dimension, Nanos, Refill, Reservation};

/// Where fewer are let out in a second, nothing left of them is no wonder.
const WORTH: u64 = 4;

impl Found {
    /// Learns from a word what others take. It answers a request that was admitted about the moment that began at `start`.
    pub(super) fn learn_others(&mut self, word: &Word, reservation: &Reservation, start: Nanos, now: Nanos) {
        let account = reservation.ledger.of(self.dimension());
        self.others.saw(word.remaining);
        if self.dimension() != Dimension::Requests || !self.is_even() {
            return;
        }
        let Some(account) = account else { return };
        let word = Spoken {
            at: word.at,
            number: reservation.number,
            remaining: word.remaining,
            account: *account,
            doubtful: 0,
            rounded: word.rounded,
        };
        let Some((mut word, since)) = self.others.hear(&word, start) else { return };
        let later = self.flight.parts_after(since, self.dimension());
        word.doubtful = self.flight.parts_since(since, self.dimension()).whole.saturating_sub(later.whole);
        let shape = self.shape();
        let from = self.others.base().map_or(word.at, |base| base.at);
        let back = shape.refilled(from, word.at);
        let were_there = self.others.are_there(now);
        self.others.learn(&word, &Between { back, full: shape.full, window: shape.window });
        if !were_there && self.others.are_there(now) {
            self.depth.held(self.others.most());
        }
    }

    /// One was refused that was sent at `sent` and takes `amount`, which had come back since the last one before it was
    /// counted.
    pub(super) fn meet_others(&mut self, amount: u64, sent: Nanos, now: Nanos) {
        if self.dimension() != Dimension::Requests {
            return;
        }
        let is_alone = self.in_flight_requests() == 0 && self.counted_at > Nanos::ZERO && self.others.noise() == 0;
        let had_come_back = |since: Nanos| self.shape().refilled(since, sent) >= amount;
        // Of one that holds one request, or lets out one in a second, no more is ever left.
        let holds_more = self.told > 1 && (!self.may_be_rest() || self.worth() >= WORTH);
        if is_alone && holds_more && self.others.most() < amount && had_come_back(self.counted_at) {
            self.others.were_first(self.bucket.limit().window(), now);
        } else if is_alone && had_come_back(self.counted_at.saturating_add(JITTER)) && self.is_even() {
            if !self.others.are_there(now) {
                self.depth.forget();
            }
            self.others.met(self.bucket.limit().window(), now);
        }
    }

    /// Whether others draw on it.
    pub(in crate::limiter) fn has_others(&self, now: Nanos) -> bool {
        !self.is_sliced && self.bucket.limit().refill() == Refill::Continuous && self.others.are_there(now)
    }

    /// Others draw on another limit of the same provider.
    pub(in crate::limiter) fn has_others_as(&mut self, other: &Others, now: Nanos) {
        if self.dimension() != Dimension::Requests && !self.is_sliced {
            if !self.others.are_there(now) {
                self.depth.held(self.others.most());
            }
            self.others.follow(other);
        }
    }

    /// What others take, where that is counted exactly.
    pub(in crate::limiter) fn others_of_requests(&self, now: Nanos) -> Option<Others> {
        (self.dimension() == Dimension::Requests && self.has_others(now)).then_some(self.others)
    }

    /// Whether what is missing can only have been taken: it is a bucket, and surely not let out second by second.
    fn is_even(&mut self) -> bool {
        let is_less = self.others.is_less_than(self.worth());
        (is_less || !self.may_be_rest()) && !self.is_sliced && self.bucket.limit().refill() == Refill::Continuous
    }

    fn in_flight_requests(&self) -> u64 {
        self.flight.parts_since(Nanos::ZERO, self.dimension()).requests
    }

    /// Notes what was taken since `start`, about when the request was sent that the last word answers and for which so much was
    /// `reserved`, and has been answered: others may have taken their part meanwhile.
    pub(super) fn note_lately(&mut self, start: Nanos, reserved: u64, books: &Books<'_>) {
        let Some(account) = books.ledger.of(self.dimension()) else { return };
        let taken = account.admitted_since(self.flight.account_before(start));
        let taken = if taken.whole > u64::MAX / 2 { 0 } else { self.charge.amount(&taken, books.yields) };
        let unsaid = self.in_flight_since(self.uncertain_from, books);
        self.others.took(taken.saturating_sub(unsaid).saturating_sub(reserved));
    }

    /// How much more has to be there because others take their part, and until when; and how much after that.
    pub(super) fn beside(&self, full: u64, yields: u64, now: Nanos) -> (u64, u64) {
        if !self.has_others(now) {
            return (0, 0);
        }
        let unsaid = self.charge.amount(&self.flight.parts_since(self.uncertain_from, self.dimension()), yields);
        let apart = self.others.apart();
        let (lately, later) = self.others.beside(unsaid);
        let whole = |theirs: u64| theirs.min(full - full / 16).saturating_add(apart.min(full / 16));
        (whole(lately), whole(later))
    }
}
