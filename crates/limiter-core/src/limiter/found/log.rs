//! A limit as a log of what was taken: of a sliding window each amount comes back one window after it was taken, so it
//! matters when that was, and a word of the provider's corrects what is counted and does not replace it.
//!
//! What form a limit has is seen only after some has been taken. So the log is kept beside the level until then.

use super::Found;
use crate::learn::Rule;
use crate::{Bucket, Cost, Nanos, Refill, Reservation, Taken};

/// A hint to wait is much longer than an even refill takes where it is so many times as long: it may be rounded up to
/// whole seconds.
const LONGER: u64 = 4;
/// And so much of the window at least: a tenth.
const SHARE: u64 = 10;
/// One of more than so many windows speaks of something else.
const WINDOWS: u64 = 2;

impl Found {
    /// The log of what was taken, as it was `before` the answer to a request of which so much of what was reserved stays
    /// counted.
    pub(super) fn as_log(
        &mut self,
        before: Bucket,
        own: Option<&(Taken, u64, u64)>,
        now: Nanos,
    ) -> Option<&mut Bucket> {
        let log = if self.slides() {
            self.bucket = before;
            &mut self.bucket
        } else {
            self.log.as_deref_mut()?
        };
        if let Some((taken, reserved, kept)) = own {
            log.settle_as(taken, *reserved, *kept, now);
        }
        Some(log)
    }

    /// What is counted of what was `reserved` for a request once the provider has spoken of it.
    pub(super) fn kept(&self, reservation: &Reservation, refused: bool, reserved: u64) -> u64 {
        match self.charge.rule() {
            _ if refused => 0,
            Rule::Late => self.charge.prompt(&self.parts(reservation.cost.expected())).min(reserved),
            _ => reserved,
        }
    }

    /// What had come back by `now`, where what was taken is logged. Wraps.
    pub(in crate::limiter) fn returned(&self, now: Nanos) -> u64 {
        self.log.as_deref().unwrap_or(&self.bucket).returned(now)
    }

    /// Whether each amount comes back one window after it was taken.
    pub(in crate::limiter) fn slides(&self) -> bool {
        self.bucket.limit().refill() == Refill::Sliding
    }

    /// Whether its resets are those of a sliding window.
    pub(in crate::limiter) const fn seems_to_slide(&self) -> bool {
        self.form.has_same_resets()
    }

    /// Nothing was seen to come back with time: it is a sliding window, unless its resets tell of another form.
    pub(in crate::limiter) fn stands_still(&mut self, now: Nanos) {
        self.form.stood_still();
        self.follow_form(now);
    }

    /// The limit refills as it was found to.
    pub(super) fn follow_form(&mut self, now: Nanos) {
        if self.is_sliced || self.is_weighted() {
            return;
        }
        let limit = self.bucket.limit().with_refill(self.form.refill().unwrap_or(self.bucket.limit().refill()));
        self.change_to(limit, now);
    }

    /// A refusal says that a request of `cost` has to wait until `then`. That is much longer than what is missing would take
    /// to come back evenly where it comes back a window after it was taken.
    pub(in crate::limiter) fn hear_wait(&mut self, cost: &Cost, yields: u64, then: Nanos, now: Nanos) {
        let (expected, window) = (self.ready_at(cost, yields, true, now), self.bucket.limit().window().get());
        let even = expected.saturating_sub(now).get();
        let said = then.saturating_sub(now).get();
        let is_longer = even > 0 && said > even.saturating_mul(LONGER) && said > window / SHARE;
        if is_longer && said <= window.saturating_mul(WINDOWS) {
            self.stands_still(now);
        }
    }
}

/// What an answer says of a limit, for a log of what was taken.
pub(super) struct Said {
    pub(super) remaining: u64,
    /// What was surely counted after the word, and what may have been.
    pub(super) later: u64,
    pub(super) uncertain: u64,
    /// What may have come back since.
    pub(super) back: u64,
    pub(super) is_first: bool,
}

impl Said {
    /// Corrects a log by as little as the word demands.
    pub(super) fn correct(&self, log: &mut Bucket, now: Nanos) {
        let level = |unsaid: u64| i64::try_from(self.remaining).unwrap_or(i64::MAX).saturating_sub_unsigned(unsaid);
        let most = level(self.later).saturating_add_unsigned(self.back);
        let least = level(self.uncertain);
        log.correct(log.level(now).clamp(least, most.max(least)), !self.is_first, now);
    }
}
