//! A limit that is let out second by second, as it was found to be: what counts is what the second may take.

use super::Found;
use crate::learn::{Charge, Heard, Margin, Returns, Slices};
use crate::{Bucket, Cost, Limit, Nanos, NeverFits, Reading, Refill};

/// A turn is moved where it is known so much better.
const MOVES: Nanos = Nanos::from_millis(10);

/// For so much of a second nothing goes at most because it may have turned: half of one.
const DOUBT: Nanos = Nanos::from_millis(500);

/// What was taken that is more than a second may take: from when on there is something again, and what of that second is
/// taken already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    until: Nanos,
    rest: u64,
}

impl Found {
    /// What a second may take, where the limit is let out second by second.
    pub(super) fn worth(&self) -> u64 {
        let window = u128::from(self.told_window().get());
        let worth = u128::from(self.told) * u128::from(Nanos::SECOND.get()) / window.max(1);
        u64::try_from(worth).unwrap_or(u64::MAX).max(1)
    }

    /// Whether it is told for more than a second, and no more than a minute: of a day's limit nobody lets out a second's part,
    /// and one of which nothing is left says nothing of slices.
    fn may_be_sliced(&self) -> bool {
        (Nanos::from_millis(1_001)..=Nanos::MINUTE).contains(&self.told_window())
    }

    /// Whether what is left may be the rest of what is let out in a second.
    pub(super) fn may_be_rest(&self) -> bool {
        self.is_sliced || self.may_be_sliced() && !self.slices.is_deeper()
    }

    /// The window that the limit is told for.
    pub(super) fn told_window(&self) -> Nanos {
        if self.is_sliced { self.stated_window.unwrap_or(Nanos::MINUTE) } else { self.bucket.limit().window() }
    }

    /// What is told of the limit.
    pub(super) fn told_limit(&self) -> Limit {
        Limit::new(self.dimension(), self.told, self.told_window())
    }

    /// Learns from what `remaining` says in the answer to a request sent at `sent`.
    pub(super) fn learn_slices(&mut self, remaining: u64, sent: Nanos, now: Nanos) {
        if !self.may_be_sliced() {
            return;
        }
        self.slices.learn(remaining, self.grain.error(), self.worth(), sent, now);
        self.follow_slices(now);
    }

    /// A refusal of a request sent at `sent`, by what is told of this limit, says to come again after `span`.
    pub(in crate::limiter) fn hear_turn(&mut self, span: Nanos, sent: Nanos, now: Nanos) {
        if self.may_be_sliced() {
            self.slices.hear_wait(span, sent, now);
            self.follow_slices(now);
        }
    }

    /// What was found of the slices of this limit.
    pub(in crate::limiter) const fn slices(&self) -> Option<Slices> {
        if self.is_sliced { Some(self.slices) } else { None }
    }

    /// Whether a word of nothing may stand for less: what was taken is owed of the seconds to come.
    pub(super) const fn is_cut_off(&self, remaining: u64) -> bool {
        self.is_sliced && remaining == 0
    }

    /// Another limit of the same provider has slices.
    pub(in crate::limiter) fn is_sliced_as(&mut self, other: &Slices, now: Nanos) {
        if self.may_be_sliced() {
            self.slices.follow(other);
            self.follow_slices(now);
        }
    }

