//! A limit that is let out second by second, as it was found to be: what counts is what the second may take.

use super::Found;
use crate::learn::{Account, Charge, Heard, Margin, Returns, Slices};
use crate::{Bucket, Cost, Limit, Nanos, NeverFits, Reading, Refill};

/// A turn is moved where it is known so much better.
const MOVES: Nanos = Nanos::from_millis(10);

/// A word tells of slices that is rounded to an eighth of one at most.
const TELLING: u64 = 8;

/// What goes evenly may do so a quarter of a second early: what takes more of one limit than of another still takes all of
/// either in the long run, and words come from four places in a second at least.
const EVENLY: Nanos = Nanos::from_millis(250);

/// A second's part of less than whole units is not told from one of a sixteenth less.
const WHOLE: u128 = 16;

/// What was taken that is more than a second may take: from when on there is something again, and what of that second is
/// taken already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    since: Nanos,
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

    /// Whether it is held possible that it is let out in slices that begin nobody knows when: unless something shows how it
    /// comes back.
    fn may_be_presumed_sliced(&self) -> bool {
        let (second, window) = (u128::from(Nanos::SECOND.get()), u128::from(self.told_window().get()));
        let (worth, rest) = (u128::from(self.told) * second / window, u128::from(self.told) * second % window);
        let is_whole = worth > 0 && rest * WHOLE <= u128::from(self.told) * second;
        let is_even = self.form.refill().is_none_or(|refill| refill == Refill::Continuous);
        is_whole && is_even && self.slices.are_possible()
    }

    /// Whether that is all that is known of its slices: what is taken goes evenly then, so that words tell more.
    pub(super) fn is_presumed_sliced(&self) -> bool {
        self.is_sliced && self.slides()
    }

    /// Notes when the next may go after `amount` was taken at `at`, where slices are held possible.
    pub(super) fn pace_slice(&mut self, amount: u64, at: Nanos) {
        if self.is_presumed_sliced() {
            let since = at.saturating_sub(EVENLY);
            self.rationed_until = self.rationed_until.max(since).saturating_add(self.slice_span(amount));
        }
    }

    /// So much was not charged of what was taken: what goes evenly need not wait for it.
    pub(super) fn was_less(&mut self, amount: u64) {
        if self.is_presumed_sliced() {
            self.rationed_until = self.rationed_until.saturating_sub(self.slice_span(amount));
        }
    }

    /// When `amount` may go where slices are held possible: what is more than a second's part is there of a bucket only when
    /// nothing was taken for as long as it takes to come back.
    pub(super) fn paced_at(&self, amount: u64) -> Nanos {
        let is_more = amount > self.bucket.limit().burst() && !self.slices.are_seen();
        let idle = if is_more { self.slice_span(amount) } else { Nanos::ZERO };
        self.rationed_until.saturating_add(idle)
    }

    /// The time in which `amount` comes back of a second's part.
    fn slice_span(&self, amount: u64) -> Nanos {
        let span = u128::from(amount) * u128::from(self.told_window().get()) / u128::from(self.told.max(1));
        Nanos::new(u64::try_from(span).unwrap_or(u64::MAX).min(Limit::MAX_WINDOW.get()))
    }

    /// Whether what is left may be the rest of what is let out in a second.
    pub(super) fn may_be_rest(&self) -> bool {
        self.is_sliced || self.may_be_sliced() && !self.slices.are_refuted()
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
    pub(super) fn learn_slices(
        &mut self,
        remaining: u64,
        account: Option<&Account>,
        refused: bool,
        sent: Nanos,
        now: Nanos,
    ) {
        if !self.may_be_sliced() {
            return;
        }
        let worth = self.worth();
        // A figure that is rounded to about a slice tells of none.
        if !refused && self.grain.suspected() <= worth / TELLING {
            self.slices.is_told(remaining, worth);
        }
        self.slices.learn(remaining, self.grain.error(), worth, account, sent, now);
        // Something is left of the second in which it went: it was charged less than thought, and owes nothing.
        self.owed.take_if(|owed| refused || sent >= owed.since && remaining > 0);
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
    pub(in crate::limiter) fn slices(&self) -> Option<Slices> {
        if self.slices.turn().is_some() { Some(self.slices) } else { None }
    }

    /// Whether its words show that it is not let out in slices.
    pub(in crate::limiter) const fn refutes_slices(&self) -> bool {
        self.slices.are_refuted()
    }

    /// Another limit of the same provider is not let out in slices: nothing speaks for it here.
    pub(in crate::limiter) fn is_not_sliced(&mut self, now: Nanos) {
        if !self.slices.are_refuted() {
            self.slices.are_impossible();
            self.follow_slices(now);
        }
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
        let is_sliced = self.slices.turn().is_some() || self.may_be_presumed_sliced();
        let limit = match (self.slices.turn(), self.bucket.limit().refill()) {
            (None, _) if is_sliced => {
                Limit::new(self.dimension(), self.worth(), Nanos::SECOND).with_refill(Refill::Sliding)
            }
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
        let was_presumed = self.is_presumed_sliced();
        let is_known = is_sliced && limit.refill() != Refill::Sliding;
        if core::mem::replace(&mut self.is_sliced, is_sliced) == is_sliced && !(was_presumed && is_known) {
            self.change_to(limit, now);
            return;
        }
        self.end_to_weigh();
        // What is missing of the one says nothing of the other: the next word says what is there.
        let level = if limit.refill() == Refill::Sliding { limit.burst() } else { 0 };
        self.bucket = Bucket::holding(limit, level, now).after(self.bucket.takings());
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

    /// Since when what was admitted may count in this second, where it is known when it began: what is in flight from an
    /// earlier one does not.
    pub(super) fn in_this_slice(&self, now: Nanos) -> Option<Nanos> {
        let turn = self.last_turn(now).filter(|_| self.is_sliced)?;
        Some(self.flight.start(turn.saturating_sub(self.slices.doubt())))
    }

    /// Whether a word in the answer to a request of the instant `sent` is from an earlier second, and says nothing of this one.
    pub(super) fn is_over(&self, sent: Nanos, now: Nanos) -> bool {
        let since =
            if self.is_presumed_sliced() { Some(now.saturating_sub(Nanos::SECOND)) } else { self.in_this_slice(now) };
        since.is_some_and(|since| sent < since)
    }

    /// What goes while a second may have ended or not counts in the one or the other: nothing does.
    fn surely_turned(&self, at: Nanos) -> Nanos {
        let Some(turn) = self.last_turn(at).filter(|_| self.is_sliced) else { return at };
        let next = turn.saturating_add(Nanos::SECOND);
        if next.saturating_sub(at) <= self.slices.doubt() { next } else { at }
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
            self.owed =
                Some(Owed { since: at, until: turn.saturating_add(Nanos::from_secs(seconds)), rest: excess % worth });
        }
    }
}