    /// Holds what a second may take, where that is known to count.
    fn follow_slices(&mut self, now: Nanos) {
        let limit = match (self.slices.turn(), self.bucket.limit().refill()) {
            (Some(turn), known) => {
                let phase = Nanos::new(turn.get() % Nanos::SECOND.get());
                let moved = |known: Nanos| phase.get().abs_diff(known.get());
                let is_near = |known: Nanos| moved(known).min(Nanos::SECOND.get() - moved(known)) < MOVES.get();
                let refill = match known {
                    Refill::AtBoundary { phase } if self.is_sliced && is_near(phase) => known,
                    _ => Refill::AtBoundary { phase },
                };
                Limit::new(self.dimension(), self.worth(), Nanos::SECOND).with_refill(refill)
            }
            (None, _) if self.is_sliced => {
                let refill = self.form.refill().unwrap_or(Refill::Continuous);
                let window = self.stated_window.or(self.form.window()).unwrap_or(Nanos::MINUTE);
                Limit::new(self.dimension(), self.told, window).with_refill(refill)
            }
            (None, _) => return,
        };
        let is_sliced = self.slices.turn().is_some();
        if core::mem::replace(&mut self.is_sliced, is_sliced) == is_sliced {
            self.change_to(limit, now);
            return;
        }
        // What is missing of the one says nothing of the other: the next word says what is there.
        self.bucket = Bucket::holding(limit, 0, now).after(self.bucket.takings());
        (self.log, self.last_word, self.owed) = (None, None, None);
        (self.has_word, self.counts, self.word_at) = (false, false, Nanos::ZERO);
        self.margin = Margin::default();
        self.returns = Returns::default();
        self.depth.forget();
        // What was taken back, or cut off, was taken for what was charged.
        self.charge = Charge::new();
        self.follow_share(now);
    }

    /// The limit as it is known with this reading. Returns whether it allows another amount than before.
    pub(super) fn follow_sliced(&mut self, reading: &Reading, sent: Nanos, now: Nanos) -> bool {
        let said = reading.limit.unwrap_or(self.told).clamp(1, Limit::MAX_AMOUNT);
        if self.rivals.hear(self.told, said, sent, self.reordering()) == Heard::Followed {
            let is_another = core::mem::replace(&mut self.told, said) != said;
            self.follow_slices(now);
            return is_another;
        }
        false
    }

    /// Whether the certain part of `cost` is within the limit as it is told: what is more than a second may take goes alone.
    pub(super) fn check_slice(&self, cost: &Cost) -> Option<Result<(), NeverFits>> {
        self.is_sliced.then(|| NeverFits::check(cost, &self.told_limit()))
    }

    /// When `amount`, which is there at `ready_at`, is there beside what is owed.
    pub(super) fn unowed_at(&self, amount: u64, ready_at: Nanos) -> Nanos {
        let ready_at = self.surely_turned(ready_at);
        let Some(owed) = self.owed else { return ready_at };
        let next = owed.until.saturating_add(Nanos::SECOND);
        if ready_at >= next {
            ready_at
        } else if amount.saturating_add(owed.rest) <= self.bucket.limit().burst() {
            ready_at.max(owed.until)
        } else {
            next
        }
    }

    /// What goes while a second may have ended or not counts in the one or the other: nothing does.
    fn surely_turned(&self, at: Nanos) -> Nanos {
        let Some(turn) = self.last_turn(at).filter(|_| self.is_sliced) else { return at };
        let next = turn.saturating_add(Nanos::SECOND);
        if next.saturating_sub(at) <= self.slices.doubt().min(DOUBT) { next } else { at }
    }

    /// Takes off what is owed of the second, and notes what more than a second may take is owed later.
    pub(super) fn owe(&mut self, amount: u64, at: Nanos) {
        if !self.is_sliced {
            return;
        }
        if let Some(owed) = self.owed.take_if(|owed| at >= owed.until)
            && at < owed.until.saturating_add(Nanos::SECOND)
        {
            self.bucket.lose(owed.rest, at);
        }
        let worth = self.bucket.limit().burst().max(1);
        let excess = amount.saturating_sub(worth);
        if excess > 0 {
            let turn = self.last_turn(at).unwrap_or(at);
            let seconds = (excess / worth).saturating_add(1).min(Limit::MAX_WINDOW.get() / Nanos::SECOND.get());
            self.owed = Some(Owed { until: turn.saturating_add(Nanos::from_secs(seconds)), rest: excess % worth });
        }
    }
}
